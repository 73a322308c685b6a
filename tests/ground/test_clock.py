import asyncio
from datetime import timedelta

from vigil.clock import FakeClock, SystemClock


async def test_sleepers_wake_at_their_own_moment_in_order() -> None:
    clock = FakeClock()
    start = clock.now()
    woken: list[tuple[str, timedelta]] = []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((name, clock.now() - start))
        await clock.sleep(seconds)
        woken.append((name, clock.now() - start))

    tasks = [asyncio.create_task(sleeper("b", 60)), asyncio.create_task(sleeper("a", 45))]
    await clock.advance(100)
    assert woken == [
        ("a", timedelta(seconds=45)),
        ("b", timedelta(seconds=60)),
        ("a", timedelta(seconds=90)),
    ]
    assert clock.monotonic() == 100
    await clock.advance(20)
    await asyncio.gather(*tasks)


async def test_a_week_takes_no_time() -> None:
    clock = FakeClock()
    ticks = 0

    async def ticker() -> None:
        nonlocal ticks
        while True:
            await clock.sleep(600)
            ticks += 1

    task = asyncio.create_task(ticker())
    await clock.advance(7 * 86400)
    task.cancel()
    assert ticks == 7 * 144


async def test_a_jump_of_the_time_of_day_wakes_nobody() -> None:
    clock = FakeClock()
    task = asyncio.create_task(clock.sleep(10))
    await asyncio.sleep(0)
    clock.jump(3600)
    await asyncio.sleep(0)
    assert not task.done()
    await clock.advance(10)
    assert task.done()


async def test_the_system_clock_is_in_utc() -> None:
    clock = SystemClock()
    before = clock.monotonic()
    await clock.sleep(0.01)
    assert clock.monotonic() >= before + 0.009
    assert clock.now().utcoffset() == timedelta(0)
