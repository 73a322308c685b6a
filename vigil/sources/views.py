"""Pages and JSON of the sources."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from sanic import Blueprint, HTTPResponse, Request
from sanic.response import ResponseStream

from vigil import auth, responses, sent
from vigil.errors import Conflict, Invalid, NotFound, SourceError, VigilError
from vigil.openapi import Items, describe
from vigil.sources import adding, blocking, forms, shown, store
from vigil.sources.kinds import DIRECTORIES
from vigil.sources.model import DirectoryKind, Source
from vigil.sources.preview import Preview, PreviewJson, preview, preview_json
from vigil.sources.shown import SourceJson

bp = Blueprint("sources")
blocking.register(bp)

BETWEEN_NEWS_S = 1.0


class NewSource(msgspec.Struct, forbid_unknown_fields=True):
    """The body of POST /api/v1/sources."""

    name: str
    kind: str
    base_url: str | None = None
    options: dict[str, Any] = {}
    interval_s: float | None = None
    ttl_s: float | None = None
    secrets: dict[str, str | None] = {}
    """Headers that are sent to it and shown to nobody."""


class Change(msgspec.Struct, forbid_unknown_fields=True):
    """The body of PATCH /api/v1/sources/<name>: what is not in it stays as it is."""

    base_url: str | UnsetType | None = UNSET
    options: dict[str, Any] | UnsetType = UNSET
    interval_s: float | UnsetType = UNSET
    ttl_s: float | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    secrets: dict[str, str | None] | UnsetType = UNSET
    """Secret headers to set, or with null to forget; the others stay."""


class Trial(msgspec.Struct, forbid_unknown_fields=True):
    """The body of POST /api/v1/sources/<name>/preview."""

    kind: str | UnsetType = UNSET
    """Of a source that there is not yet."""
    base_url: str | UnsetType | None = UNSET
    options: dict[str, Any] | UnsetType = UNSET
    secrets: dict[str, str | None] | UnsetType = UNSET


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


@bp.get("/sources/new/<kind>", name="new")
@auth.require_admin
async def new(request: Request, kind: str) -> HTTPResponse:
    """The form for a source of a kind."""
    if kind not in DIRECTORIES:
        raise NotFound(f"there is no kind of source called {kind[:70]}")
    return await _form(request, DIRECTORIES[kind], forms.empty(DIRECTORIES[kind]))


@bp.post("/sources", name="add_form")
@auth.require_admin
async def add_form(request: Request) -> HTTPResponse:
    """Add a source from the form, or show what it would be."""
    given = sent.fields(request)
    return await _save(request, adding.kind_of(given.get("kind", [""])[0]), given)


@bp.get("/sources/<name>/change", name="change")
@auth.require_admin
async def change(request: Request, name: str) -> HTTPResponse:
    """The form of a source that there is."""
    source = (await adding.find(responses.context(request).pool, name)).source
    return await _form(request, adding.kind_of(source.kind), forms.filled(source), source)


@bp.post("/sources/<name>/change", name="change_form")
@auth.require_admin
async def change_form(request: Request, name: str) -> HTTPResponse:
    """Change a source from its form, or show what it would be then."""
    source = (await adding.find(responses.context(request).pool, name)).source
    return await _save(request, adding.kind_of(source.kind), sent.fields(request), source)


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
    body = sent.body(request, NewSource)
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
    body = sent.body(request, Change)
    await adding.change(responses.context(request).pool, name, **sent.changed(body))
    return responses.json(await _one(request, name))


@bp.post("/api/v1/sources/<name>/preview", name="api_preview")
@describe(PreviewJson, body=Trial, admin=True, errors=(404, 502))
@auth.require_admin
async def api_preview(request: Request, name: str) -> HTTPResponse:
    """What a source would show first: one that is there, with these changes, or one that is not.

    Nothing is saved.
    """
    context, body = responses.context(request), sent.body(request, Trial)
    if body.kind is UNSET:
        source = (await adding.find(context.pool, name)).source
        tried = adding.checked(replace(adding.as_it_is(source), **sent.changed(body)), source)
    else:
        tried = adding.checked(adding.Wanted(name=name, **sent.changed(body)))
    return responses.json(preview_json(await preview(context, tried)))


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


async def _save(
    request: Request,
    kind: DirectoryKind,
    given: Mapping[str, list[str]],
    before: Source | None = None,
) -> HTTPResponse:
    """Save what a form says, or test it; shown again where something is wrong with it."""
    context, seen = responses.context(request), None
    try:
        wanted = forms.wanted(given, kind, before)
        if given.get("do") == ["test"]:
            seen = await preview(context, adding.checked(wanted, before))
        elif before is None:
            await adding.add(context.pool, wanted)
        else:
            await adding.change(context.pool, before.name, **forms.changes(wanted))
    except (Invalid, Conflict, SourceError) as error:
        status = 200 if isinstance(error, SourceError) else error.status
        return await _form(request, kind, forms.again(given), before, error=error, status=status)
    if seen is None:
        return responses.redirect("/sources")
    return await _form(request, kind, forms.again(given), before, seen=seen)


async def _form(
    request: Request,
    kind: DirectoryKind,
    values: Mapping[str, str],
    source: Source | None = None,
    *,
    seen: Preview | None = None,
    error: VigilError | None = None,
    status: int = 200,
) -> HTTPResponse:
    return await responses.page(
        request,
        "sources/form.html",
        status,
        kind=kind,
        values=values,
        source=source,
        secrets=sorted(source.secrets) if source else [],
        seen=seen,
        error=error,
    )
