"""Games that never were."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tests.games.slow_map import Fleet, Star
from vigil.games.drawing.model import Fleets, Galaxy

TICKS = 8


def stars(seed: int, number: int = 24, *, wide: float = 4.0, high: float = 3.0) -> list[Star]:
    """Stars of a dark galaxy: some are seen later, some outside of what was seen before. Every
    second galaxy is regular, so that many points are equally far from several stars."""
    rng = random.Random(seed)
    found = []
    for star in rng.sample(range(1, 1000), number):
        x, y = rng.uniform(-wide / 2, wide / 2), rng.uniform(-high / 2, high / 2)
        if seed % 2:
            x, y = round(x / 0.3) * 0.3, round(y / 0.3) * 0.3
        first = rng.choice((0, 0, 0, 2, 5))
        changes = {first: rng.choice((-1, 0, 1, 7, 9))}
        for tick in rng.sample(range(first + 1, TICKS + 1), rng.randint(0, 3)):
            changes[tick] = rng.choice((-1, 0, 1, 7, 9, 63))
        found.append(Star(star, x, y, first, f"Star {star}"[: rng.randint(3, 8)].strip(), changes))
    return found


def fleets(seed: int, number: int = 12) -> list[Fleet]:
    rng = random.Random(seed)
    return [
        Fleet(rng.randint(0, TICKS), rng.uniform(-2, 2), rng.uniform(-2, 2), rng.choice((0, 1, 9)))
        for _ in range(number)
    ]


def galaxy(stars: Sequence[Star], fleets: Sequence[Fleet] = ()) -> Galaxy:
    found = Galaxy.of(
        {star.id: (star.x, star.y, star.first_tick, star.name) for star in stars},
        [(tick, star.id, player) for star in stars for tick, player in star.owners.items()],
        {0: "Ann", 1: "Bernd", 5: "nobody's", 9: "Zoë"},
    )
    rows = sorted(fleets, key=lambda fleet: fleet.tick)
    ticks = sorted({fleet.tick for fleet in rows})
    return replace(
        found,
        fleets=Fleets(
            np.array(ticks, np.int64),
            np.array([[fleet.tick for fleet in rows].index(tick) for tick in ticks], np.int64),
            np.array([fleet.x for fleet in rows], np.float64),
            np.array([fleet.y for fleet in rows], np.float64),
            np.array([fleet.player for fleet in rows], np.int64),
        ),
    )
