"""How much of a time the wishes of an order leave: what a film is to be as long as asked for of."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from vigil.cameras.looking import days
from vigil.films.asking.model import Place, Span
from vigil.films.model import moment_of
from vigil.films.options import Choice
from vigil.films.scene import clock, facts, sunlight

MOST_LOOKS = 20_000
LEAST_STEP = 60_000_000
"""Microseconds from a moment that is looked at to the next."""


def share(choice: Choice, span: Span, place: Place) -> float:
    """From 0 to 1: the part of the span in which hours, weekdays and the sun let frames in.

    1 also where nothing is let in: there is nothing to go by. What is skipped, tags and exclusions
    are not known ahead. Of one frame a day only the weekdays count.
    """
    seconds = span.seconds
    if seconds is None:
        return 1.0
    begin = span.from_at
    if span.rolling_s is not None:
        begin -= timedelta(seconds=seconds)
    low, length = moment_of(begin), round(seconds * 1_000_000)
    step = max(LEAST_STEP, -(-length // MOST_LOOKS))
    moments = np.arange(low, low + length, step, dtype=np.int64) + step // 2
    wanted = np.ones(len(moments), np.bool_)
    shown = clock.local(moments, days.zone(place.scene.time_zone))
    if choice.weekdays:
        wanted &= clock.on_weekdays(shown, choice.weekdays)
    if choice.daily is None:
        if choice.hours:
            wanted &= clock.in_hours(shown, choice.hours)
        here = facts.of(place.scene).place
        if here is not None and (choice.sun_from is not None or choice.sun_to is not None):
            heights = sunlight.heights(moments, here)
            if choice.sun_from is not None:
                wanted &= heights >= choice.sun_from
            if choice.sun_to is not None:
                wanted &= heights <= choice.sun_to
    return float(wanted.mean()) if wanted.any() else 1.0
