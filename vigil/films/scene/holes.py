"""Times in which no camera delivered: what a film shows there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vigil.films.model import MICROSECOND, Film
from vigil.films.scene.rows import Rows

if TYPE_CHECKING:
    from vigil.films.scene.shots import Shots

HOLE_SLOTS, HOLE_S = 4, 60
"""Frames are missing where none came for longer than both."""
HELD_S = 60
"""Seconds of film for which a frame is held over a hole, at most."""
MARK_S, BLEND_S = 2.0, 1.0
"""Seconds of film for which a hole is marked, or blended over."""


def longest(film: Film) -> int:
    """How far apart frames may be without a hole between them; microseconds."""
    return max(HOLE_SLOTS * (film.slot // MICROSECOND), HOLE_S * 1_000_000)


def reach(film: Film) -> tuple[int, int]:
    """How far before and behind a moment lies what decides about a hole there; microseconds.

    What is blended or marked shows with the first frame after a hole, and depends on what was shown
    before it, however long ago that was.
    """
    if film.making.look.gaps != "hold":
        return 0, 0
    sure = 2 * longest(film)
    return round(HELD_S * film.fps) * (film.slot // MICROSECOND) + sure, sure


def fill(film: Film, scenes: Sequence[Rows], found: Shots, until: int) -> Shots:
    """Shots with what is shown in holes.

    Args:
        film: says what that is (``gaps``).
        scenes: for each scene the rows of all its frames, shown or not.
        found: the shots, in order.
        until: nothing is shown from then on.
    """
    gaps = film.making.look.gaps
    if gaps == "cut" or not len(found):
        return found
    moments = np.unique(np.concatenate([rows["moment"] for rows in scenes]))
    if gaps == "hold":
        return _hold(film, moments[moments < until], found, until)
    breaks = np.concatenate([[0], np.cumsum(np.diff(moments) > longest(film))])
    side = np.searchsorted(moments, found["moment"], side="right") - 1
    after = np.flatnonzero(np.diff(breaks[side])) + 1
    if gaps == "fade":
        blend = max(1, round(BLEND_S * film.fps))
        found["fade"][after] = blend
        found["pictures"][after] += blend
        return found
    slot = film.slot // MICROSECOND
    extra = found[after - 1].copy()
    extra["hole"] = found["moment"][after - 1]
    extra["pictures"] = max(1, round(MARK_S * film.fps))
    extra["slot"] = found["slot"][after]
    extra["moment"] = np.maximum(extra["moment"] + 1, found["slot"][after] * slot - slot // 2)
    return np.insert(found, after, extra)


def _hold(film: Film, moments: NDArray[Any], found: Shots, until: int) -> Shots:
    """Show the last frame before a hole in the slots of the hole, also while that is open."""
    slot, patience = film.slot // MICROSECOND, longest(film)
    ends = np.append(moments[1:], until)
    holes = np.flatnonzero(ends - moments > patience)
    if not len(holes):
        return found
    next_hole = np.searchsorted(moments[holes], found["moment"] - slot // 2)
    hole = holes[np.minimum(next_hole, len(holes) - 1)]
    is_near = (next_hole < len(holes)) & (moments[hole] - found["moment"] <= patience)
    stop = np.minimum(-(-ends[hole] // slot), found["slot"] + 1 + round(HELD_S * film.fps))
    stop[:-1] = np.minimum(stop[:-1], found["slot"][1:])
    held = np.where(is_near, np.maximum(stop - found["slot"] - 1, 0), 0)
    extra = np.repeat(found, held)
    step = np.arange(len(extra)) - np.repeat(np.cumsum(held) - held, held) + 1
    extra["slot"] += step
    extra["moment"] = np.maximum(extra["slot"] * slot, extra["moment"] + step)
    return np.insert(found, np.repeat(np.arange(len(found)) + 1, held), extra)
