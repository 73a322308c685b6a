"""What tests of recorded games share: a game that goes on with a fake clock."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.servers.neptunes_pride import Hosted, NeptunesPride
from tests.servers.universe import Universe
from vigil.clock import FakeClock
from vigil.context import Context
from vigil.games import scan, store
from vigil.games.model import Game, History
from vigil.games.register import Registered, register
from vigil.settings import ROOT

AT = datetime(2026, 5, 1, tzinfo=UTC)
KEY, OTHER_KEY, NEW_KEY = "Abc123", "Def456", "Ghi789"


def real_answer() -> dict[str, Any] | None:
    """``scanning_data`` of a real game, if there is one beside the checkout, or where
    NEPTUNES_PRIDE_ANSWER says."""
    named = os.environ.get("NEPTUNES_PRIDE_ANSWER")
    places = ROOT.parent.glob("*/data/neptunes_pride_universe.json")
    for path in [Path(named)] if named else sorted(places):
        whole = json.loads(path.read_text())
        found: dict[str, Any] = whole.get("report") or whole["scanning_data"]
        return found
    return None


@dataclass
class Play:
    """A game whose ticks turn with a fake clock, and a recorder that looks when it is time."""

    context: Context
    server: NeptunesPride
    universe: Universe
    clock: FakeClock
    began_at: datetime
    first_tick: int
    game_id: int = 0
    looks: int = 0

    @property
    def hosted(self) -> Hosted:
        """The game as its server has it."""
        return self.server.games["123"]

    async def register(self, code: str = KEY, **more: Any) -> Registered:
        """Bring it."""
        done = await register(self.context, "123", code, **more)
        self.game_id = done.game.id
        return done

    async def pass_time(self, seconds: float) -> None:
        """Let the clock and the game go on, nobody looking."""
        await self.clock.advance(seconds)
        tick_s = self.universe.tick_rate * 60
        ticks = (self.clock.now() - self.began_at).total_seconds() / tick_s
        self.universe.fragment = ticks % 1
        self.universe.advance(max(0, self.first_tick + int(ticks) - self.universe.tick))

    async def look(self) -> float:
        """One look, whether or not it is time, as the scanner does it; seconds until the next."""
        self.looks += 1
        (target,) = [
            one for one in await scan.targets(self.context) if one.key == f"game:{self.game_id}"
        ]
        try:
            return await target.run_once()
        except Exception as error:
            assert target.on_failure is not None
            await target.on_failure(error, 600.0)
            return 600.0

    async def watch(self, until_tick: int) -> None:
        """Look whenever it is time until that tick was recorded."""
        while ((await self.game()).tick or 0) < until_tick:
            await self.pass_time(await self.look())

    async def watch_failing(self, until_tick: int) -> None:
        """Look whenever it is time until the game, unseen, is at that tick."""
        while self.universe.tick < until_tick:
            await self.pass_time(await self.look())

    async def game(self) -> Game:
        """As it is recorded."""
        found = await store.get(self.context.pool, self.game_id)
        assert found is not None
        return found

    async def history(self) -> History:
        """Who owned what, as recorded."""
        return await store.history(self.context.pool, self.game_id)

    async def ticks(self) -> list[int]:
        """The recorded ticks."""
        spans = await store.spans(self.context.pool, self.game_id)
        return [tick for one in spans for tick in range(one.from_tick, one.to_tick + 1)]

    async def kinds(self) -> list[str]:
        """Kinds of the events about it, the earliest first."""
        rows = await self.context.pool.fetch("SELECT kind FROM events ORDER BY id")
        return [row["kind"] for row in rows]


async def play(
    context: Context, server: NeptunesPride, universe: Universe, *, began: timedelta | None = None
) -> Play:
    """A play on that server; entered contexts stay the caller's."""
    clock = FakeClock(AT)
    settings = replace(
        context.settings,
        neptunes_pride_url=server.url,
        neptunes_pride4_url=server.url,
        np2stats_url=server.url,
    )
    mine = replace(context, clock=clock, settings=settings)
    into = began or timedelta(minutes=universe.tick_rate * universe.fragment)
    return Play(mine, server, universe, clock, AT - into, universe.tick)


def served(universe: Universe, version: int = 2, **keys: int) -> NeptunesPride:
    """A server of one game, number 123."""
    return NeptunesPride({"123": Hosted(universe, keys or {KEY: 1}, version)})


def owners(history: History) -> dict[int, dict[int, int]]:
    """Star → {tick: owner}."""
    found: dict[int, dict[int, int]] = {star.id: {} for star in history.stars}
    for tick, place, owner in zip(history.ticks, history.changed, history.owners, strict=True):
        found[history.stars[place].id][int(tick)] = int(owner)
    return found


def expected(universe: Universe, ticks: list[int]) -> dict[int, dict[int, int]]:
    """The same, as somebody knows it who saw the game at these ticks only."""
    found: dict[int, dict[int, int]] = {}
    for star_id, changes in universe.owners.items():
        mine: dict[int, int] = {}
        for tick in ticks:
            known = [at for at in changes if at <= tick]
            if known and (not mine or mine[max(mine)] != changes[max(known)]):
                mine[tick] = changes[max(known)]
        if mine:
            found[star_id] = mine
    return found


def expected_totals(universe: Universe, ticks: list[int]) -> list[tuple[int, int, tuple[int, ...]]]:
    """(tick, player, what they have) where that changed between these ticks."""
    found = []
    for uid, changes in universe.totals.items():
        last = None
        for tick in ticks:
            now = changes[max(at for at in changes if at <= tick)]
            if now != last:
                found.append((tick, uid, now))
                last = now
    return sorted(found)


async def totals(play: Play) -> list[tuple[int, int, tuple[int, ...]]]:
    """The same, as recorded."""
    return [
        (one.tick, one.player_uid, (one.stars, one.ships, one.economy, one.industry, one.science))
        for one in await store.totals(play.context.pool, play.game_id)
    ]


async def everything(context: Context) -> dict[str, list[Any]]:
    """All that is recorded, to be compared with itself later."""
    tables = ("players", "stars", "owners", "totals", "spans", "gaps", "fleets")
    found = {
        table: await context.pool.fetch(f"SELECT * FROM game_{table} ORDER BY 1, 2, 3")
        for table in tables
    }
    found["games"] = await context.pool.fetch(
        "SELECT id, name, version, tick, game_over, state, seen_at FROM games ORDER BY 1"
    )
    return {table: [tuple(row) for row in rows] for table, rows in found.items()}
