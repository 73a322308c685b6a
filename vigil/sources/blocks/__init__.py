"""Channels and words that are never kept, whichever source shows them."""
