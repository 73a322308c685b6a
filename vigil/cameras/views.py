"""Pages of the cameras."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import ResponseStream

from vigil import auth, responses
from vigil.cameras import adding, api, asking, serving, shown, store
from vigil.cameras.accounts import api as accounts
from vigil.cameras.frames import store as frames
from vigil.cameras.looking import api as looking
from vigil.cameras.looking import pages, tagging
from vigil.cameras.model import Camera
from vigil.cameras.scenes import store as scenes
from vigil.sources.kinds import CAMERAS

bp = Blueprint("cameras")
api.register(bp)
serving.register(bp)
accounts.register(bp)
looking.register(bp)
tagging.register(bp)
pages.register(bp)

RECENT = 20
DAY_S = 86_400.0


@bp.get("/cameras", name="index")
async def index(request: Request) -> HTTPResponse:
    """Every camera with its latest frame."""
    return await responses.page(
        request,
        "cameras/index.html",
        cameras=await asking.all_cameras(request),
        kinds=CAMERAS.values(),
        forms=adding.FORMS,
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
        from_at=context.clock.now() - timedelta(hours=1),
    )


@bp.get("/cameras/<name>/events", name="events")
async def events(request: Request, name: str) -> ResponseStream | None:
    """Server-sent events: ``frame`` for each new frame, ``camera`` when its state changed."""
    camera = await asking.camera_of(request, name)
    return await responses.event_stream(request, _events(request, camera))


@bp.post("/cameras", name="add_form")
@auth.require_admin
async def add_form(request: Request) -> HTTPResponse:
    """Add a camera from the form."""
    interval = asking.field(request, "interval_s")
    days = asking.field(request, "retention_days")
    wanted = adding.Wanted(
        name=asking.field(request, "name"),
        url=asking.field(request, "url"),
        title=asking.field(request, "title"),
        kind=asking.field(request, "kind") or None,
        interval_s=asking.number(interval, "the interval", adding.INTERVAL_S),
        retention_s=asking.number(days, "the retention", 30) * DAY_S,
    )
    camera = await adding.add(responses.context(request).pool, wanted)
    return responses.redirect(f"/cameras/{camera.name}")


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
