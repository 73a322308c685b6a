"""Which frames of a scene go into a film; pure, and the same for the same rows.

The ways to choose stand in modules of their own. What a frame's place in the film depends on lies
within ``reach`` of it, so a part chosen with that much around it is as chosen within the whole, and
a frame that comes late changes no more than that.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from vigil.cameras.looking import days
from vigil.films.model import Film, moment_of
from vigil.films.scene import clock, daily, faults, pacing, spans, sunlight
from vigil.films.scene.deflicker import gains
from vigil.films.scene.facts import Facts
from vigil.films.scene.rows import Rows, column
from vigil.films.scene.slots import Positions, numbers, slots
from vigil.films.scene.spans import Mask, Moments

__all__ = ["choose", "gains", "reach", "slots", "step", "steps"]


def choose(rows: Rows, film: Film, facts: Facts) -> Positions:
    """The frames that may be shown, before slots take one each.

    Args:
        rows: frames of one scene, by moment; those out of the film's range are looked at, too,
            for what is usual there, but not chosen.
        film: says which are wanted (``choice``), and how fast it goes (``calm``).
        facts: of the scene.

    Returns:
        Their positions in ``rows``, in order.
    """
    choice, calm = film.making.choice, film.making.look.calm
    moments = column(rows, "moment")
    wanted = _in_time(rows, moments, film, facts)
    for fault in choice.skip:
        wanted &= ~faults.FAULTS[fault](rows)
    found = np.flatnonzero(wanted)
    if choice.daily is not None:
        found = found[daily.choose(moments[found], choice.daily, facts)]
    if calm > 1:
        each = choice.every or choice.daily is not None
        found = pacing.paced(rows, found, calm, step(film), each=each)
    return found


def reach(film: Film) -> tuple[int, int]:
    """How far before and behind a moment lies what decides about the picture there: whether a
    frame is chosen, which one its slot takes, and its brightness; microseconds."""
    choice, look = film.making.choice, film.making.look
    far = max((faults.REACH[fault] for fault in choice.skip), default=0)
    if choice.daily is not None:
        far += 2 * daily.within(choice.daily)
    if look.calm > 1:
        far += pacing.reach(look.calm) * step(film)
    far += film.slot // timedelta(microseconds=1)
    if look.deflicker is not None:
        far += (look.deflicker // 2 + 1) * step(film)
    return far, far


def step(film: Film) -> int:
    """Real time from a picture to the next where all is well; microseconds."""
    slot = film.slot // timedelta(microseconds=1)
    return slot if film.making.choice.daily is None else max(slot, clock.DAY)


def steps(moments: Moments, film: Film) -> Moments:
    """Where frames that are shown stand, in steps: what ``gains`` counts by."""
    return numbers(moments, step(film))


def _in_time(rows: Rows, moments: Moments, film: Film, facts: Facts) -> Mask:
    """The frames taken when they should be."""
    choice = film.making.choice
    until = None if film.to_at is None else moment_of(film.to_at)
    wanted = spans.within(moments, [(moment_of(film.from_at), until)])
    if choice.tags:
        tagged = [(since, to) for name, since, to in facts.tags if name in choice.tags]
        wanted &= spans.within(moments, tagged)
    if choice.exclude:
        wanted &= ~spans.within(moments, choice.exclude)
    if choice.hours or choice.weekdays:
        shown = clock.local(moments, days.zone(facts.time_zone))
        if choice.hours:
            wanted &= clock.in_hours(shown, choice.hours)
        if choice.weekdays:
            wanted &= clock.on_weekdays(shown, choice.weekdays)
    if choice.sun_from is not None or choice.sun_to is not None:
        heights = sunlight.known(column(rows, "sun"), moments, facts.place)
        low = -90.0 if choice.sun_from is None else choice.sun_from
        high = 90.0 if choice.sun_to is None else choice.sun_to
        wanted &= (heights >= low) & (heights <= high)
    return wanted
