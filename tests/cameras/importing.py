"""What the tests of imports share: folders of pictures with times of all sorts."""

from __future__ import annotations

import asyncio
import io
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from PIL import Image
from PIL.ExifTags import IFD, Base

from tests.jobs.test_engine import rendering
from tests.servers.pictures import jpeg
from vigil.cameras.importing import starting, store, work
from vigil.cameras.importing.model import Import
from vigil.cameras.importing.starting import Wanted
from vigil.clock import FakeClock
from vigil.context import Context
from vigil.jobs import store as jobs

MTIME = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def picture(seed: int, taken: str | None = None, *, size: tuple[int, int] = (64, 48)) -> bytes:
    """A JPEG, with this as its EXIF's time."""
    data = jpeg(seed, size)
    if taken is None:
        return data
    written = Image.Exif()
    written.get_ifd(IFD.Exif)[Base.DateTimeOriginal] = taken
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(data)) as image:
        image.save(buffer, "JPEG", exif=written.tobytes())
    return buffer.getvalue()


def put(folder: Path, name: str, data: bytes, modified: datetime = MTIME) -> Path:
    """A file with this time of its last change."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (modified.timestamp(), modified.timestamp()))
    return path


def many(folder: Path, number: int, *, size: tuple[int, int] = (64, 48)) -> None:
    """Pictures named by their times, one a minute."""
    for n in range(number):
        put(
            folder,
            f"2026-06-{10 + n // 1440:02}_{n // 60 % 24:02}{n % 60:02}00.jpg",
            picture(n, size=size),
        )


async def begin(context: Context, place: Path | str, camera: str = "garden", **wanted: Any) -> int:
    """An import that is waiting for its job, a second later."""
    if isinstance(context.clock, FakeClock):
        context.clock.jump(1)
    one = await starting.start(context, Wanted(camera=camera, place=str(place), **wanted))
    return one.id


async def brought(
    context: Context, place: Path | str, camera: str = "garden", **wanted: Any
) -> Import:
    """An import that a renderer did to its end."""
    import_id = await begin(context, place, camera, **wanted)
    return await done(context, import_id)


async def done(context: Context, import_id: int) -> Import:
    """The import after a renderer did it."""
    async with rendering(context, work.BRING):
        while True:
            found = await get(context, import_id)
            assert found.job_id is not None
            job = await jobs.get(context.pool, found.job_id)
            assert job is not None
            if job.finished:
                assert (job.state, job.error) == ("done", None)
                return await get(context, import_id)
            await asyncio.sleep(0.02)


async def get(context: Context, import_id: int) -> Import:
    """The import of this number."""
    found = await store.get(context.pool, import_id)
    assert found is not None
    return found


async def times(context: Context) -> list[datetime]:
    """When the frames were taken, in order."""
    rows = await context.pool.fetch("SELECT taken_at FROM frames ORDER BY taken_at")
    return [row["taken_at"] for row in rows]
