"""Signs of life: written, refreshed, taken back, kept up through an outage, pruned."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from dataclasses import replace

import asyncpg

import db_utils
from vigil import __version__
from vigil.clock import FakeClock
from vigil.context import Context
from vigil.site import heartbeat, scan, store


async def eventually(pool: db_utils.Pool, query: str, wanted: object) -> None:
    found: object = None
    for _ in range(200):
        with suppress(*db_utils.GONE, asyncpg.PostgresError):
            found = await pool.fetchval(query)
        if found == wanted:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"{query}: {found!r}, not {wanted!r}")


async def end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_a_process_is_there_while_it_runs_and_gone_when_it_stops(context: Context) -> None:
    task = asyncio.create_task(heartbeat.beat(context, "renderer"))
    await eventually(context.pool, "SELECT count(*) FROM processes", 1)
    [row] = (await store.snapshot(context.pool)).processes
    assert (row.name, row.pid, row.version) == ("renderer", os.getpid(), __version__)
    assert 0 <= row.age_s < 5
    assert abs((row.started_at - row.seen_at).total_seconds()) < 1
    await end(task)
    assert await context.pool.fetchval("SELECT count(*) FROM processes") == 0


async def test_it_beats_each_five_seconds_and_remembers_its_start(context: Context) -> None:
    clock = FakeClock()
    task = asyncio.create_task(heartbeat.beat(replace(context, clock=clock), "app"))
    await eventually(context.pool, "SELECT count(*) FROM processes", 1)
    await context.pool.execute("UPDATE processes SET seen_at = '2000-01-01'")
    await clock.advance(heartbeat.EVERY_S - 0.1)
    await asyncio.sleep(0.1)
    old = "SELECT seen_at < '2001-01-01' FROM processes"
    assert await context.pool.fetchval(old) is True
    await clock.advance(0.2)
    await eventually(context.pool, old, False)
    up = "SELECT round(extract(epoch FROM seen_at - started_at))::int FROM processes"
    assert await context.pool.fetchval(up) == 5
    await end(task)


async def test_it_goes_on_after_the_database_was_away(context: Context) -> None:
    clock = FakeClock()
    task = asyncio.create_task(heartbeat.beat(replace(context, clock=clock), "scanner"))
    await eventually(context.pool, "SELECT count(*) FROM processes", 1)
    await context.pool.execute("ALTER TABLE processes RENAME TO elsewhere")
    await clock.advance(heartbeat.EVERY_S)
    await asyncio.sleep(0.1)
    assert not task.done()
    await context.pool.execute("ALTER TABLE elsewhere RENAME TO processes")
    await context.pool.execute("DELETE FROM processes")
    # and a cut line, as when the server restarts
    with suppress(*db_utils.GONE, asyncpg.PostgresError):
        await context.pool.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'vigil-test'"
        )
    for _ in range(3):
        await clock.advance(heartbeat.EVERY_S)
        await asyncio.sleep(0.1)
    await eventually(context.pool, "SELECT count(*) FROM processes", 1)
    await end(task)


async def test_a_process_that_was_killed_is_forgotten_after_a_minute(context: Context) -> None:
    for pid, age in ((1, 59), (2, 61), (3, 0)):
        await store.beat(context.pool, name="renderer", host="h", pid=pid, version="1", up_s=1)
        await context.pool.execute(
            "UPDATE processes SET seen_at = now() - make_interval(secs => $1) WHERE pid = $2",
            age,
            pid,
        )
    chores = {chore.key: chore for chore in await scan.targets(context)}
    assert await chores["site:prune"].run_once() == scan.EVERY_S
    left = await context.pool.fetch("SELECT pid FROM processes ORDER BY pid")
    assert [row["pid"] for row in left] == [1, 3]
    assert await store.prune(context.pool) == 0
