"""Rows a second of a pass that writes live streams, against plain COPY of the same rows.

    python -m bench.stream_write [--streams 100000] [--rounds 5] [--passes 100] [--json]

Refreshes a directory of Twitch-like shape (``bench.stream_requests.streams``) in three ways: the
viewers changed; 30% of the descriptions changed as well; and everything for the first time. COPY
puts the same rows into a table without indexes, on the same connection, in turn. Then so many
passes over the same directory (10% replaced, 30% of the viewers changed in each) show what the
tables and indexes grow to, against a fresh load, tidied as after every pass.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import db_utils
from bench.harness import Side, compare, machine
from bench.stream_requests import streams
from vigil import postgres
from vigil.clock import SystemClock
from vigil.settings import Settings
from vigil.streams.model import SeenStream
from vigil.streams.writing import store

BATCH = 25_000
TTL_S = 86_400.0


async def copy(pool: db_utils.Pool, known: Sequence[SeenStream]) -> float:
    """The same rows into a bare table."""
    now = SystemClock().now()
    began = time.perf_counter()
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("DROP TABLE IF EXISTS bare")
        await connection.execute(
            "CREATE TABLE bare (external_id text, viewers int, title text, category text,"
            " tags text[], channel text, thumbnail text, started_at timestamptz, seen_at"
            " timestamptz)"
        )
        await connection.copy_records_to_table(
            "bare",
            records=(
                (
                    s.external_id,
                    s.viewers,
                    s.title,
                    s.category,
                    s.tags,
                    s.channel_login,
                    s.thumbnail_url,
                    s.started_at,
                    now,
                )
                for s in known
            ),
        )
    return len(known) / (time.perf_counter() - began)


async def write(pool: db_utils.Pool, source_id: int, seen: Sequence[SeenStream]) -> float:
    """Write them as a pass does; returns rows a second."""
    began = time.perf_counter()
    for start in range(0, len(seen), BATCH):
        batch = seen[start : start + BATCH]
        await store.write_batch(pool, source_id, batch, SystemClock().now(), TTL_S)
    return len(seen) / (time.perf_counter() - began)


def changed(known: Sequence[SeenStream], share: float) -> list[SeenStream]:
    """The same with other viewers, and a share of them with another title; in another order."""
    seen = [replace(one, viewers=random.randrange(9)) for one in known]
    for number in random.sample(range(len(seen)), int(len(seen) * share)):
        seen[number] = replace(seen[number], title=f"{random.random():.9f} {seen[number].title}")
    random.shuffle(seen)
    return seen


async def size(pool: db_utils.Pool) -> int:
    """Bytes of both tables with their indexes."""
    found: int = await pool.fetchval(
        "SELECT pg_total_relation_size('streams') + pg_total_relation_size('stream_liveness')"
    )
    return found


async def grow(pool: db_utils.Pool, source_id: int, count: int, passes: int) -> None:
    """Print what passes do to the size."""
    await pool.execute("TRUNCATE streams CASCADE")
    everything = list(streams(count * 2))
    live = everything[:count]
    await write(pool, source_id, live)
    await store.tidy_search(pool)
    fresh = await size(pool)
    for number in range(passes):
        started_at: datetime = SystemClock().now()
        for place in random.sample(range(count), count // 10):
            known, other = live[place], random.choice(everything)
            live[place] = replace(other, external_id=f"{known.external_id[:10]}x{number}")
        for place in random.sample(range(count), count * 3 // 10):
            live[place] = replace(live[place], viewers=random.randrange(9))
        await write(pool, source_id, live)
        await store.retire(pool, source_id, started_at)
        await store.prune(pool, started_at - timedelta(days=1))
        await store.tidy_search(pool)
        await store.vacuum(pool)
        if number % 10 == 9:
            ratio = await size(pool) / fresh
            print(f"size after {number + 1} passes / fresh: {ratio:.2f}", flush=True)


async def run(options: argparse.Namespace, settings: Settings) -> None:
    """Load, measure, print."""
    await db_utils.wait_until_up(settings)
    await db_utils.migrate(settings)
    pool = await db_utils.create_pool(settings, "bench", size=2)
    source_id: int = await pool.fetchval(
        "INSERT INTO sources (name, kind, enabled) VALUES ('bench', 'twitch', false) RETURNING id"
    )
    known = list(streams(options.streams))
    print(f"fresh: {await write(pool, source_id, known):,.0f} rows/s")
    await store.tidy_search(pool)
    await pool.execute("VACUUM ANALYZE")

    async def refresh(share: float) -> float:
        seen = changed(known, share)
        rate = await write(pool, source_id, seen)
        await store.tidy_search(pool)
        return rate

    for title, share in (("viewers changed", 0.0), ("30% of descriptions changed, too", 0.3)):
        result = await compare(
            f"refresh of {options.streams:,}, {title}",
            Side("COPY", partial(copy, pool, known)),
            Side("vigil", partial(refresh, share)),
            unit="rows/s",
            rounds=options.rounds,
        )
        print(json.dumps(result.as_object()) if options.json else result, flush=True)
    await grow(pool, source_id, options.streams // 5, options.passes)
    await pool.close()


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--streams", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--passes", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    print(machine(), file=sys.stderr)
    folder = Path(tempfile.mkdtemp(prefix="vigil-bench-"))
    folder.chmod(0o755)
    try:
        with postgres.running(folder):
            asyncio.run(run(options, Settings(data_dir=folder)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
