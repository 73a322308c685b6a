"""How people look at a scene: its days, the frame closest to a moment, its tags, a day as a file.

Files: model.py, store.py, days.py (a local day and the moments in it), shown.py (as JSON), api.py
(JSON), pages.py, forms.py (what its forms change), zipped.py (frames as one file).
"""
