"""What an import would do, before anything is kept: a look that takes seconds, whatever there is.

Everything is counted as long as that takes seconds; of many files a sample, chosen at random, is
read. What is said of times is about the files that were read, and how many these are is said.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from vigil.cameras.importing import places, store, timing
from vigil.cameras.importing.model import File, Tally, Way
from vigil.cameras.importing.starting import Checked
from vigil.cameras.importing.timing import Looked, Ruling
from vigil.cameras.intake import AHEAD
from vigil.cameras.pictures import reading
from vigil.cameras.pictures.shape import MAX_BYTES, BadPicture
from vigil.context import Context
from vigil.errors import Unavailable

COUNT_S, READ_S = 5.0, 5.0
SAMPLE = 400
EXAMPLES = 10
AT_ONCE = 4
DAY_S = 86_400.0


@dataclass(frozen=True, kw_only=True)
class Example:
    """A file, and what is known of it."""

    file: str
    taken_at: datetime | None
    way: Way | None
    mended: bool
    problem: str | None
    """Why it becomes no frame."""


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What an import would do."""

    camera: str
    new: bool
    """Whether the camera is made for it."""
    place: str
    time_zone: str
    files: int
    bytes: int
    other: int
    """Files that are left out: not wanted, or links."""
    counted: bool
    """Whether all files are counted; if not, time was up and there are more."""
    looked_at: int
    """Files that were read; what follows is about these."""
    ways: dict[str, int]
    mended: int
    first_at: datetime | None
    last_at: datetime | None
    unreadable: dict[str, dict[str, Any]]
    """Reason → count, message, examples."""
    known: int
    """Frames of the camera already."""
    expired: int
    """Older than the camera keeps frames: refused unless they are kept for ever."""
    future: int
    retention_s: float
    """Of the camera, as it would be then."""
    retention_needed_s: float | None
    """What would let none of them expire within a month; null where that is so."""
    limits: list[str]
    """What else makes frames go."""
    keep: bool
    examples: list[Example] = field(default_factory=list)


async def preview(context: Context, checked: Checked) -> Preview:
    """Look at a place; raises Invalid, Unavailable."""
    place = await asyncio.to_thread(
        places.open_place, context.settings, checked.place, checked.pattern
    )
    try:
        async with asyncio.timeout(COUNT_S + 10):
            found = await place.sample(SAMPLE, COUNT_S)
    except TimeoutError:
        raise Unavailable("the place takes too long to say what is there") from None
    chosen = found.sample
    if len(chosen) < found.files or len(chosen) > EXAMPLES:
        random.Random(1).shuffle(chosen)  # noqa: S311 - time may be up before the last
    read = await _read(context, place, chosen, checked.ruling)
    return await _judged(context, checked, found, read)


async def _read(
    context: Context, place: places.Place, files: list[File], ruling: Ruling
) -> list[tuple[File, Looked | BadPicture]]:
    """As many of the files as can be read in the time there is, by name."""
    found: list[tuple[File, Looked | BadPicture]] = []
    upcoming = iter(files)
    deadline = context.clock.monotonic() + READ_S

    async def some() -> None:
        for file in upcoming:
            try:
                if file.size > MAX_BYTES:
                    raise BadPicture("too_large", "a picture of too many bytes")
                data = await place.read(file)
                found.append((file, await reading.run(timing.look, data, file, ruling)))
            except BadPicture as bad:
                found.append((file, bad))
            if context.clock.monotonic() > deadline:
                return

    with suppress(TimeoutError):  # what was read by then is told of
        async with asyncio.timeout(2 * READ_S):
            await asyncio.gather(*(some() for _ in range(AT_ONCE)))
    return sorted(found, key=lambda one: one[0].path)


async def _judged(
    context: Context,
    checked: Checked,
    found: places.Sampled,
    read: list[tuple[File, Looked | BadPicture]],
) -> Preview:
    now, tally = context.clock.now(), Tally()
    times: list[tuple[datetime, bytes]] = []
    for file, looked in read:
        if isinstance(looked, BadPicture):
            tally.refuse(file, looked.reason, looked.message)
        else:
            tally.way(looked.way, looked.taken_at, mended=looked.mended)
            times.append((looked.taken_at, looked.digest))
    camera = checked.camera
    known = await store.known(context.pool, camera.id, times) if camera and times else 0
    kept_since = now - timedelta(seconds=checked.retention_s)
    limits = []
    if camera and not checked.keep:
        if camera.retention_frames and found.files > camera.retention_frames:
            limits.append(f"the camera keeps {camera.retention_frames} frames at most")
        if camera.retention_bytes and found.bytes > camera.retention_bytes:
            limits.append(f"the camera keeps {camera.retention_bytes / 1e9:.3g} GB at most")
    needed = None
    if tally.first_at and not checked.keep and tally.first_at < kept_since + timedelta(days=30):
        needed = (ceil((now - tally.first_at).total_seconds() / DAY_S) + 30) * DAY_S
    return Preview(
        camera=checked.name,
        new=camera is None,
        place=checked.place,
        time_zone=checked.ruling.zone.key,
        files=found.files,
        bytes=found.bytes,
        other=found.other,
        counted=found.whole,
        looked_at=len(read),
        ways=tally.ways,
        mended=tally.mended,
        first_at=tally.first_at,
        last_at=tally.last_at,
        unreadable=tally.refusals,
        known=known,
        expired=0 if checked.keep else sum(at <= kept_since for at, _ in times),
        future=sum(at > now + AHEAD for at, _ in times),
        retention_s=checked.retention_s,
        retention_needed_s=needed,
        limits=limits,
        keep=checked.keep,
        examples=[_example(*one) for one in _spread(read)],
    )


def _spread(
    read: list[tuple[File, Looked | BadPicture]],
) -> list[tuple[File, Looked | BadPicture]]:
    """A few, from the first to the last."""
    if len(read) <= EXAMPLES:
        return read
    return [read[n * (len(read) - 1) // (EXAMPLES - 1)] for n in range(EXAMPLES)]


def _example(file: File, looked: Looked | BadPicture) -> Example:
    if isinstance(looked, BadPicture):
        return Example(
            file=file.shown, taken_at=None, way=None, mended=False, problem=looked.message
        )
    return Example(
        file=file.shown,
        taken_at=looked.taken_at,
        way=looked.way,
        mended=looked.mended,
        problem=None,
    )
