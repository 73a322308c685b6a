"""Importing what exists: folders and buckets of pictures become frames of a camera.

model.py (what an import is), places.py (folders and buckets, in the order of their names),
timing.py (when a file's picture was taken, and how that is known), previewing.py (what an import
would do), starting.py (what an admin asks for, checked), work.py (the job) and bringing.py (how it
is done), shown.py (imports as people and programs see them), api.py, views.py, cli.py, store.py.
"""
