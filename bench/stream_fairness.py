"""How evenly random streams are dealt: 400,000 draws of one, as ``GET /stream`` makes them.

    python -m bench.stream_fairness [--streams 100000] [--draws 400000]

Prints the share of the matching streams that came by, and χ²/df of how often each did: 1 for
independent draws, less where none comes again before the others came. 64 draw at once, and as
fast as they can, which is harder on the decks than any site is. The database is thrown away.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import Counter
from pathlib import Path

import msgspec
import uvloop

from bench.harness import machine
from bench.stream_requests import database, fill, free_port
from vigil.clock import SystemClock
from vigil.settings import Settings
from vigil.streams.draws import Draws, open_draws
from vigil.streams.model import Filter

AT_ONCE = 64
QUIET = Filter(max_viewers=0)


class Named(msgspec.Struct):
    """What of a stream is looked at."""

    id: str


async def visitor(draws: Draws, number: int, drawn: Counter[bytes]) -> None:
    """Draws one after the other, as a handler does."""
    for _ in range(number):
        rows = draws.at_once(QUIET, 1)
        drawn[(rows if rows is not None else await draws.take(QUIET, 1))[0]] += 1
        await asyncio.sleep(0)


async def measure(settings: Settings, number: int) -> str:
    """The figures, as a line."""
    draws = await open_draws(settings, SystemClock())
    bodies: Counter[bytes] = Counter()
    began = time.perf_counter()
    visitors = (visitor(draws, number // AT_ONCE, bodies) for _ in range(AT_ONCE))
    await asyncio.gather(*visitors)
    seconds = time.perf_counter() - began
    matching: int = await draws.pool.fetchval(
        "SELECT count(*) FROM stream_liveness WHERE viewers = 0 AND expires_at > now()"
    )
    await draws.close()
    drawn: Counter[str] = Counter()
    for body, times in bodies.items():  # one stream has another body when its viewers changed
        drawn[msgspec.json.decode(body, type=Named).id] += times
    mean = drawn.total() / matching
    chi_squared = sum((times - mean) ** 2 / mean for times in drawn.values())
    chi_squared += (matching - len(drawn)) * mean
    return (
        f"{drawn.total():,} draws of {matching:,} in {seconds:.1f} s: "
        f"{len(drawn) / matching:.2%} reached, χ²/df {chi_squared / (matching - 1):.2f}"
    )


async def filled(settings: Settings, streams: int, number: int) -> str:
    """The same, of a new database."""
    await fill(settings, streams)
    return await measure(settings, number)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--streams", type=int, default=100_000)
    parser.add_argument("--draws", type=int, default=400_000)
    parser.add_argument("--folder", type=Path, help="where the database is kept")
    options = parser.parse_args()
    print(machine(), file=sys.stderr)
    with (
        database(options.folder) as folder,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        settings = Settings(data_dir=folder, port=free_port())
        print(runner.run(filled(settings, options.streams, options.draws)))


if __name__ == "__main__":
    main()
