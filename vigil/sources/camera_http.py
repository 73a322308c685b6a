"""Cameras that answer over HTTP: one JPEG a request, or an endless MJPEG.

What the address is shows in its first answer: ``multipart/…`` is a stream of pictures, anything
else is one picture. User and password in the URL become basic or digest authentication.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from urllib.parse import urlsplit

from vigil.answers import Stream
from vigil.cameras.model import Camera, CameraKind, RawFrame
from vigil.cameras.multipart import Splitter
from vigil.cameras.pictures.shape import MAX_BYTES
from vigil.context import Context
from vigil.errors import SourceError

IDLE_S = 15.0
"""The longest silence before we give a connection up."""
GRAB_FROM_S = 10.0
"""From this interval on, a stream is opened for one picture and closed again."""


def accepts(url: str) -> bool:
    """Any http or https address that is not a playlist."""
    parts = urlsplit(url)
    return parts.scheme in ("http", "https") and not parts.path.lower().endswith((".m3u8", ".mpd"))


async def frames(context: Context, camera: Camera) -> AsyncGenerator[RawFrame | None, None]:
    """A picture each ``interval_s``, for as long as the camera answers; raises SourceError."""
    clock = context.clock
    due = clock.monotonic()
    last = b""
    while True:
        async with context.fetcher.open(
            camera.url or "",
            private=True,  # an admin named it
            headers={"Accept": "image/jpeg, multipart/x-mixed-replace, */*;q=0.5"},
            idle_timeout_s=IDLE_S,
        ) as stream:
            content_type = stream.headers.get("content-type", "")
            if content_type.lower().startswith("multipart/"):
                async with aclosing(_pictures(stream, content_type)) as pictures:
                    async for data in pictures:
                        if clock.monotonic() < due - camera.interval_s / 4:
                            continue  # more than was asked for
                        due = _next(due, camera.interval_s, clock.monotonic())
                        yield RawFrame(data=data, taken_at=clock.now())
                        if camera.interval_s >= GRAB_FROM_S:
                            break
                    else:
                        raise SourceError("the camera ended its stream")
            else:
                due = _next(due, camera.interval_s, clock.monotonic())
                data = await _one_picture(stream)
                digest = hashlib.sha256(data).digest()
                same, last = digest == last, digest
                yield None if same else RawFrame(data=data, taken_at=clock.now())
        await clock.sleep(due - clock.monotonic())


async def _one_picture(stream: Stream) -> bytes:
    data = bytearray()
    try:
        async for chunk in stream.chunks():
            data += chunk
            if len(data) > MAX_BYTES:
                break  # intake refuses and counts it
    except SourceError:
        if not data:
            raise
        # Cut in the middle: intake decides; whole pictures with a wrong length have been seen.
    return bytes(data)


async def _pictures(stream: Stream, content_type: str) -> AsyncGenerator[bytes, None]:
    splitter = Splitter(content_type, max_bytes=MAX_BYTES)
    async for chunk in stream.chunks():
        for part in splitter.feed(chunk):
            kind = part.headers.get("content-type", "image/jpeg").lower()
            if not re.match(r"(audio|text/plain|application/(json|xml))", kind):
                yield part.body
        if splitter.ended:
            return


def _next(due: float, interval_s: float, now: float) -> float:
    """When the next picture is due: on the beat, or, when that was missed, an interval from now."""
    return due + interval_s if due + interval_s > now else now + interval_s


KIND = CameraKind(
    name="http",
    title="HTTP snapshot or MJPEG",
    frames=frames,
    accepts=accepts,
    address="http://user:password@192.168.1.20/snapshot.jpg",
)
