"""A standing film as the API, the pages and the command line show it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypedDict

import db_utils
from vigil.context import Context
from vigil.films.standing import making, store
from vigil.films.standing.model import Edition, Standing
from vigil.openapi import Actions

DAY_S = 86_400.0


class EditionFile(TypedDict):
    """A film as one file."""

    url: str
    bytes: int


EditionJson = TypedDict(
    "EditionJson",
    {
        "film": int,
        "title": str,
        "from": datetime,
        "to": datetime | None,
        "state": str,
        "error": str | None,
        "duration_s": float,
        "page": str,
        "playlist": str | None,
        "file": EditionFile | None,
        "actions": Actions,
    },
)
"""The film of one period. (A field named ``from`` has no other way.)"""


class PastFilms(TypedDict):
    """How far films of past periods are."""

    done: int
    total: int


class StandingJson(TypedDict):
    """A standing film."""

    slug: str
    title: str
    every: str
    rolling_s: float | None
    time_zone: str
    film: dict[str, Any]
    """What is asked for each time."""
    keep_films: int | None
    keep_days: float | None
    announce: bool
    state: str
    """active, paused, or failing: the next film cannot be made."""
    error: str | None
    next_at: datetime | None
    """When the next film begins."""
    made_at: datetime | None
    past: PastFilms | None
    newest: EditionJson | None
    """The latest film that can be played."""
    page: str
    playlist: str
    file: str
    feed: str
    created_at: datetime
    changed_at: datetime
    actions: Actions


LOOK_BACK = 50
"""Among so many films, the latest, is the one that is shown."""


async def tell(context: Context, standing: Standing, *, admin: bool) -> StandingJson:
    """One as an admin or a visitor may see it."""
    newest = await newest_of(context.pool, standing)
    next_at = making.period_of(standing, context.clock.now(), standing.ordered_at).to_at
    return standing_json(standing, newest, next_at, admin=admin)


async def newest_of(db: db_utils.Database, standing: Standing) -> Edition | None:
    """The latest of its films that can be played."""
    editions = await store.editions(db, standing.id, limit=LOOK_BACK)
    return next((edition for edition in editions if edition.plays), None)


def page_of(slug: str) -> str:
    """The address of its page; all others are below."""
    return f"/films/standing/{slug}"


def file_of(edition: Edition) -> str:
    """The address of a film as one file."""
    return f"/api/v1/films/{edition.film_id}/film.{edition.container}"


def edition_json(edition: Edition) -> EditionJson:
    """The film of one period."""
    api = f"/api/v1/films/{edition.film_id}"
    whole = edition.whole and edition.file_bytes is not None
    return {
        "film": edition.film_id,
        "title": edition.title,
        "from": edition.from_at,
        "to": edition.to_at,
        "state": edition.state,
        "error": edition.error,
        "duration_s": round(edition.duration_s, 3),
        "page": f"/films/{edition.film_id}",
        "playlist": f"{api}/playlist.m3u8" if edition.plays else None,
        "file": {"url": file_of(edition), "bytes": edition.file_bytes or 0} if whole else None,
        "actions": {},
    }


def standing_json(
    standing: Standing, newest: Edition | None, next_at: datetime | None, *, admin: bool
) -> StandingJson:
    """A standing film.

    Args:
        standing: it.
        newest: the latest of its films that can be played.
        next_at: when the next film begins; ``None``: it makes none.
        admin: who asks.
    """
    page = page_of(standing.slug)
    state = "paused" if standing.paused_at else "failing" if standing.error else "active"
    past: PastFilms | None = None
    if standing.past_at is not None:
        done = standing.past_total - standing.past_left
        past = {"done": done, "total": standing.past_total}
    return {
        "slug": standing.slug,
        "title": standing.title,
        "every": standing.every,
        "rolling_s": standing.rolling_s,
        "time_zone": standing.time_zone,
        "film": dict(standing.wish),
        "keep_films": standing.keep_films,
        "keep_days": None if standing.keep_s is None else standing.keep_s / DAY_S,
        "announce": standing.announce,
        "state": state,
        "error": standing.error,
        "next_at": None if standing.paused_at else next_at,
        "made_at": standing.made_at,
        "past": past,
        "newest": None if newest is None else edition_json(newest),
        "page": page,
        "playlist": f"{page}/latest.m3u8",
        "file": f"{page}/latest.mp4",
        "feed": f"{page}/feed.xml",
        "created_at": standing.created_at,
        "changed_at": standing.changed_at,
        "actions": actions(standing, admin=admin),
    }


def actions(standing: Standing, *, admin: bool) -> dict[str, str | None]:
    """What can be done with it: ``None`` when it can be done now, else why not."""
    if not admin:
        names = ("change", "pause", "resume", "past", "delete")
        return dict.fromkeys(names, "only an admin can do that")
    rolling = "a rolling film has no past ones" if standing.every == "rolling" else None
    return {
        "change": None,
        "pause": "it is paused" if standing.paused_at else None,
        "resume": None if standing.paused_at else "it goes on by itself",
        "past": "past ones are being made" if standing.past_at else rolling,
        "delete": None,
    }
