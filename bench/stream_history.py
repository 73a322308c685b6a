"""What it costs to remember who watches: a sample of all live streams, and the bytes it takes.

    python -m bench.stream_history [--streams 100000] [--rounds 5] [--json]

Before each sample a pass changes the viewers of 30% of the streams, the titles of 1%, and replaces
2% by new ones. The baseline puts the same viewers into a table with a row for each stream and
sample, and brings nothing else up to date. Bytes are those of four further samples, tables and
indexes, a stream and sample; a day of samples every five minutes is 288 of them.
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
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import db_utils
from bench.harness import Side, compare, machine
from bench.stream_requests import streams
from vigil import postgres
from vigil.clock import SystemClock
from vigil.settings import Settings
from vigil.streams.history import store
from vigil.streams.history.model import FINE, HOURLY, SAMPLE
from vigil.streams.model import SeenStream
from vigil.streams.writing import store as writing

SAMPLES_A_DAY = timedelta(days=1) / SAMPLE
FURTHER = 4
HOURLY_SAMPLES = (HOURLY - FINE) / timedelta(hours=1)


class Directory:
    """Streams that come, go, are watched and renamed, on a clock of its own."""

    def __init__(self, pool: db_utils.Pool, source_id: int, count: int) -> None:
        self._pool, self._source_id = pool, source_id
        self._spare = list(streams(count * 2))
        self._live = self._spare[:count]
        self._renewed = 0
        self.now = SystemClock().now()

    async def load(self) -> None:
        """All of them for the first time."""
        await self._write()
        await self._pool.execute("VACUUM ANALYZE")

    async def go_on(self) -> None:
        """The next pass, five minutes later."""
        self.now += SAMPLE
        count = len(self._live)
        for place in random.sample(range(count), count * 3 // 10):
            self._live[place] = replace(self._live[place], viewers=random.randrange(9))
        for place in random.sample(range(count), count // 100):
            one = self._live[place]
            self._live[place] = replace(one, title=f"{random.random():.9f} {one.title}")
        for place in random.sample(range(count), count // 50):
            self._renewed += 1
            other: SeenStream = random.choice(self._spare)
            self._live[place] = replace(other, external_id=f"new{self._renewed}")
        await self._write()
        await writing.retire(self._pool, self._source_id, self.now)

    async def _write(self) -> None:
        await writing.write_batch(self._pool, self._source_id, self._live, self.now, 86_400)
        await writing.tidy_search(self._pool)
        await writing.vacuum(self._pool)


async def size(pool: db_utils.Pool, table: str) -> int:
    """Bytes of a table with its indexes and what is stored beside it."""
    found: int = await pool.fetchval("SELECT pg_total_relation_size($1::text::regclass)", table)
    return found


async def run(options: argparse.Namespace, settings: Settings) -> None:
    """Load, measure, print."""
    await db_utils.wait_until_up(settings)
    await db_utils.migrate(settings)
    pool = await db_utils.create_pool(settings, "bench", size=2)
    source_id: int = await pool.fetchval(
        "INSERT INTO sources (name, kind, enabled) VALUES ('bench', 'twitch', false) RETURNING id"
    )
    directory = Directory(pool, source_id, options.streams)
    await directory.load()
    await pool.execute(
        "CREATE TABLE plain (stream_id bigint, at timestamptz, viewers int, "
        "PRIMARY KEY (stream_id, at))"
    )
    last: datetime | None = None

    async def plain() -> float:
        await directory.go_on()
        began = time.perf_counter()
        await pool.execute(
            "INSERT INTO plain SELECT stream_id, $1, viewers FROM stream_liveness", directory.now
        )
        return time.perf_counter() - began

    async def sample() -> float:
        nonlocal last
        await directory.go_on()
        began = time.perf_counter()
        await store.sample(pool, directory.now, last)
        last = directory.now
        return time.perf_counter() - began

    result = await compare(
        f"a sample of {options.streams:,} streams",
        Side("a row each", plain),
        Side("vigil", sample),
        unit="s",
        rounds=options.rounds,
    )
    print(json.dumps(result.as_object()) if options.json else result, flush=True)
    for name, table, take in (("a row each", "plain", plain), ("vigil", "stream_samples", sample)):
        before = await size(pool, table)
        for _ in range(FURTHER):
            await take()
        each = (await size(pool, table) - before) / FURTHER / options.streams
        print(
            f"{name}: {each:.1f} bytes a stream and sample, {each * SAMPLES_A_DAY:,.0f} a day, "
            f"{each * HOURLY_SAMPLES:,.0f} for the hours of the week before"
        )
    for table in ("stream_memories", "ended_streams"):
        rows = await pool.fetchval(f"SELECT count(*) FROM {table}")
        print(f"{table}: {await size(pool, table) / rows:.0f} bytes each of {rows:,}")
    began = time.perf_counter()
    name = await pool.fetchval("SELECT external_id FROM stream_memories ORDER BY since LIMIT 1")
    for _ in range(100):
        await store.live(pool, "bench", name, directory.now)
    print(f"one stream read: {(time.perf_counter() - began) * 10:.2f} ms")
    await pool.close()


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--streams", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
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
