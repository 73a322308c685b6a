"""What a visitor's page asks the database beyond what programs ask: ``store.py`` holds its SQL."""
