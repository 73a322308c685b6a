"""Frames: their rows, and what is known of each."""
