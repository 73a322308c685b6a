"""Watching: what pages ask of the segments of a film. store.py has the SQL, which only reads."""
