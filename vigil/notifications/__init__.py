"""Notifications: what happened that a person may want to be told.

Whoever notices something calls ``store.add``, in the transaction that changed what it noticed.
Tables: events. Chores: notifications:prune.
"""
