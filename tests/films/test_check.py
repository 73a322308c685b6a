"""What a crash left is found and mended."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.films import making
from tests.films.making import START
from vigil.clock import FakeClock
from vigil.context import Context
from vigil.films.check import check
from vigil.films.model import segment_blob
from vigil.films.segments import store as segments


@pytest.fixture
async def film_id(context: Context) -> int:
    """A film that is done."""
    camera = await making.camera(context)
    await making.add_frames(context, camera, range(60))
    found = await making.film(context, camera)
    await making.render(context, found)
    return found


@pytest.fixture
def context(context: Context) -> Context:
    """A day after START."""
    return replace(context, clock=FakeClock(START + timedelta(days=1)))


async def whole(context: Context, film_id: int) -> None:
    """Render what was enqueued, and see that nothing is amiss."""
    assert (await making.get(context, film_id)).state == "waiting"
    await making.render(context, film_id)
    assert (await making.get(context, film_id)).state == "done"
    assert [s.frames for s in await segments.listed(context.pool, film_id)] == [20, 20, 20]
    assert await check(context, False) == []


async def test_all_is_well(context: Context, film_id: int) -> None:
    assert await check(context, True) == []


async def test_a_segment_without_its_blob(context: Context, film_id: int) -> None:
    second = str((await segments.listed(context.pool, film_id))[1].hash)
    await context.storage.delete(segment_blob(second))
    (line,) = await check(context, False)
    assert line.startswith(f"segment {second[:16]} has no file")
    assert len(await segments.listed(context.pool, film_id)) == 3, "found, not mended"
    await check(context, True)
    assert [bool(s.hash) for s in await segments.listed(context.pool, film_id)] == [1, 0, 1]
    await whole(context, film_id)


async def test_a_film_without_its_file(context: Context, film_id: int) -> None:
    film = await making.get(context, film_id)
    assert film.file_blob
    await context.storage.delete(film.file_blob)
    assert await check(context, True) == [f"film {film_id} has lost its file"]
    await whole(context, film_id)


async def test_blobs_that_belong_to_nothing(context: Context, film_id: int) -> None:
    stray = segment_blob("f" * 64), f"films/{film_id}/old.mp4"
    for key in stray:
        await context.storage.put(key, b"x")
    later = replace(context, clock=FakeClock(datetime.now(UTC)))
    assert await check(later, True) == [], "they may be about to get rows"
    for key in stray:
        path = context.settings.data_dir / "blobs" / key
        os.utime(path, (0, 0))
    found = await check(later, False)
    assert sorted(found) == sorted(f"{key} belongs to nothing" for key in stray)
    await check(later, True)
    for key in stray:
        assert await context.storage.head(key) is None
    assert await check(later, False) == []


async def test_a_film_with_a_hole(context: Context, film_id: int) -> None:
    second = (await segments.listed(context.pool, film_id))[1].start
    await context.pool.execute("DELETE FROM film_segments WHERE start = $1", second)
    (line,) = await check(context, False)
    assert line == f"film {film_id} lacks 1 of its segments"
    await check(context, True)
    await whole(context, film_id)
