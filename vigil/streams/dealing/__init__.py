"""Random streams and single ones, for many requests at once with few questions to PostgreSQL.

``store.py`` holds the SQL; ``deck.py`` deals what was drawn; ``sample.py`` looks for words among
streams drawn at random; ``batch.py`` asks the questions of one turn of the event loop together.
"""
