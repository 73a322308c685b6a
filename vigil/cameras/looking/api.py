"""Scenes for programs: JSON, and days as files."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType
from sanic import Blueprint, HTTPResponse, Request

from vigil import auth, openapi, responses, sent
from vigil.cameras import adding, asking, shown
from vigil.cameras.keeping import store as keeping
from vigil.cameras.looking import days, forms, store, zipped
from vigil.cameras.looking import shown as looks
from vigil.cameras.looking.shown import SceneDayJson, SceneJson, SpanJson, WholeDayJson
from vigil.cameras.model import Frame, Scene
from vigil.cameras.scenes import describing
from vigil.cameras.scenes import store as scenes
from vigil.cameras.scenes.describing import About
from vigil.cameras.shown import FrameJson
from vigil.errors import Conflict, Invalid, NotFound, TooManyRequests
from vigil.openapi import Items, Media, describe

MOST_FRAMES = 1000
DOWNLOADS = asyncio.Semaphore(4)
"""Files under way in this process: each reads as fast as its reader, and that may be long."""


class NewScene(msgspec.Struct, forbid_unknown_fields=True):
    """The body of POST /api/v1/scenes."""

    name: str
    title: str = ""
    notes: str = ""
    latitude: float | None = None
    longitude: float | None = None
    time_zone: str = "UTC"


class SceneChange(msgspec.Struct, forbid_unknown_fields=True):
    """The body of PATCH /api/v1/scenes/<name>: what is not in it stays as it is."""

    title: str | UnsetType = UNSET
    notes: str | UnsetType = UNSET
    latitude: float | UnsetType | None = UNSET
    longitude: float | UnsetType | None = UNSET
    time_zone: str | UnsetType = UNSET


class Kept(msgspec.Struct):
    """How many frames are kept for ever now, or no longer."""

    frames: int


class SceneDaysAsked(msgspec.Struct):
    """Which days."""

    month: Annotated[str, Meta(description="Such as 2026-05; this month when left out.")] = ""


class ClosestAsked(msgspec.Struct):
    """Which moment."""

    at: Annotated[
        str, Meta(description="2026-05-01T12:30; without a zone it is meant where the scene is.")
    ]


class SpanAsked(msgspec.Struct, rename={"from_at": "from"}):
    """Which frames: those of a day, or of a span."""

    day: Annotated[str, Meta(description="Such as 2026-05-01.")] = ""
    from_at: Annotated[str, Meta(description="Not before this time.")] = ""
    to: Annotated[str, Meta(description="Before this time.")] = ""


class SceneFramesAsked(msgspec.Struct, rename={"from_at": "from"}):
    """Which frames of a scene, the earliest first."""

    from_at: Annotated[str, Meta(description="Not before this time.")] = ""
    to: Annotated[str, Meta(description="Before this time.")] = ""
    limit: Annotated[int, Meta(ge=1, le=MOST_FRAMES)] = 100
    cursor: str = ""


async def scene_of(request: Request, name: str) -> Scene:
    """The scene of this name; raises NotFound."""
    scene = None
    if adding.NAME.fullmatch(name):
        scene = await scenes.by_name(responses.context(request).pool, name)
    if scene is None:
        raise NotFound(f"there is no scene {name[:70]}")
    return scene


async def frame_of(request: Request, scene: Scene, frame_id: int) -> Frame:
    """One frame of a scene; raises NotFound."""
    found = None
    if 0 < frame_id < 1 << 63:
        found = await store.by_id(responses.context(request).pool, scene.id, frame_id)
    if found is None:
        raise NotFound("there is no such frame here, or it is no longer kept")
    return found


async def scene_json(request: Request, scene: Scene) -> SceneJson:
    """A scene as the one who asks may see it."""
    context = responses.context(request)
    cameras = (await looks.cameras_now(context.pool, context.clock.now())).get(scene.id, [])
    identity = await auth.identify(request)
    return await looks.scene_json(context.pool, scene, identity, cameras)


async def one_frame(request: Request, frame: Frame) -> FrameJson:
    """A frame as the one who asks may see it."""
    pool = responses.context(request).pool
    names = await store.camera_names(pool, [frame.camera_id])
    return shown.frame_json(names[frame.camera_id], frame, await auth.identify(request))


@describe(Items[SceneJson])
async def api_scenes(request: Request) -> HTTPResponse:
    """Every scene."""
    context = responses.context(request)
    identity, now = await auth.identify(request), context.clock.now()
    return responses.items(await looks.scenes_json(context.pool, identity, now))


@describe(answers={201: SceneJson}, body=NewScene, admin=True, errors=(409,))
@auth.require_admin
async def api_scene_add(request: Request) -> HTTPResponse:
    """Add a scene, to move a camera to."""
    given = sent.body(request, NewScene, '{"name": …, "title": …}')
    said = msgspec.structs.asdict(given)
    scene = await forms.add_scene(responses.context(request).pool, said.pop("name"), About(**said))
    headers = {"location": f"/api/v1/scenes/{scene.name}"}
    return responses.json(await scene_json(request, scene), 201, headers)


@describe(SceneJson, errors=(404,))
async def api_scene(request: Request, name: str) -> HTTPResponse:
    """One scene."""
    return responses.json(await scene_json(request, await scene_of(request, name)))


@describe(SceneJson, body=SceneChange, admin=True, errors=(404,))
@auth.require_admin
async def api_scene_change(request: Request, name: str) -> HTTPResponse:
    """Change a scene's title, notes, place or time zone; its name stays."""
    scene = await scene_of(request, name)
    given = sent.body(request, SceneChange, '{"title": …}')
    said = vars(describing.about(scene)) | sent.changed(given)
    scene = await forms.change_scene(responses.context(request).pool, scene, About(**said))
    return responses.json(await scene_json(request, scene))


@describe(answers={204: None}, admin=True, errors=(404, 409))
@auth.require_admin
async def api_scene_delete(request: Request, name: str) -> HTTPResponse:
    """Remove a scene that no camera shows or showed and that has no frames."""
    await remove_scene(request, name)
    return HTTPResponse(status=204)


async def remove_scene(request: Request, name: str) -> None:
    """Remove a scene; raises Conflict where it is still used."""
    scene = await scene_of(request, name)
    if not await scenes.remove(responses.context(request).pool, scene.id):
        raise Conflict(
            f"scene {name} has frames, or a camera shows or showed it",
            hint="it goes by itself with its last camera",
        )


@describe(Items[SpanJson], errors=(404,))
async def api_scene_cameras(request: Request, name: str) -> HTTPResponse:
    """Which camera showed it from when to when, the latest first."""
    scene = await scene_of(request, name)
    pool = responses.context(request).pool
    found = await scenes.spans(pool, scene_id=scene.id)
    return responses.items([span_json(one, await auth.identify(request)) for one in found])


def span_json(one: Any, identity: auth.Identity | None) -> SpanJson:
    """When a camera showed a scene."""
    refused = shown.ADMIN_ONLY if identity is None else None
    first = None if one.from_at else "it shows this since it was added"
    return {
        "camera": one.camera,
        "scene": one.scene,
        "from_at": one.from_at,
        "to_at": one.to_at,
        "actions": {"unmove": refused or first},
    }


@describe(Items[SceneDayJson], query=SceneDaysAsked, errors=(404,))
async def api_scene_days(request: Request, name: str) -> HTTPResponse:
    """The days of a month that have frames or should have had some."""
    scene = await scene_of(request, name)
    asked, _ = openapi.asked(request, SceneDaysAsked)
    context = responses.context(request)
    today = days.day_of(context.clock.now(), days.zone(scene.time_zone))
    month = days.parse_month(asked.month) if asked.month else days.month_of(today)
    identity = await auth.identify(request)
    return responses.items(await looks.month_json(context.pool, scene, month, identity))


@describe(WholeDayJson, errors=(400, 404))
async def api_scene_day(request: Request, name: str, day: str) -> HTTPResponse:
    """One day where the scene is: key frames, the frame closest to each hour, tags and gaps."""
    scene = await scene_of(request, name)
    pool = responses.context(request).pool
    wanted = days.parse_day(day)
    return responses.json(await looks.day_json(pool, scene, wanted, await auth.identify(request)))


@describe(FrameJson, query=ClosestAsked, errors=(404,))
async def api_scene_closest(request: Request, name: str) -> HTTPResponse:
    """The frame closest to a moment, before or after it."""
    scene = await scene_of(request, name)
    asked, _ = openapi.asked(request, ClosestAsked)
    frame = await closest(request, scene, asked.at)
    return responses.json(await one_frame(request, frame))


async def closest(request: Request, scene: Scene, text: str) -> Frame:
    """The frame closest to a moment that somebody wrote; raises Invalid, NotFound."""
    moment = days.parse_moment(text, days.zone(scene.time_zone))
    pool = responses.context(request).pool
    wish = (moment, store.ALWAYS, store.FOREVER)
    [found] = await store.closest(pool, scene.id, [wish])
    if found is None:
        raise NotFound("this scene has no frames yet")
    return found


@describe(Items[FrameJson], query=SceneFramesAsked, errors=(404,))
async def api_scene_frames(request: Request, name: str) -> HTTPResponse:
    """Frames of a scene, whichever camera took them, the earliest first."""
    scene = await scene_of(request, name)
    asked, _ = openapi.asked(request, SceneFramesAsked)
    pool, place = responses.context(request).pool, days.zone(scene.time_zone)
    start = (days.parse_moment(asked.from_at, place), b"") if asked.from_at else None
    cursor = asking.frames_cursor(asked.cursor) if asked.cursor else None
    found = await store.after(
        pool,
        scene.id,
        cursor or start or (store.ALWAYS, b""),
        to_at=days.parse_moment(asked.to, place) if asked.to else None,
        limit=asked.limit + 1,
    )
    page, following = found[: asked.limit], None
    if len(found) > asked.limit:
        following = responses.cursor_encode(page[-1].taken_at.isoformat(), page[-1].sha256.hex())
    identity = await auth.identify(request)
    rows = await looks.frames_json(pool, page, identity)
    return responses.items(list(rows), following)


@describe(FrameJson, errors=(404,))
async def api_scene_frame(request: Request, name: str, frame_id: int) -> HTTPResponse:
    """One frame."""
    frame = await frame_of(request, await scene_of(request, name), frame_id)
    return responses.json(await one_frame(request, frame))


@describe(FrameJson, admin=True, errors=(404,))
@auth.require_admin
async def api_scene_keep(request: Request, name: str, frame_id: int, action: str) -> HTTPResponse:
    """Keep a frame for ever, or release it, so that it goes when its camera's frames go."""
    scene = await scene_of(request, name)
    frame = await keep(request, scene, frame_id, action)
    return responses.json(await one_frame(request, frame))


async def keep(request: Request, scene: Scene, frame_id: int, action: str) -> Frame:
    """Mark a frame; raises NotFound."""
    frame = await frame_of(request, scene, frame_id)
    pool = responses.context(request).pool
    await keeping.keep(pool, action == "keep", ids=[frame.id], scene_id=scene.id)
    return await frame_of(request, scene, frame_id)


@describe(Kept, admin=True, errors=(400, 404))
@auth.require_admin
async def api_scene_keep_day(request: Request, name: str, day: str, action: str) -> HTTPResponse:
    """Keep all frames of a day for ever, or release them."""
    scene = await scene_of(request, name)
    return responses.json(Kept(await keep_day(request, scene, day, action)))


async def keep_day(request: Request, scene: Scene, day: str, action: str) -> int:
    """Mark the frames of a day; returns how many changed."""
    from_at, to_at = days.bounds(days.parse_day(day), days.zone(scene.time_zone))
    pool = responses.context(request).pool
    return await keeping.keep(
        pool, action == "keep", scene_id=scene.id, from_at=from_at, to_at=to_at
    )


@describe(Media("application/zip"), query=SpanAsked, errors=(404, 413))
async def api_scene_zip(request: Request, name: str) -> HTTPResponse | None:
    """The pictures of a day or a span as one ZIP file, named by local time; at most 50,000."""
    scene = await scene_of(request, name)
    asked, _ = openapi.asked(request, SpanAsked)
    context, place = responses.context(request), days.zone(scene.time_zone)
    if bool(asked.day) == bool(asked.from_at and asked.to):
        raise Invalid("say which day, or from when to when", hint="day=2026-05-01 or from=…&to=…")
    if asked.day:
        from_at, to_at = days.bounds(days.parse_day(asked.day), place)
    else:
        from_at = days.parse_moment(asked.from_at, place, '"from"')
        to_at = days.parse_moment(asked.to, place, '"to"')
    if to_at <= from_at:
        raise Invalid("the span ends before it begins")
    await zipped.check(context, scene.id, from_at, to_at)
    if DOWNLOADS.locked():
        raise TooManyRequests("others are downloading right now", retry_after=30)
    async with DOWNLOADS:
        label = asked.day or f"{from_at.astimezone(place):%Y-%m-%d_%H-%M-%S}"
        response = await request.respond(
            headers={
                "cache-control": "no-store",
                "content-disposition": responses.disposition(f"{scene.name}-{label}.zip"),
                "x-content-type-options": "nosniff",
            },
            content_type="application/zip",
        )
        async for some in zipped.stream(context, scene.id, from_at, to_at, place):
            await response.send(some)
        await response.eof()
    return None


SCENE = "/api/v1/scenes/<name>"
ROUTES: tuple[tuple[str, str, Any], ...] = (
    ("GET", "/api/v1/scenes", api_scenes),
    ("POST", "/api/v1/scenes", api_scene_add),
    ("GET", SCENE, api_scene),
    ("PATCH", SCENE, api_scene_change),
    ("DELETE", SCENE, api_scene_delete),
    ("GET", f"{SCENE}/cameras", api_scene_cameras),
    ("GET", f"{SCENE}/days", api_scene_days),
    ("GET", f"{SCENE}/days/<day>", api_scene_day),
    ("POST", f"{SCENE}/days/<day>/<action:keep|release>", api_scene_keep_day),
    ("GET", f"{SCENE}/closest", api_scene_closest),
    ("GET", f"{SCENE}/frames", api_scene_frames),
    ("GET", f"{SCENE}/frames/<frame_id:int>", api_scene_frame),
    ("POST", f"{SCENE}/frames/<frame_id:int>/<action:keep|release>", api_scene_keep),
    ("GET", f"{SCENE}/frames.zip", api_scene_zip),
)


def register(bp: Blueprint) -> None:
    """Put the routes on the room's blueprint."""
    for method, path, handler in ROUTES:
        bp.add_route(handler, path, (method,), name=handler.__name__)
