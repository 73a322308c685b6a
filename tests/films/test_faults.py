"""What goes wrong while a film is rendered, with a real renderer in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from tests.films import making
from tests.films.making import START
from tests.films.test_renderer import NOW, is_joined, is_state, listed, renderer, until
from tests.films.wholeness import begun, file_wanted, is_whole
from vigil.cameras import retention
from vigil.cameras.keeping import store as keeping
from vigil.clock import FakeClock
from vigil.context import Context
from vigil.films import store
from vigil.films.describe import describe
from vigil.films.segments import store as segments
from vigil.films.states import store as states
from vigil.jobs.listing import store as jobs

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def context(context: Context) -> Context:
    """A day after START."""
    return replace(context, clock=FakeClock(NOW))


async def a_film(context: Context, seconds: int = 200) -> int:
    camera = await making.camera(context)
    await making.add_frames(context, camera, range(seconds), size=(640, 360))
    return await making.film(context, camera, until=seconds, width=640, height=360)


def encoders(process: asyncio.subprocess.Process) -> list[psutil.Process]:
    """What a renderer encodes segments with just now."""
    found = []
    for child in psutil.Process(process.pid).children():
        with contextlib.suppress(psutil.NoSuchProcess):
            if "matroska" in child.cmdline():
                found.append(child)
    return found


async def test_an_encoder_that_is_killed(context: Context, tmp_path: Path) -> None:
    film_id = await a_film(context)
    async with renderer(context) as process:

        async def encodes() -> bool:
            return bool(encoders(process))

        killed = 0
        while killed < 3:
            await until(encodes, "it encodes")
            for encoder in encoders(process):
                with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended by itself
                    encoder.kill()
                    killed += 1
            await asyncio.sleep(0.5)
        await until(is_joined(context, film_id), "the film is done and joined", 120)
    await is_whole(context, film_id, tmp_path, 200)


@contextlib.contextmanager
def no_blobs(context: Context) -> Iterator[None]:
    """The blob store is gone; what is written meanwhile is there when it is back."""
    blobs = context.settings.data_dir / "blobs"
    away = blobs.rename(blobs.with_name("away"))
    try:
        yield
    finally:
        shutil.copytree(away, blobs, dirs_exist_ok=True)
        shutil.rmtree(away)


async def test_an_encoder_that_is_always_killed(context: Context, tmp_path: Path) -> None:
    """The film says what is missing and why, and goes on when it is told to."""
    film_id = await a_film(context, 20)
    failed = is_state(context, film_id, "failed")
    async with renderer(context) as process:
        async with asyncio.timeout(120):
            while not await failed():
                for encoder in encoders(process):
                    with contextlib.suppress(psutil.NoSuchProcess):
                        encoder.kill()
                await asyncio.sleep(0.002)
        shown = await describe(context, await making.get(context, film_id), admin=True)
        assert shown["error"] == (
            "1 of its segments could not be rendered; the first, from 2026-03-01 12:00:00 UTC:"
            " ffmpeg was killed by signal 9"
        )
        assert [one["error"] for one in shown["troubles"]] == ["ffmpeg was killed by signal 9"]
        assert shown["actions"]["resume"] is None
        await store.resume(context.pool, film_id)
        await until(is_joined(context, film_id), "the film is done and joined", 120)
    await is_whole(context, film_id, tmp_path, 20)


async def test_the_ffmpeg_that_joins_is_killed(context: Context, tmp_path: Path) -> None:
    film_id = await file_wanted(context)
    async with renderer(context) as process:
        await begun(context.settings.data_dir)
        (joiner,) = psutil.Process(process.pid).children()
        joiner.kill()
        await until(is_joined(context, film_id), "the film is joined", 120)
    assert not any(context.settings.data_dir.glob("tmp/*"))
    await is_whole(context, film_id, tmp_path, 1000)


async def test_a_blob_store_that_is_gone_for_30_s(context: Context, tmp_path: Path) -> None:
    film_id = await a_film(context)
    async with renderer(context):

        async def some() -> bool:
            return len(await listed(context, film_id)) >= 2

        await until(some, "two segments")
        with no_blobs(context):
            await asyncio.sleep(30)
            film = await making.get(context, film_id)
            assert (film.state, film.error) == ("rendering", None)
            shown = await describe(context, film, admin=False)
            assert "the blob store is not there" in str(shown["work"]["error"])
        await until(is_joined(context, film_id), "the film is done and joined", 180)
    assert [s.lost for s in await segments.listed(context.pool, film_id)] == [0] * 10
    await is_whole(context, film_id, tmp_path, 200)


async def test_a_blob_store_that_is_gone_when_a_film_is_joined(
    context: Context, tmp_path: Path
) -> None:
    film_id = await a_film(context)
    await making.render(context, film_id)
    film = await making.get(context, film_id)
    await store.forget_file(context.pool, film_id)
    await context.storage.delete(str(film.file_blob))
    async with renderer(context):
        with no_blobs(context):
            await states.ask_for_file(context.pool, await making.get(context, film_id))

            async def said() -> bool:
                shown = await describe(context, await making.get(context, film_id), admin=False)
                job = shown["file"]["job"] if shown["file"] else None
                return job is not None and "the blob store is not there" in str(job["error"])

            await until(said, "it says what is not there")
        await until(is_joined(context, film_id), "the film is joined", 120)
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


async def test_retention_in_the_middle(context: Context, tmp_path: Path) -> None:
    """What a film in the making needs is spared, and goes when that is done; the film stays."""
    film_id = await a_film(context, 200)
    async with renderer(context):

        async def some() -> bool:
            return len(await listed(context, film_id)) >= 2

        await until(some, "two segments")
        await context.pool.execute(
            "UPDATE cameras SET retention_s = $1",
            (NOW - START - timedelta(seconds=150)).total_seconds(),
        )
        await retention.step(context)
        await until(is_joined(context, film_id), "the film is done and joined", 120)
        await retention.step(context)
        assert await context.pool.fetchval("SELECT count(*) FROM frames") == 50
    assert [s.lost for s in await segments.listed(context.pool, film_id)] == [0] * 10
    await is_whole(context, film_id, tmp_path, 200)


async def test_frames_that_are_removed_in_the_middle(context: Context, tmp_path: Path) -> None:
    """By a person: with their blobs. The film has what was rendered, and what is left."""
    film_id = await a_film(context, 400)
    async with renderer(context):

        async def some() -> bool:
            return len(await listed(context, film_id)) >= 2

        await until(some, "two segments")
        there = await listed(context, film_id)
        rows = await context.pool.fetch(
            "SELECT id FROM frames WHERE taken_at < $1", START + timedelta(seconds=330)
        )
        await keeping.mark(context.pool, [row["id"] for row in rows], NOW)
        while (await retention.step(context))[2]:
            pass
        assert await context.pool.fetchval("SELECT count(*) FROM frames") == 70
        await until(is_joined(context, film_id), "the film is done and joined", 120)
    found = await segments.listed(context.pool, film_id)
    assert [s.hash for s in found][: len(there)] == there, "what was rendered stays"
    assert [s.error for s in found] == [None] * len(found)
    shown = sum(s.frames for s in found)
    assert 20 * len(there) + 70 <= shown < 400
    await is_whole(context, film_id, tmp_path, shown)


def damaged(number: int) -> bytes:
    """A picture that was already damaged when the camera sent it: its header is whole."""
    data = bytearray(making.jpeg(number, size=(640, 360)))
    chance = random.Random(number)
    at = chance.randrange(data.index(b"\xff\xda") + 14, len(data) - 2)  # behind its last header
    if number % 3 == 0:
        data[at] ^= 0x55
    elif number % 3 == 1:
        del data[at : at + 50]
    else:
        data[at:] = b"\xff\xd9"  # its end comes early
    return bytes(data)


async def test_frames_that_are_corrupt(context: Context, tmp_path: Path) -> None:
    """Changed on the disk, cut short, empty, gone; damaged when they came; never a picture."""
    camera = await making.camera(context)
    blobs = await making.add_frames(context, camera, range(80), size=(640, 360))
    for second in range(80, 99):
        await making.add_frame(context, camera, START + timedelta(seconds=second), damaged(second))
    await making.add_frame(context, camera, START + timedelta(seconds=99), b"no picture" * 999)
    whole = await context.storage.get(blobs[10])
    await context.storage.put(blobs[10], whole[:1000] + bytes(1000) + whole[2000:])
    await context.storage.put(blobs[30], whole[:1000])
    await context.storage.put(blobs[50], b"")
    await context.storage.delete(blobs[70])
    film_id = await making.film(context, camera, until=100, width=640, height=360)
    async with renderer(context):
        await until(is_joined(context, film_id), "the film is done and joined", 120)
    shown = await describe(context, await making.get(context, film_id), admin=False)
    assert [one["lost"] for one in shown["troubles"]] == [1, 1, 1, 1]
    assert [one["first_at"] for one in shown["troubles"]] == [
        START + timedelta(seconds=second) for second in (0, 20, 40, 60)
    ]
    await is_whole(context, film_id, tmp_path, 100)
    grey = await making.luma(tmp_path / "film.mp4")
    for lost in (10, 30, 50, 70):
        beside = min(abs(grey[lost] - grey[lost + step]) for step in (-1, 1))
        assert beside < 2, "a neighbour stands in"
    assert grey[99] < 40, "what is no picture is black"
