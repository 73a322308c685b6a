"""What is live now, seen in directories; everything here expires.

Tables: ``streams`` (what a stream is), ``stream_liveness`` (who watches, until when it counts).
Routes: ``/`` (front page), ``/stream``, ``/stream/<id>``, ``/stats/counts|games|tags``,
``/api/v1/streams``.
Scanned: every enabled source, one pass after the other; expired streams are pruned.
``draws.py`` keeps random streams ready ahead of the requests; ``statistics.py`` works out what
reads every row once for all who ask within a moment; ``asked.py`` reads what an address asks for;
``front.py`` is the front page; ``api.py`` the API below ``/api/v1``.
A crash costs the batch in hand: at most a thousand streams, which the next pass sees again.
"""
