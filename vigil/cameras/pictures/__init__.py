"""Pictures: which bytes are one, what they show, what is made of them. Nothing here keeps anything.

shape.py: size, extent, refusals. containers.py: PNG, WebP, HEIF before they are decoded (JPEG: the
room's jpeg.py; times and orientation: its exif.py). decoding.py: Pillow, made strict. reading.py:
one decode for everything, in threads. looks.py: what a picture looks like, in numbers.
"""
