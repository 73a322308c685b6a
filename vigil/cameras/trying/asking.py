"""One picture of a camera, and what there is to say of it."""

from __future__ import annotations

import asyncio
import io
from contextlib import aclosing
from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

from PIL import Image, ImageOps

from vigil.cameras import exif
from vigil.cameras.model import Camera, RawFrame
from vigil.cameras.pictures import decoding, reading
from vigil.cameras.pictures.shape import BadPicture
from vigil.cameras.trying.model import Found
from vigil.context import Context
from vigil.errors import SourceError
from vigil.sources.kinds import CAMERAS

PATIENCE_S = 30.0
"""A camera that shows nothing within this time is not working."""
WIDTH = 1280


async def ask(context: Context, camera: Camera, zone: ZoneInfo) -> Found:
    """Get one picture of a camera; raises SourceError, in words for a person.

    ``zone`` is meant by a camera's clock that names none.
    """
    kind = CAMERAS[camera.kind]
    if not kind.asked:
        raise SourceError(
            "this camera brings its pictures itself: there is nothing to ask",
            hint="save it; its page says how to send the first one",
            permanent=True,
        )
    began = context.clock.monotonic()
    try:
        async with asyncio.timeout(PATIENCE_S):
            raw = await _first(context, camera)
    except TimeoutError:
        raise SourceError(
            f"it sent no picture within {PATIENCE_S:.0f} seconds",
            hint="is it switched on, and is the address right?",
        ) from None
    took_s = context.clock.monotonic() - began
    try:
        return await asyncio.to_thread(describe, raw, took_s, zone)
    except BadPicture as bad:
        raise SourceError(
            f"it answered, but with {bad.message}", hint="does the address show in a browser?"
        ) from bad


async def _first(context: Context, camera: Camera) -> RawFrame:
    async with aclosing(CAMERAS[camera.kind].frames(context, camera)) as frames:
        async for raw in frames:
            if raw is not None:
                return raw
    raise SourceError("it ended without a picture")


def describe(raw: RawFrame, took_s: float, zone: ZoneInfo) -> Found:
    """What a picture says; raises BadPicture."""
    shape = reading.measure(raw.data)
    with decoding.opened(raw.data[: shape.end], shape.format) as image:
        image.draft("RGB", (WIDTH, WIDTH))
        turned = ImageOps.exif_transpose(image).convert("RGB")
    sides = (shape.width, shape.height)
    if (turned.width > turned.height) != (shape.width > shape.height):
        sides = (shape.height, shape.width)
    turned.thumbnail((WIDTH, WIDTH), Image.Resampling.BILINEAR)
    written = io.BytesIO()
    turned.save(written, "JPEG", quality=85)
    said = exif.taken_at(raw.data[: shape.end])
    clock = said and (said if said.tzinfo else said.replace(tzinfo=zone)).astimezone(UTC)
    return Found(
        preview=written.getvalue(),
        width=sides[0],
        height=sides[1],
        bytes=shape.end,
        format=shape.format,
        took_s=took_s,
        camera_clock=clock,
        clock_offset_s=(clock - raw.taken_at) / timedelta(seconds=1) if clock else None,
    )
