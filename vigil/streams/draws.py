"""Random streams, drawn ahead: what keeps ``GET /stream`` from asking PostgreSQL each time.

For each filter in use there is a deck: a random draw of the matching streams as ready JSON, dealt
from the top, none twice. A deck is good for a second. It is twice as large as what was asked for
in the life of the one before, so a filter that is asked for once costs a few rows, and one that
is asked for all the time is served from memory, the next deck drawn before the last card is out.
Where even the largest deck runs out before that, it is dealt again.
"""

from __future__ import annotations

import asyncio
import random
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta

import asyncpg

import db_utils
from vigil.clock import Clock
from vigil.errors import Unavailable
from vigil.settings import Settings
from vigil.streams import store
from vigil.streams.model import Filter

FRESH_S = 1.0
"""Seconds a deck is good for; a stream that expires sooner is not in it."""
LARGEST = 1000
"""Streams in a deck: about 1 MB."""
SMALLEST_AHEAD = 64
"""From this size on the next deck is drawn ahead."""
MOST_DECKS = 64
SLOWEST_QUERY_MS = 3000
POOL_SIZE = 8


async def open_pool(settings: Settings) -> db_utils.Pool:
    """Connections for questions that visitors put together: read-only, and none takes for ever.

    Plans are made for the very words: the general plan that PostgreSQL settles on after five
    executions searches a hundred times slower.
    """
    return await db_utils.create_pool(
        settings,
        "streams",
        size=POOL_SIZE,
        server={
            "plan_cache_mode": "force_custom_plan",
            "statement_timeout": str(SLOWEST_QUERY_MS),
            "default_transaction_read_only": "on",
        },
    )


@contextmanager
def in_time() -> Iterator[None]:
    """Turn PostgreSQL's statement timeout into an error that says what to do."""
    try:
        yield
    except asyncpg.QueryCanceledError as error:
        raise Unavailable(
            "this search takes too long", hint="try fewer or longer words", retry_after=5
        ) from error


class Deck:
    """The draw for one filter."""

    __slots__ = ("_position", "_rows", "_whole", "asked", "drawn_at", "next")

    def __init__(self) -> None:
        self.asked = 0
        """Streams asked for since the draw."""
        self.next: asyncio.Task[None] | None = None
        """The next draw, while it is under way."""
        self.clear()

    def clear(self) -> None:
        """Throw the cards away."""
        self.fill([], whole=False, drawn_at=None)

    def fill(self, rows: list[bytes], *, whole: bool, drawn_at: datetime | None) -> None:
        """Take new cards; ``whole``: they are all that match."""
        self._rows, self._whole, self._position, self.drawn_at = rows, whole, 0, drawn_at

    def fresh(self, now: datetime) -> bool:
        """Whether these may still be dealt. That nothing matches is never taken on trust."""
        drawn_at = self.drawn_at
        return (
            drawn_at is not None
            and bool(self._rows)
            and 0 <= (now - drawn_at).total_seconds() <= FRESH_S
        )

    def low(self) -> bool:
        """Whether it is time to draw the next ones."""
        size = len(self._rows)
        return not self._whole and size >= SMALLEST_AHEAD and self._position * 2 > size

    def deal(self, count: int) -> list[bytes] | None:
        """``count`` different rows, or all where that is fewer; None when they have run out."""
        size = len(self._rows)
        start = self._position
        if start + count <= size and not self._whole:
            self._position = start + count
            return self._rows[start : start + count]
        if not self._whole and size < LARGEST:
            return None
        self._position = size
        start = random.randrange(size) if size else 0  # noqa: S311
        return (self._rows[start : start + count] + self._rows[:start])[:count]


class Draws:
    """The decks of one process."""

    def __init__(self, pool: db_utils.Pool, clock: Clock) -> None:
        self.pool = pool
        self._clock = clock
        self._decks: OrderedDict[Filter, Deck] = OrderedDict()

    async def take(self, wanted: Filter, count: int) -> list[bytes]:
        """``count`` different random matches, or all where that is fewer, as JSON objects.

        Raises Unavailable when the search takes too long.
        """
        if count < 1:
            return []
        now = self._clock.now()
        deck = self._decks.get(wanted) or self._new(wanted, now)
        deck.asked += count
        if not deck.fresh(now):
            deck.clear()
        while (dealt := deck.deal(count)) is None:
            await asyncio.shield(deck.next or self._order(wanted, deck, count))
        if deck.next is None and deck.low():
            self._order(wanted, deck, count)
        return dealt

    async def close(self) -> None:
        """Stop drawing."""
        under_way = [deck.next for deck in self._decks.values() if deck.next is not None]
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        self._decks.clear()
        try:
            await asyncio.wait_for(self.pool.close(), 2)
        except TimeoutError:
            self.pool.terminate()

    def _new(self, wanted: Filter, now: datetime) -> Deck:
        for old, deck in list(self._decks.items()):
            if deck.next is not None or (deck.fresh(now) and len(self._decks) < MOST_DECKS):
                break
            del self._decks[old]
        deck = self._decks[wanted] = Deck()
        return deck

    def _order(self, wanted: Filter, deck: Deck, count: int) -> asyncio.Task[None]:
        with suppress(KeyError):  # where it was thrown out meanwhile, whoever waits still gets it
            self._decks.move_to_end(wanted)
        deck.next = asyncio.create_task(self._draw(wanted, deck, count))
        deck.next.add_done_callback(lambda task: task.cancelled() or task.exception())
        return deck.next

    async def _draw(self, wanted: Filter, deck: Deck, count: int) -> None:
        try:
            size = min(max(count, 2 * deck.asked), LARGEST)
            deck.asked = 0
            drawn_at = self._clock.now()
            good_until = drawn_at + timedelta(seconds=FRESH_S)
            with in_time():
                rows = await store.random(self.pool, wanted, size, good_until, random.random())  # noqa: S311
            deck.fill(rows, whole=len(rows) < size, drawn_at=drawn_at)
        finally:
            deck.next = None
