"""Rows a second of a pass, against COPY of the same rows in the same minute; what passes grow to.

    python -m bench.stream_write [--streams 100000] [--rounds 5] [--passes 100]
        [--only viewers|described|size] [--json]

Refreshes live streams of Twitch-like shape (`bench.stream_requests.streams`) with other viewers,
and with other viewers and 30% of the titles changed since the round before. A rate is that of
`write_batch`, 25,000 at once, from objects in memory to the commit; COPY puts the same rows into a
table without indexes, on the same connection, in turn. Beside it: what PostgreSQL alone takes for
the statements that refresh, and what is left for later where descriptions changed: the search
index tidied, the vacuum, and how long a search takes until then. Last, so many passes over one
directory (10% replaced, 30% of the viewers changed in each) show what the tables and indexes grow
to, against a fresh load, tidied as after every pass.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import db_utils
from bench.harness import Measure, Side, compare, machine
from bench.stream_requests import streams
from vigil import postgres
from vigil.clock import SystemClock
from vigil.settings import Settings
from vigil.streams.dealing import store as dealing
from vigil.streams.draws import open_pool
from vigil.streams.model import Filter, SeenStream
from vigil.streams.writing import store

BATCH = 25_000
SHARE = 0.3
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
        title = seen[number].title
        title = title.partition(" ")[2] if title.startswith("0.") else title  # of an earlier round
        seen[number] = replace(seen[number], title=f"{random.random():.9f} {title}")
    random.shuffle(seen)
    return seen


async def alone(pool: db_utils.Pool, source_id: int, seen: Sequence[SeenStream]) -> float:
    """What PostgreSQL does of a refresh, everything made ready before; rows a second."""
    ready = [
        store._keys(chunk)
        for start in range(0, len(seen), BATCH)
        for chunk in store._chunks(seen[start : start + BATCH], store.CHUNK)
    ]
    now = SystemClock().now()
    began = time.perf_counter()
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(store._HOW)
        for keys in ready:
            until = now + timedelta(seconds=TTL_S)
            await connection.fetchval(store._REFRESH, source_id, now, until, *keys)
    return len(seen) / (time.perf_counter() - began)


async def seconds(do: Awaitable[object]) -> float:
    """How long it takes."""
    began = time.perf_counter()
    await do
    return time.perf_counter() - began


async def search(visitors: db_utils.Pool) -> float:
    """Milliseconds of a search for a word that few have, median of seven."""
    now, wanted = SystemClock().now(), Filter(include=("mariokart",))
    spent = [await seconds(dealing.draw(visitors, wanted, 1, now, 0.5)) for _ in range(7)]
    return statistics.median(spent) * 1000


async def size(pool: db_utils.Pool) -> int:
    """Bytes of both tables with their indexes."""
    found: int = await pool.fetchval(
        "SELECT pg_total_relation_size('streams') + pg_total_relation_size('stream_liveness')"
    )
    return found


async def parts(pool: db_utils.Pool) -> list[tuple[str, int]]:
    """Bytes of each table and index."""
    rows = await pool.fetch(
        "SELECT relname, pg_relation_size(pg_class.oid) FROM pg_index JOIN pg_class"
        " ON pg_class.oid IN (indrelid, indexrelid)"
        " WHERE indrelid IN ('streams'::regclass, 'stream_liveness'::regclass)"
        " GROUP BY pg_class.oid ORDER BY 1"
    )
    return [(row[0], row[1]) for row in rows]


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
    print("  " + ", ".join(f"{name} {bytes_ / 1e6:.1f} MB" for name, bytes_ in await parts(pool)))


async def run(options: argparse.Namespace, settings: Settings) -> None:
    """Load, measure, print."""
    await db_utils.wait_until_up(settings)
    await db_utils.migrate(settings)
    pool = await db_utils.create_pool(settings, "bench", size=2)
    visitors = await open_pool(settings)
    source_id: int = await pool.fetchval(
        "INSERT INTO sources (name, kind, enabled) VALUES ('bench', 'twitch', false) RETURNING id"
    )
    known = list(streams(options.streams))
    print(f"fresh: {await write(pool, source_id, known):,.0f} rows/s")
    await store.tidy_search(pool)
    await pool.execute("VACUUM ANALYZE")

    async def viewers() -> float:
        return await write(pool, source_id, changed(known, 0))

    later: dict[str, list[float]] = {}

    async def described() -> float:
        nonlocal known
        known = changed(known, SHARE)
        spent = {"writing, s": await seconds(write(pool, source_id, known))}
        spent["a search until the index is tidied, ms"] = await search(visitors)
        spent["tidying it, s"] = await seconds(store.tidy_search(pool))
        spent["vacuum, s"] = await seconds(store.vacuum(pool))
        spent["a search then, ms"] = await search(visitors)
        for name, figure in spent.items():
            later.setdefault(name, []).append(figure)
        return len(known) / spent["writing, s"]

    async def pair(title: str, ours: Measure) -> None:
        result = await compare(
            f"refresh of {options.streams:,}, {title}",
            Side("COPY", lambda: copy(pool, known)),
            Side("vigil", ours),
            unit="rows/s",
            rounds=options.rounds,
        )
        print(json.dumps(result.as_object()) if options.json else result, flush=True)

    if options.only in (None, "viewers"):
        await pair("viewers changed", viewers)
        rates = [await alone(pool, source_id, changed(known, 0)) for _ in range(options.rounds)]
        print(f"  PostgreSQL alone: {statistics.median(rates):,.0f} rows/s", flush=True)
    if options.only in (None, "described"):
        await pair(f"{SHARE:.0%} of descriptions changed, too", described)
        for name, figures in later.items():
            print(f"  {name}: {statistics.median(figures[1:]):.3g}", flush=True)
    if options.only in (None, "size"):
        await grow(pool, source_id, options.streams // 5, options.passes)
    await visitors.close()
    await pool.close()


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--streams", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--passes", type=int, default=100)
    parser.add_argument("--only", choices=("viewers", "described", "size"))
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
