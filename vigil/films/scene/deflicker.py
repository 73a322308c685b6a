"""Even brightness: by which factor a frame's is to be changed to be that of its neighbours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vigil.films.scene.spans import Moments

LEAST, MOST = 0.5, 2.0
"""A frame that differs by more is no flicker."""
_FINE = 1024
"""Sums of whole numbers are the same wherever they begin; those of fractions are not."""


def gains(
    luma: NDArray[np.floating], window: int, steps: Moments | None = None
) -> NDArray[np.float32]:
    """Factors of the brightness, three decimals.

    A frame is brought to the mean of as many frames before as behind it, at most ``window`` with
    itself, so that dawn and dusk stay as they are. One without luma stays as it is, and is not
    counted.

    Args:
        luma: of the frames that are shown, in order, 0 to 255; NaN: unknown.
        window: frames, odd.
        steps: where each stands, never going back; those further than half the window away do
            not count, which bounds in time what a frame's factor depends on. None: one each step.
    """
    size, half = len(luma), window // 2
    places = np.arange(size)
    if steps is None:
        reach = np.minimum(np.minimum(places, size - 1 - places), half)
    else:
        behind = places - np.searchsorted(steps, steps - half, "left")
        ahead = np.searchsorted(steps, steps + half, "right") - 1 - places
        reach = np.minimum(np.minimum(behind, ahead), half)
    own = np.asarray(luma, np.float64)
    known = np.isfinite(own)
    sums = _running(np.where(known, np.rint(own * _FINE, where=known, out=np.zeros(size)), 0))
    counts = _running(known)
    low, high = places - reach, places + reach + 1
    smooth = (sums[high] - sums[low]) / (np.maximum(counts[high] - counts[low], 1) * _FINE)
    factors = np.ones(size)
    np.divide(smooth, own, out=factors, where=known & (own >= 1))
    return np.round(np.clip(factors, LEAST, MOST), 3).astype(np.float32)


def _running(values: NDArray[np.float64] | NDArray[np.bool_]) -> NDArray[np.int64]:
    """Sums of all before each place, and of all."""
    sums = np.zeros(len(values) + 1, np.int64)
    np.cumsum(values.astype(np.int64), out=sums[1:])
    return sums
