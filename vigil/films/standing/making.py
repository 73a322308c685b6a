"""Makes the films of standing films: which periods lack one, and one of them at a time.

A film and the row that says of which period it is are written in one transaction, while the
standing film's row is locked: a crash leaves both or neither, and nobody makes a second one.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import db_utils
from vigil.errors import Conflict
from vigil.films import order
from vigil.films import store as films
from vigil.films.model import NewFilm
from vigil.films.standing import periods, store
from vigil.films.standing.model import NewStanding, Period, Standing
from vigil.films.telling import store as telling

MISSED = {"daily": 31, "weekly": 8, "monthly": 3, "rolling": 1}
"""How many periods back films are made up that were missed, where frames are there."""
PAST_AT_ONCE = 2
"""Films of past periods that are under way at the same time."""


def period_of(standing: NewStanding, at: datetime, ordered_at: datetime) -> Period:
    """The period of a moment; that of a rolling film begins when it was ordered."""
    if standing.every == "rolling":
        return Period(from_at=ordered_at, to_at=None)
    return periods.containing(standing.every, periods.zone(standing.time_zone), at)


def is_kept(standing: NewStanding, period: Period, now: datetime) -> bool:
    """Whether a film of this period would not be deleted at once."""
    if period.to_at is None:
        return True
    if standing.keep_s is not None and period.to_at + timedelta(seconds=standing.keep_s) <= now:
        return False
    if standing.keep_films is None:
        return True
    zone = periods.zone(standing.time_zone)
    return period in periods.latest(standing.every, zone, now, standing.keep_films)


def wanted(standing: Standing, now: datetime) -> list[Period]:
    """The periods of which there should be a film by now, the earliest first; the last is that of
    now."""
    if standing.every == "rolling":
        return [Period(from_at=standing.ordered_at, to_at=None)]
    zone = periods.zone(standing.time_zone)
    latest = periods.latest(standing.every, zone, now, MISSED[standing.every] + 1)
    return [
        period
        for period in latest
        if period.to_at is not None
        and period.to_at > standing.since
        and is_kept(standing, period, now)
    ]


def title(standing: NewStanding, period: Period) -> str:
    """Of the film of a period."""
    if standing.every == "rolling":
        return standing.title
    zone = periods.zone(standing.time_zone)
    return f"{standing.title}, {periods.name(standing.every, zone, period)}"


async def film(
    db: db_utils.Database, standing: NewStanding, period: Period, now: datetime
) -> tuple[NewFilm, list[str]]:
    """The film of a period, and notes on what differs from the wish; raises Invalid, NotFound."""
    wish = dict(standing.wish) | {"title": title(standing, period)}
    if period.to_at is not None:
        wish |= {"from": period.from_at.isoformat(), "to": period.to_at.isoformat()}
    new, notes = await order.complete_in(db, order.parse(wish), now)
    return new, list(notes)


async def make(
    db: db_utils.Database,
    standing: Standing,
    period: Period,
    now: datetime,
    *,
    past: bool = False,
) -> int | None:
    """Make the film of a period, once; returns its number.

    ``None``: there is or was one, it is paused or gone, or the period is over and has no frames.
    ``past``: somebody asked for it: one that was deleted comes again, and nobody is told.
    """
    async with db_utils.transaction(db) as connection:
        current = await store.locked(connection, standing.id)
        if current is None or (current.paused_at is not None and not past):
            return None
        if current.changed_at != standing.changed_at and not past:
            return None  # it is looked at again
        if period.from_at in await store.made(connection, standing.id, period.from_at, there=past):
            return None
        new, _ = await film(connection, current, period, now)
        over = period.to_at is not None and period.to_at <= now
        if over and not await store.has_frames(
            connection, new.scenes, new.from_at, period.to_at or now
        ):
            return None
        film_id = await films.add(connection, new)
        if not await store.note_edition(connection, current, period, film_id, now, again=past):
            raise Conflict("there is a film of this period")  # and this one is none
        if past:
            await telling.hush(connection, film_id, now)
        return film_id
