from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec
import pytest
import pytest_asyncio

from vigil.clock import FakeClock
from vigil.context import Context
from vigil.errors import Unavailable
from vigil.streams import draws, store
from vigil.streams.draws import Deck, Draws
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
    deck.fill(cards(draws.LARGEST), whole=False, drawn_at=START)
    for _ in range(100):
        hand = deck.deal(64)
        assert hand is not None
        assert len(set(hand)) == 64
    assert deck.low()


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
    opened = Draws(await draws.open_pool(context.settings), clock)
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
    await show(context, 0, 2000)
    sizes = []
    draw = store.random

    async def counted(db: object, wanted: Filter, count: int, *rest: object) -> list[bytes]:
        sizes.append(count)
        return await draw(db, wanted, count, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "random", counted)
    hands = await asyncio.gather(*(take(dealer, 64) for _ in range(200)))
    assert all(len(set(hand)) == 64 for hand in hands)
    assert len(sizes) <= 4  # the first for one, the next for all who had come meanwhile
    assert max(sizes) == draws.LARGEST
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
    hasty = Draws(await draws.open_pool(context.settings), context.clock)
    for _ in range(2):  # a failed draw is not remembered
        with pytest.raises(Unavailable, match="takes too long") as caught:
            await asyncio.gather(*(hasty.take(Filter(include=("xy", "zz")), 9) for _ in range(9)))
        assert caught.value.retry_after
    await hasty.close()


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
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await dealer.pool.execute("DELETE FROM streams")
