"""Scenes: places and views, which cameras show. describing.py: what is said of one, checked."""
