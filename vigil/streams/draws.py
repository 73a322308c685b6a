"""Random streams, drawn ahead: what keeps ``GET /stream`` from asking PostgreSQL each time.

For each filter in use there is a deck: a draw of the matching streams as ready JSON, dealt from
the top, none twice. A deck is good for a second. It is twice as large as what was asked for in the
life of the one before, so a filter that is asked for once costs a few rows, and one that is asked
for all the time is served from memory, the next deck drawn before the last card is out.

**Fair**: each deck goes on along the random keys where the last one ended, so all matches come by
before the first comes again. The largest deck is dealt up to four times where even so it runs out
before the next one is there; one that takes long to draw is smaller, and dealt more often.

**Many different searches**: a search for words that few ask for gets no deck while many such come
in. The words are looked for in a sample, a large deck of the same filter without words; what it
does not have is rare, and asked of PostgreSQL in batches.
"""

from __future__ import annotations

import asyncio
import math
import random
import re
from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime

import asyncpg

import db_utils
from vigil.clock import Clock
from vigil.errors import Unavailable
from vigil.settings import Settings
from vigil.streams.dealing import store
from vigil.streams.dealing.batch import AT_ONCE, Batch
from vigil.streams.dealing.deck import FRESH, Deck
from vigil.streams.dealing.sample import KeptSample
from vigil.streams.dealing.store import Card
from vigil.streams.model import Filter
from vigil.streams.store import NEIGHBOURS

MOST_DECKS = 64
MOST_SAMPLES = 4
MANY = 16
"""Searches of a second that nobody else makes; from so many on there is a sample."""
HOT = 4
"""From so many times in a second on a search has a deck of its own."""
INDEXED = re.compile(r"[^\W_]{3}")
"""The index is one of groups of three letters or digits."""
MOST_COUNTED = 20_000
MOST_REMEMBERED = 1000
"""Single streams that were just asked for."""
SLOWEST_QUERY_MS = 3000
POOL_SIZE = 6
EASY_POOL_SIZE = 2
"""For draws without words, which are quick and are not to wait behind slow searches."""


async def open_draws(settings: Settings, clock: Clock) -> Draws:
    """The decks of this process, with their connections."""
    return Draws(
        await open_pool(settings),
        await open_pool(settings, "streams-easy", size=EASY_POOL_SIZE),
        await open_batches(settings),
        clock,
    )


async def open_pool(
    settings: Settings, name: str = "streams", size: int = POOL_SIZE
) -> db_utils.Pool:
    """Connections for questions that visitors put together: read-only, and none takes for ever.

    Plans are made for the very words: the general plan that PostgreSQL settles on after five
    executions searches a hundred times slower.
    """
    return await db_utils.create_pool(
        settings,
        name,
        size=size,
        server=reading() | {"plan_cache_mode": "force_custom_plan"},
    )


async def open_batches(settings: Settings) -> db_utils.Pool:
    """Connections for many small questions in one: the same plan each time, by the indexes."""
    return await db_utils.create_pool(
        settings,
        "streams-batches",
        size=2 * AT_ONCE,
        server=reading() | {"plan_cache_mode": "force_generic_plan", "enable_seqscan": "off"},
        stateless=True,
    )


def reading() -> dict[str, str]:
    """PostgreSQL settings of connections that visitors use."""
    return {
        "statement_timeout": str(SLOWEST_QUERY_MS),
        "default_transaction_read_only": "on",
        "max_parallel_workers_per_gather": "0",  # the other cores have visitors of their own
    }


@contextmanager
def in_time() -> Iterator[None]:
    """Turn PostgreSQL's statement timeout into an error that says what to do."""
    try:
        yield
    except asyncpg.QueryCanceledError as error:
        raise Unavailable(
            "this search takes too long", hint="try fewer or longer words", retry_after=5
        ) from error


class Draws:
    """The decks of one process."""

    def __init__(
        self, pool: db_utils.Pool, easy: db_utils.Pool, batches: db_utils.Pool, clock: Clock
    ) -> None:
        self.pool = pool
        self._easy = easy
        self._batches = batches
        self._clock = clock
        self._decks: OrderedDict[Filter, Deck] = OrderedDict()
        self._samples: OrderedDict[Filter, KeptSample] = OrderedDict()
        self._rare = Batch[tuple[Filter, int], list[bytes]](self._ask_rare, largest=16)
        self._one = Batch[str, bytes](self._ask_one)
        self._asked: Counter[Filter] = Counter()
        self._seen: dict[str, bytes] = {}
        self._second = clock.now()

    def at_once(self, wanted: Filter, count: int) -> list[bytes] | None:
        """As ``take``, where that needs no waiting; else None."""
        now = self._clock.now()
        deck = self._decks.get(wanted)
        if deck is None or not deck.fresh(now):
            return None
        dealt = deck.deal(count)
        if dealt is not None:
            deck.asked += count
            if deck.next is None and deck.low(now):
                self._order(wanted, deck, count)
        return dealt

    async def take(self, wanted: Filter, count: int) -> list[bytes]:
        """``count`` different random matches, or all where that is fewer, as JSON objects.

        Raises Unavailable when the search takes too long.
        """
        if count < 1:
            return []
        now = self._clock.now()
        deck = self._decks.get(wanted)
        if wanted.include and (deck is None or not deck.fresh(now)):
            found = await self._take_cold(wanted, count, now)
            if found is not None:
                return found
        deck = self._decks.get(wanted) or self._new(wanted, now)
        deck.asked += count
        if not deck.fresh(now):
            deck.clear()
        while (dealt := deck.deal(count)) is None:
            await asyncio.shield(deck.next or self._order(wanted, deck, count))
        if deck.next is None and deck.low(now):
            self._order(wanted, deck, count)
        return dealt

    def seen(self, key: str) -> bytes | None:
        """As ``one``, where it was asked for within the last second; else None."""
        self._tick(self._clock.now())
        return self._seen.get(key)

    def one(self, key: str) -> asyncio.Future[bytes | None]:
        """The JSON object of ``<source>:<external id>`` or of an external id; None unless live."""
        return self._one.get(key)

    async def close(self) -> None:
        """Stop drawing."""
        drawing = [deck.next for deck in self._decks.values()]
        drawing += [kept.next for kept in self._samples.values()]
        under_way = [task for task in drawing if task is not None]
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        await asyncio.gather(self._rare.close(), self._one.close())
        self._decks.clear()
        for pool in (self.pool, self._easy, self._batches):
            try:
                await asyncio.wait_for(pool.close(), 2)
            except TimeoutError:
                pool.terminate()

    async def _take_cold(self, wanted: Filter, count: int, now: datetime) -> list[bytes] | None:
        """As ``take``, without a deck; None where one had better be drawn."""
        self._tick(now)
        self._asked[wanted] += 1
        if self._asked[wanted] >= HOT or len(self._asked) > MOST_COUNTED:
            return None
        base = without_words(wanted)
        kept = self._samples.get(base)
        if kept is None:
            if len(self._samples) >= MOST_SAMPLES:
                self._samples.popitem(last=False)
            kept = self._samples[base] = KeptSample()
        self._samples.move_to_end(base)
        kept.asked += 1
        if kept.next is None and kept.asked >= MANY and not kept.fresh(now + FRESH / 2):
            kept.next = asyncio.create_task(self._draw_sample(base, kept))
            kept.next.add_done_callback(lambda task: task.cancelled() or task.exception())
        if kept.next is not None and not kept.fresh(now):
            await asyncio.shield(kept.next)
        if not kept.fresh(self._clock.now()):
            return None
        found = kept.find(wanted, count)
        if found is None and is_one_word(wanted):
            found = await self._rare.get((wanted, count))
        return found

    async def _draw_sample(self, base: Filter, kept: KeptSample) -> None:
        try:
            kept.asked = 0
            drawn_at = self._clock.now()
            start, good_until = random.random(), drawn_at + FRESH  # noqa: S311
            with in_time():
                cards = await store.draw(self._easy, base, kept.size, good_until, start, texts=True)
            kept.fill(cards, drawn_at, self._clock.now() - drawn_at)
        finally:
            kept.next = None

    async def _ask_rare(
        self, asked: Sequence[tuple[Filter, int]]
    ) -> Mapping[tuple[Filter, int], list[bytes]]:
        began = self._clock.now()
        with in_time():
            found = await store.rare(self._batches, asked, began)
        took = (self._clock.now() - began) / len(asked)
        for wanted, _ in asked:
            if (kept := self._samples.get(without_words(wanted))) is not None:
                kept.missed += took
        return found

    async def _ask_one(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        now = self._clock.now()
        with in_time():
            found = await store.look_up(self._batches, keys, now)
        self._tick(now)
        if len(self._seen) < MOST_REMEMBERED:
            self._seen.update(found)
        return found

    def _tick(self, now: datetime) -> None:
        """Forget what belongs to the last second."""
        if not self._second <= now <= self._second + FRESH:
            self._second = now
            self._asked.clear()
            self._seen.clear()

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
            size = min(max(count, 2 * deck.asked), deck.largest)
            deck.asked = 0
            drawn_at = self._clock.now()
            start, neighbours = random.random(), NEIGHBOURS  # noqa: S311
            if deck.end is not None:
                start, neighbours = math.nextafter(deck.end, 2), 0
            pool = self._easy if wanted == without_words(wanted) else self.pool
            with in_time():
                cards = await store.draw(
                    pool, wanted, size, drawn_at + FRESH, start, neighbours=neighbours
                )
            deck.end = end_of(cards, start)
            rows, took = [card.body for card in cards], self._clock.now() - drawn_at
            deck.fill(rows, whole=len(cards) < size, drawn_at=drawn_at, took=took)
        finally:
            deck.next = None


def end_of(cards: Sequence[Card], start: float) -> float | None:
    """Where a walk from ``start`` round to it ended."""
    past = [card.key for card in cards if card.key < start]
    return max(past or [card.key for card in cards], default=None)


def without_words(wanted: Filter) -> Filter:
    """The filter whose matches a search looks through."""
    return replace(wanted, include=(), any=False, exclude=())


def is_one_word(wanted: Filter) -> bool:
    """Whether a filter is what ``store.rare`` knows, with a word that the search index finds."""
    return (
        len(wanted.include) == 1
        and INDEXED.search(wanted.include[0]) is not None
        and without_words(wanted)
        == Filter(max_viewers=wanted.max_viewers, min_age_minutes=wanted.min_age_minutes)
        and not wanted.exclude
    )
