"""Writes batches until it is killed by a test: writer.py <dsn> <source's id> <streams>.

In batch n everybody has n viewers, and every third stream a title that says so. Prints n when a
batch is done.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime, timedelta

import db_utils
from tests.streams.test_store import stream
from vigil.settings import Settings
from vigil.streams.model import SeenStream
from vigil.streams.writing import store

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def batch(number: int, size: int) -> list[SeenStream]:
    titles = {n: {"title": f"Batch {number}"} for n in range(0, size, 3)}
    return [stream(n, viewers=number, **titles.get(n, {})) for n in range(size)]


async def main(dsn: str, source_id: int, size: int) -> None:
    pool = await db_utils.create_pool(Settings(database_url=dsn), "writer", size=1)
    number = await pool.fetchval("SELECT coalesce(max(viewers), 0) FROM stream_liveness")
    while True:
        number += 1
        seen_at = NOW + timedelta(seconds=number)
        await store.write_batch(pool, source_id, batch(number, size), seen_at, 600)
        print(number, flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
