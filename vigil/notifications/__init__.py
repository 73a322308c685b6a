"""Notifications: what happened that a person may want to be told, and who is told.

Whoever notices something calls ``store.add``, in the transaction that changed what it noticed; a
delivery for each destination is written with it, so none is forgotten, whatever crashes then.
Tables: events, destinations, deliveries. Routes: /notifications, /api/v1/events,
/api/v1/destinations. Chores: notifications:prune, notifications:deliver.
What a crash costs: nothing; a delivery whose answer was lost comes again, with the same id.

More files than other rooms have: sending.py (a signed webhook, a message through apprise).
"""
