"""Turning the pages of a directory that only gives cursors, with as many at once as it takes.

A cursor leads from page to page, one answer after the other; a long part of a directory would
take as long as its answers, however many requests the rate limit allows. So of each part every
``STRIDE``-th cursor is remembered, and the next pass begins there as well: the part becomes
stretches that are turned side by side, each up to where the next one began. That is safe in every
case: a cursor that is refused any more makes the stretch before it go on, and what falls between
two stretches because the order changed is asked for by name or found in the next pass.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from vigil.errors import SourceError

STRIDE = 40
"""Pages of a stretch."""
MAX_EMPTY_PAGES = 5
FIRST = 1e6
"""Urgency of the first page of a stretch: the one before it wants to know where it ends."""
ENDS_EARLY = "this pass ends early"

Query = list[tuple[str, str]]
Turn = Callable[[Query, float], Awaitable[tuple[list[str], int, str]]]
"""Reads a page: the ids in it, how many items it had, and the next cursor ("" at the end)."""


@dataclass
class Memory:
    """What one pass leaves for the next."""

    lengths: dict[str, int] = field(default_factory=dict)
    """Part → its pages."""
    marks: dict[str, list[str]] = field(default_factory=dict)
    """Part → every ``STRIDE``-th cursor."""


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

    async def turn(self, urgency: float) -> list[str]:
        """Turn one page; returns the ids in it. Raises SourceError in a circle.

        Of all cursors one is remembered, at every power of two (Brent, 1980): that finds every
        circle, however long the directory is.
        """
        after = [("after", self.at)] if self.at else []
        ids, found, cursor = await self._turn([*self._query, *after], urgency)
        self.turned += 1
        self.full += bool(found)
        self._empty = 0 if found else self._empty + 1
        if cursor and (cursor == self._remembered or self._empty > MAX_EMPTY_PAGES):
            raise SourceError("the pages lead in a circle", hint=ENDS_EARLY)
        if self.turned & (self.turned - 1) == 0:
            self._remembered = cursor
        self.at = cursor
        return ids


class _Stretch:
    """Some pages one after the other."""

    def __init__(self, start: str) -> None:
        self.start = start
        self.head: frozenset[str] = frozenset()
        """The ids of its first page, once it was read."""
        self.broken = False
        """Its cursor is not taken any more."""
        self.marks: list[str] = []
        self.turned = 0


async def follow(turn: Turn, query: Query, name: str, memory: Memory) -> None:
    """Turn all pages of a part, and remember how long it is; the longer, the more urgent."""
    stretches = [_Stretch(start) for start in ("", *memory.marks.get(name, ()))]
    expected = memory.lengths.get(name, STRIDE)
    ends = await asyncio.gather(
        *(
            _stretch(turn, query, stretches, number, expected - number * STRIDE)
            for number in range(len(stretches))
        ),
        return_exceptions=True,
    )
    for end in ends:
        if end is not None:
            memory.marks.pop(name, None)
            raise end
    memory.lengths[name] = sum(stretch.turned for stretch in stretches)
    memory.marks[name] = list(
        dict.fromkeys(mark for one in stretches if not one.broken for mark in one.marks)
    )


async def _stretch(
    turn: Turn, query: Query, stretches: list[_Stretch], number: int, expected: float
) -> None:
    """Turn up to where the next stretch began, or to the end."""
    mine, cursor = stretches[number], Cursor(turn, query, stretches[number].start)
    ahead, since = number + 1, 0
    while True:
        try:
            ids = await cursor.turn(max(expected, 0) if cursor.turned or not number else FIRST)
        except SourceError:
            if cursor.turned or not number:
                raise
            mine.broken = True  # the stretch before goes on through this one
            return
        if not mine.turned:
            mine.head = frozenset(ids)
        mine.turned, since, expected = cursor.turned, since + 1, expected - 1
        while ahead < len(stretches) and stretches[ahead].broken:
            ahead, since = ahead + 1, 0
        if not cursor.at:
            return
        if ahead < len(stretches):
            met = cursor.at == stretches[ahead].start or not stretches[ahead].head.isdisjoint(ids)
            if met or since > STRIDE * 1.5:
                mine.marks.append(cursor.at)
                return
        elif mine.turned % STRIDE == 0:
            mine.marks.append(cursor.at)
