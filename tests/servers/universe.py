"""A made-up game of Neptune's Pride, which goes on: stars change hands, new ones are found.

What the game's own server would send of it, in version 2 or 4, to whichever player; and what a
recorder that never missed a tick would know. Made of a seed, or of a real answer.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

NOBODY = -1
NAMES = ("Hassaleh", "Aldebaran", "Mi", "Sadr", "Tau", "Al Giedi", "Rana", "Zaniah", "Kitalpha")
START_MS = 1_700_000_000_000


@dataclass
class Star:
    """A star; coordinates as text, as version 2 sends them."""

    id: int
    name: str
    x: str
    y: str
    owner: int = NOBODY
    since: int = 0
    """Tick from which on a scanner of anybody has it."""
    seen_by: set[int] | None = None
    """Players who know it; ``None``: all."""


@dataclass
class Fleet:
    """A fleet on its way."""

    id: int
    owner: int
    x: float
    y: float
    ships: int


@dataclass
class Universe:
    """A game. ``advance`` is one tick; ``answer`` what a player is told."""

    name: str = "Far and Dark"
    tick: int = 0
    tick_rate: int = 30
    """Minutes."""
    fragment: float = 0.5
    players: dict[int, dict[str, Any]] = field(default_factory=dict)
    stars: dict[int, Star] = field(default_factory=dict)
    fleets: dict[int, Fleet] = field(default_factory=dict)
    game_over: bool = False
    paused: bool = False
    turn_based: bool = False
    seed: int = 1
    owners: dict[int, dict[int, int]] = field(default_factory=dict)
    """What a recorder from the first tick on would know: star → {tick: owner}, changes only."""
    totals: dict[int, dict[int, tuple[int, int, int, int, int]]] = field(default_factory=dict)
    """Player → {tick: (stars, ships, economy, industry, science)}, changes only."""

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    # -- how it begins ---------------------------------------------------------------------------

    @classmethod
    def made_up(
        cls, stars: int = 60, players: int = 4, *, dark: float = 0.2, seed: int = 1, tick: int = 0
    ) -> Universe:
        """A galaxy of a seed; the share ``dark`` of its stars is found later only."""
        game = cls(seed=seed, tick=tick)
        for uid in range(players):
            game.players[uid] = player(uid)
        for star_id in range(1, stars + 1):
            name = f"{game.random.choice(NAMES)} {star_id}"
            x, y = (f"{game.random.uniform(-6, 6):.4f}" for _ in "xy")
            found = game.random.randint(tick + 1, tick + 250) if game.random.random() < dark else 0
            game.stars[star_id] = Star(star_id, name, x, y, since=found)
        for uid in range(players):
            home = game.random.choice([one for one in game.stars.values() if not one.since])
            home.owner = uid
        for fleet_id in range(1, 3 * players + 1):
            place = game.random.uniform(-6, 6), game.random.uniform(-6, 6)
            game.fleets[fleet_id] = Fleet(fleet_id, fleet_id % players, *place, 10 * fleet_id)
        game.note()
        return game

    @classmethod
    def from_answer(cls, scanning: dict[str, Any], *, seed: int = 1, hidden: int = 12) -> Universe:
        """The game of an answer of version 2, in which some stars more are found later."""
        game = cls(name=scanning["name"], tick=scanning["tick"], seed=seed)
        game.tick_rate, game.fragment = scanning["tick_rate"], scanning["tick_fragment"]
        game.players = {int(uid): dict(one) for uid, one in scanning["players"].items()}
        for key, one in scanning["stars"].items():
            game.stars[int(key)] = Star(int(key), one["n"], one["x"], one["y"], one["puid"])
        last = max(game.stars)
        for star_id in range(last + 1, last + 1 + hidden):
            x, y = (f"{game.random.uniform(-3, 3):.4f}" for _ in "xy")
            since = game.tick + game.random.randint(1, 250)
            game.stars[star_id] = Star(star_id, f"Dark {star_id}", x, y, since=since)
        for key, one in scanning["fleets"].items():
            place = float(one["x"]), float(one["y"])
            game.fleets[int(key)] = Fleet(int(key), one["puid"], *place, one["st"])
        game.note()
        return game

    # -- how it goes on --------------------------------------------------------------------------

    def advance(self, ticks: int = 1) -> None:
        """Some ticks later: up to three stars change hands in each."""
        for _ in range(ticks):
            self.tick += 1
            for star in self.random.sample(sorted(self.stars), k=min(3, len(self.stars))):
                if self.random.random() < 0.5 and self.stars[star].since <= self.tick:
                    self.stars[star].owner = self.random.choice([*self.players, NOBODY])
            for fleet in self.fleets.values():
                if self.random.random() < 0.5:
                    fleet.x += self.random.uniform(-0.05, 0.05)
                    fleet.y += self.random.uniform(-0.05, 0.05)
            self.grow()
            self.note()

    def grow(self) -> None:
        """What players have, after a tick; some change nothing for long."""
        for uid, who in self.players.items():
            who["total_stars"] = sum(one.owner == uid for one in self.stars.values())
            if who.get("conceded"):
                continue
            who["total_strength"] += self.random.choice((0, 0, 1, 5))
            if self.random.random() < 0.1:
                who["total_economy"] += 1
                who["total_industry"] += self.random.choice((0, 1))

    def note(self) -> None:
        """Write down what a recorder would of this tick."""
        for star in self.stars.values():
            if star.since > self.tick:
                continue
            changes = self.owners.setdefault(star.id, {})
            if not changes or changes[max(changes)] != star.owner:
                changes[self.tick] = star.owner
        for uid, who in self.players.items():
            had = self.totals.setdefault(uid, {})
            now = tuple(who[f"total_{name}"] for name in HAD)
            if not had or had[max(had)] != now:
                had[self.tick] = now

    # -- what is sent of it ----------------------------------------------------------------------

    def answer(self, version: int = 2, player_uid: int = 1) -> dict[str, Any]:
        """``scanning_data`` as the game's server sends it to a player."""
        known = [
            one
            for one in self.stars.values()
            if one.since <= self.tick and (one.seen_by is None or player_uid in one.seen_by)
        ]
        scanning = {
            "fleet_speed": 0.041666666666666664,
            "paused": self.paused,
            "productions": self.tick // 24,
            "tick_fragment": self.fragment,
            "now": START_MS + self.tick * self.tick_rate * 60_000,
            "tick_rate": self.tick_rate,
            "production_rate": 24,
            "stars_for_victory": len(self.stars) // 2 + 1,
            "game_over": int(self.game_over),
            "started": True,
            "start_time": START_MS,
            "total_stars": len(self.stars),
            "production_counter": self.tick % 24,
            "trade_scanned": 0,
            "tick": self.tick,
            "trade_cost": 15,
            "name": self.name,
            "player_uid": player_uid,
            "admin": 0,
            "turn_based": int(self.turn_based),
            "war": 0,
            "turn_based_time_out": 0,
        }
        players = {str(uid): dict(one) for uid, one in self.players.items()}
        if version == 4:
            scanning = camel(scanning)
            players = {uid: camel(one) for uid, one in players.items()}
        return scanning | {
            "players": players,
            "stars": {str(one.id): self._star(one, version, player_uid) for one in known},
            "fleets": {str(one.id): self._fleet(one, version) for one in self.fleets.values()},
        }

    def _star(self, one: Star, version: int, player_uid: int) -> dict[str, Any]:
        near = one.owner == player_uid
        sent: dict[str, Any] = {"uid": one.id, "n": one.name, "puid": one.owner}
        if version == 4:
            sent |= {"v": int(near), "x": float(one.x), "y": float(one.y), "exp": 0}
        else:
            sent |= {"v": str(int(near)), "x": one.x, "y": one.y}
        if near:
            sent |= {"e": 3, "i": 5, "s": 1, "r": 55, "nr": 50, "ga": 0, "st": 12, "c": 0.4166}
        return sent

    def _fleet(self, one: Fleet, version: int) -> dict[str, Any]:
        x, y = (value if version == 4 else f"{value:.8f}" for value in (one.x, one.y))
        name = f"Fleet {one.id}"
        sent = {"uid": one.id, "l": 0, "o": [[0, 1, 0, 0]], "n": name, "puid": one.owner, "w": 0}
        return sent | {"x": x, "y": y, "lx": x, "ly": y, "st": one.ships}

    def story(self) -> dict[str, Any]:
        """All of it, as np2stats tells it."""
        return {
            "id": 77,
            "name": self.name,
            "updated": "2026-05-01 12:00:00",
            "game_over": int(self.game_over),
            "stars": {
                str(star_id): {
                    "x": float(self.stars[star_id].x),
                    "y": float(self.stars[star_id].y),
                    "owners": {str(tick): owner for tick, owner in changes.items()},
                }
                for star_id, changes in self.owners.items()
            },
        }


HAD = ("stars", "strength", "economy", "industry", "science")


def player(uid: int, alias: str | None = None) -> dict[str, Any]:
    """A player as version 2 sends one."""
    return {
        "uid": uid,
        "alias": alias or f"Player {uid}",
        "ai": 0,
        "huid": uid + 1,
        "regard": 0,
        "avatar": uid,
        "conceded": 0,
        "ready": 0,
        "missed_turns": 0,
        "karma_to_give": 3,
        "total_fleets": 3,
        "total_stars": 1,
        "total_strength": 30,
        "total_economy": 5,
        "total_industry": 5,
        "total_science": 1,
        "tech": {"weapons": {"level": 1, "value": 1}, "range": {"level": 1, "value": 0.5}},
    }


def camel(names: dict[str, Any]) -> dict[str, Any]:
    """With names likeThis instead of like_this, as version 4 has them."""
    return {
        "".join(part.title() if n else part for n, part in enumerate(name.split("_"))): value
        for name, value in names.items()
    }
