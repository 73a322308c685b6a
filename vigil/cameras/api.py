"""The cameras for programs: JSON."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType
from sanic import Blueprint, HTTPResponse, Request

from vigil import auth, responses, sent
from vigil.cameras import adding, asking, shown, store
from vigil.cameras.frames import store as frames
from vigil.cameras.looking import days
from vigil.cameras.looking import forms as moving
from vigil.cameras.looking.api import span_json
from vigil.cameras.looking.shown import SpanJson
from vigil.cameras.model import Camera
from vigil.cameras.scenes import store as scenes
from vigil.cameras.shown import CameraJson, FrameJson
from vigil.errors import Conflict, Invalid
from vigil.openapi import Items, describe

MOST_FRAMES = 1000


class NewCamera(msgspec.Struct, forbid_unknown_fields=True):
    """The body of POST /api/v1/cameras."""

    name: str
    url: str
    title: str = ""
    kind: str | None = None
    interval_s: float = adding.INTERVAL_S
    retention_s: float = adding.RETENTION_S
    options: dict[str, bool | float | str] = {}
    retention_bytes: int | None = None
    retention_frames: int | None = None
    notes: str = ""
    plan: dict[str, Any] = {}
    """When frames are due, beside interval_s; {}: always."""
    rotation: int = 0
    crop: list[float] | None = None
    """Left, top, right, bottom of what is shown, 0 to 1 of the turned picture."""
    enabled: bool = True
    latitude: float | None = None
    longitude: float | None = None
    time_zone: str | None = None
    """These three are kept with the scene that it shows."""


class CameraChange(msgspec.Struct, forbid_unknown_fields=True):
    """The body of PATCH /api/v1/cameras/<name>: what is not in it stays as it is."""

    url: str | UnsetType = UNSET
    title: str | UnsetType = UNSET
    kind: str | UnsetType = UNSET
    interval_s: float | UnsetType = UNSET
    retention_s: float | UnsetType = UNSET
    options: dict[str, bool | float | str] | UnsetType = UNSET
    retention_bytes: int | UnsetType | None = UNSET
    retention_frames: int | UnsetType | None = UNSET
    notes: str | UnsetType = UNSET
    plan: dict[str, Any] | UnsetType = UNSET
    rotation: int | UnsetType = UNSET
    crop: list[float] | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET
    latitude: float | UnsetType = UNSET
    longitude: float | UnsetType = UNSET
    time_zone: str | UnsetType = UNSET


class Move(msgspec.Struct, forbid_unknown_fields=True, rename={"from_at": "from"}):
    """The body of POST /api/v1/cameras/<name>/move."""

    scene: str
    """One that is there, or a new one."""
    from_at: str | None = None
    """Since when; null: now. Without a zone it is meant where the camera was."""
    title: str = ""
    """Of a new scene."""


class Moved(msgspec.Struct):
    """How many frames that were there already belong to another scene now."""

    frames: int
    camera: CameraJson


class FramesAsked(msgspec.Struct):
    """Which frames."""

    from_at: Annotated[str, Meta(description="Not before this time.")] = msgspec.field(
        default="", name="from"
    )
    to: Annotated[str, Meta(description="Before this time.")] = ""
    limit: Annotated[int, Meta(ge=1, le=MOST_FRAMES)] = 100
    cursor: str = ""


@describe(Items[CameraJson])
async def api_index(request: Request) -> HTTPResponse:
    """Every camera."""
    return responses.items(await asking.all_cameras(request))


@describe(answers={201: CameraJson}, body=NewCamera, admin=True, errors=(409,))
@auth.require_admin
async def api_add(request: Request) -> HTTPResponse:
    """Add a camera."""
    body = sent.body(request, NewCamera, '{"name": …, "url": …}')
    camera = await adding.add(responses.context(request).pool, wanted(body))
    return responses.json(
        await asking.camera_json(request, camera),
        201,
        {"location": f"/api/v1/cameras/{camera.name}"},
    )


def wanted(given: NewCamera) -> adding.Wanted:
    """A camera as a program describes it."""
    return adding.Wanted(**msgspec.structs.asdict(given))


@describe(CameraJson, body=CameraChange, admin=True, errors=(404, 409))
@auth.require_admin
async def api_change(request: Request, name: str) -> HTTPResponse:
    """Change a camera; what reads it begins afresh. Its name stays."""
    camera = await asking.camera_of(request, name)
    given = sent.body(request, CameraChange, '{"title": …}')
    said = sent.changed(given)
    camera = await adding.change(responses.context(request).pool, camera, said)
    return responses.json(await asking.camera_json(request, camera))


@describe(Moved, body=Move, admin=True, errors=(404, 409))
@auth.require_admin
async def api_move(request: Request, name: str) -> HTTPResponse:
    """Let a camera show another scene from a moment on; frames taken since then go with it."""
    camera = await asking.camera_of(request, name)
    given = sent.body(request, Move, '{"scene": …, "from": …}')
    number = await move(request, camera, given.scene, given.from_at or "", given.title)
    return responses.json(Moved(number, await asking.camera_json(request, camera)))


async def move(request: Request, camera: Camera, scene: str, since: str, title: str) -> int:
    """Move a camera; ``since`` empty: now. Returns how many frames changed their scene."""
    context = responses.context(request)
    now = context.clock.now()
    place = days.zone((await scenes.of_camera(context.pool, camera.id, now)).time_zone)
    from_at = days.parse_moment(since, place) if since else now
    return await moving.move(context.pool, camera, scene, from_at, now=now, title=title)


@describe(Items[SpanJson], errors=(404,))
async def api_scenes(request: Request, name: str) -> HTTPResponse:
    """Which scene it showed from when to when, the latest first."""
    camera = await asking.camera_of(request, name)
    found = await scenes.spans(responses.context(request).pool, camera_id=camera.id)
    identity = await auth.identify(request)
    return responses.items([span_json(one, identity) for one in found])


@describe(CameraJson, errors=(404,))
async def api_show(request: Request, name: str) -> HTTPResponse:
    """One camera."""
    return responses.json(await asking.camera_json(request, await asking.camera_of(request, name)))


@describe(answers={202: CameraJson}, admin=True, errors=(404, 409))
@auth.require_admin
async def api_delete(request: Request, name: str) -> HTTPResponse:
    """Begin to remove a camera; 202, because its frames take their time."""
    return responses.json(await asking.camera_json(request, await remove(request, name)), 202)


@describe(Items[FrameJson], query=FramesAsked, errors=(404,))
async def api_frames(request: Request, name: str) -> HTTPResponse:
    """Frames, latest first: ``from`` inclusive, ``to`` exclusive, ``limit`` up to 1000."""
    camera = await asking.camera_of(request, name)
    limit = asking.number(request.args.get("limit"), "limit", 100)
    if not 1 <= limit <= MOST_FRAMES or limit % 1:
        raise Invalid(f"limit is a whole number from 1 to {MOST_FRAMES}")
    limit = int(limit)
    cursor = request.args.get("cursor") or request.args.get("next")
    found = await frames.page(
        responses.context(request).pool,
        camera.id,
        from_at=asking.moment(request.args.get("from"), "from"),
        to_at=asking.moment(request.args.get("to"), "to"),
        before=asking.frames_cursor(cursor) if cursor else None,
        limit=limit + 1,
    )
    page = found[:limit]
    following = None
    if len(found) > limit:
        following = responses.cursor_encode(page[-1].taken_at.isoformat(), page[-1].sha256.hex())
    identity = await auth.identify(request)
    return responses.items([shown.frame_json(name, frame, identity) for frame in page], following)


async def remove(request: Request, name: str) -> Camera:
    """Begin to remove a camera; raises Conflict when that was done before."""
    pool = responses.context(request).pool
    if not await store.begin_removal(pool, (await asking.camera_of(request, name)).id):
        raise Conflict(f"camera {name} is being removed already")
    return await asking.camera_of(request, name)


def register(bp: Blueprint) -> None:
    """Put the routes on the room's blueprint."""
    bp.add_route(api_index, "/api/v1/cameras", ("GET",), name="api_index")
    bp.add_route(api_add, "/api/v1/cameras", ("POST",), name="api_add")
    bp.add_route(api_show, "/api/v1/cameras/<name>", ("GET",), name="api_show")
    bp.add_route(api_change, "/api/v1/cameras/<name>", ("PATCH",), name="api_change")
    bp.add_route(api_move, "/api/v1/cameras/<name>/move", ("POST",), name="api_move")
    bp.add_route(api_scenes, "/api/v1/cameras/<name>/scenes", ("GET",), name="api_camera_scenes")
    bp.add_route(api_delete, "/api/v1/cameras/<name>", ("DELETE",), name="api_delete")
    bp.add_route(api_frames, "/api/v1/cameras/<name>/frames", ("GET",), name="api_frames")
