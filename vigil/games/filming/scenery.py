"""A recorded game as it is drawn: rows of the database become a Galaxy."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

import db_utils
from vigil.games import store
from vigil.games.drawing.model import Fleets, Floats, Galaxy, Ints, Totals
from vigil.games.model import NOBODY, Game, Gap, History, Player, Span
from vigil.games.model import Fleets as SeenFleets
from vigil.games.model import Totals as SeenTotals


@dataclass(frozen=True)
class Scenery:
    """A game and what of it there is to show."""

    game: Game
    galaxy: Galaxy
    first_tick: int
    last_tick: int

    @property
    def over(self) -> bool:
        """Whether nothing more will be recorded."""
        return not self.game.open

    def at(self, tick: int) -> datetime:
        """About when a tick was."""
        seconds = self.galaxy.seconds(np.array([tick]))
        return datetime.fromtimestamp(float(seconds[0]), UTC)


async def load(
    db: db_utils.Database,
    game_id: int,
    *,
    since: int = 0,
    legend: bool = False,
    fleets: bool = False,
) -> Scenery | None:
    """What was recorded of a game; ``None`` when there is no such game, or nothing of it yet.

    Args:
        db: the database.
        game_id: of which game.
        since: of earlier ticks nothing is shown, so totals and fleets may be missing there.
        legend: whether totals are shown.
        fleets: whether these are.

    The game's row is read first: what is said to be over is there as a whole. What is read after
    the history may be newer; nothing after its last tick is shown.
    """
    game = await store.get(db, game_id)
    if game is None:
        return None
    history = await store.history(db, game_id)
    spans = await store.spans(db, game_id)
    if not spans or not history.stars:
        return None
    totals: list[SeenTotals] = []
    if legend:
        before = await store.totals_at(db, game_id, since)
        totals = [replace(row, tick=since) for row in before]
        totals += await store.totals(db, game_id, from_tick=since + 1)
    seen = await store.fleets(db, game_id, from_tick=since) if fleets else []
    gaps = await store.gaps(db, game_id)
    galaxy = await asyncio.to_thread(compose, history, totals, seen, spans, gaps, game.tick_rate_s)
    return Scenery(game, galaxy, history.first_tick, history.last_tick)


def compose(
    history: History,
    totals: Sequence[SeenTotals],
    fleets: Sequence[SeenFleets],
    spans: Sequence[Span],
    gaps: Sequence[Gap],
    tick_rate_s: int,
) -> Galaxy:
    """The rows of a game as arrays, stars in the order in which they were first seen."""
    first_tick = np.array([star.first_tick for star in history.stars], np.int64)
    order = np.argsort(first_tick, kind="stable")  # stars come by id
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    star = place[history.changed]
    rows = np.lexsort((star, history.ticks))
    stars = [history.stars[number] for number in order]
    clock_tick, clock_s = _clock(spans, tick_rate_s)
    return Galaxy(
        x=np.array([star.x for star in stars], np.float64),
        y=np.array([star.y for star in stars], np.float64),
        first_tick=first_tick[order],
        names=tuple(star.name for star in stars),
        owner_tick=history.ticks[rows].astype(np.int64),
        owner_star=star[rows],
        owner=history.owners[rows].astype(np.int64),
        players=_players(history.players, history.owners, fleets),
        totals=Totals(
            np.array([row.tick for row in totals], np.int64),
            np.array([row.player_uid for row in totals], np.int64),
            np.array([row.stars for row in totals], np.int64),
        ),
        fleets=_fleets(fleets),
        clock_tick=clock_tick,
        clock_s=clock_s,
        missed=tuple((gap.from_tick, gap.to_tick) for gap in gaps),
    )


def _players(
    players: Sequence[Player], owners: NDArray[np.int32], fleets: Sequence[SeenFleets]
) -> tuple[tuple[int, str], ...]:
    """Number and alias of all, those who only own something included."""
    seen = [owners, *(fleet.owners for fleet in fleets)]
    known = {int(uid): "" for uid in np.unique(np.concatenate(seen)) if uid != NOBODY}
    known |= {player.uid: player.alias for player in players}
    return tuple(sorted(known.items()))


def _fleets(fleets: Sequence[SeenFleets]) -> Fleets:
    if not fleets:
        return Fleets()
    ends = np.cumsum([len(seen.ids) for seen in fleets])
    return Fleets(
        np.array([seen.tick for seen in fleets], np.int64),
        np.concatenate([[0], ends[:-1]]).astype(np.int64),
        np.concatenate([seen.x for seen in fleets]).astype(np.float64),
        np.concatenate([seen.y for seen in fleets]).astype(np.float64),
        np.concatenate([seen.owners for seen in fleets]).astype(np.int64),
    )


def _clock(spans: Sequence[Span], tick_rate_s: int) -> tuple[Ints, Floats]:
    """When ticks were: counted on from the begin of each span, so that a tick keeps its date while
    the span gets longer."""
    ticks: list[int] = []
    seconds: list[float] = []
    for span in spans:
        begin = span.from_at.timestamp()
        ticks.append(span.from_tick)
        seconds.append(begin)
        if span.to_tick > span.from_tick:
            lasted = (span.to_tick - span.from_tick) * tick_rate_s
            ticks.append(span.to_tick)
            seconds.append(begin + lasted if tick_rate_s else span.to_at.timestamp())
    return np.array(ticks, np.int64), np.array(seconds, np.float64)
