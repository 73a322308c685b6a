"""A war that is made up: stars in clumps, players that take what lies next to theirs."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import numpy as np
from scipy.spatial import cKDTree

NOBODY = -1


@dataclass(frozen=True)
class War:
    """A whole game as it would be recorded."""

    ticks: int
    players: int
    places: list[tuple[float, float]]
    """Of the stars; the first one's id is 1."""
    changes: list[tuple[int, int, int]] = field(default_factory=list)
    """(tick, star, owner from then on), in order of time; ids of stars, NOBODY or a player."""

    def peer_json(self, game_id: int = 1, name: str = "Made up") -> dict[str, object]:
        """As ``GET /api/game/<id>`` tells it."""
        owners: dict[int, dict[str, int]] = {star: {} for star in range(1, len(self.places) + 1)}
        for tick, star, owner in self.changes:
            owners[star][str(tick)] = owner
        return {
            "id": game_id,
            "name": name,
            "close_date": None,
            "stars": {
                str(star): {"x": x, "y": y, "owners": owners[star]}
                for star, (x, y) in enumerate(self.places, start=1)
            },
        }

    def totals(self) -> list[tuple[int, ...]]:
        """(tick, player, stars, ships, economy, industry, science) where any of it changed."""
        owned = dict.fromkeys(range(self.players), 0)
        holder: dict[int, int] = {}
        rows: dict[tuple[int, int], tuple[int, ...]] = {}
        for tick, star, owner in self.changes:
            before, holder[star] = holder.get(star, NOBODY), owner
            for player, more in ((before, -1), (owner, 1)):
                if player != NOBODY:
                    owned[player] += more
                    stars = owned[player]
                    rows[tick, player] = (stars, stars * (10 + tick // 20), *(3 * stars,) * 3)
        return [(*at, *values) for at, values in sorted(rows.items())]


def war(stars: int, ticks: int, players: int = 12, *, seed: int = 1, each_tick: int = 4) -> War:
    """Make one up: about ``each_tick`` stars change hands at each tick."""
    chance = random.Random(seed)
    places = _places(chance, stars)
    near = np.asarray(cKDTree(np.array(places)).query(np.array(places), k=min(8, stars))[1])
    owners = dict.fromkeys(range(stars), NOBODY)
    for player, star in enumerate(chance.sample(range(stars), players)):
        owners[star] = player
    changes = [(1, star + 1, owner) for star, owner in owners.items()]
    for tick in range(2, ticks + 1):
        taken: set[int] = set()
        for _ in range(20 * each_tick):
            if len(taken) == each_tick:
                break
            star = chance.randrange(stars)
            others = [int(other) for other in near[star][1:] if owners[int(other)] != NOBODY]
            if star in taken or not others:
                continue
            strongest = owners[chance.choice(others)]
            if strongest != owners[star]:
                taken.add(star)
                owners[star] = strongest
                changes.append((tick, star + 1, strongest))
    return War(ticks=ticks, players=players, places=places, changes=changes)


def _places(chance: random.Random, stars: int) -> list[tuple[float, float]]:
    """Clumps along a spiral, no two stars closer than 0.15."""
    span = (stars * 0.35) ** 0.5
    found: list[tuple[float, float]] = []
    boxes: dict[tuple[int, int], list[tuple[float, float]]] = {}
    while len(found) < stars:
        middle = chance.random() * span, chance.random() * span
        for _ in range(6):
            x, y = (round(c + chance.gauss(0, 0.5), 4) for c in middle)
            box = int(x / 0.15), int(y / 0.15)
            beside = (
                other
                for dx in (-1, 0, 1)
                for dy in (-1, 0, 1)
                for other in boxes.get((box[0] + dx, box[1] + dy), ())
            )
            if len(found) < stars and all((x - a) ** 2 + (y - b) ** 2 >= 0.0225 for a, b in beside):
                found.append((x, y))
                boxes.setdefault(box, []).append((x, y))
    return found
