"""Boxes in pictures: left, top, right and bottom in shares of the picture."""

from __future__ import annotations

from vigil.films.options import Box

WHOLE: Box = (0.0, 0.0, 1.0, 1.0)


def unturned(box: Box, turn: int) -> Box:
    """A box of the turned picture in the one before the turn."""
    left, top, right, bottom = box
    return {
        0: box,
        90: (top, 1 - right, bottom, 1 - left),
        180: (1 - right, 1 - bottom, 1 - left, 1 - top),
        270: (1 - bottom, left, 1 - top, right),
    }[turn]


def within(outer: Box, inner: Box) -> Box:
    """A box that is given in shares of another one."""
    wide, high = outer[2] - outer[0], outer[3] - outer[1]
    return (
        outer[0] + inner[0] * wide,
        outer[1] + inner[1] * high,
        outer[0] + inner[2] * wide,
        outer[1] + inner[3] * high,
    )


def between(start: Box, end: Box, progress: float) -> Box:
    """A box on the way from one to another; progress is 0 to 1."""
    left, top, right, bottom = (a + (b - a) * progress for a, b in zip(start, end, strict=True))
    return left, top, right, bottom
