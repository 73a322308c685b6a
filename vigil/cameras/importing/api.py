"""Imports for programs: JSON, for admins alone, since it names files of the server."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta
from sanic import Blueprint, HTTPResponse, Request

from vigil import auth, responses, sent
from vigil.cameras.importing import previewing, shown, starting, store
from vigil.cameras.importing.model import Import
from vigil.cameras.importing.previewing import Preview
from vigil.cameras.importing.shown import ImportJson
from vigil.cameras.importing.starting import Wanted
from vigil.errors import Conflict, NotFound
from vigil.jobs import store as jobs
from vigil.openapi import Items, asked, describe

PAGE = 50
BODY = '{"camera": …, "place": …}'


class NewImport(msgspec.Struct, forbid_unknown_fields=True):
    """What is to be imported, and how."""

    camera: str
    place: str
    """Path of a folder of the server, or URL of a bucket."""
    new: bool = False
    """Make the camera, of kind push."""
    pattern: str = ""
    """Which files, such as *.jpg; empty: all pictures."""
    rule: str = "auto"
    """auto, exif, name or mtime."""
    time_zone: str | None = None
    """Of times that name none; null: the scene's."""
    clock_offset_s: float = 0.0
    """By how much the camera's clock was ahead."""
    keep: bool = False
    """Keep its frames for ever."""
    retention_s: float | None = None
    """Raise the camera's retention to this."""


class ImportsAsked(msgspec.Struct):
    """Which imports."""

    limit: Annotated[int, Meta(ge=1, le=PAGE)] = PAGE
    cursor: str = ""


@describe(Items[ImportJson], query=ImportsAsked, admin=True)
@auth.require_admin
async def api_index(request: Request) -> HTTPResponse:
    """Every import, the newest first."""
    wanted, _ = asked(request, ImportsAsked)
    before = responses.cursor_decode(wanted.cursor, int)[0] if wanted.cursor else None
    if before is not None:
        before = min(before, 2**63 - 1)
    pool = responses.context(request).pool
    found = await store.page(pool, before=before, limit=wanted.limit + 1)
    following = None
    if len(found) > wanted.limit:
        following = responses.cursor_encode(found[wanted.limit - 1].id)
    return responses.items([await told(request, one) for one in found[: wanted.limit]], following)


@describe(answers={201: ImportJson}, body=NewImport, admin=True, errors=(404, 409))
@auth.require_admin
async def api_add(request: Request) -> HTTPResponse:
    """Begin an import; a renderer does it. What exists already is not doubled."""
    wanted = Wanted(**msgspec.structs.asdict(sent.body(request, NewImport, BODY)))
    one = await starting.start(responses.context(request), wanted)
    return responses.json(await told(request, one), 201, {"location": f"/api/v1/imports/{one.id}"})


@describe(Preview, body=NewImport, admin=True, errors=(404, 409))
@auth.require_admin
async def api_preview(request: Request) -> HTTPResponse:
    """What an import would do; keeps nothing. Of many files a sample is read, in seconds."""
    wanted = Wanted(**msgspec.structs.asdict(sent.body(request, NewImport, BODY)))
    context = responses.context(request)
    found = await previewing.preview(context, await starting.check(context, wanted))
    return responses.json(found)


@describe(ImportJson, admin=True, errors=(404,))
@auth.require_admin
async def api_show(request: Request, import_id: int) -> HTTPResponse:
    """One import: how far it is and what came of it."""
    return responses.json(await told(request, await import_of(request, import_id)))


@describe(ImportJson, admin=True, errors=(404, 409))
@auth.require_admin
async def api_cancel(request: Request, import_id: int) -> HTTPResponse:
    """Stop an import; what it brought stays, and it can be continued."""
    await cancel(request, import_id)
    return responses.json(await told(request, await import_of(request, import_id)))


@describe(ImportJson, admin=True, errors=(404, 409))
@auth.require_admin
async def api_continue(request: Request, import_id: int) -> HTTPResponse:
    """Go on with an import that was stopped or failed, from where it was."""
    await go_on(request, import_id)
    return responses.json(await told(request, await import_of(request, import_id)))


@describe(answers={204: None}, admin=True, errors=(404, 409))
@auth.require_admin
async def api_forget(request: Request, import_id: int) -> HTTPResponse:
    """Forget an import that is not under way; its frames stay."""
    await forget(request, import_id)
    return HTTPResponse(status=204)


async def import_of(request: Request, import_id: int) -> Import:
    """The import of this number; raises NotFound."""
    one = None
    if 0 < import_id < 2**63:
        one = await store.get(responses.context(request).pool, import_id)
    if one is None:
        raise NotFound("there is no such import")
    return one


async def told(request: Request, one: Import) -> ImportJson:
    """An import with the state of its job."""
    pool = responses.context(request).pool
    job = await jobs.get(pool, one.job_id) if one.job_id is not None else None
    return shown.import_json(one, job)


async def cancel(request: Request, import_id: int) -> None:
    """Stop an import; raises NotFound, Conflict."""
    one = await import_of(request, import_id)
    _may((await told(request, one))["actions"]["cancel"])
    if one.job_id is None or not await jobs.cancel(responses.context(request).pool, one.job_id):
        raise Conflict("it is not under way")


async def go_on(request: Request, import_id: int) -> None:
    """Continue an import; raises NotFound, Conflict."""
    one = await import_of(request, import_id)
    _may((await told(request, one))["actions"]["continue"])
    if not await store.enqueue(responses.context(request).pool, import_id):
        raise Conflict("it is under way")


async def forget(request: Request, import_id: int) -> None:
    """Forget an import; raises NotFound, Conflict."""
    one = await import_of(request, import_id)
    _may((await told(request, one))["actions"]["forget"])
    await store.forget(responses.context(request).pool, import_id)


def _may(reason: str | None) -> None:
    if reason is not None:
        raise Conflict(reason)


def register(bp: Blueprint) -> None:
    """Put the routes on the blueprint."""
    path = "/api/v1/imports"
    bp.add_route(api_index, path, ("GET",), name="api_index")
    bp.add_route(api_add, path, ("POST",), name="api_add")
    bp.add_route(api_preview, f"{path}/preview", ("POST",), name="api_preview")
    bp.add_route(api_show, f"{path}/<import_id:int>", ("GET",), name="api_show")
    bp.add_route(api_cancel, f"{path}/<import_id:int>/cancel", ("POST",), name="api_cancel")
    bp.add_route(api_continue, f"{path}/<import_id:int>/continue", ("POST",), name="api_continue")
    bp.add_route(api_forget, f"{path}/<import_id:int>", ("DELETE",), name="api_forget")
