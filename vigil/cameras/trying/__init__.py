"""Cameras that are tried before they are kept: a scanner asks for one picture and shows it.

A trial is a row; whoever holds its lease asks, within half a minute and at most three times, and a
row is gone an hour after it was made. Files: model.py, store.py, scan.py, asking.py (one picture
of a camera and what there is to say of it), views.py.
"""
