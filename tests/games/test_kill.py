"""A scanner that is really killed while it records: what is there is what happened."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from tests.games.helpers import expected, expected_totals, owners
from tests.running import NOBODY_HOME
from tests.servers.neptunes_pride import Hosted, NeptunesPride
from tests.servers.universe import Universe
from vigil.context import Context
from vigil.games import portable, store
from vigil.games.register import register
from vigil.settings import ROOT

GAMES = 12


@contextmanager
def scanner(context: Context, url: str) -> Iterator[subprocess.Popen[bytes]]:
    """scanner.py as a process of its own; killed at the end."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("VIGIL_")}
    settings = {
        "VIGIL_DATABASE_URL": context.settings.database_url or "",
        "VIGIL_DATA_DIR": str(context.settings.data_dir),
        "VIGIL_NEPTUNES_PRIDE_URL": url,
        "VIGIL_OWNCAST_URL": NOBODY_HOME,
        "VIGIL_PEERTUBE_URL": NOBODY_HOME,
        "VIGIL_LOG_LEVEL": "error",
    }
    process = subprocess.Popen([sys.executable, "scanner.py"], cwd=ROOT, env=environment | settings)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_killed_while_it_records(context: Context) -> None:
    """Each answer is a tick further on; every game is due at once, again and again."""
    galaxies = {str(n): Universe.made_up(200, 6, tick=5, seed=n) for n in range(GAMES)}
    hosted = {number: Hosted(one, {"key": 1}) for number, one in galaxies.items()}
    async with NeptunesPride(hosted) as server:
        settings = replace(context.settings, neptunes_pride_url=server.url)
        mine = replace(context, settings=settings)
        ids = {number: (await register(mine, number, "key", "np")).game.id for number in galaxies}
        for one in galaxies.values():
            one.answer = turning(one)  # type: ignore[method-assign,assignment]  # of this one galaxy
        for _ in range(4):
            asked = server.asked.total()
            with scanner(context, server.url) as process:
                while server.asked.total() < asked + 3 * GAMES:
                    await context.pool.execute(
                        "UPDATE games SET next_at = NULL, changed_at = now()"
                    )
                    await asyncio.sleep(0.2)
                    assert process.poll() is None
                await asyncio.sleep(random.uniform(0, 0.3))
                process.send_signal(signal.SIGKILL)
                process.wait()
            for number, game_id in ids.items():
                await is_what_happened(context, galaxies[number], game_id)
        with scanner(context, server.url):
            least = {number: one.tick for number, one in galaxies.items()}
            for _ in range(300):
                if all([await reached(context, ids[n], tick) for n, tick in least.items()]):
                    break
                await context.pool.execute("UPDATE games SET next_at = NULL, changed_at = now()")
                await asyncio.sleep(0.3)
            else:
                pytest.fail("it does not go on")


def turning(universe: Universe) -> Callable[[int, int], dict[str, Any]]:
    """``answer`` of a game that goes on by a tick whenever it is asked for."""
    plain = universe.answer

    def answer(version: int, player_uid: int) -> dict[str, Any]:
        universe.advance()
        return plain(version, player_uid)

    return answer


async def reached(context: Context, game_id: int, tick: int) -> bool:
    game = await store.get(context.pool, game_id)
    assert game is not None
    assert game.error is None
    return game.tick is not None and game.tick > tick


async def is_what_happened(context: Context, universe: Universe, game_id: int) -> None:
    """Every recorded tick is whole, and every other one is a gap."""
    game = await store.get(context.pool, game_id)
    assert game is not None
    spans = await store.spans(context.pool, game_id)
    ticks = [tick for one in spans for tick in range(one.from_tick, one.to_tick + 1)]
    assert ticks[-1] == game.tick
    assert owners(await store.history(context.pool, game_id)) == expected(universe, ticks)
    found = [
        (one.tick, one.player_uid, (one.stars, one.ships, one.economy, one.industry, one.science))
        for one in await store.totals(context.pool, game_id)
    ]
    assert found == expected_totals(universe, ticks)
    portable.read(await portable.export(context.pool, game_id))  # contradicts itself nowhere
