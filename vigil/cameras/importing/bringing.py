"""An import: a place's pictures become frames, file by file in the order of their names.

Up to a checkpoint everything is done; what a crash costs is looking again at what came after it,
which is found to be known and counted as what it is: added by this import. The files between two
checkpoints are read a few ahead and given to intake a few at a time, so that memory does not
depend on how many there are.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections import deque
from collections.abc import Iterator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from vigil import log
from vigil.cameras import intake
from vigil.cameras import store as cameras
from vigil.cameras.importing import places, store, timing
from vigil.cameras.importing.model import File, Import, Near, Tally
from vigil.cameras.importing.timing import Looked, Ruling
from vigil.cameras.keeping import store as keeping
from vigil.cameras.model import Camera, RawFrame, Refusal
from vigil.cameras.pictures import reading
from vigil.cameras.pictures.shape import MAX_BYTES, BadPicture
from vigil.context import Context
from vigil.errors import Conflict, DiskFull, VigilError
from vigil.jobs.model import RunningJob, TakenOver

CHECKPOINT_S = 1.0
"""Files that were begun within this are one step, and share a checkpoint."""
STEP = 200
"""Files of a step at most."""
READ_AHEAD = 4
AT_ONCE = 2 * (os.cpu_count() or 1)
"""Pictures that intake has in hand: its threads do not wait for disk and database."""
LATELY_S = 20.0
"""Speed is measured over about so long."""
COUNTING_S = 3600.0
MICROSECOND = timedelta(microseconds=1)


async def bring(context: Context, job: RunningJob) -> None:
    """Go on with an import from where its last checkpoint is."""
    one = await store.begin(context.pool, int(job.arguments["import_id"]), job.id)
    if one is None:
        return  # done, forgotten, or another job's
    place = await asyncio.to_thread(places.open_place, context.settings, one.place, one.pattern)
    counting = asyncio.create_task(_count(context, place, one))
    try:
        bringing = Bringing(context, job, one)
        after = os.fsdecode(one.cursor) if one.cursor is not None else None
        async with aclosing(place.pages(after)) as pages:
            async for page in pages:
                files = iter(page)
                while await bringing.step(place, files):
                    pass
    finally:
        counting.cancel()
        with suppress(asyncio.CancelledError):
            await counting
    if not await store.finish(context.pool, bringing.one, context.clock.now()):
        raise TakenOver
    await bringing.tell(force=True)


async def _count(context: Context, place: places.Place, one: Import) -> None:
    """Find out how much there is, beside the work."""
    if one.total_files is not None:
        return
    try:
        found = await place.sample(0, COUNTING_S)
        if found.whole:
            await store.set_total(context.pool, one.id, found.files, found.bytes)
    except VigilError as error:
        log.warning("cameras", f"import {one.id}: cannot count: {error}")


@dataclass(slots=True)
class _Read:
    """A file whose bytes are here."""

    file: File
    data: bytes
    looked: Looked


class Bringing:
    """An import in the making."""

    def __init__(self, context: Context, job: RunningJob, one: Import) -> None:
        self.one = one
        self._context = context
        self._job = job
        self._ruling = Ruling(
            one.rule, ZoneInfo(one.time_zone), timedelta(seconds=one.clock_offset_s)
        )
        self._lately: deque[tuple[float, int, int]] = deque()

    async def step(self, place: places.Place, files: Iterator[File]) -> bool:
        """Take some of the files, and write a checkpoint; False when there are no more."""
        context, begun = self._context, self._context.clock.monotonic()
        camera = await self._camera()
        some = self._while(begun, files)
        step = _Step(context, self.one, camera)
        ahead: deque[asyncio.Task[_Read | tuple[File, BadPicture]]] = deque()
        last: File | None = None
        try:
            while True:
                for file in itertools.islice(some, READ_AHEAD - len(ahead)):
                    ahead.append(asyncio.create_task(self._read(place, file)))
                if not ahead:
                    break
                found = await ahead[0]
                ahead.popleft()
                if isinstance(found, _Read):
                    last = found.file
                    await step.take(found)
                else:
                    last, bad = found
                    step.refuse(last, bad.reason, bad.message)
            await step.end()
        finally:
            await _stop([*ahead, *step.tasks])
        if last is None:
            return False
        took = context.clock.monotonic() - begun
        self._measure(took, step.tally)
        after = await store.checkpoint(
            context.pool,
            self.one,
            step.tally,
            cursor=os.fsencode(last.path),
            busy_s=took,
            speed=self._speed(),
            now=context.clock.now(),
        )
        if after is None:
            raise TakenOver
        self.one = after
        await self.tell()
        return True

    async def tell(self, *, force: bool = False) -> None:
        """Say how far it is."""
        one = self.one
        left = one.seconds_left
        told = f"{one.added} added, {one.known} known, {one.refused} refused"
        if one.files_per_s:
            told = f"{told}; {one.files_per_s:.3g} a second"
        if left is not None:
            told = f"{told}, about {_span(left)} left"
        await self._job.progress(one.files, one.total_files, "files", told, force=force)

    def _while(self, begun: float, files: Iterator[File]) -> Iterator[File]:
        for file in itertools.islice(files, STEP):
            yield file
            if self._context.clock.monotonic() - begun > CHECKPOINT_S:
                return

    async def _camera(self) -> Camera:
        camera = await cameras.by_id(self._context.pool, self.one.camera_id)
        if camera is None or camera.deleting_at is not None:
            raise Conflict(f"camera {self.one.camera} is being removed")
        return camera

    async def _read(self, place: places.Place, file: File) -> _Read | tuple[File, BadPicture]:
        try:
            if file.size > MAX_BYTES:
                raise BadPicture("too_large", f"a picture of more than {MAX_BYTES / 1e6:.0f} MB")
            data = await place.read(file)
            return _Read(file, data, await reading.run(timing.look, data, file, self._ruling))
        except BadPicture as bad:
            return file, bad

    def _measure(self, took: float, tally: Tally) -> None:
        self._lately.append((took, tally.files, tally.bytes))
        while len(self._lately) > 1 and sum(one[0] for one in self._lately) > LATELY_S:
            self._lately.popleft()

    def _speed(self) -> tuple[float, float] | None:
        took = sum(one[0] for one in self._lately)
        if took <= 0:
            return None
        files, size = (sum(one[n] for one in self._lately) for n in (1, 2))
        return files / took, size / took


class _Step:
    """The files between two checkpoints."""

    def __init__(self, context: Context, one: Import, camera: Camera) -> None:
        self.tally = Tally()
        self.tasks: list[asyncio.Task[None]] = []
        self._context = context
        self._one = one
        self._camera = camera
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._seen: set[int] = set()
        """Frames that a file of this step was found to be."""
        self._given: dict[datetime, bytes] = {}
        """Times of this step → SHA-256 of the picture that has it."""

    async def take(self, read: _Read) -> None:
        """See whether a picture is known, else give it to intake; files come in order."""
        looked = read.looked
        await self._gate.acquire()
        there = await store.near(self._context.pool, self._camera.id, looked.taken_at)
        same = next((frame for frame in there if frame.sha256 == looked.digest), None)
        if same is not None or looked.digest in self._close(looked.taken_at).values():
            self._gate.release()
            await self._known(read, same)
            return
        taken_at = self._free(looked.taken_at, there)
        self._given[taken_at] = looked.digest
        self.tasks.append(asyncio.create_task(self._accept(read, taken_at)))

    def refuse(self, file: File, reason: str, message: str) -> None:
        """Count a file that becomes no frame."""
        self._count(file)
        self.tally.refuse(file, reason, message)

    async def end(self) -> None:
        """Wait until intake is done with all of them."""
        for task in self.tasks:
            await task

    def _close(self, moment: datetime) -> dict[datetime, bytes]:
        return {
            at: digest for at, digest in self._given.items() if moment <= at < moment + store.CLOSE
        }

    def _free(self, moment: datetime, there: list[Near]) -> datetime:
        """The moment itself, or, where other pictures have it, just behind the last of them."""
        times = {frame.taken_at for frame in there} | self._close(moment).keys()
        if moment not in times:
            return moment
        return min(max(times) + MICROSECOND, moment + store.CLOSE - MICROSECOND)

    async def _known(self, read: _Read, frame: Near | None) -> None:
        self._count(read.file)
        self.tally.way(read.looked.way, read.looked.taken_at, mended=read.looked.mended)
        if frame is None or frame.id in self._seen:
            self.tally.known += 1
            return
        self._seen.add(frame.id)
        if frame.received_at >= self._one.checkpoint_at:  # by us, before we were cut short
            self.tally.added += 1
            self.tally.shifted += frame.taken_at != read.looked.taken_at
            return
        self.tally.known += 1
        if self._one.keep and not frame.kept:
            await keeping.keep(self._context.pool, True, ids=[frame.id])

    async def _accept(self, read: _Read, taken_at: datetime) -> None:
        try:
            raw = RawFrame(data=read.data, taken_at=taken_at, kept=self._one.keep)
            result = await intake.accept(self._context, self._camera, raw, counted=False)
        finally:
            self._gate.release()
        looked = read.looked
        if isinstance(result, Refusal):
            if result.reason == "disk_full":
                raise DiskFull(result.message, hint="make room; the import goes on by itself")
            if result.reason == "removed":
                raise Conflict(result.message)
            self.refuse(read.file, result.reason, result.message)
            return
        self._seen.add(result.id)
        self._count(read.file)
        self.tally.way(looked.way, looked.taken_at, mended=looked.mended)
        self.tally.added += 1
        self.tally.shifted += taken_at != looked.taken_at

    def _count(self, file: File) -> None:
        self.tally.files += 1
        self.tally.bytes += file.size


async def _stop(tasks: list[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
