"""A disk that is really full (ENOSPC) while films are made on it, and then is not any more."""

from __future__ import annotations

import asyncio
import io
import random
import signal
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
from PIL import Image

from tests.films import making
from tests.films.making import START
from tests.films.small_disk import small_disk
from tests.films.test_faults import is_whole
from tests.films.test_renderer import NOW, is_joined, renderer, until
from vigil.clock import FakeClock
from vigil.context import Context
from vigil.films import store
from vigil.films.describe import describe
from vigil.films.segments import store as segments
from vigil.films.states import store as states

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

MB = 1 << 20


@pytest.fixture
def context(context: Context) -> Context:
    """A day after START."""
    return replace(context, clock=FakeClock(NOW))


def noise(number: int, size: tuple[int, int]) -> bytes:
    """A picture that no encoder makes small."""
    data = random.Random(number).randbytes(size[0] * size[1])
    out = io.BytesIO()
    Image.frombytes("L", size, data).convert("RGB").save(out, "JPEG", quality=60)
    return out.getvalue()


async def a_film(
    context: Context, seconds: int, pictures: int, size: tuple[int, int] = (160, 90)
) -> int:
    """So many seconds of frames, of which only so many differ."""
    camera = await making.camera(context)
    shown = [noise(number, size) for number in range(pictures)]
    for second in range(seconds):
        at = START + timedelta(seconds=second)
        await making.add_frame(context, camera, at, shown[second % pictures])
    return await making.film(context, camera, until=seconds, width=size[0], height=size[1])


def says(context: Context, film_id: int, words: str) -> Callable[[], Awaitable[bool]]:
    """Whether the film says these words to whoever looks at it."""

    async def look() -> bool:
        shown = await describe(context, await making.get(context, film_id), admin=False)
        job = shown["file"]["job"] if shown["file"] else None
        return words in f"{shown['work']['error']} {job['error'] if job else ''}"

    return look


async def test_segments_do_not_fit(context: Context, tmp_path: Path) -> None:
    """Two of them and a half: what fits is shown, the rest comes when there is room."""
    film_id = await a_film(context, 200, 200)
    async with small_disk(context.settings.data_dir, 64 * MB) as disk:
        disk.fill(leave=400_000)  # a segment has 150 kB, more than it is thought to have at most
        async with renderer(context, disk.enter):
            await until(says(context, film_id, "disk that holds the blobs is full"), "it says so")
            film = await making.get(context, film_id)
            assert (film.state, film.error) == ("rendering", None)
            shown = [one.hash for one in await segments.listed(context.pool, film_id) if one.hash]
            assert 1 <= len(shown) <= 2
            disk.make_room()
            await until(is_joined(context, film_id), "there is room again", 180)
        assert [path for path in disk.files("") if "#" in path.name] == []
        assert [path for path in disk.files("tmp")] == []
        disk.take_home()
    listed = await segments.listed(context.pool, film_id)
    assert [one.hash for one in listed][: len(shown)] == shown
    assert [one.lost for one in listed] == [0] * 10
    await is_whole(context, film_id, tmp_path, 200)
    assert await context.pool.fetchval("SELECT max(renders) FROM segments") == 1


@pytest.mark.parametrize(
    ("fits", "words"),
    [
        (0.5, "disk on which films are put together is full"),
        (1.5, "disk that holds the blobs is full"),
    ],
)
async def test_the_file_does_not_fit(
    context: Context, tmp_path: Path, fits: float, words: str
) -> None:
    """While a film is joined the disk fills up: some of it fits, or all but not twice.

    Its pieces are alike, so that it is soon there.
    """
    film_id = await a_film(context, 1000, 20, size=(320, 180))
    await making.render(context, film_id)
    film = await making.get(context, film_id)
    assert film.file_blob
    assert film.file_bytes
    await store.forget_file(context.pool, film_id)
    await context.storage.delete(film.file_blob)
    async with small_disk(context.settings.data_dir, 192 * MB) as disk:
        await states.ask_for_file(context.pool, await making.get(context, film_id))
        async with renderer(context, disk.enter) as process:
            path = await begun(disk.inside)
            (encoder,) = psutil.Process(process.pid).children()
            encoder.send_signal(signal.SIGSTOP)
            disk.fill(leave=round(fits * film.file_bytes) - path.stat().st_size)
            encoder.send_signal(signal.SIGCONT)
            await until(says(context, film_id, words), "it says so")
            half = await making.get(context, film_id)
            assert (half.state, half.file_blob) == ("done", None)
            assert disk.files("blobs/films", "tmp") == []
            disk.make_room()
            await until(is_joined(context, film_id), "there is room again", 180)
        assert [path for path in disk.files("") if "#" in path.name] == []
        assert disk.files("tmp") == []
        disk.take_home()
    await is_whole(context, film_id, tmp_path, 1000)


async def begun(data: Path) -> Path:
    """The file in the scratch folder, as soon as ffmpeg has made it."""
    async with asyncio.timeout(60):
        while True:
            for path in data.glob("tmp/film-*/film.mp4"):
                return path
            await asyncio.sleep(0.001)
