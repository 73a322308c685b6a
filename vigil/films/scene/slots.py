"""The closest frame to each wanted moment: both ways, none twice."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vigil.films.scene.spans import Moments

Positions = NDArray[np.intp]


def numbers(moments: Moments, slot: int) -> Moments:
    """The slot whose moment (number × slot) is the closest to each moment; a tie: the earlier."""
    return (moments + (slot - 1) // 2) // slot


def slots(moments: Moments, slot: int, since: int, until: int) -> tuple[Moments, Positions]:
    """For each slot whose moment lies within a range, the frame closest to it.

    A slot looks half its length both ways, so no frame is in two; of two that are equally close
    the earlier is taken. A slot without any frame is left out.

    Args:
        moments: of the frames, in order.
        slot: real time of a picture.
        since: the range begins here
        until: and ends before here; all microseconds.

    Returns:
        The numbers of the slots, and for each the position of its frame in ``moments``.
    """
    near = numbers(moments, slot)
    first, last = np.searchsorted(near, (-(-since // slot), -(-until // slot)))
    near, moments = near[first:last], moments[first:last]
    found = closest(near, np.abs(moments - near * slot))
    return near[found], found + first


def closest(groups: Moments, distances: Moments) -> Positions:
    """In each group of equal neighbours the first position whose distance is the least."""
    if not len(groups):
        return np.empty(0, np.intp)
    fresh = np.ones(len(groups), np.bool_)
    np.not_equal(groups[1:], groups[:-1], out=fresh[1:])
    starts = np.flatnonzero(fresh)
    if len(starts) == len(groups):
        return starts
    sizes = np.diff(starts, append=len(groups))
    least = np.repeat(np.minimum.reduceat(distances, starts), sizes)
    best = np.flatnonzero(distances == least)
    return best[np.searchsorted(best, starts)]
