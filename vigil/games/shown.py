"""A game as the API and the pages show it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict

import db_utils
from vigil.games import store
from vigil.games.actions import actions
from vigil.games.drawing.colours import player_colour
from vigil.games.keys import store as keys
from vigil.games.model import NOBODY, SITES, UNKNOWN, Coverage, Game, History
from vigil.openapi import Actions


class GameCoverage(TypedDict):
    """How much of a game was recorded."""

    first_tick: int | None
    last_tick: int | None
    recorded: int
    missed: int
    share: float


class GameJson(TypedDict):
    """A recorded game."""

    id: int
    site: str
    number: str
    name: str
    state: str
    error: str | None
    hint: str | None
    version: int
    tick: int | None
    tick_rate_s: int
    production_rate: int
    started: bool
    paused: bool
    game_over: bool
    turn_based: bool
    players: int
    stars: int
    total_stars: int
    stars_for_victory: int
    coverage: GameCoverage
    valid_keys: int
    start_at: datetime | None
    next_at: datetime | None
    scanned_at: datetime | None
    seen_at: datetime | None
    closed_at: datetime | None
    created_at: datetime
    data: str
    map: str
    page: str
    actions: Actions


async def describe(db: db_utils.Database, game: Game, *, admin: bool) -> GameJson:
    """One game."""
    return (await describe_all(db, [game], admin=admin))[0]


async def describe_all(
    db: db_utils.Database, games: Sequence[Game], *, admin: bool
) -> list[GameJson]:
    """Games, with how much was recorded of each."""
    ids = [game.id for game in games]
    coverages = await store.coverage(db, ids)
    valid = await keys.counts(db, ids)
    return [
        _describe(game, coverages.get(game.id, Coverage()), valid.get(game.id, (0, 0))[0], admin)
        for game in games
    ]


def _describe(game: Game, coverage: Coverage, valid: int, admin: bool) -> GameJson:
    return {
        "id": game.id,
        "site": game.site,
        "number": game.number,
        "name": game.name,
        "state": game.state,
        "error": game.error,
        "hint": game.hint,
        "version": game.version,
        "tick": game.tick,
        "tick_rate_s": game.tick_rate_s,
        "production_rate": game.production_rate,
        "started": game.started,
        "paused": game.paused,
        "game_over": game.game_over,
        "turn_based": game.turn_based,
        "players": coverage.players,
        "stars": coverage.stars,
        "total_stars": game.total_stars,
        "stars_for_victory": game.stars_for_victory,
        "coverage": {
            "first_tick": coverage.first_tick,
            "last_tick": coverage.last_tick,
            "recorded": coverage.recorded,
            "missed": coverage.missed,
            "share": round(coverage.share, 4),
        },
        "valid_keys": valid,
        "start_at": game.start_at,
        "next_at": game.next_at if game.state == "running" else None,
        "scanned_at": game.scanned_at,
        "seen_at": game.seen_at,
        "closed_at": game.closed_at,
        "created_at": game.created_at,
        "data": f"/api/game/{game.id}",
        "map": f"/api/v1/games/{game.id}/map.png?tick={game.tick or 0}",
        "page": f"/games/{game.id}",
        "actions": actions(game, admin=admin),
    }


def site_name(game: Game | GameJson) -> str:
    """Where a game is played, for a person."""
    site = game["site"] if isinstance(game, dict) else game.site
    return SITES.get(site, site)


def names(history: History) -> dict[int, str]:
    """Players' names by number, for a person; nobody, too."""
    found = {player.uid: player.alias or f"Player {player.uid}" for player in history.players}
    return found | {NOBODY: "nobody", UNKNOWN: "not seen yet"}


def colour(uid: int) -> str:
    """A player's colour as HTML writes it; the safe palette."""
    return "#{:02x}{:02x}{:02x}".format(*player_colour("safe", uid))
