"""Makers of standing films that are killed, two at a time: one film a period, told of once."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.films.standing_stage import DAY, add, at, camera, editions, frame, get, then
from vigil.context import Context
from vigil.films.standing import ordering
from vigil.settings import ROOT

WORKER = Path(__file__).with_name("standing_worker.py")
BEGIN, END = at("2026-03-20T00:00+01:00"), at("2026-04-09T00:00+02:00")
DAYS = 20
PAST = 15


async def run(context: Context, begin: datetime, patience_s: float | None) -> datetime:
    """Let a worker run, and kill it after a while; returns the hour that it was at."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(WORKER),
        context.settings.database_url or "",
        str(context.settings.data_dir),
        begin.isoformat(),
        END.isoformat(),
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        line = await process.stdout.readline()
        at_hour = datetime.fromisoformat(line.decode().strip())
        try:
            async with asyncio.timeout(patience_s):
                while line := await process.stdout.readline():
                    at_hour = datetime.fromisoformat(line.decode().strip())
        except TimeoutError:
            process.kill()
        return at_hour
    finally:
        await process.wait()


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_killed_makers_make_one_film_a_period(context: Context) -> None:
    number = await camera(context)
    for day in range(-PAST, DAYS):
        await frame(context, number, BEGIN + day * DAY + timedelta(hours=12))
    one = await add(then(context, BEGIN))
    await ordering.past(context.pool, one, PAST, BEGIN)
    chance, hour = random.Random(5), BEGIN
    for _ in range(8):  # two makers each time: neither keeps the other from anything
        waits = (chance.uniform(0.0, 0.25), chance.uniform(0.0, 0.25))
        hour = min(await asyncio.gather(*(run(context, hour, wait) for wait in waits)))
    assert hour < END, "nobody was killed"
    await run(context, hour, None)
    found = await editions(context)
    assert len(found) == PAST + DAYS
    assert len({edition.from_at for edition in found}) == PAST + DAYS
    films = await context.pool.fetch("SELECT id, announced_at FROM films ORDER BY id")
    assert {row["id"] for row in films} == {edition.film_id for edition in found}
    jobs = await context.pool.fetch("SELECT subject FROM job_progress")
    assert sorted(row["subject"] for row in jobs) == sorted(f"film:{row['id']}" for row in films)
    assert (await get(context)).past_at is None
    told = await context.pool.fetch("SELECT subject FROM events WHERE kind = 'film.done'")
    over = [
        f"film:{edition.film_id}"
        for edition in found
        if edition.from_at >= BEGIN and edition.ended_by(END - timedelta(hours=1))
    ]
    assert sorted(row["subject"] for row in told) == sorted(over), "each once, past ones never"
