"""The rate limit that cursors share, on a clock that a test moves."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from vigil.clock import FakeClock
from vigil.sources.bucket import Bucket, Told


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def first(bucket: Bucket, limit: int, remaining: int, full_in_s: float | None = None) -> None:
    """The first request and its answer, by which the bucket is known."""
    await asyncio.wait_for(bucket.take(), 1)
    bucket.told(Told(limit=limit, remaining=remaining, full_in_s=full_in_s))


async def test_one_request_until_the_first_answer(clock: FakeClock) -> None:
    bucket = Bucket(clock)
    await asyncio.wait_for(bucket.take(), 1)
    others = [asyncio.create_task(bucket.take()) for _ in range(5)]
    await settle()
    assert not any(other.done() for other in others)
    bucket.told(Told(limit=800, remaining=799))
    await asyncio.wait_for(asyncio.gather(*others), 1)
    assert (bucket.limit, bucket.remaining) == (800, 799)


async def test_headers_that_say_nothing_limit_nothing(clock: FakeClock) -> None:
    bucket = Bucket(clock)
    await asyncio.wait_for(bucket.take(), 1)
    bucket.told(Told())
    await asyncio.wait_for(asyncio.gather(*(bucket.take() for _ in range(50))), 1)


async def test_an_empty_bucket_gives_a_point_as_often_as_the_limit_says(clock: FakeClock) -> None:
    bucket = Bucket(clock)
    await first(bucket, 60, 0)
    given: list[float] = []

    async def take() -> None:
        await bucket.take()
        given.append(clock.monotonic())
        bucket.told(Told(limit=60, remaining=0))

    takers = [asyncio.create_task(take()) for _ in range(10)]
    for _ in range(120):
        await clock.advance(0.1)
        await settle()
    assert all(taker.done() for taker in takers)
    steps = [b - a for a, b in itertools.pairwise(given)]
    assert all(step >= 0.99 for step in steps)
    assert given[-1] <= 10.6


async def test_the_most_urgent_goes_first(clock: FakeClock) -> None:
    bucket = Bucket(clock)
    await first(bucket, 60, 0)
    order: list[float] = []

    async def take(urgency: float) -> None:
        await bucket.take(urgency)
        order.append(urgency)

    takers = [asyncio.create_task(take(urgency)) for urgency in (1, 5, 3)]
    for _ in range(40):
        await clock.advance(0.1)
        await settle()
    assert order == [5, 3, 1]
    await asyncio.gather(*takers)


async def test_what_is_under_way_is_not_given_out_twice(clock: FakeClock) -> None:
    bucket = Bucket(clock)
    await first(bucket, 800, 5)
    takers = [asyncio.create_task(bucket.take()) for _ in range(10)]
    await settle()
    assert sum(taker.done() for taker in takers) == 5
    bucket.told(Told(limit=800, remaining=4))  # four are still under way: none is left
    await settle()
    assert sum(taker.done() for taker in takers) == 5
    bucket.told(Told(limit=800, remaining=9))  # the other side filled it: three are under way
    await settle()
    assert sum(taker.done() for taker in takers) == 10


async def test_a_faster_window_is_read_from_the_headers(clock: FakeClock) -> None:
    bucket = Bucket(clock)
    await first(bucket, 800, 0, full_in_s=4)  # whole seconds: 200 to 400 a second
    takers = [asyncio.create_task(bucket.take()) for _ in range(150)]
    for _ in range(10):
        await clock.advance(0.1)
        await settle()
    assert all(taker.done() for taker in takers)


@pytest.mark.parametrize("seconds", [-5.0, 0.0, 1e9])
async def test_a_reset_that_cannot_be_is_not_believed(clock: FakeClock, seconds: float) -> None:
    bucket = Bucket(clock)
    await first(bucket, 60, 0, full_in_s=seconds)
    taker = asyncio.create_task(bucket.take())
    await clock.advance(1.1)
    await asyncio.wait_for(taker, 1)


async def test_refusals_wait_longer_each_time_and_many_at_once_count_once(
    clock: FakeClock,
) -> None:
    bucket = Bucket(clock)
    await first(bucket, 800, 3)
    await asyncio.gather(*(bucket.take() for _ in range(3)))
    for _ in range(3):
        bucket.refused(Told(limit=800, remaining=0))
    assert bucket.refusals == 1
    waits = []
    for _ in range(4):
        began = clock.monotonic()
        taker = asyncio.create_task(bucket.take())
        await settle()
        while not taker.done():
            await clock.advance(0.05)
            await settle()
        waits.append(clock.monotonic() - began)
        bucket.refused(Told(limit=800, remaining=0))
    assert [round(wait, 1) for wait in waits] == [0.5, 1.0, 2.0, 4.0]
    assert bucket.refusals == 5


async def test_one_who_gives_up_waiting_takes_nothing(clock: FakeClock) -> None:
    bucket = Bucket(clock)
    await first(bucket, 60, 0)
    taker, other = asyncio.create_task(bucket.take(9)), asyncio.create_task(bucket.take(1))
    await settle()
    taker.cancel()
    await clock.advance(1.1)
    await asyncio.wait_for(other, 1)
    last = asyncio.create_task(bucket.take())
    await settle()
    last.cancel()
    await settle()
    assert [task for task in asyncio.all_tasks() if "_give_out" in repr(task)] == []
