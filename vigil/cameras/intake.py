"""The one door by which a picture becomes a frame, whichever way it came.

Blob first, then row: what a crash can leave between the two is a blob that nobody names, which
``bin/vigil check`` removes. At most the picture in hand is lost.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta

from vigil import ffmpeg
from vigil.cameras import shedding, store, sun
from vigil.cameras.frames import store as frames
from vigil.cameras.frames.model import NewFrame, blob_key, picture_key, thumbnails_key
from vigil.cameras.model import Camera, Frame, RawFrame, Refusal
from vigil.cameras.pictures import reading
from vigil.cameras.pictures.shape import BadPicture, Shape
from vigil.context import Context
from vigil.errors import DiskFull

REASONS = {
    "empty": "nothing",
    "html": "a web page",
    "svg": "a drawing, which may hold a program",
    "animated": "an animation",
    "not_a_picture": "something else than a picture",
    "not_jpeg": "something else than a JPEG",
    "unsupported": "a kind of picture that is not read here",
    "too_large": "too many bytes",
    "too_many_pixels": "too many pixels",
    "truncated": "a picture that ends early",
    "broken": "a picture that cannot be decoded",
    "future": "taken in the future",
    "expired": "older than the camera keeps frames",
    "disk_full": "no room: the rest of the disk is kept in reserve",
    "removed": "the camera is being removed",
}
"""Why a picture is refused: word to count by → what it was, for a person."""

AHEAD = timedelta(minutes=5)
"""How far a camera's clock may be ahead of ours."""


async def accept(
    context: Context, camera: Camera, raw: RawFrame, *, counted: bool = True
) -> Frame | Refusal:
    """Check a picture and keep it, or say why not and, if ``counted``, count that at the camera.

    The same bytes with the same ``taken_at`` are one frame, whichever way, however often and by
    however many at once they are brought. Raises what the store and the database raise when they
    cannot be reached.
    """
    now = context.clock.now()
    try:
        check_time(camera, raw.taken_at, now, kept=raw.kept)
        shape, data, digest = await reading.run(_alone, raw.data)
        there = await frames.by_content(context.pool, camera.id, raw.taken_at, digest)
        if there is not None:
            frame, going = there
            if going:
                raise BadPicture("expired", "a picture that is no longer kept")
            return frame
        level = await _room(context, camera)
        seen = await reading.run(
            reading.examine, data, shape, rotation=camera.rotation, crop=camera.crop
        )
        if seen.doubtful and not await is_whole(data):
            raise BadPicture("truncated", "a picture whose end is missing")
    except BadPicture as bad:
        refusal = Refusal(reason=bad.reason, message=bad.message)
        return await _refuse(context, camera, refusal, now) if counted else refusal
    blob = blob_key(camera.id, raw.taken_at, digest, shape.format)
    picture = None
    blobs = {blob: data}
    thumbnails = seen.thumbnails if shedding.makes_thumbnails(level) else None
    if thumbnails is not None:
        blobs[thumbnails_key(blob)] = b"".join(thumbnails)
    if seen.picture is not None:
        picture = picture_key(blob, hashlib.sha256(seen.picture).digest())
        blobs[picture] = seen.picture
    new = NewFrame(
        taken_at=raw.taken_at,
        received_at=now,
        width=seen.width,
        height=seen.height,
        bytes=len(data),
        sha256=digest,
        format=shape.format,
        blob=blob,
        picture=picture,
        picture_bytes=len(seen.picture) if seen.picture is not None else None,
        thumbnails=[len(one) for one in thumbnails] if thumbnails is not None else None,
        luma=seen.look.luma,
        contrast=seen.look.contrast,
        dark=seen.look.dark,
        bright=seen.look.bright,
        sharpness=seen.look.sharpness,
        perceptual_hash=seen.look.perceptual_hash,
        sun_height=await _sun_height(context, camera, raw.taken_at),
        kept=raw.kept,
    )
    try:
        await _put(context, blobs)
    except DiskFull as full:  # somebody else filled it
        refusal = Refusal(reason="disk_full", message=full.message)
        return await _refuse(context, camera, refusal, now) if counted else refusal
    kept = await frames.add(context.pool, camera.id, new)
    if kept is None:
        await asyncio.gather(*(context.storage.delete(key) for key in blobs))
        return Refusal(reason="removed", message=f"camera {camera.name} is being removed")
    if picture is not None and kept.picture != picture:  # somebody was faster, and saw it turned
        await context.storage.delete(picture)
    return kept


def check_time(camera: Camera, taken_at: datetime, now: datetime, *, kept: bool = False) -> None:
    """Raise BadPicture for a time that would make a frame immortal or stillborn."""
    if taken_at > now + AHEAD:
        raise BadPicture("future", "a picture from the future: is the camera's clock right?")
    if not kept and taken_at <= now - timedelta(seconds=camera.retention_s):
        raise BadPicture("expired", "a picture that is older than the camera keeps frames")


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


def _alone(data: bytes) -> tuple[Shape, bytes, bytes]:
    """Shape, bytes and SHA-256 of the picture alone: a ZIP or a script behind it stays outside."""
    shape = reading.measure(data)
    data = data[: shape.end]
    return shape, data, hashlib.sha256(data).digest()


async def _room(context: Context, camera: Camera) -> int:
    """How much is shed now; raises BadPicture where that is this camera's frame."""
    kept_free = context.settings.disk_reserve
    space = await context.storage.space()
    level = kept_free.level(space)
    if space is not None and shedding.refuses(camera, level):
        raise BadPicture(
            "disk_full",
            f"of the disk {space.free / 1e9:.1f} GB are free, and"
            f" {kept_free.of(space) / 1e9:.1f} GB are kept in reserve",
        )
    return level


async def _put(context: Context, blobs: Mapping[str, bytes]) -> None:
    """Write all of them. What a failure leaves stays: it may be what somebody else has just kept.

    It takes no more room when the picture is brought again, and ``bin/vigil check`` finds it.
    """
    writes = (context.storage.put(key, value) for key, value in blobs.items())
    for outcome in await asyncio.gather(*writes, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome


async def _sun_height(context: Context, camera: Camera, moment: datetime) -> float | None:
    place = await frames.place(context.pool, camera.id, moment)
    return sun.height(*place, moment) if place else None


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
