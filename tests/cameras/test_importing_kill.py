"""An import whose renderer is killed again and again: every picture once, and counted once."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cameras.importing import begin, get, picture, put, times
from vigil.cameras.check import check
from vigil.cameras.importing import store
from vigil.cameras.importing.model import Import
from vigil.context import Context
from vigil.jobs import store as jobs
from vigil.settings import ROOT

WORKER = Path(__file__).with_name("import_worker.py")
NUMBER = 300


async def worker(context: Context) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        str(WORKER),
        context.settings.database_url or "",
        str(context.settings.data_dir),
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )


async def until(context: Context, import_id: int, files: int) -> Import:
    """The import once so many files are done, or all."""
    async with asyncio.timeout(120):
        while True:
            one = await get(context, import_id)
            if one.files >= files or one.finished_at is not None:
                return one
            await asyncio.sleep(0.02)


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_killed_again_and_again(context: Context, tmp_path: Path) -> None:
    start = context.clock.now().replace(microsecond=0) - timedelta(days=3)
    for n in range(NUMBER):
        moment = start + timedelta(seconds=10 * (n // 3))  # three of each moment
        put(tmp_path, f"{n:04}.jpg", picture(n, f"{moment:%Y:%m:%d %H:%M:%S}", size=(320, 240)))
    put(tmp_path, "0100-again.jpg", (tmp_path / "0100.jpg").read_bytes())
    import_id = await begin(context, tmp_path, new=True)
    chance = random.Random(4)
    for kill in range(1, 4):
        process = await worker(context)
        await until(context, import_id, kill * 60)
        await asyncio.sleep(chance.random() / 5)
        process.kill()
        await process.wait()
        one = await get(context, import_id)
        assert one.finished_at is None
        # so that nobody waits for the heartbeat of the dead
        await context.pool.execute(
            "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 minute'"
        )
        assert one.job_id in await jobs.put_back_stalled(context.pool)
    process = await worker(context)
    one = await until(context, import_id, NUMBER + 2)
    process.terminate()
    await process.wait()
    assert (one.files, one.added, one.known, one.refused) == (NUMBER + 1, NUMBER, 1, 0)
    found = await times(context)
    assert found == [
        start + timedelta(seconds=10 * (n // 3), microseconds=n % 3) for n in range(NUMBER)
    ]
    rows = await context.pool.fetch("SELECT sha256 FROM frames")
    assert len({row["sha256"] for row in rows}) == NUMBER
    assert one.shifted == NUMBER * 2 // 3
    await check(context, True)
    assert await check(context, False) == []


@pytest.mark.slow
async def test_stopped_and_continued(context: Context, tmp_path: Path) -> None:
    start = context.clock.now().replace(microsecond=0) - timedelta(days=3)
    for n in range(NUMBER):
        moment = start + timedelta(seconds=10 * n)
        put(tmp_path, f"{moment:%Y%m%d_%H%M%S}.jpg", picture(n, size=(320, 240)))
    import_id = await begin(context, tmp_path, new=True)
    process = await worker(context)
    one = await until(context, import_id, 40)
    assert one.job_id is not None
    await jobs.cancel(context.pool, one.job_id)
    async with asyncio.timeout(30):
        while True:
            job = await jobs.get(context.pool, one.job_id)
            assert job is not None
            if job.finished:
                break
            await asyncio.sleep(0.05)
    assert job.state == "cancelled"
    stopped = await get(context, import_id)
    assert stopped.files < NUMBER
    assert await store.enqueue(context.pool, import_id)
    after = await until(context, import_id, NUMBER + 1)
    process.terminate()
    await process.wait()
    assert (after.files, after.added, after.known) == (NUMBER, NUMBER, 0)
