"""What goes wrong while a film is rendered, with a real renderer in a process of its own."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from tests.films import making
from tests.films.making import START
from tests.films.test_renderer import NOW, is_joined, is_state, listed, renderer, until
from vigil.clock import FakeClock
from vigil.context import Context
from vigil.films.check import check
from vigil.films.segments import store as segments
from vigil.jobs.listing import store as jobs

pytestmark = pytest.mark.slow


@pytest.fixture
def context(context: Context) -> Context:
    """A day after START."""
    return replace(context, clock=FakeClock(NOW))


async def a_film(context: Context, seconds: int = 200) -> int:
    camera = await making.camera(context)
    await making.add_frames(context, camera, range(seconds), size=(640, 360))
    return await making.film(context, camera, until=seconds, width=640, height=360)


async def is_whole(context: Context, film_id: int, tmp_path: Path, pictures: int) -> None:
    """The film has as many pictures as it should, evenly spaced, and nothing was left behind."""
    film = await making.get(context, film_id)
    assert (film.state, film.error) == ("done", None)
    assert film.file_blob
    path = tmp_path / "film.mp4"
    path.write_bytes(await context.storage.get(film.file_blob))
    found = await making.decode(path)
    assert [round(pts * film.fps) for pts in found.pts] == list(range(pictures))
    assert await check(context, False) == []


def encoders(process: asyncio.subprocess.Process) -> list[psutil.Process]:
    return psutil.Process(process.pid).children()


async def test_an_encoder_that_is_killed(context: Context, tmp_path: Path) -> None:
    film_id = await a_film(context)
    async with renderer(context) as process:

        async def encodes() -> bool:
            return bool(encoders(process))

        killed = 0
        while killed < 3:
            await until(encodes, "it encodes")
            for encoder in encoders(process):
                with suppress(psutil.NoSuchProcess):  # it has just ended by itself
                    encoder.kill()
                    killed += 1
            await asyncio.sleep(0.5)
        await until(is_joined(context, film_id), "the film is done and joined", 120)
    await is_whole(context, film_id, tmp_path, 200)


async def test_a_blob_store_that_is_gone_for_a_while(context: Context, tmp_path: Path) -> None:
    film_id = await a_film(context)
    blobs = context.settings.data_dir / "blobs"
    away = blobs.with_name("away")
    async with renderer(context):

        async def some() -> bool:
            return len(await listed(context, film_id)) >= 2

        await until(some, "two segments")
        blobs.rename(away)
        await asyncio.sleep(5)
        film = await making.get(context, film_id)
        assert film.state == "rendering"
        for path in sorted(blobs.rglob("*"), reverse=True):  # what was written meanwhile
            if path.is_file():
                target = away / path.relative_to(blobs)
                target.parent.mkdir(parents=True, exist_ok=True)
                path.rename(target)
            else:
                path.rmdir()
        if blobs.exists():
            blobs.rmdir()
        away.rename(blobs)
        await until(is_joined(context, film_id), "the film is done and joined", 120)
    assert [s.lost for s in await segments.listed(context.pool, film_id)] == [0] * 10
    await is_whole(context, film_id, tmp_path, 200)


async def test_a_disk_that_is_full(context: Context, tmp_path: Path) -> None:
    film_id = await a_film(context, 100)
    os.environ["VIGIL_TEST_RESERVE"] = str(1 << 60)
    try:
        async with renderer(context):

            async def said() -> bool:
                waiting = await jobs.page(context.pool, parts=True, subject=f"film:{film_id}")
                return any("no room for another segment" in str(job.error) for job in waiting)

            await until(said, "it says that there is no room")
            assert (await making.get(context, film_id)).state == "rendering"
            assert await listed(context, film_id) == []
    finally:
        del os.environ["VIGIL_TEST_RESERVE"]
    async with renderer(context):
        await until(is_joined(context, film_id), "there is room again", 120)
    await is_whole(context, film_id, tmp_path, 100)


async def test_frames_that_retention_removes_in_the_middle(
    context: Context, tmp_path: Path
) -> None:
    film_id = await a_film(context, 400)
    async with renderer(context):

        async def some() -> bool:
            return len(await listed(context, film_id)) >= 2

        await until(some, "two segments")
        there = await listed(context, film_id)
        await context.pool.execute(
            "DELETE FROM frames WHERE taken_at < $1", START + timedelta(seconds=330)
        )
        await until(is_state(context, film_id, "done"), "the film is done")
        await until(is_joined(context, film_id), "and joined")
    found = await segments.listed(context.pool, film_id)
    assert [s.hash for s in found][: len(there)] == there, "what was rendered stays"
    shown = sum(s.frames for s in found)
    assert 20 * len(there) + 70 <= shown < 400
    await is_whole(context, film_id, tmp_path, shown)
