"""Pages and JSON of the cameras."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from sanic import Blueprint, HTTPResponse, Request
from sanic.response import ResponseStream

from vigil import auth, responses
from vigil.cameras import adding, jpeg, shown, store
from vigil.cameras.frames import store as frames
from vigil.cameras.model import Camera, Frame, Health
from vigil.cameras.shown import CameraJson, FrameJson
from vigil.errors import Conflict, Invalid, NotFound
from vigil.openapi import Items, Media, describe
from vigil.sources.kinds import CAMERAS

bp = Blueprint("cameras")

RECENT = 20
MOST_FRAMES = 1000
DAY_S = 86_400.0


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


@bp.get("/cameras", name="index")
async def index(request: Request) -> HTTPResponse:
    """Every camera with its latest frame."""
    return await responses.page(
        request,
        "cameras/index.html",
        cameras=await _all(request),
        kinds=CAMERAS.values(),
        forms=adding.FORMS,
    )


@bp.get("/cameras/<name>", name="show")
async def show(request: Request, name: str) -> HTTPResponse:
    """One camera: its latest frame, how it is doing, what can be done with it."""
    camera = await _camera(request, name)
    context = responses.context(request)
    recent = await frames.page(context.pool, camera.id, limit=RECENT)
    return await responses.page(
        request,
        "cameras/show.html",
        camera=await _shown(request, camera),
        kind=CAMERAS[camera.kind].title if camera.kind in CAMERAS else camera.kind,
        recent=[shown.frame_json(camera, frame) for frame in recent],
        from_at=context.clock.now() - timedelta(hours=1),
    )


@bp.get("/cameras/<name>/events", name="events")
async def events(request: Request, name: str) -> ResponseStream | None:
    """Server-sent events: ``frame`` for each new frame, ``camera`` when its state changed."""
    camera = await _camera(request, name)
    return await responses.event_stream(request, _events(request, camera))


@bp.post("/cameras", name="add_form")
@auth.require_admin
async def add_form(request: Request) -> HTTPResponse:
    """Add a camera from the form."""
    wanted = adding.Wanted(
        name=_field(request, "name"),
        url=_field(request, "url"),
        title=_field(request, "title"),
        kind=_field(request, "kind") or None,
        interval_s=_number(_field(request, "interval_s"), "the interval", adding.INTERVAL_S),
        retention_s=_number(_field(request, "retention_days"), "the retention", 30) * DAY_S,
    )
    camera = await adding.add(responses.context(request).pool, wanted)
    return responses.redirect(f"/cameras/{camera.name}")


@bp.post("/cameras/<name>/delete", name="delete_form")
@auth.require_admin
async def delete_form(request: Request, name: str) -> HTTPResponse:
    """Remove a camera and its frames."""
    await _delete(request, name)
    return responses.redirect("/cameras")


@bp.get("/api/v1/cameras", name="api_index")
@describe(Items[CameraJson])
async def api_index(request: Request) -> HTTPResponse:
    """Every camera."""
    return responses.items(await _all(request))


@bp.post("/api/v1/cameras", name="api_add")
@describe(answers={201: CameraJson}, body=NewCamera, admin=True, errors=(409,))
@auth.require_admin
async def api_add(request: Request) -> HTTPResponse:
    """Add a camera."""
    try:
        body = msgspec.json.decode(request.body, type=NewCamera)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Invalid(f"the body is not a camera: {error}", hint='{"name": …, "url": …}') from None
    wanted = adding.Wanted(**msgspec.structs.asdict(body))
    camera = await adding.add(responses.context(request).pool, wanted)
    return responses.json(
        await _shown(request, camera), 201, {"location": f"/api/v1/cameras/{camera.name}"}
    )


@bp.get("/api/v1/cameras/<name>", name="api_show")
@describe(CameraJson, errors=(404,))
async def api_show(request: Request, name: str) -> HTTPResponse:
    """One camera."""
    return responses.json(await _shown(request, await _camera(request, name)))


@bp.delete("/api/v1/cameras/<name>", name="api_delete")
@describe(answers={202: CameraJson}, admin=True, errors=(404, 409))
@auth.require_admin
async def api_delete(request: Request, name: str) -> HTTPResponse:
    """Begin to remove a camera; 202, because its frames take their time."""
    return responses.json(await _shown(request, await _delete(request, name)), 202)


@bp.get("/api/v1/cameras/<name>/frames", name="api_frames")
@describe(Items[FrameJson], query=FramesAsked, errors=(404,))
async def api_frames(request: Request, name: str) -> HTTPResponse:
    """Frames, latest first: ``from`` inclusive, ``to`` exclusive, ``limit`` up to 1000."""
    camera = await _camera(request, name)
    limit = _number(request.args.get("limit"), "limit", 100)
    if not 1 <= limit <= MOST_FRAMES or limit % 1:
        raise Invalid(f"limit is a whole number from 1 to {MOST_FRAMES}")
    limit = int(limit)
    cursor = request.args.get("cursor") or request.args.get("next")
    found = await frames.page(
        responses.context(request).pool,
        camera.id,
        from_at=_moment(request.args.get("from"), "from"),
        to_at=_moment(request.args.get("to"), "to"),
        before=_decode_cursor(cursor) if cursor else None,
        limit=limit + 1,
    )
    page = found[:limit]
    following = None
    if len(found) > limit:
        following = responses.cursor_encode(page[-1].taken_at.isoformat(), page[-1].sha256.hex())
    return responses.items([shown.frame_json(camera, frame) for frame in page], following)


@describe(Media("image/jpeg"), errors=(404,), tagged=True, limited=False)
async def api_latest(request: Request, name: str) -> HTTPResponse:
    """The latest picture; ask with If-None-Match to learn cheaply that it is the same."""
    camera = await _camera(request, name)
    frame = await frames.latest(responses.context(request).pool, camera.id)
    if frame is None:
        raise NotFound(f"camera {name} has no frames yet")
    return await _picture(request, frame, "no-cache")


@describe(Media("image/jpeg"), errors=(404,), tagged=True, limited=False)
async def api_frame(request: Request, name: str, file: str) -> HTTPResponse:
    """The picture of one frame, ``<id>.jpg``; what it shows never changes."""
    camera = await _camera(request, name)
    match = re.fullmatch(r"([0-9]{1,18})\.jpg", file)
    frame = None
    if match:
        frame = await frames.by_id(responses.context(request).pool, camera.id, int(match[1]))
    if frame is None:
        raise NotFound("there is no such frame, or it is no longer kept")
    return await _picture(request, frame, "public, max-age=31536000, immutable")


async def _camera(request: Request, name: str) -> Camera:
    camera = None
    if adding.NAME.fullmatch(name):
        camera = await store.by_name(responses.context(request).pool, name)
    if camera is None:
        raise NotFound(f"there is no camera {name[:70]}")
    return camera


async def _shown(request: Request, camera: Camera) -> CameraJson:
    context = responses.context(request)
    health = (await store.health(context.pool, camera.id)).get(camera.id, Health())
    identity = await auth.identify(request)
    return shown.camera_json(camera, health, identity, context.clock.now())


async def _all(request: Request) -> list[CameraJson]:
    context = responses.context(request)
    identity, now = await auth.identify(request), context.clock.now()
    cameras, health = await store.all_cameras(context.pool), await store.health(context.pool)
    return [
        shown.camera_json(camera, health.get(camera.id, Health()), identity, now)
        for camera in cameras
    ]


async def _delete(request: Request, name: str) -> Camera:
    pool = responses.context(request).pool
    if not await store.begin_removal(pool, (await _camera(request, name)).id):
        raise Conflict(f"camera {name} is being removed already")
    return await _camera(request, name)


async def _picture(request: Request, frame: Frame, cache_control: str) -> HTTPResponse:
    """A frame's picture without what the camera wrote about itself and its place."""
    etag = f'"{frame.sha256.hex()}"'
    headers = {
        "etag": etag,
        "cache-control": cache_control,
        "x-content-type-options": "nosniff",
        "x-taken-at": frame.taken_at.isoformat(),
    }
    if responses.etag_matches(request.headers.get("if-none-match"), etag):
        return HTTPResponse(status=304, headers=headers)
    try:
        data = jpeg.without_metadata(await responses.context(request).storage.get(frame.blob))
    except jpeg.BadPicture as error:
        raise NotFound("this picture was damaged on the disk") from error
    headers["content-length"] = str(len(data))
    body = b"" if request.method == "HEAD" else data
    return HTTPResponse(body, headers=headers, content_type="image/jpeg")


async def _events(request: Request, camera: Camera) -> AsyncGenerator[tuple[str, Any], None]:
    context = responses.context(request)
    async with context.listener.subscribe(f"camera:{camera.id}", "cameras") as news:
        yield "camera", await _shown(request, camera)
        while True:
            message = await news.get()
            if message.get("change") == "frame":
                frame_id = message["frame"]
                url = shown.frame_url(camera, frame_id)
                keys = ("taken_at", "width", "height", "bytes")
                yield "frame", {"id": frame_id, "url": url} | {k: message[k] for k in keys}
            elif message["topic"] != "cameras" or message.get("id") == camera.id:
                found = await store.by_name(context.pool, camera.name)
                if found is None or found.id != camera.id:
                    yield "gone", {}
                    return
                yield "camera", await _shown(request, found)


def _field(request: Request, name: str) -> str:
    form = request.form
    return str(form.get(name) or "").strip() if form else ""


def _number(text: str | None, what: str, default: float) -> float:
    try:
        return float(text) if text else default
    except ValueError:
        raise Invalid(f"{what} is a number") from None


def _moment(text: str | None, what: str) -> datetime | None:
    """A time such as 2026-05-01T12:00:00Z; one without a zone is UTC."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(re.sub(r" (?=\d\d:?\d\d$)", "+", text))
    except ValueError:
        raise Invalid(f"{what} is no time", hint="write it like 2026-05-01T12:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _decode_cursor(text: str) -> tuple[datetime, bytes]:
    taken_at, digest = responses.cursor_decode(text, datetime, str)
    try:
        return taken_at, bytes.fromhex(digest)
    except ValueError:
        raise Invalid("this cursor is not one of ours", hint="begin without it") from None


READ = ("GET", "HEAD")
bp.add_route(api_latest, "/api/v1/cameras/<name>/latest.jpg", READ, name="api_latest")
bp.add_route(api_frame, "/api/v1/cameras/<name>/frames/<file>", READ, name="api_frame")
