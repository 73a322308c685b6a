"""What is remembered of streams: first seen, viewers over time, their peak, titles.

Tables: ``stream_memories`` (live ones), ``ended_streams`` (for some days), ``stream_samples``.
Route: ``/streams/<source>/<id>``, the page of a stream (``page.py``); ``chart.py`` draws who
watched, ``shown.py`` leaves out what is blocked. The JSON of a stream (``vigil.streams.api``) says
the same.
``scan.py`` takes a sample of all live streams every few minutes, in one process. What a pass writes
stays as it is: no trigger, no index, no column for this. A sample is a row for each 1024 streams
with their viewers in an array, so it costs a byte or two a stream; a stream keeps its place in the
array (``slot``) while it is live.
"""
