"""JSON of days and gaps."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import msgspec
from msgspec import Meta
from sanic import Blueprint, HTTPResponse, Request

from vigil import responses
from vigil.cameras import asking
from vigil.cameras.accounts import shown, store
from vigil.cameras.accounts.shown import DayJson, GapJson
from vigil.cameras.plan import at
from vigil.cameras.scenes import store as scenes
from vigil.errors import Invalid
from vigil.openapi import Items, asked, describe

DAYS = 31
MOST_DAYS = 400
MOST_GAPS = 1000


class DaysAsked(msgspec.Struct):
    """Which days."""

    from_day: Annotated[
        date | None, Meta(description="The first day, 2026-05-01; a month ago by itself.")
    ] = msgspec.field(default=None, name="from")
    to: Annotated[date | None, Meta(description="The last day; today by itself.")] = None


class GapsAsked(msgspec.Struct):
    """Which gaps."""

    from_at: Annotated[str, Meta(description="That end after this time.")] = msgspec.field(
        default="", name="from"
    )
    to: Annotated[str, Meta(description="That begin before this time.")] = ""
    limit: Annotated[int, Meta(ge=1, le=MOST_GAPS)] = 100
    cursor: str = ""


@describe(Items[DayJson], query=DaysAsked, errors=(404,))
async def api_days(request: Request, name: str) -> HTTPResponse:
    """What was due and what came, day by day, in order: days of the scene's time zone."""
    camera = await asking.camera_of(request, name)
    query, _ = asked(request, DaysAsked)
    context = responses.context(request)
    now = context.clock.now()
    scene = await scenes.of_camera(context.pool, camera.id, now)
    first, last = shown.last_days(now, scene, DAYS)
    last = query.to or (last if query.from_day is None else max(last, query.from_day))
    first = query.from_day or min(first, last)
    if not 0 <= (last - first).days < MOST_DAYS:
        raise Invalid(f"from comes before to, at most {MOST_DAYS} days")
    return responses.items(await shown.days(context.pool, camera, scene, first, last))


@describe(Items[GapJson], query=GapsAsked, errors=(404,))
async def api_gaps(request: Request, name: str) -> HTTPResponse:
    """Frames that were due and did not come, and why: the latest first."""
    camera = await asking.camera_of(request, name)
    query, _ = asked(request, GapsAsked)
    before = None
    if query.cursor:
        before = responses.cursor_decode(query.cursor, datetime, int)
    found = await store.gaps(
        responses.context(request).pool,
        camera.id,
        from_at=asking.moment(query.from_at, "from"),
        to_at=asking.moment(query.to, "to"),
        before=before,
        limit=query.limit,
    )
    cursor = None
    if len(found) == query.limit:
        cursor = responses.cursor_encode(at(found[-1].to_us), found[-1].id)
    return responses.items(shown.shown_gaps(found), cursor)


def register(bp: Blueprint) -> None:
    """Add the routes."""
    for path, handler in (("days", api_days), ("gaps", api_gaps)):
        address = f"/api/v1/cameras/<name>/{path}"
        bp.add_route(handler, address, ("GET",), name=f"api_camera_{path}")
