"""Folders into which a camera, or whoever else, drops files: what FTP cameras do.

A file is taken once it is whole: unchanged for ``SETTLE_S``; one that ends early may be one whose
upload is slow, and gets ``STALLED_S``. The oldest is taken first, one at a time, so that thousands
at once keep nobody else waiting. When it was taken is told by its EXIF, its name or its last
change. Then it is removed, or with the option ``after: keep`` left and remembered.

What a crash costs: nothing. A file that is a frame and still there is found to be known, since
bytes and time are the same. A folder in which nothing comes is a camera that is silent.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime
from pathlib import PurePosixPath
from zoneinfo import ZoneInfo

from vigil import log
from vigil.cameras import store
from vigil.cameras.frames import store as known_frames
from vigil.cameras.model import Camera, CameraKind, Frame, Option, RawFrame, Refusal, Scene
from vigil.cameras.pictures import reading
from vigil.cameras.pictures.shape import MAX_BYTES, BadPicture
from vigil.cameras.plan import Schedule, micros
from vigil.cameras.scenes import store as scenes
from vigil.cameras.stamping import stamp
from vigil.context import Context
from vigil.errors import SourceError
from vigil.sources import camera_push
from vigil.sources.folders import Entry, Folder, allowed

SCHEME = "folder:"
SETTLE_S = 2.0
STALLED_S = 60.0
LOOK_S = 1.0
"""Seconds between looks; more where a look takes long."""
SHARE = 20
"""A look takes at most one part in so many of the time."""
MOST = 10_000
"""Files that a look brings home; the others come with the next."""
EMPTY_NS = 2 * 86_400 * 10**9
"""A folder below that is empty for so long is removed."""
FULL_S = 60.0


def accepts(url: str) -> bool:
    """``folder:`` and an absolute path."""
    return url.startswith(f"{SCHEME}/")


async def frames(context: Context, camera: Camera) -> AsyncGenerator[RawFrame | None, None]:
    """Every file once it is whole; raises SourceError, also when none came for long."""
    url = camera.url or ""
    if not accepts(url):
        raise SourceError("that is no folder", hint="folder:/path", permanent=True)
    root = await asyncio.to_thread(allowed, context.settings, url.removeprefix(SCHEME))
    taking = await Taking.begin(context, camera, Folder(root))
    clock = context.clock
    silent_after = 2 * camera.interval_s + 5
    heard = clock.monotonic()
    while True:
        for entry in await taking.look():
            raw = await taking.read(entry)
            if raw is not None:
                yield raw
                heard = clock.monotonic()
        if not taking.expects():
            heard = clock.monotonic()
        if clock.monotonic() - heard > silent_after:
            raise SourceError("nothing new came into the folder", hint="does the camera send?")
        await clock.sleep(max(LOOK_S, SHARE * taking.look_took_s))


class Taking:
    """What is known of the files of a folder while they are taken."""

    def __init__(
        self, context: Context, camera: Camera, folder: Folder, scene: Scene | None
    ) -> None:
        self._context = context
        self._camera = camera
        self._folder = folder
        self._zone = ZoneInfo(scene.time_zone if scene else "UTC")
        self._schedule = Schedule.of(camera, scene) if scene else None
        self._keeps = camera.options.get("after") == "keep"
        self._thins = bool(camera.options.get("thin"))
        self._slot: int | None = None
        """Interval of the last frame, counted from 1970."""
        self._had: set[int] = set()
        """Keys of files that are done with and still there."""
        self._since: dict[int, tuple[tuple[int, ...], float]] = {}
        """Key → a file's state, and since when it is so."""
        self._present: set[int] = set()
        self._empty: list[str] = []
        self.look_took_s = 0.0

    @classmethod
    async def begin(cls, context: Context, camera: Camera, folder: Folder) -> Taking:
        """Find what was had before. A camera that is only tried (its id is 0) has nothing."""
        scene = None
        if camera.id:
            scene = await scenes.of_camera(context.pool, camera.id, context.clock.now())
        taking = cls(context, camera, folder, scene)
        if taking._keeps:
            taking._had = await store.files(context.pool, camera.id)
        last = await known_frames.latest(context.pool, camera.id) if taking._thins else None
        if last is not None:
            taking._slot = taking._slot_of(last.taken_at)
        return taking

    def expects(self) -> bool:
        """Whether the plan asks for frames now."""
        moment = micros(self._context.clock.now())
        return self._schedule is None or self._schedule.allows(moment) is not None

    async def look(self) -> list[Entry]:
        """Files that are whole and not had yet, the oldest first; raises SourceError."""
        clock = self._context.clock
        began = clock.monotonic()
        self._present = set()
        # A folder's time and ours may be of two machines; two days are wide enough.
        before = time.time_ns() - EMPTY_NS
        sight = await asyncio.to_thread(self._folder.look, self._is_new, MOST, before)
        now = clock.monotonic()
        self.look_took_s = now - began
        self._empty = sight.empty
        await self._forget()
        since = self._since
        self._since = {}
        for entry in sight.entries:
            state, moment = since.get(entry.key, (None, now))
            self._since[entry.key] = (entry.state, moment if state == entry.state else now)
        return [entry for entry in sight.entries if self._age(entry) >= SETTLE_S]

    async def read(self, entry: Entry) -> RawFrame | None:
        """A file as a picture; ``None`` when it has to wait or is not wanted."""
        try:
            data = await asyncio.to_thread(self._folder.read, entry, MAX_BYTES + 1)
        except PermissionError:
            log.warning(f"camera {self._camera.name}", "a file in its folder may not be read")
            self._had.add(entry.key)  # when that is mended, a restart finds it
            return None
        if data is None:
            return None
        if self._age(entry) < STALLED_S and await asyncio.to_thread(ends_early, data):
            return None
        stamped = stamp(
            data,
            name=PurePosixPath(entry.path).name,
            said=None,
            arrived_at=_moment(entry.modified_ns),
            zone=self._zone,
            options=self._camera.options,
        )
        slot = self._slot_of(stamped.taken_at)
        if self._thins and slot == self._slot:
            await self._finish(entry)
            return None

        async def done(result: Frame | Refusal) -> None:
            if isinstance(result, Frame):
                self._slot = slot
                await self._finish(entry)
            elif result.reason == "disk_full":
                raise SourceError(result.message, retry_after=FULL_S)
            elif result.reason != "removed":
                await self._finish(entry, refused=True)

        return RawFrame(data=data, taken_at=stamped.taken_at, done=done)

    async def _finish(self, entry: Entry, *, refused: bool = False) -> None:
        """Nothing more is wanted of a file."""
        self._since.pop(entry.key, None)
        if self._keeps:
            self._had.add(entry.key)
            await store.add_file(self._context.pool, self._camera.id, entry.key)
        elif refused:
            await asyncio.to_thread(self._folder.refuse, entry)
        else:
            await asyncio.to_thread(self._folder.remove, entry)
            await asyncio.to_thread(self._folder.tidy, self._empty)
            self._empty = []

    async def _forget(self) -> None:
        """Files that are gone need not be remembered; with none there, the disk may be away."""
        gone = self._had - self._present
        if gone and self._present:
            self._had -= gone
            if self._keeps:
                await store.remove_files(self._context.pool, self._camera.id, list(gone))

    def _is_new(self, entry: Entry) -> bool:
        if not self._had:
            return True
        key = entry.key
        self._present.add(key)
        return key not in self._had

    def _age(self, entry: Entry) -> float:
        """Seconds for which a file has been as it is."""
        state = self._since.get(entry.key)
        return self._context.clock.monotonic() - state[1] if state else 0.0

    def _slot_of(self, moment: datetime) -> int:
        return int(moment.timestamp() // self._camera.interval_s)


def ends_early(data: bytes) -> bool:
    """Whether this may be the first part of a picture, of which the rest is on its way."""
    try:
        reading.measure(data)
    except BadPicture as bad:
        return bad.reason in ("truncated", "empty")
    return False


def _moment(ns: int) -> datetime:
    try:
        return datetime.fromtimestamp(ns / 1e9, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime(1970, 1, 1, tzinfo=UTC)  # intake refuses it


WAYS: Sequence[Option] = (
    Option(
        name="after",
        label="What becomes of a file",
        hint="Kept ones are remembered, and nothing in the folder is ever changed.",
        default="delete",
        choices=("delete", "keep"),
    ),
    Option(
        name="thin",
        label="At most one picture for each interval",
        hint="The others are passed over; else every file becomes a frame.",
        default=False,
    ),
)

KIND = CameraKind(
    name="folder",
    title="Folder into which files are dropped (FTP)",
    frames=frames,
    accepts=accepts,
    paced=False,
    address="folder:/srv/ftp/garden",
    form=(*WAYS, *camera_push.KIND.form),
)
