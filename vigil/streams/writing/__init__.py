"""What writes the tables of streams: the batches of a pass, and the removal of what is over."""
