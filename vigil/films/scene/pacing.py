"""Slow where something happens: where nothing does, only one of so many frames is shown."""

from __future__ import annotations

import numpy as np

from vigil.films.scene.faults import looks
from vigil.films.scene.rows import Rows, column
from vigil.films.scene.slots import closest, numbers
from vigil.films.scene.spans import Mask

BITS = 3
"""Of the perceptual hash: noise and a few leaves change no more."""
LUMA = 1.5
"""Clouds change more."""
FAR = 3
"""Steps; of frames that are further apart nobody knows what happened in between."""
AROUND = 2
"""Pairs of frames before and behind in which nothing may have happened either, so that what
happens is slow from its beginning to its end."""


def reach(calm: int) -> int:
    """How many steps around a frame are looked at, both ways."""
    return calm + AROUND * FAR + FAR + 1


def paced(rows: Rows, calm: int, step: int, *, each: bool) -> Mask:
    """Which of the frames that may be shown are.

    Time is cut into groups of ``calm`` steps; of the frames of a group in which nothing happens
    only the first one is shown.

    Args:
        rows: the frames that may be shown.
        calm: one of so many is shown.
        step: real time from one picture to the next; microseconds.
        each: whether all of them would be shown; else only that closest to each step.
    """
    places = numbers(column(rows, "moment"), step)
    if each:
        shown = np.arange(len(rows))
    else:
        shown = closest(places, np.abs(rows["moment"] - places * step))
    keep = _kept(rows[shown], places[shown], calm)
    if each:
        return keep
    return np.repeat(keep, np.diff(np.searchsorted(places, places[shown]), append=len(rows)))


def _kept(rows: Rows, places: np.typing.NDArray[np.int64], calm: int) -> Mask:
    quiet = np.zeros(len(rows) + 2 * AROUND - 1, np.bool_)  # pairs, also those beyond both ends
    look, known, luma = looks(rows), column(rows, "has_look"), column(rows, "luma")
    if len(rows) > 1:
        quiet[AROUND:-AROUND] = (
            (np.bitwise_count(look[1:] ^ look[:-1]) <= BITS)
            & (np.abs(luma[1:] - luma[:-1]) <= LUMA)
            & (known[1:] & known[:-1])
            & (places[1:] - places[:-1] <= FAR)
        )
    still = np.ones(len(rows), np.bool_)
    for beside in range(2 * AROUND):
        still &= quiet[beside : beside + len(rows)]
    resting = np.flatnonzero(still)
    groups = places[resting] // calm
    first = np.diff(groups, prepend=groups[:1] - 1) != 0
    keep = ~still
    keep[resting[first]] = True
    return keep
