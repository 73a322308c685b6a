"""Where the sun stands, for many moments at once.

``vigil.cameras.sun`` says it for each midnight (UTC); in between, its declination and the equation
of time go straight to the next, which is never off by more than a thousandth of a degree.
"""

from __future__ import annotations

from functools import lru_cache
from math import cos, pi, radians, sin

import numpy as np
from numpy.typing import NDArray

from vigil.cameras import sun
from vigil.films.scene.clock import DAY
from vigil.films.scene.spans import Moments

Floats = NDArray[np.float64]
_ROUNDS = 4
"""Each brings the moment of a height some hundred times closer: within a second after four."""


def heights(moments: Moments, place: tuple[float, float]) -> Floats:
    """Degrees of the sun's centre above the horizon."""
    declination, ahead = _course(moments)
    angle = (moments % DAY) / DAY * (2 * pi) + ahead + radians(place[1]) - pi
    north = radians(place[0])
    sine = sin(north) * np.sin(declination) + cos(north) * np.cos(declination) * np.cos(angle)
    found: Floats = np.degrees(np.arcsin(np.clip(sine, -1.0, 1.0)))
    return found


def known(
    noted: NDArray[np.float32], moments: Moments, place: tuple[float, float] | None
) -> NDArray[np.float32]:
    """Heights as they were noted; where nobody did so worked out, if the place is known."""
    missing = np.flatnonzero(np.isnan(noted))
    if place is None or not len(missing):
        return noted
    found = noted.copy()
    found[missing] = heights(moments[missing], place)
    return found


def crossings(
    first: int, last: int, degrees: float, place: tuple[float, float], *, rising: bool
) -> Moments:
    """When the sun passes a height, once a day where it does so.

    Args:
        first: from the day before this moment
        last: up to the day after this one; microseconds since 1970.
        degrees: above the horizon.
        place: latitude and longitude.
        rising: in the morning; else in the evening.
    """
    north, height = radians(place[0]), radians(degrees)
    west = round(place[1] / 360 * DAY)
    noons = np.arange(first // DAY - 2, last // DAY + 3, dtype=np.int64) * DAY + DAY // 2 - west
    moments = noons
    reached = np.ones(len(noons), np.bool_)
    for _ in range(_ROUNDS):
        declination, ahead = _course(moments)
        cosine = (sin(height) - sin(north) * np.sin(declination)) / (
            max(cos(north), 1e-9) * np.cos(declination)
        )
        reached = np.abs(cosine) <= 1
        angle = np.arccos(np.clip(cosine, -1.0, 1.0))
        turned = (-angle if rising else angle) - ahead
        moments = noons + np.rint(turned / (2 * pi) * DAY).astype(np.int64)
    return moments[reached]


def _course(moments: Moments) -> tuple[Floats, Floats]:
    """Declination, and by how much the sun is ahead of a clock (equation of time); radians."""
    if not len(moments):
        return np.empty(0), np.empty(0)
    days = np.arange(moments.min() // DAY, moments.max() // DAY + 2)
    known = np.array([_at_midnight(day) for day in days.tolist()])
    wanted = moments / DAY
    return np.interp(wanted, days, known[:, 0]), np.interp(wanted, days, known[:, 1])


@lru_cache(maxsize=100_000)
def _at_midnight(day: int) -> tuple[float, float]:
    declination, angle = sun.position(0.0, day * 86_400.0)
    return declination, angle + pi
