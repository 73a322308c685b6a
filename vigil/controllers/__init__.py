"""Controllers: machines that bring frames, and cameras that push theirs themselves.

Tables: controllers, controller_codes, controller_cameras, push_tokens.
Routes: /controllers, /api/v1/cameras/<name>/frames (POST, PUT), /api/v1/controllers….
Scans: one target that forgets codes that were never used. Jobs: none.
What a crash costs: nothing that was acknowledged; whoever brings frames keeps each until then.

More files than other rooms have: pushing.py (what a request brings, as pictures with their times),
knocking.py (whose token a request carries).
"""
