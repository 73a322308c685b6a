"""What is kept of frames and what goes: retention, marks that keep for ever, and what a check asks.

``camera_state`` counts the frames that are there and not kept for ever (``passing``); whatever
marks, adds or forgets a frame counts in the same transaction.
"""
