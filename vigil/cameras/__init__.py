"""Cameras: what they are, the frames they deliver, how they are doing.

Tables: cameras, frames, camera_state. Blobs: frames/<camera id>/<UTC day>/….
Pages: /cameras, /cameras/<name>. JSON: /api/v1/cameras…. Scans: one target for each enabled
camera, and one that expires frames and removes cameras. A crash costs the picture in hand.
"""
