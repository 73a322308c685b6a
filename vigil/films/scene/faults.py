"""Frames that a film may leave out for what they look like; thresholds as for the cameras' health.

Each answers for all frames of a scene, and looks at most ``REACH`` around a frame, both ways.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vigil.cameras.health import findings
from vigil.films.options import Fault
from vigil.films.scene.rows import Rows, column
from vigil.films.scene.slots import Positions
from vigil.films.scene.spans import Mask, Moments

MINUTE = 60_000_000
HOUR = 60 * MINUTE
REACH: dict[Fault, int] = {"dark": 0, "blurred": 2 * HOUR, "frozen": HOUR, "foreign": HOUR}
"""Microseconds."""

BLACK_LUMA = 16
"""Below this a pixel is black."""
ENOUGH = 5
"""Frames that say how sharp pictures usually are."""
STANDS = findings.FROZEN_AT_LEAST // timedelta(microseconds=1)
PROBES = (5, 10, 15, 20, 25)
"""Minutes before a frame at which the picture is looked at, beside those that begin and end."""
SAME_BITS, OTHER_BITS = 8, 16
"""Of the 64 of a perceptual hash, pictures of one view differ in at most so many, within an hour
and but for what moves; those of two views in half of them, and seldom in less than so many."""
ASIDE = 4
"""A foreign picture stays for at most so many frames."""


def dark(rows: Rows) -> Mask:
    """Frames that show (nearly) nothing."""
    black: Mask = rows["dark"] >= findings.BLACK_OVER
    return black | (rows["luma"] < BLACK_LUMA)


def blurred(rows: Rows) -> Mask:
    """Frames in which nothing is sharp though there is something to see, and those much less sharp
    than is usual in the hour that they are in and the ones before and after."""
    found = np.zeros(len(rows), np.bool_)
    told = np.flatnonzero((rows["contrast"] >= findings.CONTRAST) & (rows["sharpness"] >= 0))
    if len(told):
        sharpness = rows["sharpness"][told]
        usual = _usual(rows["moment"][told] // HOUR, sharpness)
        soft = (usual >= findings.BLURRED_OVER) & (sharpness < findings.SOFTER * usual)
        found[told] = soft | (sharpness < findings.BLURRED)
    return found


def _usual(hours: Moments, values: NDArray[np.float32]) -> NDArray[np.float32]:
    """For each value the median of the medians of its hour and of those beside it; NaN where
    too few are known."""
    starts = np.flatnonzero(np.diff(hours, prepend=hours[0] - 1))
    sizes = np.diff(starts, append=len(hours))
    # Floats that are not negative are in the order of their bits.
    keys = np.repeat(np.arange(len(starts), dtype=np.uint64) << np.uint64(32), sizes)
    keys |= values.view(np.uint32)
    keys.sort()
    middle = keys[starts + (sizes - 1) // 2].astype(np.uint32).view(np.float32)
    there = hours[starts]
    medians, counts = [middle], sizes.copy()
    for beside in (-1, 1):
        place = np.minimum(np.searchsorted(there, there + beside), len(there) - 1)
        is_there = there[place] == there + beside
        medians.append(np.where(is_there, middle[place], np.float32(np.nan)))
        counts += np.where(is_there, sizes[place], 0)
    ordered = np.sort(np.stack(medians), axis=0)  # NaN last
    number = np.isfinite(ordered).sum(axis=0)
    usual = ordered[(number - 1) // 2, np.arange(len(there))]
    return np.repeat(np.where(counts >= ENOUGH, usual, np.float32(np.nan)), sizes)


def frozen(rows: Rows) -> Mask:
    """Frames of a picture that stands still for half an hour or longer, but for the first."""
    moments = column(rows, "moment")
    alike = _Alike(rows)
    here = np.arange(2, len(rows))
    here = here[alike(here, here - 1)]
    here = here[alike(here, here - 2)]
    oldest = np.searchsorted(moments, moments[here] - STANDS, "right") - 1
    oldest = np.minimum(oldest, here - 2)
    kept = (oldest >= 0) & (moments[here] - moments[np.maximum(oldest, 0)] <= REACH["frozen"])
    here, oldest = here[kept], oldest[kept]
    kept = alike(here, oldest)
    here, oldest = here[kept], oldest[kept]
    for minutes in PROBES:
        probe = np.searchsorted(moments, moments[here] - minutes * MINUTE, "right") - 1
        kept = alike(here, probe)
        here, oldest = here[kept], oldest[kept]
    changes = np.zeros(len(rows) + 1, np.int64)
    np.add.at(changes, oldest + 1, 1)
    np.subtract.at(changes, here + 1, 1)
    return np.cumsum(changes[:-1]) > 0


class _Alike:
    """``findings.alike`` for many pairs of frames at once."""

    def __init__(self, rows: Rows) -> None:
        self._black = rows["dark"] >= findings.BLACK
        begin = np.dtype([("begin", "<u8"), ("rest", "V24")])  # 64 bits of a hash are enough
        self._digest = np.ascontiguousarray(rows["digest"].view(begin)["begin"])
        self._light = rows["has_look"] & (rows["sun"] >= findings.DAYLIGHT)
        self._look = looks(rows)
        self._luma = column(rows, "luma").astype(np.float64)
        self._contrast = column(rows, "contrast").astype(np.float64)

    def __call__(self, one: Positions, other: Positions) -> Mask:
        looks_alike: Mask = self._light[one] & self._light[other]
        looks_alike &= _bits(self._look[one], self._look[other]) <= findings.ALIKE_BITS
        looks_alike &= np.abs(self._luma[one] - self._luma[other]) <= findings.ALIKE
        looks_alike &= np.abs(self._contrast[one] - self._contrast[other]) <= findings.ALIKE
        looks_alike |= self._digest[one] == self._digest[other]
        return looks_alike & ~self._black[one] & ~self._black[other]


def foreign(rows: Rows) -> Mask:
    """Frames that show something else than those before and behind, which show the same."""
    size = len(rows)
    moments, look = column(rows, "moment"), looks(rows)
    known = column(rows, "has_look")
    fellows, others = np.zeros(size, np.int8), np.zeros(size, np.int8)
    between = np.zeros(size, np.bool_)
    for apart in range(1, min(ASIDE, size - 1) + 1):
        near = known[apart:] & known[:-apart] & (moments[apart:] - moments[:-apart] <= HOUR)
        bits = _bits(look[apart:], look[:-apart])
        fellow, other = near & (bits < OTHER_BITS), near & (bits >= OTHER_BITS)
        for count, one in ((fellows, fellow), (others, other)):
            count[apart:] += one
            count[:-apart] += one
        if size > 2 * apart:
            around = known[2 * apart :] & known[: -2 * apart]
            around &= moments[2 * apart :] - moments[: -2 * apart] <= HOUR
            around &= _bits(look[2 * apart :], look[: -2 * apart]) <= SAME_BITS
            between[apart:-apart] |= around & other[apart:] & other[:-apart]
    return between & (3 * fellows < 2 * others)  # else two views take turns


FAULTS: dict[Fault, Callable[[Rows], Mask]] = {
    "dark": dark,
    "blurred": blurred,
    "frozen": frozen,
    "foreign": foreign,
}


def looks(rows: Rows) -> NDArray[np.uint64]:
    """Perceptual hashes."""
    return column(rows, "look").view(np.uint64)


def _bits(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> NDArray[Any]:
    """In how many bits they differ."""
    found: NDArray[np.uint8] = np.bitwise_count(one ^ other)
    return found
