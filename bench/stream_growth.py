"""What random, search, a look-up and a refresh cost as the table grows, in milliseconds.

    python -m bench.stream_growth [--sizes 10000 100000 1000000] [--times 40]

For each size a database of its own with live streams of Twitch-like shape, thrown away after it.
Medians of statements as the site and the scanner send them; a share of the first size's says how
much of the growth of the table arrives.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from pathlib import Path

import db_utils
from bench.harness import machine
from bench.stream_requests import FIRST_ID, database, different_words, fill, free_port, streams
from vigil.clock import SystemClock
from vigil.settings import Settings
from vigil.streams.dealing import store
from vigil.streams.draws import open_batches, open_pool
from vigil.streams.model import Filter
from vigil.streams.store import NEIGHBOURS, write_batch

REFRESHED = 10_000


async def milliseconds(times: int, do: Callable[[int], Awaitable[object]]) -> float:
    """Median of so many runs, the first ones uncounted."""
    spent = []
    for number in range(-3, times):
        began = time.perf_counter()
        await do(number)
        if number >= 0:
            spent.append(time.perf_counter() - began)
    return statistics.median(spent) * 1000


async def measure(settings: Settings, times: int) -> dict[str, float]:
    """The figures of one database."""
    clock = SystemClock()
    pool, batches = await open_pool(settings), await open_batches(settings)
    generator = random.Random(4)
    words = [word for word in different_words(10_000) if len(word) > 2]
    seen = list(islice(streams(REFRESHED), REFRESHED))

    async def draw(wanted: Filter, count: int) -> object:
        now = clock.now() + timedelta(seconds=1)
        start, neighbours = generator.random(), NEIGHBOURS if count == 1 else 0
        return await store.draw(pool, wanted, count, now, start, neighbours=neighbours)

    async def rare(number: int) -> object:
        asked = [(Filter(include=(generator.choice(words),), max_viewers=0), 1) for _ in range(16)]
        return await store.rare(batches, asked, clock.now())

    async def look_up(number: int) -> object:
        keys = [f"bench:{FIRST_ID + generator.randrange(REFRESHED)}" for _ in range(64)]
        return await store.look_up(batches, keys, clock.now())

    async def refresh(number: int) -> object:
        changed = [replace(one, viewers=generator.randrange(100)) for one in seen]
        return await write_batch(writer, source, changed, clock.now(), 86_400)

    quiet = Filter(max_viewers=0)
    figures = {
        "one random, nothing drawn ahead": await milliseconds(times, lambda n: draw(quiet, 1)),
        "a deck of 1,000": await milliseconds(times, lambda n: draw(quiet, 1000)),
        "one with a common word": await milliseconds(
            times, lambda n: draw(replace(quiet, include=("mario",)), 1)
        ),
        "one with two letters": await milliseconds(
            times, lambda n: draw(replace(quiet, include=("ma",)), 1)
        ),
        "one with a rare word, of a batch of 16": await milliseconds(times, rare) / 16,
        "one by id, of a batch of 64": await milliseconds(times, look_up) / 64,
    }
    writer = await db_utils.create_pool(settings, "bench", size=1)
    source = await writer.fetchval("SELECT id FROM sources")
    figures["refresh of 10,000, viewers changed"] = await milliseconds(5, refresh)
    for one in (pool, batches, writer):
        await one.close()
    return figures


async def measured(folder: Path, size: int, times: int) -> dict[str, float]:
    """The figures of a new database of that size."""
    settings = Settings(data_dir=folder, port=free_port())
    await fill(settings, size)
    return await measure(settings, times)


def shown(results: dict[int, dict[str, float]]) -> str:
    """A table: a line each figure, a column each size."""
    first, *_ = results.values()
    lines = [f"{'ms (× the first)':<42}" + "".join(f"{size:>20,}" for size in results)]
    for name in first:
        cells = (
            f"{found[name]:.3f} (×{found[name] / first[name]:.1f})" for found in results.values()
        )
        lines.append(f"{name:<42}" + "".join(f"{cell:>20}" for cell in cells))
    return "\n".join(lines)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--times", type=int, default=40, help="each statement is run")
    parser.add_argument("--folder", type=Path, help="where the databases are kept, each in its own")
    options = parser.parse_args()
    print(machine(), file=sys.stderr)
    results = {}
    for size in options.sizes:
        kept = options.folder and options.folder / str(size)
        with database(kept) as folder:
            results[size] = asyncio.run(measured(folder, size, options.times))
    print(shown(results))


if __name__ == "__main__":
    main()
