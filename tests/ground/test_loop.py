"""Looping, backing off, leases between processes, stopping."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence

import asyncpg
import pytest

from vigil import events, loop
from vigil.clock import FakeClock
from vigil.context import Context
from vigil.errors import Invalid, SourceError
from vigil.loop import Spinner, Target
from vigil.settings import ROOT


class Room:
    """Targets that say when they run, and who runs them."""

    def __init__(self, *keys: str) -> None:
        self.keys = list(keys)
        self.version = "1"
        self.broken: Exception | None = None
        self.active: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.starts: Counter[str] = Counter()

    async def targets(self, _context: Context) -> Sequence[Target]:
        if self.broken:
            raise self.broken
        return [
            Target(key=key, name=key, run_once=self.work(key), version=self.version)
            for key in self.keys
        ]

    def work(self, key: str) -> loop.RunOnce:
        async def run_once() -> float:
            self.active[key] += 1
            self.starts[key] += 1
            self.most[key] = max(self.most[key], self.active[key])
            try:
                await asyncio.sleep(1000)
            finally:
                self.active[key] -= 1
            return 0

        return run_once


@contextlib.asynccontextmanager
async def spinning(context: Context, *rooms: Room) -> AsyncIterator[Spinner]:
    spinner = Spinner(context, "test", [room.targets for room in rooms])
    stop = asyncio.Event()
    running = asyncio.create_task(spinner.run(stop))
    try:
        yield spinner
    finally:
        stop.set()
        await asyncio.wait_for(running, 5)


async def until(true: Callable[[], bool], seconds: float = 10) -> float:
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds
        await asyncio.sleep(0.02)
    return time.monotonic() - began


async def listening(context: Context) -> None:
    """Return once NOTIFY reaches this process."""
    async with context.listener.subscribe("probe") as news:
        while news.empty():
            await events.notify(context.pool, "probe")
            await asyncio.sleep(0.05)


async def test_two_share_evenly_and_never_do_the_same(context: Context) -> None:
    room = Room(*"abcdefg")
    async with spinning(context, room) as first:
        await until(lambda: len(first.holds) == 7)
        async with spinning(context, room) as second:
            await until(lambda: len(first.holds) == 4 and len(second.holds) == 3)
            assert not first.holds & second.holds
        took = await until(lambda: len(first.holds) == 7)
        assert took < 5
    assert max(room.most.values()) == 1
    assert sum(room.active.values()) == 0


async def test_targets_of_a_killed_process_are_taken_over(context: Context) -> None:
    room = Room(*"abcd")
    async with spinning(context, room) as first:
        await until(lambda: len(first.holds) == 4)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            KILLED,
            context.settings.database_url or "",
            str(context.settings.data_dir),
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
        await until(lambda: len(first.holds) == 2, seconds=20)
        kept = set(first.holds)
        process.kill()
        await process.wait()
        await until(lambda: len(first.holds) == 4)
        assert kept < set(first.holds)
        assert sorted(room.starts.values()) == [1, 1, 2, 2], "those it kept went on all the while"


KILLED = """
import asyncio, sys
from pathlib import Path
from tests.ground.test_loop import Room, Spinner
from vigil.context import open_context
from vigil.settings import Settings

async def main():
    settings = Settings(database_url=sys.argv[1], data_dir=Path(sys.argv[2]))
    async with open_context(settings, "other") as context:
        await Spinner(context, "test", [Room(*"abcd").targets]).run(asyncio.Event())

asyncio.run(main())
"""


async def test_a_cut_connection_voids_the_leases(context: Context) -> None:
    room = Room(*"abc")
    async with spinning(context, room) as spinner:
        await until(lambda: len(spinner.holds) == 3)
        connection = await asyncpg.connect(context.settings.database_url)
        await connection.execute(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND application_name = 'vigil-test-leases'
            """
        )
        await connection.close()
        await until(lambda: not spinner.holds, seconds=1)
        await until(lambda: len(spinner.holds) == 3)
    assert max(room.most.values()) == 1


async def test_news_of_a_configuration_are_noticed_within_two_seconds(context: Context) -> None:
    room = Room("a", "b")
    await listening(context)
    async with spinning(context, room) as spinner:
        await until(lambda: room.active["a"] == 1 and room.active["b"] == 1)
        for _ in range(10):  # told: at once
            room.keys = ["a", "b", "c"]
            await events.notify(context.pool, "sources")
            assert await until(lambda: spinner.holds == {"a", "b", "c"}) < 2
            room.keys = ["b", "c"]
            await events.notify(context.pool, "cameras")
            assert await until(lambda: spinner.holds == {"b", "c"}) < 2
        room.version = "2"
        assert await until(lambda: room.starts["b"] == 2) < loop.LOOK_AGAIN_S + 0.5  # not told
        assert room.most["b"] == 1


async def test_a_room_that_cannot_tell_keeps_what_it_offered(context: Context) -> None:
    good, bad = Room("a"), Room("b")
    async with spinning(context, good, bad) as spinner:
        await until(lambda: spinner.holds == {"a", "b"})
        bad.broken = ValueError("a bug")
        good.keys = ["a", "c"]
        await until(lambda: spinner.holds == {"a", "b", "c"})
        bad.broken, bad.keys = None, []
        await until(lambda: spinner.holds == {"a", "c"})
    assert bad.starts["b"] == 1


async def test_repeat_waits_backs_off_and_recovers() -> None:
    clock = FakeClock()
    began: list[float] = []
    told: list[tuple[str, float]] = []
    answers: list[float | Exception] = [
        60.0,
        SourceError("once"),
        ValueError("twice"),
        SourceError("limited", retry_after=500),
        30.0,
        Invalid("never"),
    ]

    async def run_once() -> float:
        began.append(clock.monotonic())
        answer = answers[len(began) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def on_failure(error: Exception, delay: float) -> None:
        told.append((str(error), delay))
        if str(error) == "twice":
            raise RuntimeError("cannot write it down")

    target = Target(
        key="a",
        name="a",
        run_once=run_once,
        on_failure=on_failure,
        retry_min_s=2,
        retry_max_s=300,
    )
    running = asyncio.create_task(loop.repeat(target, clock))
    for _ in range(9000):
        if len(began) == len(answers):
            break
        await clock.advance(0.1)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    waits = [later - earlier for earlier, later in itertools.pairwise(began)]
    assert waits[0] == pytest.approx(60, abs=0.2)
    assert 1 <= waits[1] <= 2.2
    assert 2 <= waits[2] <= 4.2
    assert waits[3] == pytest.approx(500, abs=0.2)
    assert waits[4] == pytest.approx(30, abs=0.2)
    assert [text for text, _ in told] == ["once", "twice", "limited", "never"]
    assert 150 <= told[-1][1] <= 300  # trying again cannot help, so not soon


def test_backoff_doubles_to_a_cap() -> None:
    for failures, most in [(1, 2), (2, 4), (3, 8), (8, 256), (9, 300), (1000, 300)]:
        waits = [loop.backoff(failures, 2, 300) for _ in range(50)]
        assert all(most / 2 <= wait <= most for wait in waits)
        assert len(set(waits)) > 1
    assert loop.backoff(1, 2, 300, retry_after=77) == 77


async def test_background_ends_with_the_block() -> None:
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    async with loop.background(work()):
        await asyncio.sleep(0)
    assert ended.is_set()
    with pytest.raises(ValueError, match="of the block"):
        async with loop.background(work()):
            raise ValueError("of the block")


async def test_a_failing_background_ends_the_block() -> None:
    async def work() -> None:
        await asyncio.sleep(0)
        raise SourceError("the background broke")

    with pytest.raises(SourceError, match="the background broke"):
        async with loop.background(work()):
            await asyncio.sleep(60)


DAEMON = """
import asyncio, sys
from vigil import loop

async def main(stop):
    print("up", flush=True)
    await stop.wait()
    print("stopping", flush=True)
    if sys.argv[1] == "slow":
        await asyncio.sleep(60)
    if sys.argv[1] == "broken":
        raise ValueError("a bug")

raise SystemExit(loop.run(main, kill=lambda: print("killed", flush=True)))
"""


def daemon(kind: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", DAEMON, kind],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_stops_in_order(number: signal.Signals) -> None:
    process = daemon("good")
    process.send_signal(number)
    assert process.communicate(timeout=5) == ("stopping\n", "")
    assert process.returncode == 0


def test_the_second_signal_ends_it_at_once() -> None:
    process = daemon("slow")
    process.send_signal(signal.SIGTERM)
    assert process.stdout is not None
    assert process.stdout.readline() == "stopping\n"
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=5)[0] == "killed\n"
    assert process.returncode == 130


def test_an_error_is_said_and_the_status_tells() -> None:
    process = daemon("broken")
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=5)
    assert process.returncode == 1
    assert "a bug" in errors
