from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from vigil.streams.dealing.batch import AT_ONCE, Batch


async def test_questions_of_a_turn_are_asked_together_and_each_once() -> None:
    asked: list[list[int]] = []

    async def square(numbers: Sequence[int]) -> dict[int, int]:
        asked.append(list(numbers))
        await asyncio.sleep(0)
        return {n: n * n for n in numbers if n < 100}

    batch = Batch(square, largest=10)
    assert await asyncio.gather(*(batch.get(n) for n in (1, 2, 3, 2, 100))) == [1, 4, 9, 4, None]
    assert asked == [[1, 2, 3, 100]]
    assert await asyncio.gather(*(batch.get(n) for n in range(95))) == [n * n for n in range(95)]
    assert sorted(n for numbers in asked[1:] for n in numbers) == list(range(95))
    assert max(map(len, asked)) == 10


async def test_only_few_batches_are_under_way() -> None:
    running = most = 0

    async def slow(keys: Sequence[int]) -> dict[int, int]:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1
        return dict.fromkeys(keys, 0)

    batch = Batch(slow, largest=3)
    await asyncio.gather(*(batch.get(n) for n in range(50)))
    assert most == AT_ONCE


async def test_a_failure_reaches_all_who_wait_and_is_forgotten() -> None:
    fail = True

    async def ask(keys: Sequence[str]) -> dict[str, str]:
        await asyncio.sleep(0)
        if fail:
            raise RuntimeError("no")
        return {key: key for key in keys}

    batch = Batch(ask)
    found = await asyncio.gather(*(batch.get(key) for key in "aab"), return_exceptions=True)
    assert [str(error) for error in found] == ["no"] * 3
    fail = False
    assert await batch.get("a") == "a"


async def test_who_leaves_does_not_spoil_it_for_the_others() -> None:
    go = asyncio.Event()

    async def ask(keys: Sequence[str]) -> dict[str, str]:
        await go.wait()
        return {key: key for key in keys}

    batch = Batch(ask)
    leaving, staying = (batch.get("a") for _ in range(2))
    await asyncio.sleep(0.01)
    leaving.cancel()
    go.set()
    assert await staying == "a"


async def test_closing_ends_what_is_under_way() -> None:
    async def never(keys: Sequence[int]) -> dict[int, int]:
        await asyncio.Event().wait()
        return {}

    batch = Batch(never, largest=1)
    waiting = [batch.get(n) for n in range(5)]
    await asyncio.sleep(0.01)
    await batch.close()
    for answer in waiting:
        with pytest.raises(asyncio.CancelledError):
            await answer
