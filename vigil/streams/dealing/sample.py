"""Looking for words among streams drawn at random: quicker than any index where they are common."""

from __future__ import annotations

import asyncio
import random
from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from time import perf_counter

from vigil.streams.dealing.deck import FRESH
from vigil.streams.dealing.store import Card
from vigil.streams.model import Filter

SEPARATOR = b"\x1f"
"""Between texts. It counts as white space, so no word has it."""
SMALLEST, LARGEST = 1000, 8000
"""Streams in a sample: 1.5 to 12 MB."""
MOST_LOOKS = 256
"""Streams looked at in vain, of those that have the word looked for first, before giving up."""


class Sample:
    """Streams in random order with what a search looks in.

    Args:
        cards: a draw of what matches a filter without words.
    """

    def __init__(self, cards: Sequence[Card]) -> None:
        self._bodies = [card.body for card in cards]
        self._text = SEPARATOR.join(card.text for card in cards)
        lengths = (len(card.text) + len(SEPARATOR) for card in cards)
        self._starts = list(accumulate(lengths, initial=0))[:-1]

    def find(self, wanted: Filter, count: int) -> list[bytes] | None:
        """``count`` different random streams with the words of a filter; None: too few here.

        The first ones from a random place on; their order being random, that is fair.
        """
        if not self._bodies or not wanted.include:
            return None
        include = [word.encode() for word in wanted.include]
        exclude = [word.encode() for word in wanted.exclude]
        if not wanted.any:
            include.sort(key=len, reverse=True)
        first = include if wanted.any else include[:1]
        further = [] if wanted.any else include[1:]
        begin = self._starts[random.randrange(len(self._starts))]  # noqa: S311
        found: list[bytes] = []
        looks = MOST_LOOKS + count
        for position, end in ((begin, len(self._text)), (0, begin)):
            while (at := self._next(first, position, end)) is not None:
                number = bisect_right(self._starts, at) - 1
                position, stop = self._bounds(number)
                if all(self._text.find(word, position, stop) >= 0 for word in further) and not any(
                    self._text.find(word, position, stop) >= 0 for word in exclude
                ):
                    found.append(self._bodies[number])
                    if len(found) == count:
                        return found
                looks -= 1
                if not looks:
                    return None
                position = stop
        return None

    def _bounds(self, number: int) -> tuple[int, int]:
        last = number + 1 == len(self._starts)
        return self._starts[number], len(self._text) if last else self._starts[number + 1]

    def _next(self, words: Sequence[bytes], begin: int, end: int) -> int | None:
        """Where the first of these words is."""
        places = [at for word in words if (at := self._text.find(word, begin, end)) >= 0]
        return min(places, default=None)


class KeptSample:
    """The sample for all searches that differ only in their words.

    As large as pays: what it does not have is asked of PostgreSQL, so it grows while that takes
    longer than drawing it and looking through it do, unless it is dear to draw.
    """

    __slots__ = ("_looked", "_sample", "asked", "drawn_at", "missed", "next", "size")

    def __init__(self) -> None:
        self.asked = 0
        """Searches since it was drawn."""
        self.missed = timedelta()
        """The time that those took which it could not answer."""
        self.next: asyncio.Task[None] | None = None
        """The next draw, while it is under way."""
        self._sample: Sample | None = None
        self._looked = 0.0
        self.drawn_at: datetime | None = None
        self.size = 2 * SMALLEST
        """Of the next one."""

    def fill(self, cards: Sequence[Card], drawn_at: datetime, took: timedelta) -> None:
        """Take a new sample, drawn in ``took``."""
        self._sample, self.drawn_at = Sample(cards), drawn_at
        had = took + timedelta(seconds=self._looked)
        if took > FRESH / 2:  # it must be there long before it is stale
            self.size = max(int(self.size * FRESH / 2 / took), SMALLEST)
        elif self.missed > 2 * had and took < FRESH / 4:
            self.size = min(2 * self.size, LARGEST)
        elif self.missed < had / 2:
            self.size = max(self.size // 2, SMALLEST)
        self.missed, self._looked = timedelta(), 0.0

    def find(self, wanted: Filter, count: int) -> list[bytes] | None:
        """As the sample's."""
        if self._sample is None:
            return None
        began = perf_counter()
        found = self._sample.find(wanted, count)
        self._looked += perf_counter() - began
        return found

    def fresh(self, now: datetime) -> bool:
        """Whether it may be used."""
        return self.drawn_at is not None and self.drawn_at <= now <= self.drawn_at + FRESH
