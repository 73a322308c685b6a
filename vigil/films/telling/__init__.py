"""Telling of films that are done or have failed: store.py (SQL), work.py (a renderer's chore).

A film's event and the note that it was told are one transaction, so each is told once, whoever
renders and whatever crashes; a receiver may see one delivery twice, with the same id.
"""
