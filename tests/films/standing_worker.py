"""Chores of standing films, to be killed: standing_worker.py <dsn> <data folder> <from> <to>.

Its clock goes an hour at each look; it prints the hour before it. Films are done, as if rendered,
when their period is over. Transactions that make or tell take a while, so that kills hit them.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from vigil.clock import FakeClock
from vigil.context import open_context
from vigil.films.standing import store
from vigil.films.standing import work as standing
from vigil.films.telling import store as telling_store
from vigil.films.telling import work as telling
from vigil.settings import Settings

SLOW_S = 0.004


def slow(module: Any, name: str) -> None:
    """Let a function of a store take longer, on both sides of what it does."""
    original = getattr(module, name)

    async def slower(*args: Any, **kwargs: Any) -> Any:
        await asyncio.sleep(SLOW_S)
        found = await original(*args, **kwargs)
        await asyncio.sleep(SLOW_S)
        return found

    setattr(module, name, slower)


async def main() -> None:
    for module, name in (
        (store, "note_edition"),
        (store, "go_back"),
        (store, "looked"),
        (telling_store, "note_done"),
    ):
        slow(module, name)
    settings = Settings(database_url=sys.argv[1], data_dir=Path(sys.argv[2]))
    now, end = datetime.fromisoformat(sys.argv[3]), datetime.fromisoformat(sys.argv[4])
    async with open_context(settings, "renderer") as context:
        while now < end:
            print(now.isoformat(), flush=True)
            then = replace(context, clock=FakeClock(now))
            await standing.keep_up(then)
            await context.pool.execute(
                "UPDATE films SET state = 'done', file_bytes = 1 WHERE to_at <= $1", now
            )
            await telling.tell(then)
            now += timedelta(hours=1)


if __name__ == "__main__":
    asyncio.run(main())
