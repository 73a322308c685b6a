"""A disk that fills up under our hands, said as what it is, whoever notices it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from vigil.errors import DiskFull
from vigil.ffmpeg import FfmpegError

FULL = (errno.ENOSPC, errno.EDQUOT)
_WORDS = tuple(os.strerror(number) for number in FULL)
"""How ffmpeg says it, as the last thing or before it."""


@contextmanager
def disk() -> Iterator[None]:
    """Raises DiskFull, which is waited for, instead of what ffmpeg or the system say about it."""
    try:
        yield
    except (OSError, FfmpegError) as error:
        if not _is_full(error):
            raise
        raise DiskFull(
            "the disk on which films are put together is full",
            hint="free some space; it goes on by itself",
        ) from error


def _is_full(error: OSError | FfmpegError) -> bool:
    if isinstance(error, OSError):
        return error.errno in FULL
    return any(words in error.stderr for words in _WORDS)
