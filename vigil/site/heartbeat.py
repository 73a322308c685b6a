"""Each daemon's sign of life: a row of its own, refreshed as long as it runs."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import suppress

import asyncpg

import db_utils
from vigil import __version__, log
from vigil.context import Context
from vigil.site import store

EVERY_S = 5.0
GIVE_UP_S = 4.0
"""A beat that takes longer is dropped; the next one is better."""
FAREWELL_S = 2.0
AWAY = (*db_utils.GONE, TimeoutError, asyncpg.PostgresError)


async def beat(context: Context, name: str) -> None:
    """Say every five seconds that this process lives, until cancelled; then take it back.

    Args:
        context: of this process.
        name: app, scanner or renderer.
    """
    host, pid = socket.gethostname(), os.getpid()
    began = context.clock.monotonic()
    silent = False
    try:
        while True:
            up_s = context.clock.monotonic() - began
            try:
                async with asyncio.timeout(GIVE_UP_S):
                    await store.beat(
                        context.pool, name=name, host=host, pid=pid, version=__version__, up_s=up_s
                    )
                silent = False
            except AWAY as error:
                if not silent:
                    log.warning("site", f"no heartbeat: the database is away ({_reason(error)})")
                silent = True
            await context.clock.sleep(EVERY_S)
    finally:
        with suppress(*AWAY):
            async with asyncio.timeout(FAREWELL_S):
                await store.leave(context.pool, name=name, host=host, pid=pid)


def _reason(error: BaseException) -> str:
    return str(error) or type(error).__name__
