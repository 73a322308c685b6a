"""Seconds of a pass over Twitch against what the rate limit dictates.

    python -m bench.twitch_scan [--channels 100000] [--passes 20] [--faster 1] [--no-faults]

A peer that speaks Helix runs as a process of its own: 800 points a minute, answers after 150 ms,
channels that come and go (a stream lasts two hours) and change their viewers meanwhile, and in
every other pass failing requests. ``--faster 20`` makes the minute, and the lives of streams, 20
times shorter, but not the answers. The floor is what any scanner needs: a request for each hundred
live channels, less the points that the bucket holds when the pass begins, at the rate of the limit.
After each pass the database is held against what the peer had live when it began and when it ended;
what is live throughout and neither known before nor found is one that changed places meanwhile.
``--no-compare`` leaves that out, so that the memory is the scanner's alone, not the bench's lists.
``--restart`` forgets between the passes whatever a process holds, as a restart does.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import db_utils
from bench.harness import machine
from vigil import postgres
from vigil.context import Context, open_context
from vigil.errors import SourceError
from vigil.loop import Target
from vigil.settings import ROOT, Settings
from vigil.sources import helix
from vigil.sources import store as sources_store
from vigil.streams import scan

POINTS, MINUTE_S, LASTS_S = 800, 60.0, 7200.0


@dataclass
class Peer:
    """The other process."""

    process: asyncio.subprocess.Process
    where: dict[str, str]

    async def ask(self, what: str) -> dict[str, Any]:
        """What is live there, and how it is."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{what}\n".encode())
        told: dict[str, Any] = json.loads(await self.process.stdout.readline())
        return told


@asynccontextmanager
async def peer(options: argparse.Namespace) -> AsyncIterator[Peer]:
    """Helix, until the end of the block."""
    channels, faster = options.channels, options.faster
    churn_s = channels / LASTS_S * faster * options.churn
    figures = (channels, MINUTE_S / faster, options.answer_s, churn_s, options.cursors)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.helix_peer", *map(str, figures)),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=2**26,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Peer(process, json.loads(await process.stdout.readline()))
    finally:
        process.stdin.close()
        await process.wait()


async def held(context: Context) -> set[str]:
    """What we say is live."""
    rows = await context.pool.fetch(
        "SELECT external_id FROM stream_liveness WHERE expires_at > now()"
    )
    return {row["external_id"] for row in rows}


async def the_source(context: Context) -> Target:
    """What the scanner would do again and again."""
    return next(one for one in await scan.targets(context) if one.key.startswith("source:"))


async def passes(context: Context, other: Peer, options: argparse.Namespace) -> list[float]:
    """Look so often; prints each pass, returns time / floor of each."""
    minute_s = MINUTE_S / options.faster
    await sources_store.add(
        context.pool,
        name="twitch",
        kind="twitch",
        base_url=None,
        options={},
        interval_s=1,
        ttl_s=900,
    )
    target = await the_source(context)
    ratios, known = [], set[str]()
    for number in range(options.passes):
        faulty = options.faults and number % 2 == 1
        if options.restart:
            helix._clients.clear()
            target = await the_source(context)
        names = "names" if options.compare else ""
        before = await other.ask(f"{names} faults" if faulty else names)
        began, cpu_s = time.perf_counter(), time.process_time()
        try:
            await target.run_once()
        except SourceError as error:  # the scanner would say so and begin again
            print(f"pass {number + 1:2} failed: {error}", flush=True)
            continue
        took, cpu_s = time.perf_counter() - began, time.process_time() - cpu_s
        after, ours = await other.ask(names), await held(context) if options.compare else set()
        needed = math.ceil(before["count"] / 100)
        floor = max(needed - before["points"], 0) / POINTS * minute_s
        throughout = set(before["live"]) & set(after["live"])
        ratios.append(took / floor if floor else math.inf)
        print(
            f"pass {number + 1:2}{' with faults' if faulty else '':12} {took:6.2f} s, "
            f"floor {floor:6.2f} s, ratio {ratios[-1]:.3f}; {after['pages'] - before['pages']} "
            f"answers for {needed} pages; live {len(ours)}, "
            f"removed though live {len((throughout & known) - ours)}, "
            f"kept though over {len((ours & known) - set(before['live']) - set(after['live']))}, "
            f"not found yet {len(throughout - ours)}; refused {after['refused']}, "
            f"CPU {cpu_s:.2f} s, "
            f"the peer's {after['cpu_s'] - before['cpu_s']:.2f} s",
            flush=True,
        )
        known = ours
    return ratios


async def run(options: argparse.Namespace, settings: Settings) -> None:
    """Start everything, look, print."""
    await db_utils.wait_until_up(settings)
    await db_utils.migrate(settings)
    async with peer(options) as other:
        pointed_at = Settings(
            data_dir=settings.data_dir,
            twitch_client_id="vigil-test",
            twitch_client_secret="s3cret-of-the-test",
            twitch_api_url=other.where["api"],
            twitch_auth_url=other.where["auth"],
        )
        async with open_context(pointed_at, "bench") as context:
            ratios = await passes(context, other, options)
    steady = ratios[1:] or ratios  # the first begins with a full bucket and an empty database
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"time / floor: median {statistics.median(steady):.3f}, most {max(steady):.3f} "
        f"(first pass {ratios[0]:.3f}); memory at most {peak:.0f} MB"
    )


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--channels", type=int, default=100_000)
    parser.add_argument("--passes", type=int, default=20)
    parser.add_argument("--faster", type=float, default=1.0)
    parser.add_argument("--answer-s", type=float, default=0.15)
    parser.add_argument("--churn", type=float, default=1.0, help="times that of Twitch")
    parser.add_argument("--cursors", choices=("score", "offset", "bound"), default="score")
    parser.add_argument("--restart", action="store_true", help="the scanner, before each pass")
    parser.add_argument("--no-compare", dest="compare", action="store_false")
    parser.add_argument("--no-faults", dest="faults", action="store_false")
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
