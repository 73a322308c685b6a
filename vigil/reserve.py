"""The last of the disk, which is kept free: for the database, and for whoever has to tidy up.

Before the reserve is reached, load is shed in steps, what is worth least first; what is in already
is never touched. It ends by itself when there is room again. Only for blobs on a disk of ours: an
object store says nothing about its room.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

GIB = 1 << 30
GIVEN_UP = (
    "nothing",
    "thumbnails of new frames, and frames of test cards",
    "also frames of cameras that take one each 5 s or more often",
    "also frames of cameras that take one each minute or more often",
    "every new frame",
)
"""What each level of shedding means, in words."""
MOST = len(GIVEN_UP) - 1
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}


@dataclass(frozen=True, slots=True)
class Space:
    """How large a file system is, and how much of it we may still fill; bytes."""

    total: int
    free: int


@dataclass(frozen=True, slots=True)
class Reserve:
    """What is to stay free: the larger of a number of bytes and a share of the file system."""

    bytes: int = GIB
    share: float = 0.02

    def of(self, space: Space) -> int:
        """Bytes that are to stay free."""
        return max(self.bytes, round(self.share * space.total))

    def level(self, space: Space | None) -> int:
        """How much is shed, 0 to ``MOST``; ``None`` is a store that says nothing of its room.

        Shedding begins half a reserve, at most 2 GiB, before the reserve.
        """
        if space is None:
            return 0
        reserve = self.of(space)
        margin = min(reserve / 2, 2 * GIB)
        steps = (margin, margin * 2 / 3, margin / 3, 0)
        return sum(space.free < reserve + step for step in steps)


def parse(text: str) -> Reserve:
    """A reserve as a person writes it: ``2G``, ``500M``, ``5%``, ``0`` for none."""
    match = re.fullmatch(r"(\d{1,15}(?:\.\d{1,3})?)\s*(%|[kmgt]?)b?", text.strip().lower())
    if match is None:
        raise ValueError("give bytes such as 2G or 500M, a share of the disk such as 5%, or 0")
    number = float(match[1])
    if match[2] != "%":
        return Reserve(round(number * _UNITS[match[2]]), 0.0)
    if number >= 90:
        raise ValueError("a reserve of 90% of the disk or more leaves no room")
    return Reserve(0, number / 100)
