"""Segments: rendered pieces of film, immutable, named by what went in, shared by films.

encode.py says how one is made and named, fmp4.py takes it apart and sets its place in a film,
presented.py gives it to players, splicing.py puts two encoders into one file,
store.py keeps, lists and collects them. Tables: segments, film_segments; it reads frames.
"""
