"""Real renderers, in processes of their own, really killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from tests.films import making
from tests.films.making import START
from vigil.clock import FakeClock
from vigil.context import Context
from vigil.films import store
from vigil.films.check import check
from vigil.films.segments import store as segments
from vigil.films.states import store as states
from vigil.jobs.listing import store as jobs
from vigil.settings import ROOT

WORKER = Path(__file__).with_name("worker.py")
NOW = START + timedelta(days=1)


@pytest.fixture
def context(context: Context) -> Context:
    """A day after START."""
    return replace(context, clock=FakeClock(NOW))


@contextlib.asynccontextmanager
async def renderer(
    context: Context, enter: Sequence[str] = ()
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A renderer for the length of a block; ``enter`` is the begin of its command line."""
    process = await asyncio.create_subprocess_exec(
        *enter,
        sys.executable,
        str(WORKER),
        context.settings.database_url or "",
        str(context.settings.data_dir),
        NOW.isoformat(),
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(process.wait(), 20)


async def until(look: Callable[[], Awaitable[bool]], what: str, seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not await look():
            await asyncio.sleep(0.02)


async def listed(context: Context, film_id: int) -> list[str]:
    return [one.hash for one in await segments.listed(context.pool, film_id) if one.hash]


async def made_at(context: Context) -> dict[str, object]:
    """When each segment was rendered."""
    rows = await context.pool.fetch("SELECT hash, created_at FROM segments")
    return {row["hash"]: row["created_at"] for row in rows}


def is_state(context: Context, film_id: int, *states: str) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        return (await making.get(context, film_id)).state in states

    return look


def is_joined(context: Context, film_id: int) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        return (await making.get(context, film_id)).file_blob is not None

    return look


@pytest.mark.slow
async def test_a_killed_renderer_costs_a_segment(context: Context, tmp_path: Path) -> None:
    camera = await making.camera(context)
    await making.add_frames(context, camera, range(400), size=(640, 360))
    film_id = await making.film(context, camera, until=400, width=640, height=360)
    async with renderer(context) as first:

        async def some() -> bool:
            return len(await listed(context, film_id)) >= 3

        await until(some, "three segments")
        children = psutil.Process(first.pid).children()
        first.kill()
        await first.wait()
        await until(lambda: gone(children), "its ffmpeg is gone, too", 15)
    before = await made_at(context)
    assert 3 <= len(before) < 20
    async with renderer(context):
        await until(is_joined(context, film_id), "the film is done and joined")
    after = await made_at(context)
    assert len(await listed(context, film_id)) == 20
    assert {hash: after[hash] for hash in before} == before, "none was rendered again"
    film = await making.get(context, film_id)
    assert film.file_blob
    path = tmp_path / "film.mp4"
    path.write_bytes(await context.storage.get(film.file_blob))
    assert len((await making.decode(path)).pts) == 400
    assert await check(context, False) == []


async def gone(processes: list[psutil.Process]) -> bool:
    return not any(process.is_running() for process in processes)


@pytest.mark.slow
async def test_cancel_stops_the_encoder_and_resume_goes_on(context: Context) -> None:
    camera = await making.camera(context)
    await making.add_frames(context, camera, range(300), size=(640, 360))
    film_id = await making.film(context, camera, until=300, width=640, height=360)
    async with renderer(context) as process:

        async def some() -> bool:
            return len(await listed(context, film_id)) >= 2

        await until(some, "two segments")
        await store.cancel(context.pool, film_id)

        async def ended() -> bool:
            going = await jobs.page(context.pool, parts=True, subject=store.subject(film_id))
            return not {job.state for job in going} & {"waiting", "running", "cancelling"}

        await until(ended, "its jobs end")
        assert psutil.Process(process.pid).children() == []
        there = await listed(context, film_id)
        assert 2 <= len(there) < 15
        assert (await making.get(context, film_id)).state == "cancelled"
        await store.resume(context.pool, film_id)
        await until(is_state(context, film_id, "done"), "the film is done")
        assert (await listed(context, film_id))[: len(there)] == there
        await store.mark_deleting(context.pool, film_id)

        async def no_more() -> bool:
            return bool(await context.pool.fetchval("SELECT count(*) = 0 FROM films"))

        await until(no_more, "the film is removed")
    assert [blob async for blob in context.storage.list("films")] == []


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["scratch", "blob"])
async def test_a_renderer_killed_while_it_joins_leaves_no_half_file(
    context: Context, moment: str
) -> None:
    """Killed when the scratch file, or the blob, is there: the next one makes the file whole."""
    camera = await making.camera(context)
    await making.add_frames(context, camera, range(200))
    film_id = await making.film(context, camera, until=200)
    await making.render(context, film_id)
    film = await making.get(context, film_id)
    assert film.file_blob
    await store.forget_file(context.pool, film_id)
    await context.storage.delete(film.file_blob)
    await states.ask_for_file(context.pool, await making.get(context, film_id))
    seen = "film-*/film.mp4" if moment == "scratch" else "films/*/*.mp4*"
    async with renderer(context) as process:
        async with asyncio.timeout(60):
            while not any(context.settings.data_dir.rglob(seen)):
                await asyncio.sleep(0.001)
        process.kill()
        await process.wait()
    half = await making.get(context, film_id)
    assert half.file_blob is None or await context.storage.head(half.file_blob)
    async with renderer(context):
        await until(is_joined(context, film_id), "the file")
    again = await making.get(context, film_id)
    assert again.file_key == film.file_key
    assert [blob.key async for blob in context.storage.list("films")] == [again.file_blob]
    whole = await context.storage.get(str(again.file_blob))
    assert len(whole) == again.file_bytes
    assert await check(context, mend=False) == []
