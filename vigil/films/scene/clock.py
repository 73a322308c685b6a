"""The clock of a place, for many moments at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from vigil.cameras.looking import days
from vigil.films.model import at_moment, moment_of
from vigil.films.scene.spans import Mask, Moments

SECOND = 1_000_000
DAY = 86_400 * SECOND
_THURSDAY = 3
"""1 January 1970."""


def local(moments: Moments, zone: ZoneInfo) -> Moments:
    """What the clock shows, as microseconds since 1 January 1970 by that clock."""
    if not len(moments):
        return moments
    starts, offsets = _offsets(zone, int(moments[0] // DAY), int(moments[-1] // DAY))
    sizes = np.diff(np.searchsorted(moments, starts[1:]), prepend=0, append=len(moments))
    shown: Moments = moments + np.repeat(offsets, sizes)
    return shown


def in_hours(shown: Moments, hours: Sequence[tuple[str, str]]) -> Mask:
    """Which readings of the clock lie between times of day (from, up to but not including).

    A span that ends before it begins goes on over midnight; one that ends when it begins is a
    whole day.
    """
    of_day = shown % DAY
    inside = np.zeros(len(shown), np.bool_)
    for since, until in ((_of_day(a), _of_day(b)) for a, b in hours):
        if since < until:
            inside |= (of_day >= since) & (of_day < until)
        else:
            inside |= (of_day >= since) | (of_day < until)
    return inside


def on_weekdays(shown: Moments, weekdays: Sequence[int]) -> Mask:
    """Which readings of the clock are on one of these days of the week; 0 is Monday."""
    wanted = np.zeros(7, np.bool_)
    wanted[list(weekdays)] = True
    return wanted[(shown // DAY + _THURSDAY) % 7]


def daily(first: int, last: int, at: str, zone: ZoneInfo) -> Moments:
    """The moments at which it is that time of day, from the day before the one that ``first`` is
    in up to the one after ``last``.

    A time that daylight saving leaves out is as far after the gap; of two it is the first one.
    """
    minutes = _of_day(at) // (60 * SECOND)
    late = timedelta(days=minutes // 1440)  # 24:00
    clock = time(minutes % 1440 // 60, minutes % 60)
    begin = at_moment(first).astimezone(zone).date() - timedelta(days=1)
    end = at_moment(last).astimezone(zone).date() + timedelta(days=1)
    wanted = (begin + timedelta(days=n) for n in range((end - begin).days + 1))
    return np.array([_moment(day + late, clock, zone) for day in wanted], np.int64)


def _moment(day: date, clock: time, zone: ZoneInfo) -> int:
    return moment_of(days.at(day, clock, zone))


def _of_day(clock: str) -> int:
    hours, minutes = clock.split(":")
    return (int(hours) * 60 + int(minutes)) * 60 * SECOND


@lru_cache(maxsize=64)
def _offsets(zone: ZoneInfo, first: int, last: int) -> tuple[Moments, NDArray[np.int64]]:
    """Since when the clock is how far ahead of UTC, from one day since 1970 to another."""
    starts, offsets = [first * DAY], [_offset(zone, first * DAY)]
    for day in range(first + 1, last + 2):
        ahead = _offset(zone, day * DAY)
        if ahead != offsets[-1]:
            before, after = (day - 1) * 86_400, day * 86_400
            while after - before > 1:
                middle = (before + after) // 2
                if _offset(zone, middle * SECOND) == offsets[-1]:
                    before = middle
                else:
                    after = middle
            starts.append(after * SECOND)
            offsets.append(ahead)
    return np.array(starts, np.int64), np.array(offsets, np.int64)


def _offset(zone: ZoneInfo, moment: int) -> int:
    ahead = at_moment(moment).astimezone(zone).utcoffset() or timedelta()
    return ahead // timedelta(microseconds=1)
