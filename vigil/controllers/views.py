"""Frames that are brought, controllers that register and report, the page that shows them."""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta
from sanic import Blueprint, HTTPResponse, Request

from vigil import auth, responses, sent
from vigil.cameras import adding, asking
from vigil.cameras import store as cameras
from vigil.cameras.accounts import store as accounts
from vigil.cameras.model import Camera
from vigil.cameras.scenes import store as scenes
from vigil.context import Context
from vigil.controllers import knocking, pushing, store
from vigil.controllers.model import (
    CONTROLLER,
    NAME,
    NAME_HINT,
    PUSH,
    Controller,
    new_code,
    normal_code,
)
from vigil.controllers.pushing import Answer
from vigil.errors import Conflict, Forbidden, Invalid, NotFound
from vigil.notifications import store as notifications
from vigil.openapi import Items, describe

bp = Blueprint("controllers")

MOST_REPORT = 100_000
HINT = "/api/docs says how"


GAPS = {"spool_full": "disk_full", "source": "source", "refused": "refused"}
"""Why a controller cannot bring frames → reason of the gap."""


class Registration(msgspec.Struct, forbid_unknown_fields=True):
    """The body of POST /api/v1/controllers."""

    code: str
    """A one-time code: `vigil controller code`, or the page /controllers."""
    name: str


class Registered(msgspec.Struct):
    """A new controller and its token, which is shown this once."""

    name: str
    token: str


class NewPushCamera(msgspec.Struct, forbid_unknown_fields=True):
    """A camera that a controller brings."""

    name: str
    title: str = ""
    interval_s: float = 60.0


class Plan(msgspec.Struct):
    """What a controller needs to know of one of its cameras."""

    name: str
    enabled: bool
    interval_s: float
    plan: dict[str, Any]
    time_zone: str
    latitude: float | None
    longitude: float | None


class Loss(msgspec.Struct, forbid_unknown_fields=True):
    """Frames that a controller cannot bring."""

    camera: str
    from_at: datetime = msgspec.field(name="from")
    to: datetime
    frames: Annotated[int, Meta(ge=1)]
    reason: Annotated[str, Meta(pattern="^[a-z_]{1,30}$")]
    """`spool_full`, `source` (the camera gave no picture), `refused` (by us)."""
    message: Annotated[str, Meta(max_length=1000)]


class Report(msgspec.Struct, forbid_unknown_fields=True):
    """What a controller says of itself."""

    version: str
    now: datetime
    """Its clock, which may be wrong."""
    cameras: dict[str, dict[str, Any]] = {}
    """Camera → frames that wait in its spool, the oldest one's time, its last error."""
    losses: Annotated[list[Loss], Meta(max_length=1000)] = []
    """What will never come; told once."""


class Told(msgspec.Struct):
    """What a controller is told in return."""

    now: datetime
    cameras: list[Plan]


class ControllerJson(msgspec.Struct):
    """A controller."""

    name: str
    version: str
    cameras: list[str]
    report: dict[str, Any]
    clock_offset_s: float | None
    created_at: datetime
    seen_at: datetime | None
    actions: dict[str, str | None]


@describe(
    answers={200: Items[Answer], 201: Items[Answer]},
    errors=(400, 401, 403, 404, 409, 413, 422),
    limited=False,
)
async def push(request: Request, name: str) -> HTTPResponse:
    """Bring frames of a camera of kind push: one picture as the body, or several as files.

    With the camera's own token, its controller's or an admin's. The time of a picture comes from
    X-Taken-At (or as many form fields taken_at as files), EXIF, the file's name, or is now. The
    same picture of the same time is kept once, however often it comes, so repeat what got no
    answer. One that is refused alone answers 422; 503 means that it should come again later.
    """
    camera = await asking.camera_of(request, name)
    await knocking.check_may_push(request, camera)
    if camera.kind != "push":
        raise Conflict(f"{name} is a camera that Vigil asks itself", hint="add one of kind push")
    if not camera.enabled or camera.deleting_at:
        raise Conflict(f"camera {name} is paused or being removed")
    context = responses.context(request)
    brought = pushing.read(request)
    answers = await pushing.take(context, camera, await _zone(request, camera), brought)
    if len(answers) == 1:
        pushing.raise_for(answers[0])
    added = any(answer["status"] == "accepted" for answer in answers)
    status = HTTPStatus.CREATED if added else HTTPStatus.OK
    return responses.json({"items": answers, "next": None}, status)


@bp.post("/api/v1/cameras/<name>/token", name="api_token")
@describe(answers={201: dict[str, str]}, admin=True, errors=(404, 409))
@auth.require_admin
async def api_token(request: Request, name: str) -> HTTPResponse:
    """Make a token with which this camera's frames are brought; the old one is worthless then."""
    return responses.json({"token": await new_push_token(request, name)}, HTTPStatus.CREATED)


@bp.get("/api/v1/controllers", name="api_index")
@describe(Items[ControllerJson], admin=True)
@auth.require_admin
async def api_index(request: Request) -> HTTPResponse:
    """Every controller."""
    found = await store.controllers(responses.context(request).pool)
    return responses.items([_shown(one) for one in found])


@bp.post("/api/v1/controllers/codes", name="api_code")
@describe(answers={201: dict[str, str]}, admin=True)
@auth.require_admin
async def api_code(request: Request) -> HTTPResponse:
    """Make a code with which one controller registers within an hour."""
    code = await _new_code(request)
    return responses.json({"code": code}, HTTPStatus.CREATED)


@bp.post("/api/v1/controllers", name="api_register")
@describe(answers={201: Registered}, body=Registration, errors=(403, 409))
async def api_register(request: Request) -> HTTPResponse:
    """Register a controller with a one-time code; its token is in the answer and nowhere else.

    A controller that is known gets a new token; its old one is worthless then.
    """
    wanted = sent.body(request, Registration, HINT, trouble="the body cannot be read")
    if not NAME.fullmatch(wanted.name):
        raise Invalid("that cannot be a controller's name", hint=NAME_HINT)
    code = normal_code(wanted.code)
    if code is not None:
        pool = responses.context(request).pool
        token, code_hash = auth.new_secret(CONTROLLER), auth.hash_secret(code)
        digest = auth.hash_secret(token)
        if await store.renew(pool, code_hash, wanted.name, digest) or (
            await store.register(pool, code_hash, wanted.name, digest) is not None
        ):
            return responses.json(Registered(wanted.name, token), HTTPStatus.CREATED)
    raise Forbidden("this code opens nothing", hint="each works once and for an hour")


@bp.post("/api/v1/controllers/me/cameras", name="api_bring")
@describe(answers={201: Plan}, body=NewPushCamera, errors=(401, 409))
async def api_bring(request: Request) -> HTTPResponse:
    """A controller says that it has a camera: a new one of kind push, or one it brought before."""
    known = await knocking.controller(request)
    wanted = sent.body(request, NewPushCamera, HINT, trouble="the body cannot be read")
    pool = responses.context(request).pool
    camera = await cameras.by_name(pool, wanted.name)
    if camera is None:
        camera = await adding.add(
            pool,
            adding.Wanted(
                name=wanted.name,
                url="push",
                title=wanted.title,
                kind="push",
                interval_s=wanted.interval_s,
            ),
        )
    elif camera.kind != "push" or not await store.brings(pool, known.id, camera.id):
        raise Conflict(
            f"there is a camera {wanted.name} already",
            hint="choose another name, or let an admin give it to this controller",
        )
    if not await store.assign(pool, camera.id, known.id):
        raise Conflict(f"another controller brings the camera {wanted.name}")
    return responses.json(await _plan(request, camera), HTTPStatus.CREATED)


@bp.post("/api/v1/controllers/me/report", name="api_report")
@describe(Told, body=Report, errors=(401,))
async def api_report(request: Request) -> HTTPResponse:
    """A controller says how it is; it is told the plans of its cameras and the time."""
    known = await knocking.controller(request)
    told = sent.body(request, Report, HINT, trouble="the body cannot be read")
    if len(request.body) > MOST_REPORT:
        raise Invalid("this report is too long")
    context = responses.context(request)
    now = context.clock.now()
    if told.now.tzinfo is None:
        raise Invalid("the time of the report names no zone")
    await store.report(
        context.pool,
        known.id,
        version=told.version[:100],
        report=told.cameras,
        clock_offset_s=(told.now - now).total_seconds(),
    )
    await _note_losses(context, known, told.losses)
    plans = []
    for camera_id in await store.cameras_of(context.pool, known.id):
        camera = await cameras.by_id(context.pool, camera_id)
        if camera is not None:
            plans.append(await _plan(request, camera))
    return responses.json(Told(now, plans))


@bp.get("/controllers", name="index")
@auth.require_admin
async def index(request: Request) -> HTTPResponse:
    """Controllers and cameras that push; a code for a new one."""
    return await _page(request)


@bp.post("/controllers/code", name="code_form")
@auth.require_admin
async def code_form(request: Request) -> HTTPResponse:
    """Show a new code, once."""
    return await _page(request, code=await _new_code(request))


@bp.post("/controllers/token", name="token_form")
@auth.require_admin
async def token_form(request: Request) -> HTTPResponse:
    """Show a camera's new token, once."""
    name = sent.field(request, "camera")
    return await _page(request, token=await new_push_token(request, name), camera=name)


@bp.post("/controllers/<name>/remove", name="remove_form")
@auth.require_admin
async def remove_form(request: Request, name: str) -> HTTPResponse:
    """Make a controller's token worthless."""
    if not await store.remove(responses.context(request).pool, name):
        raise NotFound(f"there is no controller {name[:70]}")
    return responses.redirect("/controllers")


async def _new_code(request: Request) -> str:
    """A fresh registration code, good for an hour."""
    code = new_code()
    await store.add_code(responses.context(request).pool, auth.hash_secret(code))
    return code


async def new_push_token(request: Request, name: str) -> str:
    """A fresh token of a camera of kind push."""
    camera = await asking.camera_of(request, name)
    if camera.kind != "push":
        raise Conflict(f"{name} is a camera that Vigil asks itself", hint="add one of kind push")
    token = auth.new_secret(PUSH)
    await store.set_push_token(responses.context(request).pool, camera.id, auth.hash_secret(token))
    return token


bp.add_route(push, "/api/v1/cameras/<name>/frames", ("POST", "PUT"), name="push")


async def _note_losses(context: Context, known: knocking.Known, losses: list[Loss]) -> None:
    """Each becomes an event of its camera, if it is the controller's, and explains a gap."""
    for loss in losses:
        camera = await cameras.by_name(context.pool, loss.camera)
        if camera is not None and await store.brings(context.pool, known.id, camera.id):
            until = loss.to + timedelta(seconds=camera.interval_s)
            reason = GAPS.get(loss.reason, "source")
            await accounts.note_span(
                context.pool, camera.id, reason, loss.message, loss.from_at, until
            )
            await accounts.tell_gaps(context.pool, camera.id, loss.message, loss.from_at, until)
            await notifications.add(
                context.pool,
                "camera.lost",
                f"camera:{camera.name}",
                f"{loss.frames} frames of {camera.name} will never come: {loss.message}",
                msgspec.to_builtins(loss),
            )


async def _page(request: Request, **shown: Any) -> HTTPResponse:
    context = responses.context(request)
    pushed = [
        (camera, await store.has_push_token(context.pool, camera.id))
        for camera in await cameras.all_cameras(context.pool)
        if camera.kind == "push" and not camera.deleting_at
    ]
    return await responses.page(
        request,
        "controllers/index.html",
        controllers=await store.controllers(context.pool),
        pushed=pushed,
        site_url=context.settings.site_url,
        **{"code": None, "token": None, "camera": None, **shown},
    )


def _shown(one: Controller) -> ControllerJson:
    return ControllerJson(
        name=one.name,
        version=one.version,
        cameras=list(one.cameras),
        report=dict(one.report),
        clock_offset_s=one.clock_offset_s,
        created_at=one.created_at,
        seen_at=one.seen_at,
        actions={"remove": None},
    )


async def _zone(request: Request, camera: Camera) -> ZoneInfo:
    context = responses.context(request)
    scene = await scenes.of_camera(context.pool, camera.id, context.clock.now())
    return ZoneInfo(scene.time_zone)


async def _plan(request: Request, camera: Camera) -> Plan:
    context = responses.context(request)
    scene = await scenes.of_camera(context.pool, camera.id, context.clock.now())
    return Plan(
        name=camera.name,
        enabled=camera.enabled,
        interval_s=camera.interval_s,
        plan=dict(camera.plan),
        time_zone=scene.time_zone,
        latitude=scene.latitude,
        longitude=scene.longitude,
    )
