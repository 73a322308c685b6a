from __future__ import annotations

import asyncio

import pytest

from vigil.context import Context
from vigil.streams import statistics
from vigil.streams.statistics import Statistic, Statistics


async def test_it_is_worked_out_once_for_all_who_ask_and_again_when_stale() -> None:
    made = 0

    async def make() -> int:
        nonlocal made
        made += 1
        await asyncio.sleep(0.01)
        return made

    statistic = Statistic(make, fresh_s=0.1)
    assert await asyncio.gather(*(statistic.get() for _ in range(20))) == [(1, b"1")] * 20
    assert await statistic.get() == (1, b"1")
    await asyncio.sleep(1)  # five times what it took is also allowed
    assert await statistic.get() == (2, b"2")


async def test_where_it_takes_long_the_last_answer_is_given_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(statistics, "LONG_S", 0.01)
    monkeypatch.setattr(statistics, "MOST_TIMES", 0)
    made = 0
    go = asyncio.Event()

    async def make() -> int:
        nonlocal made
        made += 1
        await asyncio.sleep(0.02)
        await go.wait()
        return made

    go.set()
    statistic = Statistic(make, fresh_s=0)
    assert await statistic.get() == (1, b"1")
    go.clear()
    for _ in range(5):
        assert await asyncio.wait_for(statistic.get(), 5) == (1, b"1")
    go.set()
    await asyncio.sleep(0.1)
    assert made == 2
    assert await statistic.get() == (2, b"2")


async def test_a_failure_is_not_remembered() -> None:
    fail = True

    async def make() -> str:
        if fail:
            raise RuntimeError("no")
        return "yes"

    statistic = Statistic(make, fresh_s=60)
    with pytest.raises(RuntimeError, match="no"):
        await statistic.get()
    fail = False
    assert await statistic.get() == ("yes", b'"yes"')


async def test_one_visitor_who_leaves_does_not_spoil_it_for_the_others() -> None:
    go = asyncio.Event()

    async def make() -> int:
        await go.wait()
        return 1

    statistic = Statistic(make, fresh_s=60)
    leaving, staying = (asyncio.create_task(statistic.get()) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    go.set()
    assert await staying == (1, b"1")


async def test_counts_of_nothing(context: Context) -> None:
    counts, body = await Statistics(context).counts.get()
    assert counts["streams"] == 0
    assert set(counts["viewers"]) == {*map(str, range(10)), "10+"}
    assert body.startswith(b'{"streams":0')
    assert await Statistics(context).games.get() == ([], b"[]")
    assert await Statistics(context).tags.get() == ([], b"[]")
