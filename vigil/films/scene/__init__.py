"""Films of scenes: from the rows of frames to recipes of segments, and those rendered.

rows.py (frames as one numpy array), store.py (reads them), choose.py (which of them may go in),
facts.py (what choosing needs beside them), bounds.py (windows in time), shots.py (what is shown),
windows.py (shots cut into segments, their names), plan.py (the segments that a film should have;
all of these pure), kind.py (plans and renders), pictures.py (reads the JPEGs of a recipe; a
neighbour stands in for a broken one).

Parts of choosing: spans.py, clock.py and sunlight.py (by the moment), faults.py (by what frames
look like), daily.py (one a day), pacing.py (fewer where nothing happens), slots.py (the closest to
each moment), deflicker.py (even brightness). None looks further around a frame than
``choose.reach`` says, so that a part of a film is chosen exactly as within the whole. Of planning:
holes.py (times without frames).
"""
