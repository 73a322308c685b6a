"""Pages and JSON of the sources."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, UnsetType
from sanic import Blueprint, HTTPResponse, Request
from sanic.response import ResponseStream

from vigil import auth, responses
from vigil.errors import Invalid
from vigil.openapi import Items, describe
from vigil.sources import adding, blocking, options, shown, store
from vigil.sources.kinds import DIRECTORIES
from vigil.sources.shown import SourceJson

bp = Blueprint("sources")
blocking.register(bp)
T = TypeVar("T")

BETWEEN_NEWS_S = 1.0


class NewSource(msgspec.Struct, forbid_unknown_fields=True):
    """The body of POST /api/v1/sources."""

    name: str
    kind: str
    base_url: str | None = None
    options: dict[str, Any] = {}
    interval_s: float | None = None
    ttl_s: float | None = None


class Change(msgspec.Struct, forbid_unknown_fields=True):
    """The body of PATCH /api/v1/sources/<name>: what is not in it stays as it is."""

    base_url: str | UnsetType | None = UNSET
    options: dict[str, Any] | UnsetType = UNSET
    interval_s: float | UnsetType = UNSET
    ttl_s: float | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


@bp.get("/sources", name="index")
async def index(request: Request) -> HTTPResponse:
    """Every source: how the last pass went, and what can be done."""
    return await responses.page(
        request, "sources/index.html", sources=await _all(request), kinds=DIRECTORIES.values()
    )


@bp.get("/sources/list", name="list")
async def list_fragment(request: Request) -> HTTPResponse:
    """The list alone, for the page's script."""
    return await responses.page(request, "sources/_list.html", sources=await _all(request))


@bp.get("/sources/events", name="events")
async def events(request: Request) -> ResponseStream | None:
    """Server-sent events: ``changed`` whenever the list is no longer what it was."""
    return await responses.event_stream(request, _news(request))


@bp.post("/sources", name="add_form")
@auth.require_admin
async def add_form(request: Request) -> HTTPResponse:
    """Add a source from the form."""
    wanted = adding.Wanted(
        name=_field(request, "name"),
        kind=_field(request, "kind"),
        base_url=_field(request, "base_url"),
        options=options.parse(_field(request, "criteria").split()),
        interval_s=_seconds(request, "interval_s"),
        ttl_s=_seconds(request, "ttl_s"),
    )
    await adding.add(responses.context(request).pool, wanted)
    return responses.redirect("/sources")


@bp.post("/sources/<name>/change", name="change_form")
@auth.require_admin
async def change_form(request: Request, name: str) -> HTTPResponse:
    """Change a source from its form."""
    pool = responses.context(request).pool
    source = (await adding.find(pool, name)).source
    await adding.change(
        pool,
        name,
        base_url=_field(request, "base_url"),
        options=options.parse(_field(request, "criteria").split()),
        interval_s=_seconds(request, "interval_s") or source.interval_s,
        ttl_s=_seconds(request, "ttl_s") or source.ttl_s,
        enabled=source.enabled,
    )
    return responses.redirect("/sources")


@bp.post("/sources/<name>/<action:enable|disable|test|delete>", name="action_form")
@auth.require_admin
async def action_form(request: Request, name: str, action: str) -> HTTPResponse:
    """Enable, disable, remove, or look now."""
    await _do(request, name, action)
    return responses.redirect("/sources")


@bp.get("/api/v1/sources", name="api_index")
@describe(Items[SourceJson])
async def api_index(request: Request) -> HTTPResponse:
    """Every source."""
    return responses.items(await _all(request))


@bp.post("/api/v1/sources", name="api_add")
@describe(answers={201: SourceJson}, body=NewSource, admin=True, errors=(409,))
@auth.require_admin
async def api_add(request: Request) -> HTTPResponse:
    """Add a source."""
    body = _body(request, NewSource)
    wanted = adding.Wanted(**msgspec.structs.asdict(body))
    source = await adding.add(responses.context(request).pool, wanted)
    return responses.json(
        await _one(request, source.name), 201, {"location": f"/api/v1/sources/{source.name}"}
    )


@bp.get("/api/v1/sources/<name>", name="api_show")
@describe(SourceJson, errors=(404,))
async def api_show(request: Request, name: str) -> HTTPResponse:
    """One source."""
    return responses.json(await _one(request, name))


@bp.patch("/api/v1/sources/<name>", name="api_change")
@describe(SourceJson, body=Change, admin=True, errors=(404,))
@auth.require_admin
async def api_change(request: Request, name: str) -> HTTPResponse:
    """Change a source."""
    pool = responses.context(request).pool
    body = _body(request, Change)
    source = (await adding.find(pool, name)).source
    await adding.change(
        pool,
        name,
        base_url=source.base_url if body.base_url is UNSET else body.base_url,
        options=source.options if body.options is UNSET else body.options,
        interval_s=source.interval_s if body.interval_s is UNSET else body.interval_s,
        ttl_s=source.ttl_s if body.ttl_s is UNSET else body.ttl_s,
        enabled=source.enabled if body.enabled is UNSET else body.enabled,
    )
    return responses.json(await _one(request, name))


@bp.delete("/api/v1/sources/<name>", name="api_delete")
@describe(answers={204: None}, admin=True, errors=(404,))
@auth.require_admin
async def api_delete(request: Request, name: str) -> HTTPResponse:
    """Remove a source and its streams."""
    await _do(request, name, "delete")
    return HTTPResponse(status=204)


@bp.post("/api/v1/sources/<name>/<action:enable|disable|test>", name="api_action")
@describe(answers={200: SourceJson, 202: SourceJson}, admin=True, errors=(404, 409))
@auth.require_admin
async def api_action(request: Request, name: str, action: str) -> HTTPResponse:
    """Enable, disable, or look now; 202 for the latter: the scanner does it."""
    await _do(request, name, action)
    return responses.json(await _one(request, name), 202 if action == "test" else 200)


async def _do(request: Request, name: str, action: str) -> None:
    pool = responses.context(request).pool
    if action == "delete":
        await adding.delete(pool, name)
    elif action == "test":
        await adding.look_now(pool, name)
    else:
        await adding.set_enabled(pool, name, action == "enable")


async def _all(request: Request) -> list[SourceJson]:
    context = responses.context(request)
    identity, now = await auth.identify(request), context.clock.now()
    states = await store.list_states(context.pool)
    return [shown.source_json(state, context.settings, identity, now) for state in states]


async def _one(request: Request, name: str) -> SourceJson:
    context = responses.context(request)
    state = await adding.find(context.pool, name)
    identity = await auth.identify(request)
    return shown.source_json(state, context.settings, identity, context.clock.now())


async def _news(request: Request) -> AsyncGenerator[tuple[str, dict[str, Any]], None]:
    listener = responses.context(request).listener
    async with listener.subscribe(store.STATE_TOPIC, "sources") as news:
        while True:
            yield "changed", {}
            await asyncio.sleep(BETWEEN_NEWS_S)
            await news.get()
            while not news.empty():
                news.get_nowait()


def _body(request: Request, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(request.body, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Invalid(f"the body cannot be used: {error}") from None


def _field(request: Request, name: str) -> str:
    form = request.form
    return str(form.get(name) or "").strip() if form else ""


def _seconds(request: Request, name: str) -> float | None:
    text = _field(request, name)
    try:
        return float(text) if text else None
    except ValueError:
        raise Invalid(f"{name} is a number of seconds") from None
