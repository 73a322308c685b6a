"""The site's own frame: how Vigil itself is doing, what goes wrong, and the files of its pages.

Tables: processes (heartbeats of app, scanner and renderer), message_of_the_day (what an admin tells
every visitor; read by the front page).
Routes: /health, /healthz, /metrics, /static/…, /favicon.ico, /robots.txt, /api/openapi.json,
/api/docs.
Chores of the scanner: site:prune, which forgets processes that are gone; site:store, which says
when the blob store is not there.

More files than other rooms have: assets.py (files under static/), errors.py (every failure of a
request becomes a page or JSON here), health.py (what /healthz says), heartbeat.py (each daemon's
sign of life), metrics.py (what /metrics says), reference.py (what the API is).
"""
