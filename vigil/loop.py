"""Looping, backing off, leases, stopping: written once, for every daemon.

A room offers *targets*: something with a key and a ``run_once`` that does one pass and says how
many seconds to wait. The Spinner keeps every target running in exactly one process: each is
leased through a PostgreSQL advisory lock held by one connection of the process, so the lease of
a killed process is free as soon as its connection is gone. Processes share the targets evenly.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import os
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import asyncpg

import db_utils
from vigil import log, postgres, settings
from vigil.clock import Clock
from vigil.context import Context
from vigil.errors import VigilError
from vigil.settings import Settings

RunOnce = Callable[[], Awaitable[float]]
OnFailure = Callable[[Exception, float], Awaitable[None]]

LOOK_AGAIN_S = 2.0
"""Seconds between looks at what there is to do and who else does it."""
ANSWER_S = 5.0
"""A lease's connection that is silent for longer is lost: the server will free the lease soon."""
PRESENCE = 7_061_104
"""First half of the advisory lock that processes of one name share, to be counted."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """Something to be done again and again by exactly one process."""

    key: str
    """Name of the lease, e.g. ``source:3``; the same in every process."""
    name: str
    """For a person, in the log."""
    run_once: RunOnce
    """One pass. Returns the seconds until the next; raises when it failed."""
    version: str = ""
    """When this changes, a running pass is stopped and the target starts afresh."""
    on_failure: OnFailure | None = None
    """Told of each failure and of the seconds until the next try."""
    retry_min_s: float = 2.0
    retry_max_s: float = 300.0


Targets = Callable[[Context], Awaitable[Sequence[Target]]]


def backoff(failures: int, least: float, most: float, retry_after: float | None = None) -> float:
    """Seconds to wait after so many failures in a row.

    Doubles from ``least`` to ``most`` with "equal jitter" (half fixed, half random), as in
    Exponential Backoff And Jitter, AWS Architecture Blog, 2015; never less than ``retry_after``.
    """
    ceiling = min(most, least * 2.0 ** min(failures - 1, 30))
    return max(ceiling * random.uniform(0.5, 1.0), retry_after or 0.0)  # noqa: S311


async def repeat(target: Target, clock: Clock) -> None:
    """Run a target until cancelled."""
    failures = 0
    while True:
        try:
            delay = await target.run_once()
            failures = 0
        except Exception as error:
            failures += 1
            retry_after = error.retry_after if isinstance(error, VigilError) else None
            permanent = isinstance(error, VigilError) and error.permanent
            least = target.retry_max_s if permanent else target.retry_min_s
            delay = backoff(failures, least, target.retry_max_s, retry_after)
            if isinstance(error, VigilError):
                log.warning(target.name, f"{error}; next try in {delay:.0f} s")
            else:
                log.error(target.name, f"failed, next try in {delay:.0f} s", exc=error)
            if target.on_failure is not None:
                try:
                    await target.on_failure(error, delay)
                except Exception as second:
                    log.error(target.name, "could not record the failure", exc=second)
        await clock.sleep(delay)


class Spinner:
    """Runs the targets that this process holds the lease of."""

    def __init__(self, context: Context, name: str, rooms: Sequence[Targets]) -> None:
        self._context = context
        self._name = name
        self._rooms = rooms
        self._presence = lease_id(name) & 0x7FFF_FFFF
        self._running: dict[str, tuple[Target, asyncio.Task[None]]] = {}
        self._offered: list[Sequence[Target]] = [() for _ in rooms]
        self._failing: set[int] = set()

    @property
    def holds(self) -> frozenset[str]:
        """Keys of the targets that run here now."""
        return frozenset(self._running)

    async def run(self, stop: asyncio.Event) -> None:
        """Spin until ``stop``; when the database goes, everything stops and starts again later."""
        failures = 0
        while not stop.is_set():
            try:
                connection = await db_utils.connect(self._context.settings, f"{self._name}-leases")
            except (*db_utils.GONE, TimeoutError, asyncpg.PostgresError):
                failures += 1
                await _wait(stop, backoff(failures, 0.5, 5))
                continue
            try:
                failures = 0
                await self._spin(connection, stop)
            except (*db_utils.GONE, TimeoutError, asyncpg.PostgresError) as error:
                log.warning(self._name, f"lost the database, leases are void: {error}")
            finally:
                await self._stop(list(self._running))
                connection.terminate()
            await _wait(stop, 0.5)

    async def _spin(
        self, connection: asyncpg.Connection[asyncpg.Record], stop: asyncio.Event
    ) -> None:
        closed = asyncio.Event()
        connection.add_termination_listener(lambda _: closed.set())
        await connection.execute(
            "SELECT pg_advisory_lock_shared($1, $2)", PRESENCE, self._presence, timeout=ANSWER_S
        )
        async with self._context.listener.subscribe("sources", "cameras") as news:
            while not stop.is_set():
                await self._reconcile(connection, await self._targets())
                await _wait_for_news(news, stop, closed)

    async def _targets(self) -> dict[str, Target]:
        """What all rooms offer now; a room that cannot tell keeps what it offered last."""
        for number, room in enumerate(self._rooms):
            try:
                self._offered[number] = await room(self._context)
                self._failing.discard(number)
            except (*db_utils.GONE, TimeoutError):
                raise
            except Exception as error:
                if number not in self._failing:
                    log.error(self._name, f"{room.__module__} cannot tell what to do", exc=error)
                self._failing.add(number)
        return {target.key: target for targets in self._offered for target in targets}

    async def _reconcile(
        self, connection: asyncpg.Connection[asyncpg.Record], targets: dict[str, Target]
    ) -> None:
        processes = await connection.fetchval(
            """
            SELECT count(*) FROM pg_locks
            WHERE locktype = 'advisory' AND classid = $1 AND objid = $2 AND objsubid = 2 AND granted
              AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            """,
            PRESENCE,
            self._presence,
            timeout=ANSWER_S,
        )
        fair = math.ceil(len(targets) / max(1, processes))
        over = [key for key, (_, task) in self._running.items() if task.done()]
        over += [key for key in self._running if key not in targets and key not in over]
        over += [key for key in self._running if key not in over][fair:]
        await self._release(connection, over)
        changed = [
            key for key, (old, _) in self._running.items() if targets[key].version != old.version
        ]
        await self._stop(changed)
        for key in changed:
            self._start(targets[key])  # the lease stayed ours
        # Start at a random place, so that processes do not all ask for the same ones first.
        free = [target for key, target in targets.items() if key not in self._running]
        random.shuffle(free)
        for target in free:
            if len(self._running) >= fair:
                break
            if await connection.fetchval(
                "SELECT pg_try_advisory_lock($1)", lease_id(target.key), timeout=ANSWER_S
            ):
                self._start(target)

    def _start(self, target: Target) -> None:
        task = asyncio.create_task(repeat(target, self._context.clock), name=target.key)
        self._running[target.key] = (target, task)
        log.debug(self._name, f"{target.name}: leased")

    async def _release(
        self, connection: asyncpg.Connection[asyncpg.Record], keys: Sequence[str]
    ) -> None:
        await self._stop(keys)
        for key in keys:
            await connection.execute(
                "SELECT pg_advisory_unlock($1)", lease_id(key), timeout=ANSWER_S
            )

    async def _stop(self, keys: Sequence[str]) -> None:
        tasks = [self._running.pop(key)[1] for key in keys]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def lease_id(key: str) -> int:
    """The advisory lock of a key: the first 64 bits of its SHA-256, signed."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big", signed=True)


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


async def _wait_for_news(news: asyncio.Queue[dict[str, Any]], *ends: asyncio.Event) -> None:
    waiting: list[asyncio.Task[Any]] = [asyncio.create_task(end.wait()) for end in ends]
    waiting.append(asyncio.create_task(news.get()))
    try:
        await asyncio.wait(waiting, timeout=LOOK_AGAIN_S, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    while not news.empty():
        news.get_nowait()


@asynccontextmanager
async def background(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run something beside the block, and end it with the block. When it fails, so does the
    block: a process never goes on as if a part of it still worked."""
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(work)
            yield
            task.cancel()
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from None


def begin(process: str) -> Settings:
    """The first step of a daemon: read the settings, begin to log, end when the parent ends."""
    postgres.die_with_parent()
    chosen = settings.load()
    # supervisord names each process; several renderers must not share a log file
    name = os.environ.get("SUPERVISOR_PROCESS_NAME", process)
    log.start(name, level=chosen.log_level, folder=chosen.data_dir / "log")
    return chosen


def run(
    main: Callable[[asyncio.Event], Coroutine[Any, Any, None]],
    *,
    kill: Callable[[], None] | None = None,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> int:
    """Run a daemon: the first SIGTERM or SIGINT sets its ``stop``, the second ends it at once.

    Args:
        main: gets the event and returns when it is done.
        kill: what must not outlive us at the second signal, e.g. running encoders.
        loop_factory: makes the event loop; asyncio's own by default.

    Returns the exit status: 0, or 1 after an error that was logged.
    """
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        return runner.run(_run(main, kill))


async def _run(
    main: Callable[[asyncio.Event], Coroutine[Any, Any, None]], kill: Callable[[], None] | None
) -> int:
    stop = asyncio.Event()

    def on_signal() -> None:
        if stop.is_set():
            if kill is not None:
                kill()
            os._exit(130)
        stop.set()

    running = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        running.add_signal_handler(number, on_signal)
    try:
        await main(stop)
    except VigilError as error:
        log.error("start", str(error))
        return 1
    except Exception as error:
        log.error("stop", "ended by an error", exc=error)
        return 1
    return 0
