"""A disk that is really full (ENOSPC) while films are made on it, and then is not any more."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from tests.films import making
from tests.films.small_disk import small_disk
from tests.films.test_renderer import NOW, is_joined, renderer, until
from tests.films.wholeness import begun, file_wanted, is_whole, noisy_film
from vigil.clock import FakeClock
from vigil.context import Context
from vigil.films.describe import describe
from vigil.films.segments import store as segments

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

MB = 1 << 20


@pytest.fixture
def context(context: Context) -> Context:
    """A day after START."""
    return replace(context, clock=FakeClock(NOW))


def says(context: Context, film_id: int, words: str) -> Callable[[], Awaitable[bool]]:
    """Whether the film says these words to whoever looks at it."""

    async def look() -> bool:
        shown = await describe(context, await making.get(context, film_id), admin=False)
        job = shown["file"]["job"] if shown["file"] else None
        return words in f"{shown['work']['error']} {job['error'] if job else ''}"

    return look


async def test_segments_do_not_fit(context: Context, tmp_path: Path) -> None:
    """Two of them and a half: what fits is shown, the rest comes when there is room."""
    film_id = await noisy_film(context, 200, 200)
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


@pytest.mark.parametrize("fits", [0.5, 1.5])
async def test_the_file_does_not_fit(context: Context, tmp_path: Path, fits: float) -> None:
    """While a film is joined the disk fills up: some of it fits, or all but not twice, which it
    need not, as the file becomes the blob.

    Its pieces are alike, so that it is soon there.
    """
    words = "disk on which films are put together is full"
    film_id = await file_wanted(context)
    size = (await segments.totals(context.pool, [film_id]))[film_id].bytes
    async with small_disk(context.settings.data_dir, 192 * MB) as disk:
        async with renderer(context, disk.enter) as process:
            path = await begun(disk.inside)
            (encoder,) = psutil.Process(process.pid).children()
            encoder.send_signal(signal.SIGSTOP)
            disk.fill(leave=round(fits * size) - path.stat().st_size)
            encoder.send_signal(signal.SIGCONT)
            if fits < 1:
                await until(says(context, film_id, words), "it says so")
                half = await making.get(context, film_id)
                assert (half.state, half.file_blob) == ("done", None)
                assert disk.files("blobs/films", "tmp") == []
                disk.make_room()
            await until(is_joined(context, film_id), "there is room", 180)
        assert [path for path in disk.files("") if "#" in path.name] == []
        assert disk.files("tmp") == []
        disk.take_home()
    await is_whole(context, film_id, tmp_path, 1000)
