"""What records a game, in SQL."""
