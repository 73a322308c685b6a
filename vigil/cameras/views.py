"""Pages of the cameras."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import ResponseStream

from vigil import auth, responses, sent
from vigil.cameras import api, asking, serving, shown, store
from vigil.cameras.accounts import api as accounts
from vigil.cameras.frames import store as frames
from vigil.cameras.looking import api as looking
from vigil.cameras.looking import days, pages, tagging
from vigil.cameras.looking import forms as moving
from vigil.cameras.model import Camera
from vigil.cameras.scenes import store as scenes
from vigil.cameras.trying import views as trying
from vigil.errors import Invalid
from vigil.sources.kinds import CAMERAS

bp = Blueprint("cameras")
api.register(bp)
serving.register(bp)
accounts.register(bp)
looking.register(bp)
tagging.register(bp)
pages.register(bp)
trying.register(bp)

RECENT = 20


@bp.get("/cameras", name="index")
async def index(request: Request) -> HTTPResponse:
    """Every camera with its latest frame."""
    return await responses.page(
        request,
        "cameras/index.html",
        cameras=await asking.all_cameras(request),
    )


@bp.get("/cameras/<name>", name="show")
async def show(request: Request, name: str) -> HTTPResponse:
    """One camera: its latest frame, how it is doing, what can be done with it."""
    camera = await asking.camera_of(request, name)
    context = responses.context(request)
    recent = await frames.page(context.pool, camera.id, limit=RECENT)
    scene = await scenes.of_camera(context.pool, camera.id, context.clock.now())
    return await responses.page(
        request,
        "cameras/show.html",
        **await pages.look(request, scene),
        camera=await asking.camera_json(request, camera),
        kind=CAMERAS[camera.kind].title if camera.kind in CAMERAS else camera.kind,
        recent=[shown.frame_json(camera.name, frame) for frame in recent],
    )


@bp.get("/cameras/<name>/events", name="events")
async def events(request: Request, name: str) -> ResponseStream | None:
    """Server-sent events: ``frame`` for each new frame, ``camera`` when its state changed."""
    camera = await asking.camera_of(request, name)
    return await responses.event_stream(request, _events(request, camera))


@bp.get("/cameras/<name>/move", name="move")
@auth.require_admin
async def move(request: Request, name: str) -> HTTPResponse:
    """The form by which a camera is moved, and where it was."""
    camera = await asking.camera_of(request, name)
    context = responses.context(request)
    now = context.clock.now()
    scene = await scenes.of_camera(context.pool, camera.id, now)
    place = days.zone(scene.time_zone)
    return await responses.page(
        request,
        "cameras/move.html",
        camera=await asking.camera_json(request, camera),
        scene=scene,
        known=[one for one in await scenes.all_scenes(context.pool) if one.id != scene.id],
        spans=await scenes.spans(context.pool, camera_id=camera.id),
        local=pages.local(place),
        clock=now.astimezone(place).strftime("%Y-%m-%dT%H:%M:%S"),
    )


@bp.post("/cameras/<name>/move", name="move_form")
@auth.require_admin
async def move_form(request: Request, name: str) -> HTTPResponse:
    """Move a camera."""
    camera = await asking.camera_of(request, name)
    given = [sent.field(request, field) for field in ("scene", "from", "title")]
    await api.move(request, camera, given[0] or sent.field(request, "new"), given[1], given[2])
    return responses.redirect(f"/cameras/{camera.name}")


@bp.post("/cameras/<name>/unmove", name="unmove_form")
@auth.require_admin
async def unmove_form(request: Request, name: str) -> HTTPResponse:
    """Forget a move."""
    camera = await asking.camera_of(request, name)
    from_at = asking.moment(sent.field(request, "from"), "the moment")
    if from_at is None:
        raise Invalid("say which move")
    await moving.unmove(responses.context(request).pool, camera, from_at)
    return responses.redirect(f"/cameras/{camera.name}/move")


@bp.post("/cameras/<name>/delete", name="delete_form")
@auth.require_admin
async def delete_form(request: Request, name: str) -> HTTPResponse:
    """Remove a camera and its frames."""
    await api.remove(request, name)
    return responses.redirect("/cameras")


async def _events(request: Request, camera: Camera) -> AsyncGenerator[tuple[str, Any], None]:
    context = responses.context(request)
    async with context.listener.subscribe(f"camera:{camera.id}", "cameras") as news:
        yield "camera", await asking.camera_json(request, camera)
        while True:
            message = await news.get()
            if message.get("change") == "frame":
                frame_id = message["frame"]
                url = shown.frame_url(camera.name, frame_id)
                keys = ("taken_at", "width", "height", "bytes")
                yield "frame", {"id": frame_id, "url": url} | {k: message[k] for k in keys}
            elif message["topic"] != "cameras" or message.get("id") == camera.id:
                found = await store.by_name(context.pool, camera.name)
                if found is None or found.id != camera.id:
                    yield "gone", {}
                    return
                yield "camera", await asking.camera_json(request, found)
