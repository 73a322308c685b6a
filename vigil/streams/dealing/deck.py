"""A deck: streams that were drawn for one filter, dealt from the top."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta

FRESH = timedelta(seconds=1)
"""How long a deck is good for; a stream that expires sooner is not in it."""
LARGEST = 2000
"""Streams in a deck: about 2 MB."""
SMALLEST_LARGEST = 500
DEAR = timedelta(seconds=0.2)
"""The largest deck of a filter is as large as can be drawn in that time."""
ROUNDS = 4
"""How often the largest deck is dealt before the next one should be there."""
MOST_HANDS = ROUNDS * LARGEST
"""Requests that are answered from a deck at most."""
APART = timedelta(seconds=0.1)
"""Between two draws of the largest deck at least, lest PostgreSQL do nothing else; and three times
as long as the last one took, unless it becomes too old."""
SOON = timedelta(seconds=0.6)
"""At this age at most a deck that many ask for is followed by the next one."""
LONG_AGO = datetime.min.replace(tzinfo=UTC)
SMALLEST_AHEAD = 64
"""From this size on the next deck is drawn ahead."""


class Deck:
    """The draw for one filter."""

    __slots__ = (
        "_full", "_good_until", "_hands", "_often", "_position", "_rows", "_soon", "_whole",
        "asked", "end", "largest", "next",
    )  # fmt: skip

    def __init__(self) -> None:
        self.asked = 0
        """Streams asked for since the draw."""
        self.next: asyncio.Task[None] | None = None
        """The next draw, while it is under way."""
        self.end: float | None = None
        """Where on the random keys the last draw ended."""
        self.largest = LARGEST
        """Streams that are worth drawing at once."""
        self.clear()

    def clear(self) -> None:
        """Throw the cards away."""
        self.fill([], whole=False, drawn_at=None)

    def fill(
        self,
        rows: list[bytes],
        *,
        whole: bool,
        drawn_at: datetime | None,
        took: timedelta = timedelta(),
    ) -> None:
        """Take new cards, drawn in ``took``; ``whole``: they are all that match."""
        self._rows, self._whole, self._position, self._hands = rows, whole, 0, 0
        self._full = len(rows) >= self.largest
        if rows and (self._full or took > DEAR / 4):
            in_time = int(len(rows) * DEAR / took) if took else LARGEST
            self.largest = min(max(in_time, SMALLEST_LARGEST), 2 * self.largest, LARGEST)
        # That nothing matches is never taken on trust.
        self._good_until = (drawn_at, drawn_at + FRESH) if drawn_at and rows else None
        ahead = min(SOON, max(APART, FRESH - 2 * took))
        self._soon = drawn_at + ahead if drawn_at else LONG_AGO
        self._often = drawn_at + max(APART, 3 * took) if drawn_at else LONG_AGO

    def fresh(self, now: datetime) -> bool:
        """Whether these may still be dealt."""
        good = self._good_until
        return good is not None and good[0] <= now <= good[1]

    def low(self, now: datetime) -> bool:
        """Whether it is time to draw the next ones."""
        size = len(self._rows)
        if self.asked >= SMALLEST_AHEAD and now >= self._soon:
            return True
        if self._whole or size < SMALLEST_AHEAD:
            return False
        if not self._full:
            return self._position * 2 > size
        return self.asked * 4 > 3 * ROUNDS * size and now >= self._often

    def deal(self, count: int) -> list[bytes] | None:
        """``count`` different rows, or all where that is fewer; None when they have run out."""
        rows, start = self._rows, self._position
        size, end = len(rows), start + count
        self._hands += 1
        if self._whole:
            start = random.randrange(size) if size else 0  # noqa: S311
            return (rows[start : start + count] + rows[:start])[:count]
        if end > size:
            if not self._full:
                return None
            start = random.randrange(count)  # noqa: S311 - not the same hands again
            end = start + count
        if self._hands > MOST_HANDS:
            return None
        self._position = end
        return rows[start:end]
