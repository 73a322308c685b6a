"""What happened, and who is told: a page and JSON."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

import msgspec
from msgspec import Meta
from sanic import Blueprint, HTTPResponse, Request

from vigil import auth, responses, sent
from vigil.errors import Invalid, NotFound
from vigil.notifications import sending, store
from vigil.notifications.model import Destination, Event
from vigil.openapi import Items, asked, describe

bp = Blueprint("notifications")

MOST = 200
CHANGES = "<what:test|enable|disable>"


class EventJson(msgspec.Struct):
    """Something that happened."""

    id: int
    at: datetime
    kind: str
    subject: str
    message: str
    url: str
    """The page about it."""


class EventsAsked(msgspec.Struct):
    """Which events."""

    subject: Annotated[str, Meta(description="Of this subject, e.g. camera:garden.")] = ""
    limit: Annotated[int, Meta(ge=1, le=MOST)] = 50
    cursor: str = ""


class NewDestination(msgspec.Struct, forbid_unknown_fields=True):
    """The body of POST /api/v1/destinations."""

    name: str
    kind: str
    """`webhook` or `apprise`."""
    url: str
    kinds: list[str] = []
    """Kinds of events or their beginnings (`camera.`); none: all."""


class DestinationJson(msgspec.Struct):
    """Where events are sent; its address is shown to nobody again."""

    id: int
    name: str
    kind: str
    place: str
    kinds: list[str]
    enabled: bool
    waiting: int
    delivered_at: datetime | None
    error: str | None
    error_at: datetime | None
    created_at: datetime
    actions: dict[str, str | None]
    secret: str | None = None
    """Of a new webhook, this once: with what its requests are signed (Standard Webhooks)."""


@bp.get("/notifications", name="index")
async def index(request: Request) -> HTTPResponse:
    """What happened lately; for an admin, who is told."""
    return await _page(request)


@bp.post("/notifications/destinations", name="add_form")
@auth.require_admin
async def add_form(request: Request) -> HTTPResponse:
    """Add a destination; the secret of a webhook is shown this once."""
    wanted = NewDestination(
        name=sent.field(request, "name"),
        kind=sent.field(request, "kind"),
        url=sent.field(request, "url"),
        kinds=sent.field(request, "kinds").replace(",", " ").split(),
    )
    return await _page(request, made=await _add(request, wanted))


@bp.post("/notifications/destinations/<destination_id:int>/<what:test|enable|disable|remove>")
@auth.require_admin
async def change_form(request: Request, destination_id: int, what: str) -> HTTPResponse:
    """Test, enable, disable or remove a destination."""
    await _change(request, destination_id, what)
    return responses.redirect("/notifications")


@bp.get("/api/v1/events", name="api_events")
@describe(Items[EventJson], query=EventsAsked)
async def api_events(request: Request) -> HTTPResponse:
    """What happened, the latest first."""
    wanted, _ = asked(request, EventsAsked)
    context = responses.context(request)
    found = await store.page(
        context.pool,
        subject=wanted.subject or None,
        before=_before(wanted.cursor),
        limit=wanted.limit + 1,
    )
    page = found[: wanted.limit]
    following = responses.cursor_encode(page[-1].id) if len(found) > wanted.limit else None
    site_url = context.settings.site_url
    return responses.items([_event_json(event, site_url) for event in page], following)


@bp.get("/api/v1/destinations", name="api_destinations")
@describe(Items[DestinationJson], admin=True)
@auth.require_admin
async def api_destinations(request: Request) -> HTTPResponse:
    """Who is told."""
    return responses.items(await _destinations(request))


@bp.post("/api/v1/destinations", name="api_add")
@describe(answers={201: DestinationJson}, body=NewDestination, admin=True, errors=(409,))
@auth.require_admin
async def api_add(request: Request) -> HTTPResponse:
    """Add a destination; the secret of a webhook is in the answer and nowhere else."""
    wanted = sent.body(request, NewDestination, trouble="the body is no destination")
    return responses.json(await _add(request, wanted), HTTPStatus.CREATED)


@bp.post(f"/api/v1/destinations/<destination_id:int>/{CHANGES}", name="api_change")
@describe(answers={204: None}, admin=True, errors=(404,))
@auth.require_admin
async def api_change(request: Request, destination_id: int, what: str) -> HTTPResponse:
    """Send a test event there, or let it be told of new events or of none."""
    await _change(request, destination_id, what)
    return HTTPResponse(status=HTTPStatus.NO_CONTENT)


@bp.delete("/api/v1/destinations/<destination_id:int>", name="api_remove")
@describe(answers={204: None}, admin=True, errors=(404,))
@auth.require_admin
async def api_remove(request: Request, destination_id: int) -> HTTPResponse:
    """Remove a destination."""
    await _change(request, destination_id, "remove")
    return HTTPResponse(status=HTTPStatus.NO_CONTENT)


async def _add(request: Request, wanted: NewDestination) -> DestinationJson:
    sending.check(wanted.kind, wanted.name, wanted.url, wanted.kinds)
    made = await store.add_destination(
        responses.context(request).pool,
        name=wanted.name,
        kind=wanted.kind,
        url=wanted.url,
        secret=sending.new_secret() if wanted.kind == "webhook" else "",
        kinds=wanted.kinds,
    )
    shown = _destination_json(made, 0, None)
    shown.secret = made.secret or None
    return shown


async def _change(request: Request, destination_id: int, what: str) -> None:
    pool = responses.context(request).pool
    found = None
    if 0 < destination_id < 2**31:
        found = await store.destination(pool, destination_id)
    if found is None:
        raise NotFound("there is no such destination")
    if what == "remove":
        await store.remove_destination(pool, found.id)
    elif what == "test":
        await store.test_destination(pool, found)
    else:
        await store.enable_destination(pool, found.id, what == "enable")


async def _destinations(request: Request) -> list[DestinationJson]:
    pool = responses.context(request).pool
    waiting = await store.waiting_deliveries(pool)
    return [
        _destination_json(one, *waiting.get(one.id, (0, None)))
        for one in await store.destinations(pool)
    ]


async def _page(request: Request, made: DestinationJson | None = None) -> HTTPResponse:
    found = await store.page(
        responses.context(request).pool,
        before=_before(request.args.get("cursor")),
        limit=MOST + 1,
    )
    identity = await auth.identify(request)
    return await responses.page(
        request,
        "notifications/index.html",
        events=[_event_json(event, "") for event in found[:MOST]],
        next=responses.cursor_encode(found[MOST - 1].id) if len(found) > MOST else None,
        destinations=await _destinations(request) if identity else [],
        made=made,
    )


def _before(cursor: str | None) -> int | None:
    """The event that a cursor names."""
    if not cursor:
        return None
    (number,) = responses.cursor_decode(cursor, int)
    if not 0 <= number < 2**63:
        raise Invalid("this cursor is not one of ours", hint="begin without it")
    return int(number)


def _event_json(event: Event, site_url: str) -> EventJson:
    return EventJson(
        id=event.id,
        at=event.at,
        kind=event.kind,
        subject=event.subject,
        message=event.message,
        url=sending.page_of(event.subject, site_url),
    )


def _destination_json(
    one: Destination, waiting: int, delivered_at: datetime | None
) -> DestinationJson:
    off = None if one.enabled else "it is paused"
    return DestinationJson(
        id=one.id,
        name=one.name,
        kind=one.kind,
        place=sending.describe(one),
        kinds=list(one.kinds),
        enabled=one.enabled,
        waiting=waiting,
        delivered_at=delivered_at,
        error=one.error,
        error_at=one.error_at,
        created_at=one.created_at,
        actions={
            "test": off,
            "disable": off,
            "enable": "it is told already" if one.enabled else None,
            "remove": None,
        },
    )
