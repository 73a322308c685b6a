"""What the tests of the cameras share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from vigil.cameras import adding, intake, store
from vigil.cameras.model import Camera, Frame, Health, RawFrame
from vigil.cameras.pictures import reading
from vigil.cameras.pictures.reading import Seen
from vigil.context import Context

T = TypeVar("T")


async def add_camera(context: Context, name: str = "garden", **wanted: Any) -> Camera:
    """A camera of this name; at an address where nobody is unless ``url`` says otherwise."""
    return await adding.add(
        context.pool, adding.Wanted(**{"url": "http://127.0.0.1:9/"} | wanted, name=name)
    )


async def add_frame(
    context: Context, camera: Camera, data: bytes, taken_at: datetime | None = None
) -> Frame:
    """A frame that went through intake."""
    raw = RawFrame(data=data, taken_at=taken_at or context.clock.now())
    frame = await intake.accept(context, camera, raw)
    assert isinstance(frame, Frame)
    return frame


async def health(context: Context, camera: Camera) -> Health:
    """How a camera is doing."""
    return (await store.health(context.pool, camera.id)).get(camera.id, Health())


async def blobs(context: Context, prefix: str = "frames") -> set[str]:
    """Keys of all blobs of frames."""
    return {info.key async for info in context.storage.list(prefix)}


def see(data: bytes) -> Seen:
    """What intake sees in a picture."""
    return reading.examine(data, reading.measure(data))


async def all_blobs(context: Context) -> set[str]:
    """Keys of all blobs of frames, of their pictures and thumbnails."""
    folders = ("frames", "pictures", "thumbnails")
    return {key for folder in folders for key in await blobs(context, folder)}


async def count(context: Context) -> int:
    """Rows of frames, marked ones included."""
    found: int = await context.pool.fetchval("SELECT count(*) FROM frames")
    return found


async def until(look: Callable[[], Awaitable[T]], what: str = "it", seconds: float = 15) -> T:
    """The first true answer of ``look``."""
    async with asyncio.timeout(seconds):
        while True:
            found = await look()
            if found:
                return found
            await asyncio.sleep(0.02)
    raise AssertionError(f"{what}: not within {seconds:g} s")


def at(context: Context, **changes: Any) -> Context:
    """The same context with something changed, e.g. its clock."""
    return replace(context, **changes)
