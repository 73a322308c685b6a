"""Recorded games as pages and the API need them, kept in memory while they are asked for.

What was read once serves until the scanner or a person changed the game.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

import db_utils
from vigil.games import store
from vigil.games.model import Game, History, Totals
from vigil.prepared import Prepared

MOST_KEPT = 12
"""Games; one of 1,000 stars and 2,000 ticks takes a few megabytes."""

METRICS = ("stars", "ships", "economy", "industry", "science")
"""What is counted for each player."""


@dataclass(frozen=True, eq=False)
class Table:
    """What players have, as changes; the arrays go together, sorted by (player, tick)."""

    players: NDArray[np.int32]
    ticks: NDArray[np.int32]
    values: NDArray[np.int32]
    """A row for each change, a column for each of METRICS."""

    @classmethod
    def of(cls, totals: Sequence[Totals]) -> Table:
        """From rows."""
        rows = np.array(
            [
                (one.player_uid, one.tick, *(getattr(one, name) for name in METRICS))
                for one in totals
            ],
            np.int32,
        ).reshape(-1, 2 + len(METRICS))
        rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
        return cls(rows[:, 0].copy(), rows[:, 1].copy(), rows[:, 2:].copy())

    def at(self, player: int, metric: str, ticks: NDArray[np.int32]) -> NDArray[np.int32]:
        """What a player has at each of these ticks; -1 before anything was known."""
        begin, end = np.searchsorted(self.players, [player, player + 1])
        found = np.searchsorted(self.ticks[begin:end], ticks, "right")
        values = np.append(np.int32(-1), self.values[begin:end, METRICS.index(metric)])
        return values[found]


@dataclass(frozen=True, eq=False)
class Book:
    """All that is known of a game at a moment."""

    game: Game
    history: History
    totals: Table

    @cached_property
    def peer(self) -> Prepared:
        """The game as ``GET /api/game/<id>`` tells it."""
        return Prepared(msgspec.json.encode(peer_json(self.game, self.history)))


def peer_json(game: Game, history: History) -> dict[str, Any]:
    """A game in the shape of NPTimelapse, whose users know it."""
    owners: list[dict[str, int]] = [{} for _ in history.stars]
    for tick, place, owner in zip(
        history.ticks.tolist(), history.changed.tolist(), history.owners.tolist(), strict=True
    ):
        owners[place][str(tick)] = owner
    return {
        "id": game.id,
        "name": game.name,
        "close_date": None if game.closed_at is None else game.closed_at.isoformat(),
        "stars": {
            str(star.id): {"x": star.x, "y": star.y, "owners": owners[place]}
            for place, star in enumerate(history.stars)
        },
    }


class Shelf:
    """The games that were asked for last."""

    def __init__(self) -> None:
        self._books: OrderedDict[int, Book] = OrderedDict()
        self._reading = asyncio.Lock()

    async def book(self, pool: db_utils.Pool, game: Game) -> Book:
        """All of a game."""
        if (found := self._kept(game)) is not None:
            return found
        async with self._reading:  # many may ask for the same one at once
            if (found := self._kept(game)) is not None:
                return found
            history = await store.history(pool, game.id)
            totals = await store.totals(pool, game.id)
            book = await asyncio.to_thread(lambda: Book(game, history, Table.of(totals)))
            self._books[game.id] = book
            self._books.move_to_end(game.id)
            while len(self._books) > MOST_KEPT:
                self._books.popitem(last=False)
            return book

    async def peer(self, pool: db_utils.Pool, game: Game) -> Prepared:
        """A game as others may read it, compressed and tagged."""
        book = await self.book(pool, game)
        return await asyncio.to_thread(lambda: book.peer)

    def _kept(self, game: Game) -> Book | None:
        found = self._books.get(game.id)
        if found is None or stamp(found.game) != stamp(game):
            return None
        self._books.move_to_end(game.id)
        return found


def stamp(game: Game) -> tuple[Any, ...]:
    """Changes whenever anything of the game may have changed."""
    return (game.seen_at, game.changed_at, game.tick, game.closed_at, game.name)
