"""How Vigil is doing, for /healthz, /health and /metrics.

``failing`` (503): pages or pictures cannot work, since the database or the blob store does not.
``degraded`` (200): a daemon is missing, but the site serves. A source or a camera that fails is
named among the problems and leaves the status alone: it is outside, and it is what we watch.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import asyncpg

import db_utils
from vigil import __version__, reserve
from vigil.context import Context
from vigil.errors import VigilError
from vigil.site import store
from vigil.site.model import Snapshot

Status = Literal["ok", "degraded", "failing"]

DAEMONS = ("app", "scanner", "renderer")
SILENT_AFTER_S = 16.0
"""Three heartbeats missed."""
DATABASE_TIMEOUT_S = 3.0
STORAGE_TIMEOUT_S = 5.0
STORAGE_CHECK_EVERY_S = 10.0


@dataclass(frozen=True, kw_only=True)
class Part:
    """A thing that everything needs."""

    status: Literal["ok", "failing"]
    latency_ms: float
    checked_at: datetime
    error: str | None = None
    hint: str | None = None


@dataclass(frozen=True, kw_only=True)
class Disk:
    """The disk that holds the blobs, where it is one of ours."""

    total_bytes: int
    free_bytes: int
    reserve_bytes: int
    """What stays free, whatever comes in."""
    shedding: int
    """0: everything is kept; up to 4: nothing new is."""
    given_up: str
    """What that means, in words."""


@dataclass(frozen=True, kw_only=True)
class Daemon:
    """A process that runs, or one of which nothing is heard."""

    name: str
    status: Literal["ok", "silent", "missing"]
    host: str | None = None
    pid: int | None = None
    version: str | None = None
    started_at: datetime | None = None
    age_s: float | None = None
    """Seconds since its last sign of life."""


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A source or a camera, and how long ago it last delivered."""

    name: str
    status: Literal["ok", "failing", "waiting", "disabled"]
    last_at: datetime | None
    age_s: float | None
    error: str | None
    hint: str | None
    next_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything at one moment."""

    status: Status
    problems: list[str]
    """One sentence for each thing that is not as it should be."""
    version: str
    at: datetime
    database: Part
    storage: Part
    disk: Disk | None = None
    processes: list[Daemon] = field(default_factory=list)
    sources: list[Watched] = field(default_factory=list)
    cameras: list[Watched] = field(default_factory=list)


class Health:
    """Looks after one process's context; remembers the last look at the blob store."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._storage: Part | None = None
        self._storage_checked = 0.0
        self._lock = asyncio.Lock()

    async def report(self) -> Report:
        """How everything is; never raises."""
        (database, snapshot), storage, disk = await asyncio.gather(
            self.look(), self.storage(), self.disk()
        )
        return judge(self._context.clock.now(), database, storage, snapshot, disk)

    async def look(self) -> tuple[Part, Snapshot | None]:
        """Whether the database answers, and what it says."""
        clock = self._context.clock
        began = clock.monotonic()
        snapshot, error = None, None
        try:
            async with asyncio.timeout(DATABASE_TIMEOUT_S):
                snapshot = await store.snapshot(self._context.pool)
        except TimeoutError:
            error = f"no answer within {DATABASE_TIMEOUT_S:.0f} s"
        except (*db_utils.GONE, asyncpg.PostgresError) as caught:
            error = str(caught) or type(caught).__name__
        part = Part(
            status="failing" if error else "ok",
            latency_ms=_ms(clock.monotonic() - began),
            checked_at=clock.now(),
            error=error,
            hint="is PostgreSQL running?" if error else None,
        )
        return part, snapshot

    async def storage(self) -> Part:
        """Whether the blob store keeps what it is given; looked at once in ten seconds."""
        clock = self._context.clock
        async with self._lock:
            age = clock.monotonic() - self._storage_checked
            if self._storage is None or age >= STORAGE_CHECK_EVERY_S:
                self._storage = await self._check_storage()
                self._storage_checked = clock.monotonic()
            return self._storage

    async def disk(self) -> Disk | None:
        """How full the disk of the blobs is, and what is therefore given up."""
        space = await self._context.storage.space()
        if space is None:
            return None
        kept_free = self._context.settings.disk_reserve
        level = kept_free.level(space)
        return Disk(
            total_bytes=space.total,
            free_bytes=space.free,
            reserve_bytes=kept_free.of(space),
            shedding=level,
            given_up=reserve.GIVEN_UP[level],
        )

    async def _check_storage(self) -> Part:
        clock = self._context.clock
        began = clock.monotonic()
        error, hint = None, None
        try:
            async with asyncio.timeout(STORAGE_TIMEOUT_S):
                await self._context.storage.check()
        except TimeoutError:
            error = f"no answer within {STORAGE_TIMEOUT_S:.0f} s"
        except VigilError as caught:
            error, hint = caught.message, caught.hint
        return Part(
            status="failing" if error else "ok",
            latency_ms=_ms(clock.monotonic() - began),
            checked_at=clock.now(),
            error=error,
            hint=hint,
        )


def judge(
    now: datetime,
    database: Part,
    storage: Part,
    snapshot: Snapshot | None,
    disk: Disk | None = None,
) -> Report:
    """Say in sentences what is not as it should be."""
    problems = [
        f"{name} fails: {part.error}"
        for name, part in (("the database", database), ("the blob store", storage))
        if part.status == "failing"
    ]
    status: Status = "failing" if problems else "ok"
    processes = _daemons(snapshot) if snapshot else []
    sources = _sources(snapshot) if snapshot else []
    cameras = _cameras(snapshot) if snapshot else []
    alive = {(daemon.name, daemon.host) for daemon in processes if daemon.status == "ok"}
    for daemon in processes:
        if daemon.status == "silent" and (daemon.name, daemon.host) in alive:
            continue  # it was killed, and another has taken its place
        if daemon.status == "missing":
            problems.append(f"no {daemon.name} is running")
        elif daemon.status == "silent":
            where = f"{daemon.name} (process {daemon.pid} on {daemon.host})"
            problems.append(f"{where} has been silent for {daemon.age_s:.0f} s")
    if disk is not None and disk.shedding:
        problems.append(
            f"the disk is nearly full, {disk.free_bytes / 1e9:.1f} GB are free and"
            f" {disk.reserve_bytes / 1e9:.1f} GB kept in reserve: given up are {disk.given_up}"
        )
    if problems and status == "ok":
        status = "degraded"
    for kind, things in (("source", sources), ("camera", cameras)):
        problems += [f"{kind} {w.name}: {w.error}" for w in things if w.status == "failing"]
    return Report(
        status=status,
        problems=problems,
        version=__version__,
        at=now,
        database=database,
        storage=storage,
        disk=disk,
        processes=processes,
        sources=sources,
        cameras=cameras,
    )


def _daemons(snapshot: Snapshot) -> list[Daemon]:
    found = [
        Daemon(
            name=p.name,
            status="ok" if p.age_s < SILENT_AFTER_S else "silent",
            host=p.host,
            pid=p.pid,
            version=p.version,
            started_at=p.started_at,
            age_s=round(p.age_s, 1),
        )
        for p in snapshot.processes
    ]
    known = {daemon.name for daemon in found}
    return found + [Daemon(name=name, status="missing") for name in DAEMONS if name not in known]


def _sources(snapshot: Snapshot) -> list[Watched]:
    return [
        Watched(
            name=s.name,
            status=_watched(s.enabled, s.error, s.succeeded_at),
            last_at=s.succeeded_at,
            age_s=None if s.age_s is None else round(s.age_s, 1),
            error=s.error,
            hint=s.hint,
            next_at=s.next_at if s.enabled else None,
        )
        for s in snapshot.sources
    ]


def _cameras(snapshot: Snapshot) -> list[Watched]:
    return [
        Watched(
            name=c.name,
            status=_watched(c.enabled, c.error, c.last_frame_at),
            last_at=c.last_frame_at,
            age_s=None if c.age_s is None else round(c.age_s, 1),
            error=c.error,
            hint=c.hint,
        )
        for c in snapshot.cameras
    ]


def _watched(
    enabled: bool, error: str | None, last: datetime | None
) -> Literal["ok", "failing", "waiting", "disabled"]:
    if not enabled:
        return "disabled"
    if error is not None:
        return "failing"
    return "ok" if last is not None else "waiting"


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
