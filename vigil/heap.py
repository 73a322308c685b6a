"""Memory that is given back to the system when it is no longer used."""

from __future__ import annotations

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # malloc.h
LARGE = 128 * 1024
"""Bytes from which on a piece is had from the system and goes back to it."""


def steady() -> bool:
    """Have the C library keep little of what was freed; ``False`` where it cannot be told to.

    glibc's malloc raises its own limits with each large piece that is freed (mallopt(3),
    "dynamic mmap threshold"), so that a process which now and then holds megabytes keeps them
    scattered for good.
    """
    if sys.platform != "linux":
        return False
    try:
        tell = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # another C library
        return False
    wanted = ((_MMAP_THRESHOLD, LARGE), (_TRIM_THRESHOLD, LARGE), (_ARENA_MAX, 2))
    return all([tell(name, value) == 1 for name, value in wanted])
