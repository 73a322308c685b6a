"""What may be asked for: from a person's words to a standing film, complete and checked."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import UNSET, Meta, UnsetType

import db_utils
from vigil import sent
from vigil.cameras.scenes import store as scenes
from vigil.context import Context
from vigil.errors import Conflict, Invalid, NotFound
from vigil.films import store as films
from vigil.films.standing import making, periods, store
from vigil.films.standing.model import Every, NewStanding, Standing

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
DAY_S = 86_400.0
ROLLING = "24h"
MOST_PAST = 400
"""Past periods that are made at once; more by asking again."""
NOT_OURS = ("from", "to", "last", "title")
"""Of an order: said by the period."""
HINT = 'send an object such as {"every": "daily", "film": {"camera": "garden", "length": "60s"}}'


class StandingOrder(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """A standing film as somebody asks for it."""

    film: dict[str, Any]
    """An order as POST /api/v1/films takes it, without title and time; a rolling one says how much
    it shows: {"rolling": "24h"}."""
    every: Every = "daily"
    """daily, weekly (from Monday), monthly, or rolling: one film of always the last while."""
    slug: str | None = None
    """Its name in addresses, which stays: lower-case letters, digits and dashes."""
    title: Annotated[str, Meta(max_length=150)] | None = None
    time_zone: Annotated[str, Meta(max_length=60)] | None = None
    """IANA name: where its days begin. Default: that of the scene."""
    keep_films: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    """Most films kept, the one that grows included; null: any number."""
    keep_days: Annotated[float, Meta(gt=0, le=36_500)] | None = None
    """Days for which a film is kept after its period; null: for ever."""
    announce: bool = True
    """Whether an event tells of each film that is done."""


class StandingChanges(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """What is to be another: only what is given. Kind of period and name stay."""

    film: dict[str, Any] | UnsetType = UNSET
    """The whole order; films that there are stay as they are, a rolling one is made anew."""
    title: Annotated[str, Meta(max_length=150)] | UnsetType = UNSET
    time_zone: Annotated[str, Meta(max_length=60)] | UnsetType = UNSET
    keep_films: Annotated[int, Meta(ge=1, le=100_000)] | UnsetType | None = UNSET
    keep_days: Annotated[float, Meta(gt=0, le=36_500)] | UnsetType | None = UNSET
    announce: bool | UnsetType = UNSET


def changed(standing: Standing, changes: StandingChanges) -> StandingOrder:
    """One as it is to be after a change."""
    before = {
        "film": dict(standing.wish),
        "title": standing.title,
        "time_zone": standing.time_zone,
        "keep_films": standing.keep_films,
        "keep_days": None if standing.keep_s is None else standing.keep_s / DAY_S,
        "announce": standing.announce,
    }
    return StandingOrder(every=standing.every, slug=standing.slug, **before | sent.changed(changes))


def parse(body: Any) -> StandingOrder:
    """From JSON; raises Invalid, naming what is wrong."""
    try:
        return msgspec.convert(body, StandingOrder)
    except msgspec.ValidationError as error:
        raise Invalid(f"this standing film cannot be made: {error}", hint=HINT) from None


async def check(
    db: db_utils.Database, asked: StandingOrder, now: datetime, before: Standing | None = None
) -> NewStanding:
    """What is kept; raises Invalid or NotFound. ``before``: the one that is changed.

    A film of now is made in thought, so that nothing is found wrong at midnight only.
    """
    wish = {name: value for name, value in asked.film.items() if name not in NOT_OURS}
    if asked.every == "rolling":
        wish.setdefault("rolling", ROLLING)
    elif wish.pop("rolling", None):
        raise Invalid('"rolling" is for a rolling film', hint='every: "rolling"')
    title = " ".join((asked.title or "").split())
    draft = NewStanding(
        slug="",
        title=title or "A film",
        wish=wish,
        every=asked.every,
        rolling_s=None,
        time_zone=_zone(asked.time_zone or "UTC"),
        keep_films=asked.keep_films,
        keep_s=None if asked.keep_days is None else asked.keep_days * DAY_S,
        announce=asked.announce,
    )
    period = making.period_of(draft, now, now)
    new, _ = await making.film(db, draft, period, now)
    scene = await scenes.by_id(db, new.scenes[0]) if new.scenes else None
    usual = (scene.title or scene.name) if scene else "Film"
    title = title or f"{usual}, {WORDS[asked.every]}"
    time_zone = asked.time_zone or (before.time_zone if before else None)
    return replace(
        draft,
        title=title,
        slug=before.slug if before else _slug(asked.slug or slug_of(title)),
        rolling_s=new.rolling_s,
        time_zone=time_zone or (scene.time_zone if scene else "UTC"),
    )


WORDS: dict[Every, str] = {
    "daily": "day by day",
    "weekly": "week by week",
    "monthly": "month by month",
    "rolling": "the last while",
}


def slug_of(title: str) -> str:
    """A name for addresses from one for people."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:63].strip("-") or "film"


def _slug(text: str) -> str:
    if not SLUG.fullmatch(text):
        raise Invalid(
            f"{text[:70]!r} cannot stand in an address",
            hint="at most 63 lower-case letters, digits and dashes",
        )
    return text


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid(f"there is no time zone {name[:60]}", hint="such as Europe/Berlin") from None


async def past(db: db_utils.Database, standing: Standing, number: int, now: datetime) -> int:
    """Have films of the last ``number`` periods before this one made, as far as they are kept.

    Returns how many periods are looked at; raises Invalid or Conflict.
    """
    if standing.every == "rolling":
        raise Conflict("a rolling film has no past ones")
    if not 1 <= number <= MOST_PAST:
        raise Invalid(f"from 1 to {MOST_PAST} past periods at a time")
    zone = periods.zone(standing.time_zone)
    wanted = periods.latest(standing.every, zone, now, number + 1)[:-1]
    kept = [period for period in wanted if making.is_kept(standing, period, now)]
    if not kept:
        raise Conflict("past films would be deleted at once", hint="let it keep more films")
    await store.ask_for_past(db, standing.id, kept[-1].from_at, len(kept))
    await store.tell(db, standing)
    return len(kept)


async def make(context: Context, asked: StandingOrder) -> Standing:
    """Make one; raises Invalid, NotFound or Conflict."""
    now = context.clock.now()
    async with db_utils.transaction(context.pool) as connection:
        return await store.add(connection, await check(connection, asked, now), now)


async def change(context: Context, standing: Standing, asked: StandingOrder) -> Standing:
    """Change one; raises Invalid or NotFound."""
    now = context.clock.now()
    async with db_utils.transaction(context.pool) as connection:
        new = await check(connection, asked, now, standing)
        found = await store.change(connection, standing.id, new, now)
        if found is None:
            raise NotFound(f"there is no standing film {standing.slug}")
        await store.tell(connection, found)
        return found


async def act(context: Context, standing: Standing, action: str) -> None:
    """Pause or resume one; raises Conflict when it is so already."""
    now = context.clock.now()
    async with db_utils.transaction(context.pool) as connection:
        if action == "pause" and not await store.pause(connection, standing.id, now):
            raise Conflict("it is paused")
        if action == "resume" and not await store.resume(connection, standing.id, now):
            raise Conflict("it goes on by itself")
        await store.tell(connection, standing)


async def remove(context: Context, standing: Standing, *, films_too: bool) -> None:
    """Remove one; ``films_too``: and all films that it made, which stay otherwise."""
    async with db_utils.transaction(context.pool) as connection:
        if films_too:
            for film_id in await store.films_of(connection, standing.id):
                await films.mark_deleting(connection, film_id)
        await store.remove(connection, standing.id)
        await store.tell(connection, standing)
