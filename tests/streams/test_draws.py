from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import msgspec
import pytest
import pytest_asyncio

from vigil.clock import FakeClock
from vigil.context import Context
from vigil.errors import Unavailable
from vigil.streams import draws, store
from vigil.streams.dealing import deck as decks
from vigil.streams.dealing import store as dealing
from vigil.streams.dealing.deck import Deck
from vigil.streams.dealing.store import Card
from vigil.streams.draws import Draws
from vigil.streams.model import Filter, SeenStream

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVERYTHING = Filter()


def cards(count: int) -> list[bytes]:
    return [str(n).encode() for n in range(count)]


def test_a_deck_deals_nothing_twice_and_then_has_run_out() -> None:
    deck = Deck()
    assert deck.deal(1) is None
    deck.fill(cards(10), whole=False, drawn_at=START)
    dealt = [deck.deal(3) for _ in range(4)]
    assert dealt[3] is None
    assert [card for hand in dealt[:3] for card in hand or ()] == cards(9)


def test_a_whole_deck_never_runs_out() -> None:
    deck = Deck()
    deck.fill(cards(10), whole=True, drawn_at=START)
    for count in (1, 7, 10, 64):
        for _ in range(20):
            hand = deck.deal(count)
            assert hand is not None
            assert len(set(hand)) == len(hand) == min(count, 10)
    deck.fill([], whole=True, drawn_at=START)
    assert deck.deal(5) == []


def test_the_largest_deck_is_dealt_again() -> None:
    deck = Deck()
    deck.fill(cards(decks.LARGEST), whole=False, drawn_at=START)
    hands = 0
    while (hand := deck.deal(64)) is not None:
        hands += 1
        assert len(set(hand)) == 64
        assert not deck.low(START + timedelta(seconds=1))  # nobody asked
    assert hands == decks.LARGEST * decks.ROUNDS
    deck.asked = decks.LARGEST * decks.ROUNDS * 3 // 4 + 1
    assert deck.low(START + timedelta(seconds=0.1))
    assert not deck.low(START + timedelta(seconds=0.09))
    deck.fill(cards(decks.LARGEST), whole=False, drawn_at=START, took=timedelta(seconds=0.1))
    assert not deck.low(START + timedelta(seconds=0.29))
    assert deck.low(START + timedelta(seconds=0.3))


def test_a_deck_that_is_dear_to_draw_becomes_smaller_and_grows_again() -> None:
    deck = Deck()
    assert deck.largest == decks.LARGEST

    def drawn(seconds: float) -> int:
        rows = cards(deck.largest)
        deck.fill(rows, whole=False, drawn_at=START, took=timedelta(seconds=seconds))
        return deck.largest

    assert drawn(0.2) == decks.LARGEST
    assert drawn(0.4) == decks.LARGEST / 2
    hands = 0
    while deck.deal(1) is not None:  # a smaller one is dealt to as many
        hands += 1
    assert hands == decks.MOST_HANDS
    assert drawn(0.16) == decks.LARGEST * 5 / 8
    assert drawn(2) == drawn(2) == decks.SMALLEST_LARGEST
    assert drawn(0.01) == 2 * decks.SMALLEST_LARGEST
    for _ in range(9):
        drawn(0)
    assert deck.largest == decks.LARGEST
    deck.fill(cards(10), whole=False, drawn_at=START, took=timedelta(seconds=0.01))
    assert deck.largest == decks.LARGEST
    assert deck.deal(11) is None  # it was not drawn for so many
    deck.fill(cards(64), whole=False, drawn_at=START, took=timedelta(seconds=0.1))
    assert deck.largest == decks.SMALLEST_LARGEST  # 64 tell what 2,000 would cost


def test_a_deck_that_many_ask_for_is_followed_by_the_next_before_it_is_stale() -> None:
    deck = Deck()
    deck.fill(cards(10), whole=True, drawn_at=START)
    assert not deck.low(START + timedelta(seconds=0.9))
    deck.asked = decks.SMALLEST_AHEAD
    assert not deck.low(START + timedelta(seconds=0.5))
    assert deck.low(START + timedelta(seconds=0.9))


def test_a_deck_is_fresh_for_a_second_unless_the_clock_jumps() -> None:
    deck = Deck()
    assert not deck.fresh(START)
    deck.fill(cards(1), whole=True, drawn_at=START)
    assert deck.fresh(START + timedelta(seconds=1))
    assert not deck.fresh(START + timedelta(seconds=1.01))
    assert not deck.fresh(START - timedelta(seconds=1))
    deck.fill([], whole=True, drawn_at=START)
    assert not deck.fresh(START)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(START)


@pytest_asyncio.fixture
async def dealer(context: Context, clock: FakeClock) -> AsyncIterator[Draws]:
    opened = await draws.open_draws(context.settings, clock)
    yield opened
    await opened.close()


async def show(context: Context, first: int, last: int, ttl_s: float = 60) -> int:
    source_id: int = await context.pool.fetchval(
        "INSERT INTO sources (name, kind) VALUES ($1, 'twitch') RETURNING id", f"s{first}"
    )
    streams = [
        SeenStream(
            external_id=str(n),
            title="word" if n % 2 else "other",
            viewers=0,
            page_url="https://x.example",
            player="embed",
            player_url="https://x.example",
        )
        for n in range(first, last)
    ]
    await store.write_batch(context.pool, source_id, streams, START, ttl_s)
    return source_id


async def take(dealer: Draws, count: int, wanted: Filter = EVERYTHING) -> list[int]:
    return [int(msgspec.json.decode(body)["id"]) for body in await dealer.take(wanted, count)]


async def test_everything_that_matches_comes_by(context: Context, dealer: Draws) -> None:
    await show(context, 0, 300)
    odd = Filter(include=("word",))
    drawn: set[int] = set()
    for _ in range(300):
        hand = await take(dealer, 10, odd)
        assert len(set(hand)) == 10
        drawn.update(hand)
    assert drawn == set(range(1, 300, 2))
    assert len(await take(dealer, 64, odd)) == 64
    assert await take(dealer, 0, odd) == []


async def test_what_expires_is_not_dealt_any_more(
    context: Context, dealer: Draws, clock: FakeClock
) -> None:
    await show(context, 0, 10, ttl_s=60)
    await show(context, 10, 20, ttl_s=600)
    assert sorted(await take(dealer, 64)) == list(range(20))
    clock.jump(59.5)
    assert set(await take(dealer, 64)) <= set(range(20))
    clock.jump(0.5)
    assert sorted(await take(dealer, 64)) == list(range(10, 20))
    clock.jump(600)
    assert await take(dealer, 64) == []


async def test_what_ended_is_gone_a_second_later(
    context: Context, dealer: Draws, clock: FakeClock
) -> None:
    source_id = await show(context, 0, 10)
    assert len(await take(dealer, 64)) == 10
    await store.retire(context.pool, source_id, START + timedelta(seconds=1))
    clock.jump(1.1)
    assert await take(dealer, 64) == []


async def test_requests_of_one_moment_share_a_draw(
    context: Context, dealer: Draws, monkeypatch: pytest.MonkeyPatch
) -> None:
    await show(context, 0, 4000)
    sizes = []
    draw = dealing.draw

    async def counted(db: Any, wanted: Filter, count: int, *rest: Any, **named: Any) -> list[Card]:
        sizes.append(count)
        return await draw(db, wanted, count, *rest, **named)

    monkeypatch.setattr(dealing, "draw", counted)
    hands = await asyncio.gather(*(take(dealer, 64) for _ in range(200)))
    assert all(len(set(hand)) == 64 for hand in hands)
    assert len(sizes) <= 4  # the first for one, the next for all who had come meanwhile
    assert max(sizes) == decks.LARGEST
    assert min(sizes) >= 64


async def test_a_cancelled_request_does_not_spoil_the_draw(context: Context, dealer: Draws) -> None:
    await show(context, 0, 50)
    first = asyncio.create_task(take(dealer, 5))
    await asyncio.sleep(0)
    second = asyncio.create_task(take(dealer, 5))
    await asyncio.sleep(0)
    first.cancel()
    assert len(await second) == 5


async def test_a_search_that_takes_too_long_is_given_up(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draws, "SLOWEST_QUERY_MS", 1)
    await show(context, 0, 20_000)
    hasty = await draws.open_draws(context.settings, context.clock)
    for _ in range(2):  # a failed draw is not remembered
        with pytest.raises(Unavailable, match="takes too long") as caught:
            await asyncio.gather(*(hasty.take(Filter(include=("xy", "zz")), 9) for _ in range(9)))
        assert caught.value.retry_after
    await hasty.close()


async def test_slow_searches_do_not_hold_up_the_others(context: Context, dealer: Draws) -> None:
    await show(context, 0, 10)
    taken = [await dealer.pool.acquire() for _ in range(draws.POOL_SIZE)]
    search = asyncio.create_task(take(dealer, 1, Filter(include=("word",))))
    assert len(await asyncio.wait_for(take(dealer, 1), 5)) == 1
    assert not search.done()
    for connection in taken:
        await dealer.pool.release(connection)
    assert len(await search) == 1


async def test_decks_nobody_asks_for_are_thrown_away(
    context: Context, dealer: Draws, clock: FakeClock
) -> None:
    await show(context, 0, 200)
    for n in range(draws.MOST_DECKS + 20):
        await dealer.take(Filter(max_viewers=n), 1)
    assert len(dealer._decks) <= draws.MOST_DECKS
    clock.jump(5)
    await dealer.take(Filter(max_viewers=1000), 1)
    assert len(dealer._decks) == 1


async def test_visitors_cannot_write(dealer: Draws) -> None:
    for pool in (dealer.pool, dealer._easy, dealer._batches):
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await pool.execute("DELETE FROM streams")


async def test_all_come_by_about_equally_often(
    context: Context, dealer: Draws, clock: FakeClock
) -> None:
    await show(context, 0, 3000, ttl_s=3600)
    drawn: Counter[int] = Counter()
    for _ in range(3000):
        drawn.update(await take(dealer, 20))
        clock.jump(0.002)
    mean = 60_000 / 3000
    chi_squared = sum((drawn[n] - mean) ** 2 / mean for n in range(3000)) / 2999
    assert len(drawn) == 3000
    assert chi_squared < 3  # the same deck all the time: 9; from a random key each time: 15


def searches(context: Context) -> list[SeenStream]:
    """Everybody has "common" in the title, and a word and a number of its own."""
    return [
        SeenStream(
            external_id=str(n),
            title=f"common w{n:04}x " + ("even" if n % 2 else "odd"),
            viewers=n % 2,
            page_url="https://x.example",
            player="embed",
            player_url="https://x.example",
            category="Ärger",
        )
        for n in range(3000)
    ]


async def test_many_different_searches_are_answered_from_a_sample_and_in_batches(
    context: Context, dealer: Draws, monkeypatch: pytest.MonkeyPatch
) -> None:
    source_id = await context.pool.fetchval(
        "INSERT INTO sources (name, kind) VALUES ('s', 'twitch') RETURNING id"
    )
    await store.write_batch(context.pool, source_id, searches(context), START, 60)
    draws_made = 0
    draw = dealing.draw

    async def counted(*arguments: Any, **named: Any) -> list[Card]:
        nonlocal draws_made
        draws_made += 1
        return await draw(*arguments, **named)

    monkeypatch.setattr(dealing, "draw", counted)
    asked = [f"w{n:04}x" for n in range(0, 3000, 30)]
    hands = await asyncio.gather(*(take(dealer, 2, Filter(include=(word,))) for word in asked))
    assert hands == [[n] for n in range(0, 3000, 30)]
    assert draws_made <= draws.MANY + 1
    absent = await asyncio.gather(*(take(dealer, 1, Filter(include=(f"q{n}q",))) for n in range(9)))
    assert absent == [[]] * 9
    for wanted, fits in (
        (Filter(include=("common", "even")), lambda n: n % 2),
        (Filter(include=("common",), exclude=("even",)), lambda n: not n % 2),
        (Filter(include=("zzzz", "odd"), any=True), lambda n: not n % 2),
        (Filter(include=("ärg",)), lambda n: True),
    ):
        before = draws_made
        found = await take(dealer, 64, wanted)
        assert len(set(found)) == 64
        assert all(fits(n) for n in found), wanted
        assert draws_made == before, wanted
    quiet = Filter(include=("w0031x",), max_viewers=0)
    assert await take(dealer, 1, quiet) == []


async def test_a_search_that_many_make_gets_a_deck(context: Context, dealer: Draws) -> None:
    await show(context, 0, 300)
    odd = Filter(include=("word",))
    for _ in range(30):
        assert len(await take(dealer, 3, odd)) == 3
    assert odd in dealer._decks


async def one(dealer: Draws, key: str) -> bytes | None:
    return dealer.seen(key) or await dealer.one(key)


async def test_single_streams_are_asked_for_together_and_remembered_for_a_second(
    context: Context, dealer: Draws, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    source_id = await show(context, 0, 200)
    questions = []
    look_up = dealing.look_up

    async def counted(db: Any, keys: Any, now: datetime) -> dict[str, bytes]:
        questions.append(len(keys))
        return await look_up(db, keys, now)

    monkeypatch.setattr(dealing, "look_up", counted)
    keys = [f"s0:{n}" for n in range(100)] + [str(n) for n in range(100, 250)]
    for _ in range(2):
        bodies = await asyncio.gather(*(one(dealer, key) for key in keys))
        ids = [int(msgspec.json.decode(body)["id"]) for body in bodies if body]
        assert ids == list(range(200))
        assert bodies[200:] == [None] * 50
    assert sum(questions) == 300  # what is not there is asked for again
    assert len(questions) <= 8
    await store.retire(context.pool, source_id, START + timedelta(seconds=1))
    clock.jump(1.1)
    assert dealer.seen("s0:1") is None
    assert await dealer.one("s0:1") is None
