"""The chores of standing films: make what is due, let go what is not kept.

One renderer does it for all; were there two, they would not make two films of a period: each
step is one transaction that looks whether it is still to be taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import db_utils
from vigil import log
from vigil.context import Context
from vigil.errors import NotFound, VigilError
from vigil.films import kinds
from vigil.films import store as films
from vigil.films.standing import making, periods, store
from vigil.films.standing.model import Edition, Standing
from vigil.films.states import store as states
from vigil.loop import Target
from vigil.notifications import store as notifications

LOOK_S, KEPT_LOOK_S = 2.0, 60.0
AGAIN = timedelta(minutes=5)
"""After a film could not be made."""
LOOK_BACK = timedelta(hours=1)
"""How often it is looked for frames that came so late that their period had no film."""
LATE = timedelta(days=3)
"""For how long after its period a film takes in late frames."""
WATCHED = timedelta(minutes=10)
"""A film that was looked at within this time is not deleted."""


async def targets(context: Context) -> Sequence[Target]:
    """The chore."""

    async def run() -> float:
        await keep_up(context)
        return LOOK_S

    async def kept() -> float:
        await let_go(context, context.clock.now())
        await take_in_late_frames(context)
        return KEPT_LOOK_S

    return [
        Target(key="films:standing", name="standing films", run_once=run, retry_max_s=30),
        Target(key="films:kept", name="standing films: what is kept", run_once=kept),
    ]


async def keep_up(context: Context) -> None:
    """One look at all of them."""
    now = context.clock.now()
    for standing in await store.due(context.pool, now):
        await make_due(context, standing, now)
    for standing in await store.with_past(context.pool):
        await make_past(context, standing, now)


async def make_due(context: Context, standing: Standing, now: datetime) -> None:
    """Make the films that are missing, that of now first."""
    error = None
    wanted = making.wanted(standing, now)
    for period in reversed(wanted):
        try:
            film_id = await making.make(context.pool, standing, period, now)
        except VigilError as failure:
            error = failure.message
            continue
        if film_id is not None:
            log.info("films", f"film {film_id} is that of {standing.slug}, {period.from_at}")
    next_at = now + (AGAIN if error else LOOK_BACK)
    if wanted and wanted[-1].to_at is not None:
        next_at = min(next_at, wanted[-1].to_at)
    async with db_utils.transaction(context.pool) as connection:
        looked = await store.looked(connection, standing, next_at, error)
        if looked and error is not None and error != standing.error:
            await notifications.add(
                connection,
                "film.failed",
                store.subject(standing.slug),
                f"{standing.title}: no film can be made: {error}",
                at=now,
            )


async def make_past(context: Context, standing: Standing, now: datetime) -> None:
    """Make films of past periods, few at a time, until all that were asked for are there."""
    zone = periods.zone(standing.time_zone)
    under_way = sum(
        edition.state in ("waiting", "rendering") and edition.ended_by(now)
        for edition in await store.editions(context.pool, standing.id)
    )
    at, left = standing.past_at, standing.past_left
    while at is not None and left > 0 and under_way < making.PAST_AT_ONCE:
        period = periods.containing(standing.every, zone, at)
        try:
            made = await making.make(context.pool, standing, period, now, past=True)
            under_way += made is not None
        except VigilError as failure:
            log.warning("films", f"{standing.slug}, {period.from_at}: {failure.message}")
        left -= 1
        at = periods.before(standing.every, zone, period).from_at if left else None
        await store.go_back(context.pool, standing, at, left)


async def let_go(context: Context, now: datetime) -> None:
    """Delete films that are no longer kept, with their files."""
    for standing in await store.page(context.pool):
        editions = await store.editions(context.pool, standing.id)
        for edition in no_longer_kept(standing, editions, now):
            with suppress(NotFound):
                await films.mark_deleting(context.pool, edition.film_id)
                log.info("films", f"film {edition.film_id} of {standing.slug} is no longer kept")


def no_longer_kept(standing: Standing, editions: Sequence[Edition], now: datetime) -> list[Edition]:
    """Which of its films go; never the latest that plays, nor one that somebody watches.

    Args:
        standing: says how many are kept, and for how long.
        editions: all of them, the latest first.
        now: the time.
    """
    found = []
    newest = next((edition.from_at for edition in editions if edition.plays), None)
    for place, edition in enumerate(editions):
        if edition.to_at is None:  # a rolling one goes once that which replaces it plays
            goes = newest is not None and edition.from_at < newest
        else:
            kept_s = standing.keep_s
            old = kept_s is not None and edition.to_at + timedelta(seconds=kept_s) <= now
            many = standing.keep_films is not None and place >= standing.keep_films
            goes = (old or many) and edition.ended_by(now)
        watched = edition.watched_at is not None and edition.watched_at > now - WATCHED
        if goes and edition.from_at != newest and not watched:
            found.append(edition)
    return found


async def take_in_late_frames(context: Context) -> None:
    """Have films looked at again whose period is over, and that frames came for since."""
    now = context.clock.now()
    for film_id in await store.ended(context.pool, now - LATE, now):
        film = await films.get(context.pool, film_id)
        if film is None or film.retention_s is None:
            continue  # nobody brings frames any more
        if await kinds.of(film).has_news(context, film):
            await states.enqueue(context.pool, film)
            log.info("films", f"film {film_id} takes in late frames")
