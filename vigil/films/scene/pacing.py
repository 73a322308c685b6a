"""Slow where something happens: where nothing does, only one of so many frames is shown."""

from __future__ import annotations

import numpy as np

from vigil.films.scene.faults import looks
from vigil.films.scene.rows import Rows, column
from vigil.films.scene.slots import Positions, closest, numbers
from vigil.films.scene.spans import Mask, Moments

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


def paced(rows: Rows, chosen: Positions, calm: int, step: int, *, each: bool) -> Positions:
    """Fewer of the frames that may be shown.

    Time is cut into groups of ``calm`` steps; of the frames of a group in which nothing happens
    only the first one is shown.

    Args:
        rows: frames.
        chosen: positions of those that may be shown.
        calm: one of so many is shown.
        step: real time from one picture to the next; microseconds.
        each: whether all of them would be shown; else only that closest to each step.
    """
    moments = column(rows, "moment")[chosen]
    places = numbers(moments, step)
    if each:
        return chosen[_kept(rows, chosen, places, calm)]
    shown = closest(places, np.abs(moments - places * step))
    keep = _kept(rows, chosen[shown], places[shown], calm)
    sizes = np.diff(np.searchsorted(places, places[shown]), append=len(places))
    return chosen[np.repeat(keep, sizes)]


def _kept(rows: Rows, shown: Positions, places: Moments, calm: int) -> Mask:
    """Which of the frames that would be shown are; ``places``: their steps."""
    quiet = np.zeros(len(shown) + 2 * AROUND - 1, np.bool_)  # pairs, also those beyond both ends
    look, known, luma = looks(rows)[shown], rows["has_look"][shown], rows["luma"][shown]
    if len(shown) > 1:
        quiet[AROUND:-AROUND] = (
            (np.bitwise_count(look[1:] ^ look[:-1]) <= BITS)
            & (np.abs(luma[1:] - luma[:-1]) <= LUMA)
            & (known[1:] & known[:-1])
            & (places[1:] - places[:-1] <= FAR)
        )
    still = np.ones(len(shown), np.bool_)
    for beside in range(2 * AROUND):
        still &= quiet[beside : beside + len(shown)]
    resting = np.flatnonzero(still)
    groups = places[resting] // calm
    keep = ~still
    keep[resting[np.diff(groups, prepend=groups[:1] - 1) != 0]] = True
    return keep
