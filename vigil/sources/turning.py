"""Turning the pages of a directory that only gives cursors, with as many at once as it takes.

A cursor leads from page to page, one answer after the other; a long part of a directory would
take as long as its answers, however many requests the rate limit allows. So of each part some
cursors are remembered, also over a restart, and the next pass begins there as well: the part
becomes stretches that are turned side by side. A part that nobody remembers begins where cursors
of a shorter part lead that came to its end already.

Each stretch is turned until it meets the first page of another one, or the end. Wherever those
cursors lead, every page is turned by somebody: one that is not taken any more, or leads elsewhere,
is left out, and the stretch before goes on through it.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import msgspec

from vigil.errors import SourceError

GRAIN = 8
"""Of so many cursors one is remembered."""
STRIDE_MOST = 64
"""Pages of a stretch."""
UNKNOWN = 40
"""Pages of a part that nobody turned yet."""
SURE, DENSE = 10, 0.3
"""Streams of another's first page that must be met, and their share from the first of them to the
last: some may have changed places."""
LENDS_LEAST = 6
"""Cursors that a part must have to be worth borrowing from."""
LENGTHY = 30
"""Pages that must lie ahead, to borrow."""
MANY = 2**31
MAX_EMPTY_PAGES = 5
FIRST = 1e6
"""Urgency of the first page of a stretch: the one before it wants to know where it ends."""
ENDS_EARLY = "this pass ends early"

Query = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Turned:
    """One page."""

    ids: list[str]
    found: int
    """Items in it, refused ones included."""
    cursor: str
    """Where the next page is; "" at the end."""
    viewers: tuple[int, int] = (0, 0)
    """The most and the fewest."""
    elsewhere: bool = False
    """It does not belong to the query."""


Turn = Callable[[Query, float], Awaitable[Turned]]
"""Reads a page, the more urgent the sooner."""
Mark = tuple[int, str]
"""Pages before it, and a cursor."""


class Memory(msgspec.Struct):
    """What one pass leaves for the next."""

    lengths: dict[str, int] = msgspec.field(default_factory=dict)
    """Part → its pages."""
    marks: dict[str, list[Mark]] = msgspec.field(default_factory=dict)
    """Part → every ``GRAIN``-th cursor."""
    stride: float = 16.0
    """Pages that a stretch should have."""

    def learn(self, waited: bool) -> None:
        """Make stretches longer after a pass that waited for the rate limit, else shorter.

        Half a page is turned twice at the end of each; but the more there are, the more requests
        can be under way.
        """
        factor = 1.5 if waited else 0.6
        self.stride = min(max(self.stride * factor, GRAIN), STRIDE_MOST)


class Cursor:
    """One place in the directory."""

    def __init__(self, turn: Turn, query: Query, start: str = "") -> None:
        self.turned = 0
        self.full = 0
        """Pages that were not empty."""
        self.at = start
        """The next page's cursor; "" before the first and after the last."""
        self._turn = turn
        self._query = query
        self._remembered = ""
        self._empty = 0
        self._fewest = MANY

    async def turn(self, urgency: float) -> Turned:
        """Turn one page. Raises SourceError in a circle that is not the end.

        Of all cursors one is remembered, at every power of two (Brent, 1980): that finds every
        circle, however long the directory is. Twitch's last cursor leads back to the beginning at
        times, or to itself: once streams were reached that nobody watches, that is the end.
        """
        after = [("after", self.at)] if self.at else []
        page = await self._turn([*self._query, *after], urgency)
        self.turned += 1
        self.full += bool(page.found)
        self._empty = 0 if page.found else self._empty + 1
        cursor = page.cursor
        if cursor and (cursor == self._remembered or self._empty > MAX_EMPTY_PAGES):
            if self._fewest > 0 or self._empty > MAX_EMPTY_PAGES:
                raise SourceError("the pages lead in a circle", hint=ENDS_EARLY)
            cursor = ""
        self._fewest = min(self._fewest, page.viewers[1])
        if self.turned & (self.turned - 1) == 0:
            self._remembered = cursor
        self.at = cursor
        return page


class _Stretch:
    """Some pages one after the other."""

    def __init__(self, start: str, expected: float) -> None:
        self.start = start
        self.expected = expected
        """Pages until it should meet another one."""
        self.head = 0
        """How many streams its first page showed, once it was read."""
        self.next: _Stretch | None = None
        """Whom it met."""
        self.marks: list[Mark] = []
        self.turned = 0
        self.fewest = 0
        """Viewers, on the last page."""


class Part:
    """All pages that one query gives."""

    def __init__(self, turn: Turn, query: Query, name: str, memory: Memory) -> None:
        self.name = name
        self.marks: list[Mark] = []
        """Once it is turned: every ``GRAIN``-th cursor."""
        self.lent: list[tuple[int, str]] = []
        """Cursors of a part that had no other, and the fewest viewers before each."""
        self.turned = 0
        self._turn, self._query = turn, query
        self._length = memory.lengths.get(name)
        self._heads: dict[str, _Stretch] = {}
        self._starts: dict[str, _Stretch] = {}
        self._tasks: list[asyncio.Task[None]] = []
        starts = [(0, ""), *_chosen(memory.marks.get(name, ()), memory.stride)]
        ends = [place for place, _ in starts[1:]]
        ends.append(max(UNKNOWN if self._length is None else self._length, starts[-1][0]))
        self._stretches = [
            _Stretch(start, end - place) for (place, start), end in zip(starts, ends, strict=True)
        ]

    def borrow(self, lender: Part) -> None:
        """Begin also where the cursors of a part lead that came to its end, if it is worth it.

        How many viewers are left to both tells how much of this part lies ahead, about.
        """
        first = self._stretches[0]
        running = any(not task.done() for task in self._tasks)
        if self._length is not None or len(self._stretches) > 1 or not first.turned or not running:
            return
        ahead = [cursor for fewest, cursor in lender.lent if fewest < first.fewest]
        passed = max(len(lender.lent) - len(ahead), 1)
        left = first.turned * len(ahead) / passed
        if left < LENGTHY:
            return
        for cursor in ahead[:: math.ceil(len(ahead) * GRAIN / left)]:
            stretch = _Stretch(cursor, left / len(ahead))
            self._stretches.append(stretch)
            self._tasks.append(asyncio.create_task(self._go(stretch, first)))

    async def run(self) -> None:
        """Turn all pages. Raises SourceError when some could not be seen."""
        self._tasks = [asyncio.create_task(self._go(one)) for one in self._stretches]
        try:
            while pending := [task for task in self._tasks if not task.done()]:
                await asyncio.wait(pending)
        finally:
            for task in self._tasks:
                task.cancel()
            ends = await asyncio.gather(*self._tasks, return_exceptions=True)
        for end in ends:
            if end is not None:
                raise end
        stretch: _Stretch | None = self._stretches[0]
        before = 0
        while stretch is not None:
            if stretch.start:
                self.marks.append((before, stretch.start))
            self.marks += [(before + place, cursor) for place, cursor in stretch.marks]
            before, stretch = before + stretch.turned, stretch.next
        self.turned = before

    async def _go(self, mine: _Stretch, behind: _Stretch | None = None) -> None:
        cursor = Cursor(self._turn, self._query, mine.start)
        while True:
            try:
                page = await cursor.turn(self._urgency(mine))
            except SourceError:
                if mine.turned or not mine.start:
                    raise
                return  # the stretch before goes on through this one
            mine.turned += 1
            if mine.turned == 1:
                if mine.start and self._useless(page, behind):
                    return
                mine.head = len(page.ids)
                self._starts[mine.start] = mine
                self._heads.update(dict.fromkeys(page.ids, mine))
            elif self._met(mine, page):
                return
            mine.fewest = page.viewers[1]
            if not cursor.at or self._leads(mine, self._starts.get(cursor.at)):
                return
            if mine.turned % GRAIN == 0:
                mine.marks.append((mine.turned, cursor.at))
            if self._length is None and not mine.start and mine.turned <= UNKNOWN:
                self.lent.append((mine.fewest, cursor.at))

    def _urgency(self, mine: _Stretch) -> float:
        if mine.start and not mine.turned:
            return FIRST
        left = mine.expected - mine.turned
        # Of what went on longer than anybody knew, as much again is to be expected.
        return max(left, float(mine.turned) if self._length is None else 0.0)

    def _useless(self, page: Turned, behind: _Stretch | None) -> bool:
        """Whether this is no place to begin: elsewhere, or somebody was or is there already."""
        if page.elsewhere or (behind is not None and page.viewers[0] >= behind.fewest):
            return True
        return sum(one in self._heads for one in page.ids) * 2 > len(page.ids)

    def _met(self, mine: _Stretch, page: Turned) -> bool:
        """Whether this page is another's first, so that the other goes on from here.

        Those of its first page that only changed places meanwhile are scattered over many pages.
        """
        met: dict[_Stretch, list[int]] = {}
        for place, one in enumerate(page.ids):
            if one in self._heads:
                met.setdefault(self._heads[one], []).append(place)
        for other, places in met.items():
            shared = len(places)
            if other is self._stretches[0]:  # led back to the beginning, see Cursor.turn
                if shared * 2 > other.head and mine.fewest == 0:
                    return True
            elif (
                shared >= min(SURE, (other.head + 1) // 2)
                and shared >= DENSE * (places[-1] - places[0] + 1)
                and self._leads(mine, other)
            ):
                return True
        return False

    def _leads(self, mine: _Stretch, other: _Stretch | None) -> bool:
        """Let another one go on, unless it would lead back here."""
        ahead = other
        while ahead is not None and ahead is not mine:
            ahead = ahead.next
        if other is None or ahead is mine or other is self._stretches[0]:
            return False
        mine.next = other
        return True


def _chosen(marks: Sequence[Mark], stride: float) -> list[Mark]:
    """Of the marks those that are at least a stride apart."""
    chosen: list[Mark] = []
    last = 0
    for place, cursor in marks:
        if place - last >= stride:
            chosen.append((place, cursor))
            last = place
    return chosen
