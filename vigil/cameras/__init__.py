"""Cameras: what they are, the frames they deliver, how they are doing.

Tables: scenes, camera_scenes, scene_days, scene_tags, cameras, camera_trials, frames, camera_state,
camera_files, imports and those of accounts and health. Blobs: frames/<camera id>/<UTC day>/…,
pictures/… and thumbnails/… likewise. Routes: /cameras…, /scenes…, /new-camera, /camera-trials…,
/imports…, and below /api/v1. Jobs: cameras.import.
Scans: one target for each enabled camera, and cameras:retention, which expires frames and removes
cameras. A crash costs the picture in hand; an import the look at a
second's files.

Subpackages: accounts (what was due and what came), health (what is wrong with a camera),
frames (the rows of frames), pictures (which bytes are a picture, what it shows,
what is made of it), keeping (what goes and what stays), scenes (places and views, and which camera
shows which), looking (days, moments and tags of a scene), trying (cameras that are tried first),
importing (folders and buckets of pictures that become frames).

More files than other rooms have: intake.py (the one door by which a picture becomes a frame),
jpeg.py (JPEG, part by part), exif.py (when a picture was taken and which way up), multipart.py
(MJPEG as cameras write it), retention.py (what is no longer kept goes), shedding.py (what is given
up first when the disk is nearly full),
adding.py (what an admin asks for, checked), shown.py (cameras as visitors and programs see them),
api.py (JSON), serving.py (pictures over HTTP), asking.py (what their handlers share),
forms.py (a camera's form), commands.py (more of cli.py),
names.py and stamping.py (when a picture was taken, where nobody says),
check.py (where frames and blobs disagree), builtin.py (the test card), sun.py (where the sun
stands), planned.py (what a plan wishes), plan.py (when frames are due),
turns.py (a connection, for as long as the plan asks for frames).
"""
