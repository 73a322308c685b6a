"""What a pass of the accounts writes: all of it, or nothing."""
