"""Films: videos made of a camera's frames, playable while they grow.

A film is an ordered list of immutable segments, each named by a hash of what went into it, so
that nothing is rendered twice: adding an hour to a film costs that hour.

Tables: films, segments, film_segments.
Routes: /films, /films/<id>, /films/<id>/events; /api/v1/films, /api/v1/films/<id> and, below it,
playlist.m3u8, init.mp4, segments, segments/…, film.mp4, cancel, resume.
Jobs: films.render plans a film and renders what is missing.
Chores: films:due (growing films, removals, lost jobs), films:housekeeping (unused segments).

More files than other rooms have: order.py (what may be asked for), plan.py (frames → segments,
pure), segments/ (made, named, kept), playlist.py (HLS), describe.py (a film for people and
programs), builtin.py (the test card's film), check.py (what a crash left).

A crash of a renderer costs the segment in hand. A growing film keeps as much as its camera keeps
frames; a film of a past range keeps what was rendered until it is deleted.
"""
