"""Admin: who may change things.

A person signs in with a one-time link that `bin/vigil admin link` prints (`bin/vigil run` prints
the first one) and gets a session cookie; a program sends a bearer token. All are 256 random
bits, kept as SHA-256. guesses.py counts wrong ones.

Tables: tokens, admin_links, sessions.
Routes: /admin, /admin/enter, /admin/sign-out, /admin/links, /admin/tokens, /admin/sessions.
Chores: admin:prune.
"""
