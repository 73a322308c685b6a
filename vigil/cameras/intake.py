"""The one door by which a picture becomes a frame, whichever way it came.

Blob first, then row: what a crash can leave between the two is a blob that nobody names, which
``bin/vigil check`` removes. At most the picture in hand is lost.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from vigil import ffmpeg
from vigil.cameras import jpeg, store
from vigil.cameras.frames import store as frames
from vigil.cameras.model import Camera, Frame, RawFrame, Refusal
from vigil.context import Context

REASONS = {
    "empty": "nothing",
    "html": "a web page",
    "not_jpeg": "something else than a JPEG",
    "unsupported": "a JPEG that browsers cannot show",
    "too_large": "too many bytes",
    "too_many_pixels": "too many pixels",
    "truncated": "a picture that ends early",
    "broken": "a picture that cannot be decoded",
    "future": "taken in the future",
    "expired": "older than the camera keeps frames",
    "removed": "the camera is being removed",
}
"""Why a picture is refused: word to count by → what it was, for a person."""

AHEAD = timedelta(minutes=5)
"""How far a camera's clock may be ahead of ours."""


async def accept(context: Context, camera: Camera, raw: RawFrame) -> Frame | Refusal:
    """Check a picture and keep it, or say why not and count that.

    The same bytes with the same ``taken_at`` are one frame. Raises what the store and the
    database raise when they cannot be reached.
    """
    now = context.clock.now()
    try:
        check_time(camera, raw.taken_at, now)
        shape, data, seen, digest = await asyncio.to_thread(_examine, raw.data)
        if (seen.suspicious or shape.progressive) and not await is_whole(data):
            raise jpeg.BadPicture("truncated", "a picture whose end is missing")
    except jpeg.BadPicture as bad:
        return await _refuse(context, camera, Refusal(reason=bad.reason, message=bad.message), now)
    blob = blob_key(camera.id, raw.taken_at, digest)
    await context.storage.put(blob, data)
    frame = await frames.add(
        context.pool,
        camera_id=camera.id,
        taken_at=raw.taken_at,
        received_at=now,
        width=shape.width,
        height=shape.height,
        bytes=len(data),
        sha256=digest,
        luma=seen.luma,
        blob=blob,
    )
    if frame is None:
        await context.storage.delete(blob)
        return Refusal(reason="removed", message=f"camera {camera.name} is being removed")
    return frame


def blob_key(camera_id: int, taken_at: datetime, digest: bytes) -> str:
    """Where a frame's bytes are: ``frames/3/2026-05-01/1777593600000000-0123456789abcdef.jpg``."""
    moment = taken_at.astimezone(UTC)
    microseconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    return f"frames/{camera_id}/{moment:%Y-%m-%d}/{microseconds}-{digest.hex()[:16]}.jpg"


def check_time(camera: Camera, taken_at: datetime, now: datetime) -> None:
    """Raise BadPicture for a time that would make a frame immortal or stillborn."""
    if taken_at > now + AHEAD:
        raise jpeg.BadPicture("future", "a picture from the future: is the camera's clock right?")
    if taken_at <= now - timedelta(seconds=camera.retention_s):
        raise jpeg.BadPicture("expired", "a picture that is older than the camera keeps frames")


async def is_whole(data: bytes) -> bool:
    """Whether a strict decoder reads the picture to its end; takes about 60 ms."""

    async def once() -> AsyncIterator[bytes]:
        yield data

    arguments = ["-err_detect", "explode", "-f", "jpeg_pipe", "-i", "pipe:0", "-f", "null", "-"]
    try:
        await ffmpeg.run(arguments, protocols=("pipe",), input=once(), timeout_s=20)
    except ffmpeg.FfmpegError:
        return False
    return True


def _examine(data: bytes) -> tuple[jpeg.Shape, bytes, jpeg.Look, bytes]:
    """Shape, bytes, look and SHA-256 of the picture alone.

    A ZIP or a script behind a picture stays outside.
    """
    shape = jpeg.measure(data)
    data = data[: shape.end]
    return shape, data, jpeg.look(data), hashlib.sha256(data).digest()


async def _refuse(context: Context, camera: Camera, refusal: Refusal, now: datetime) -> Refusal:
    await store.note_refusal(
        context.pool,
        camera.id,
        reason=refusal.reason,
        error=f"refused: {refusal.message}",
        at=now,
        next_at=now + timedelta(seconds=camera.interval_s),
    )
    return refusal
