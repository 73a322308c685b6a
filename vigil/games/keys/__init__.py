"""Keys of players: kept encrypted, opened for the scanner, shown to nobody."""
