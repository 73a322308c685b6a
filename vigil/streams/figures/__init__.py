"""Figures about all live streams that only the API below ``/api/v1/stats`` gives."""
