"""Films: videos made of what was seen, playable while they grow.

A film is an ordered list of immutable segments, each named by a hash of what went into it, so
that nothing is rendered twice: adding an hour to a film costs that hour.

Tables: films, segments, film_segments.
Routes: /films, /films/make, /films/plan, /films/<id>, /films/<id>/events; /api/v1/films,
/api/v1/films/plan, /api/v1/films/<id> and, below it,
playlist.m3u8, segments, segments/…, timeline, moments, thumbnails.vtt, sheets/…, posters/…,
previews/…, film.mp4 (and .webm …), file, cancel, resume.
Jobs: films.plan plans a film and finishes it, films.segment renders one segment, films.join makes
the file.
Chores: films:due (growing films, removals, lost jobs), films:housekeeping (unused segments).

More files than other rooms have: options.py (what a film's maker may choose), order.py (from a
person's words to a film), asking/ (what may be said, checked, and the plan of a film that there is
not yet), kinds.py (who plans and renders), scene/ (films of scenes), segments/
(encoded, named, taken apart, kept), looks/ (from a recipe to what ffmpeg is fed with and told to
do), rendering/ and states/ (what jobs write), purging.py (removes), full.py (a disk without room),
describe.py (a film for people and programs), saying.py (for a terminal), builtin.py (the test
card's film), check.py (what a crash left). Watching: playlist.py (HLS), timeline.py (film time and
real time), stills.py (sheets, posters, animations) and beside.py (where those are kept), joining.py
and chapters.py (one file), exports.py (other containers than MP4), watching/ (what pages ask of
segments). Handlers: making.py, showing.py, playing.py, taking.py; finding.py says what they begin
with.

Subpackages with chores of their own: standing (films that make themselves, each day, week or
month), telling (who is told that a film is done or failed).

A crash of a renderer costs the segments in hand. A film keeps what was rendered, whatever becomes
of the frames; a rolling one as much as it shows.
"""
