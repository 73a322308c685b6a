"""Rendering: what jobs write while a film is planned, rendered and finished.

store.py has the SQL: a film takes something only while it is ``rendering``; a film that was
cancelled or deleted meanwhile takes nothing any more, and the function says so.
"""
