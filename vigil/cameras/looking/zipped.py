"""Frames of a span as one ZIP file, written while it is read.

Pictures are stored, not deflated: a JPEG gets no smaller. In memory are one picture, a page of
rows, and some hundred bytes for each frame that was written, for the directory at the end.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator
from datetime import datetime
from zoneinfo import ZoneInfo

from vigil.cameras import serving
from vigil.cameras.looking import store
from vigil.cameras.model import Frame
from vigil.context import Context
from vigil.errors import NotFound, TooLarge

MOST_FRAMES = 50_000
MOST_BYTES = 50_000_000_000
PAGE = 200


class _Sink(io.RawIOBase):
    """Takes what a ZIP file writes, to be handed on; cannot be sought."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]  # any buffer is bytes here
        self._parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        """What came since the last time."""
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


async def check(context: Context, scene_id: int, from_at: datetime, to_at: datetime) -> int:
    """How many frames a span has; raises NotFound for none, TooLarge for more than fit."""
    number, size = await store.count_up_to(context.pool, scene_id, from_at, to_at, MOST_FRAMES + 1)
    if not number:
        raise NotFound("there are no frames in this span")
    if number > MOST_FRAMES or size > MOST_BYTES:
        raise TooLarge(
            f"more than {MOST_FRAMES} frames or {MOST_BYTES // 10**9} GB in one file",
            hint="ask for a shorter span, e.g. day by day",
        )
    return number


async def stream(
    context: Context, scene_id: int, from_at: datetime, to_at: datetime, place: ZoneInfo
) -> AsyncIterator[bytes]:
    """The bytes of the file. A frame that went away meanwhile is left out."""
    sink = _Sink()
    last: tuple[datetime, bytes] = (from_at, b"")
    before = ""
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as file:
        while True:
            frames = await store.after(context.pool, scene_id, last, to_at=to_at, limit=PAGE)
            for frame in frames:
                before = name(frame, place, before)
                entry = zipfile.ZipInfo(before, _stamp(frame.taken_at.astimezone(place)))
                entry.external_attr = 0o644 << 16
                try:
                    data = await serving.shown_picture(context, frame)
                except NotFound:
                    continue
                file.writestr(entry, data)
                yield sink.take()
            if len(frames) < PAGE:
                break
            last = (frames[-1].taken_at, frames[-1].sha256)
    yield sink.take()


def name(frame: Frame, place: ZoneInfo, before: str) -> str:
    """A frame's file name: local time with its offset, to the millisecond, and told apart from
    the one before it where that has the same."""
    moment = frame.taken_at.astimezone(place)
    stem = f"{moment:%Y-%m-%d_%H-%M-%S}.{moment.microsecond // 1000:03}{moment:%z}"
    if before.startswith(stem):
        return f"{stem}-{frame.id}.jpg"
    return f"{stem}.jpg"


def _stamp(moment: datetime) -> tuple[int, int, int, int, int, int]:
    """A time as ZIP keeps it: from 1980 to 2107, local."""
    year = min(max(moment.year, 1980), 2107)
    return (year, moment.month, moment.day, moment.hour, moment.minute, moment.second)
