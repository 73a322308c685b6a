"""A whole game, read and written at once."""
