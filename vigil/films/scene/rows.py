"""Frames in bulk: a structured array, a record for each frame."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FRAME = np.dtype(
    [
        ("moment", "<i8"),
        ("id", "<i8"),
        ("luma", "<f4"),
        ("contrast", "<f4"),
        ("dark", "<f4"),
        ("bright", "<f4"),
        ("sharpness", "<f4"),
        ("sun", "<f4"),
        ("look", "<i8"),
        ("has_look", "?"),
        ("digest", "V32"),
    ]
)
"""A frame: microseconds since 1970, its number, what it looks like (NaN: nobody measured it), the
sun's height in degrees (NaN: unknown), perceptual hash and whether it has one, and what names its
picture (``FilmFrame.digest``)."""

Rows = NDArray[np.void]
"""Records of ``FRAME``, by moment; of one moment by number."""

SENT = FRAME.newbyteorder(">")
"""The same as PostgreSQL sends it; its microseconds count from 2000."""
_Y2K = 946_684_800_000_000


def read(packed: bytes) -> Rows:
    """The frames of packed records (``SENT``), in order."""
    rows = np.frombuffer(packed, SENT).astype(FRAME)
    moments = rows["moment"]
    moments += _Y2K
    if np.all(moments[1:] > moments[:-1]):
        return rows
    return rows[np.lexsort((rows["id"], moments))]


def column(rows: Rows, name: str) -> NDArray[Any]:
    """A column for itself, close together in memory."""
    return np.ascontiguousarray(rows[name])
