"""Scenes: places and views, which cameras show."""
