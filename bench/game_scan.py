"""What a scan of many games costs, and how many bytes of the database a tick of a game takes.

    python -m bench.game_scan [--games 200] [--stars 300] [--players 8] [--ticks 24] [--json]

Games of a made-up galaxy on a server on loopback, in a process of its own; in each tick a star or
two change hands, players have more ships and half of the fleets move. Every game is asked for once
in every tick. The same answers, asked for and thrown away, are what it is compared with.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp

from bench.harness import machine
from bench.stream_requests import database, free_port
from tests.servers.neptunes_pride import Hosted, NeptunesPride
from tests.servers.universe import Universe
from vigil.clock import FakeClock
from vigil.context import Context, open_context
from vigil.games import scan
from vigil.games.asking import ask_with
from vigil.games.model import Snapshot
from vigil.games.register import register
from vigil.settings import ROOT, Settings

TABLES = ("games", "owners", "totals", "fleets", "stars", "players", "spans", "gaps", "keys")


async def serve(games: int, stars: int, players: int) -> None:
    """The server: a GET of /advance lets a tick pass in every game."""
    galaxies = {
        str(n): Universe.made_up(stars, players, dark=0.1, seed=n, tick=10) for n in range(games)
    }
    plain = NeptunesPride({n: Hosted(one, {"key": 1}) for n, one in galaxies.items()})
    answer = plain.handle

    async def handle(request: aiohttp.web.BaseRequest) -> aiohttp.web.StreamResponse:
        if request.path == "/advance":
            for one in galaxies.values():
                one.advance()
            return aiohttp.web.Response(text="on")
        return await answer(request)

    plain.handle = handle  # type: ignore[method-assign]  # as a subclass would, of this one server
    async with plain as server:
        print(server.url, flush=True)
        await asyncio.Event().wait()


@asynccontextmanager
async def served(options: argparse.Namespace) -> AsyncIterator[str]:
    """The server as a process; its address."""
    sizes = {"--games": options.games, "--stars": options.stars, "--players": options.players}
    words = [text for name, size in sizes.items() for text in (name, str(size))]
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.game_scan", "--serve", *words],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()


async def sizes(context: Context) -> dict[str, int]:
    """Bytes of each table with its indexes."""
    found = {}
    for table in TABLES:
        name = table if table == "games" else f"game_{table}"
        found[table] = await context.pool.fetchval("SELECT pg_total_relation_size($1)", name)
    return found


async def measure(folder: Path, options: argparse.Namespace) -> dict[str, object]:
    """All figures."""
    async with served(options) as url, aiohttp.ClientSession(url) as session:
        settings = Settings(data_dir=folder, port=free_port(), neptunes_pride_url=url)
        clock = FakeClock()
        async with open_context(settings, "bench", pool_size=20) as real:
            context = replace(real, clock=clock)
            numbers = [str(n) for n in range(options.games)]
            ids = [(await register(context, n, "key", "np")).game.id for n in numbers]
            asked = await ask_with(context, "np", "0", "key", None)
            assert isinstance(asked, Snapshot)
            began = await sizes(context)
            spent: dict[str, list[float]] = {"asking": [], "scan": []}

            async def all_of(what: Callable[[int], Awaitable[object]]) -> float:
                start = time.perf_counter()
                await asyncio.gather(*(what(n) for n in range(options.games)))
                return time.perf_counter() - start

            for _ in range(options.ticks):
                async with session.get("/advance") as told:
                    await told.read()
                await clock.advance(1800)
                spent["asking"].append(
                    await all_of(lambda n: ask_with(context, "np", numbers[n], "key", None))
                )
                spent["scan"].append(await all_of(lambda n: scan.look(context, ids[n], early=True)))
            ended = await sizes(context)
            rows = await context.pool.fetchrow(
                """
                SELECT (SELECT count(*) FROM game_owners) AS owners,
                    (SELECT count(*) FROM game_totals) AS totals,
                    (SELECT count(*) FROM game_gaps) AS gaps
                """
            )
            async with session.post(
                "/api", data={"game_number": "0", "code": "key", "api_version": "0.1"}
            ) as response:
                answer = len(await response.read())
    ticks = options.games * options.ticks
    grown = {table: (ended[table] - began[table]) / ticks for table in TABLES}
    assert rows is not None
    return {
        "machine": machine(),
        "games": options.games,
        "stars": options.stars,
        "players": options.players,
        "ticks": options.ticks,
        "bytes of an answer": answer,
        "bytes a game and tick": round(sum(grown.values())),
        "of these": {table: round(size) for table, size in grown.items() if round(size)},
        "bytes a game before its second tick": round(sum(began.values()) / options.games),
        "rows of owners": rows["owners"],
        "rows of totals": rows["totals"],
        "gaps": rows["gaps"],
        "seconds to ask": round(statistics.median(spent["asking"]), 3),
        "seconds of a scan": round(statistics.median(spent["scan"]), 3),
        "ratio": round(
            statistics.median(
                ours / alone for ours, alone in zip(spent["scan"], spent["asking"], strict=True)
            ),
            2,
        ),
    }


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--games", type=int, default=200)
    parser.add_argument("--stars", type=int, default=300, help="of each game")
    parser.add_argument("--players", type=int, default=8, help="of each game")
    parser.add_argument("--ticks", type=int, default=24)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(options.games, options.stars, options.players))
        return
    with database(None) as folder:
        found = asyncio.run(measure(folder, options))
    if options.json:
        print(json.dumps(found))
        return
    for name, figure in found.items():
        print(f"{name:<36} {figure}")


if __name__ == "__main__":
    main()
