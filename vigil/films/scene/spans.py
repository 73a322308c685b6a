"""Spans of time: what lies within some of them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Moments = NDArray[np.int64]
"""Microseconds since 1970, in order."""
Mask = NDArray[np.bool_]

ALWAYS, FOREVER = -(2**63), 2**63 - 1


def union(spans: Iterable[tuple[int, int | None]]) -> list[tuple[int, int]]:
    """Spans from and up to, not including (``None``: open), overlaps merged, in order."""
    found: list[tuple[int, int]] = []
    closed = ((since, FOREVER if until is None else until) for since, until in spans)
    for since, until in sorted(span for span in closed if span[0] < span[1]):
        if found and since <= found[-1][1]:
            found[-1] = found[-1][0], max(until, found[-1][1])
        else:
            found.append((since, until))
    return found


def within(moments: Moments, spans: Iterable[tuple[int, int | None]]) -> Mask:
    """Which moments lie in any of the spans."""
    inside = np.zeros(len(moments), np.bool_)
    merged = union(spans)
    if merged:
        edges = np.searchsorted(moments, np.array(merged, np.int64).ravel()).tolist()
        for first, last in zip(edges[::2], edges[1::2], strict=True):
            inside[first:last] = True
    return inside
