"""The cameras for programs: JSON."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta
from sanic import Blueprint, HTTPResponse, Request

from vigil import auth, responses
from vigil.cameras import adding, asking, shown, store
from vigil.cameras.frames import store as frames
from vigil.cameras.model import Camera
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
    options: dict[str, bool] = {}


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
    body = asking.body(request, NewCamera, '{"name": …, "url": …}')
    wanted = adding.Wanted(**msgspec.structs.asdict(body))
    camera = await adding.add(responses.context(request).pool, wanted)
    return responses.json(
        await asking.camera_json(request, camera),
        201,
        {"location": f"/api/v1/cameras/{camera.name}"},
    )


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
    bp.add_route(api_delete, "/api/v1/cameras/<name>", ("DELETE",), name="api_delete")
    bp.add_route(api_frames, "/api/v1/cameras/<name>/frames", ("GET",), name="api_frames")
