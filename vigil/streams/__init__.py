"""What is live now, seen in directories; everything here expires.

Tables: ``streams`` (what a stream is), ``stream_liveness`` (who watches, until when it counts).
Routes: ``/`` (front page), ``/stream``, ``/stream/<id>``, ``/stats/counts|games|tags``,
``/api/v1/streams``, ``/api/v1/stats``, ``/feeds/streams.rss|atom|json``.
Scanned: every enabled source, one pass after the other; expired streams are pruned.
``draws.py`` keeps random streams ready ahead of the requests, by means of ``dealing`` (its SQL,
samples to search in, questions asked together); ``statistics.py`` works out what
reads every row once for all who ask within a moment; ``asked.py`` reads what an address asks for;
``front.py`` is the front page, with ``leases.py`` (what was just shown rests), ``loosen.py`` (what
to loosen when nothing matches), ``languages.py`` and ``visits`` (its SQL); ``api.py`` is the API
below ``/api/v1``; ``feeds.py`` is a search as a feed.
``history`` is what is remembered of a stream, and its page, ``/streams/<source>/<id>``.
``writing`` holds the SQL of a pass: a batch refreshes the narrow table alone, and rewrites what its
digest says has changed.
A crash costs the batch in hand: at most two thousand streams, which the next pass sees again.
"""
