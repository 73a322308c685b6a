"""Films of scenes: from the rows of frames to recipes of segments, and those rendered.

rows.py (frames as one numpy array), store.py (reads them), choose.py (which of them may go in),
facts.py (what choosing needs beside them), plan.py (shots, windows, names; pure), kind.py (plans
and renders), pictures.py (reads the JPEGs of a recipe; a neighbour stands in for a broken one).
"""
