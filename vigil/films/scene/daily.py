"""One frame a day: the closest to a time of day, or to a height of the sun."""

from __future__ import annotations

import numpy as np

from vigil.cameras.looking import days
from vigil.films.options import Daily
from vigil.films.scene import clock, sunlight
from vigil.films.scene.facts import Facts
from vigil.films.scene.slots import Positions, closest
from vigil.films.scene.spans import Moments


def choose(moments: Moments, daily: Daily, facts: Facts) -> Positions:
    """Positions of the frames, one a day at most.

    Each frame counts for the wanted moment that it is closest to only, so none is there twice; of
    two that are equally close to it the earlier is taken.
    """
    wanted = _wanted(moments, daily, facts)
    if not len(moments) or not len(wanted):
        return np.empty(0, np.intp)
    after = np.searchsorted(wanted, moments)
    before = np.maximum(after - 1, 0)
    after = np.minimum(after, len(wanted) - 1)
    is_before = np.abs(moments - wanted[before]) <= np.abs(moments - wanted[after])
    own = np.where(is_before, before, after)
    distances = np.abs(moments - wanted[own])
    near = np.flatnonzero(distances <= within(daily))
    return near[closest(own[near], distances[near])]


def within(daily: Daily) -> int:
    """How far from the wanted moment a frame may be; microseconds."""
    return round(daily.within_s * 1e6)


def _wanted(moments: Moments, daily: Daily, facts: Facts) -> Moments:
    """The moments that are wanted around these, a day before and after included, in order."""
    if not len(moments):
        return moments
    first, last = int(moments[0]), int(moments[-1])
    if daily.sun is None:
        zone = days.zone(facts.time_zone)
        return clock.daily(first, last, daily.clock or "12:00", zone)
    if facts.place is None:
        return np.empty(0, np.int64)
    return sunlight.crossings(first, last, daily.sun, facts.place, rising=daily.rising)
