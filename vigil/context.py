"""What every process has: settings, clock, database, blobs, the way out, and news."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, cast

import db_utils
from vigil import events, log, marking
from vigil.clock import Clock, SystemClock
from vigil.settings import Settings
from vigil.storage import Storage

if TYPE_CHECKING:
    from vigil.fetch import Fetcher


@dataclass(frozen=True, kw_only=True)
class Context:
    """Passed to whatever works: never global, so that a test can hand in its own."""

    settings: Settings
    clock: Clock
    pool: db_utils.Pool
    storage: Storage
    fetcher: Fetcher
    listener: events.Listener


@asynccontextmanager
async def open_context(
    settings: Settings,
    name: str,
    *,
    clock: Clock | None = None,
    pool_size: int = 10,
    stateless: bool = False,
    asks: bool = True,
) -> AsyncIterator[Context]:
    """Wait for the database, migrate it, and open everything; closes it again on the way out.

    Args:
        settings: say where.
        name: of the process, for the database.
        clock: the system's, unless a test says otherwise.
        pool_size: connections to the database, at most.
        stateless: see ``db_utils.create_pool``.
        asks: whether it makes HTTP requests; one that makes none need not carry what they take.
    """
    await db_utils.wait_until_up(settings)
    await db_utils.migrate(settings)
    clock = clock or SystemClock()
    storage = Storage.open(settings.blobs_url)
    listener = events.Listener(lambda: db_utils.connect(settings, f"{name}-events"))
    async with contextlib.AsyncExitStack() as stack:
        pool = await db_utils.create_pool(settings, name, size=pool_size, stateless=stateless)
        stack.push_async_callback(_close_pool, pool)
        if not await marking.settle(pool, storage):
            log.warning("storage", "the blobs are not where they should be: bin/vigil store show")
        fetcher = cast("Fetcher", _Nobody())
        if asks:
            from vigil.fetch import Fetcher

            fetcher = await stack.enter_async_context(Fetcher(clock=clock))
        listening = asyncio.create_task(listener.run(), name="events")
        stack.push_async_callback(_cancel, listening)
        yield Context(
            settings=settings,
            clock=clock,
            pool=pool,
            storage=storage,
            fetcher=fetcher,
            listener=listener,
        )


class _Nobody:
    """The way out of a process that said it would ask nobody."""

    def __getattr__(self, name: str) -> NoReturn:
        raise RuntimeError("this process makes no requests: see open_context")


async def _close_pool(pool: db_utils.Pool) -> None:
    try:
        await asyncio.wait_for(pool.close(), 5)
    except TimeoutError:
        pool.terminate()


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
