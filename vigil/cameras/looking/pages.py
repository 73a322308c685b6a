"""Pages of scenes: days, single frames, two frames compared; and what their forms change."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from sanic import Blueprint, HTTPResponse, Request

from vigil import auth, responses, sent
from vigil.cameras import asking
from vigil.cameras.looking import api, days, forms, store, tagging
from vigil.cameras.looking import shown as looks
from vigil.cameras.model import Frame, Scene
from vigil.cameras.scenes import describing
from vigil.cameras.scenes import store as scenes
from vigil.cameras.scenes.describing import About
from vigil.errors import Invalid

RECENTLY, RECENT_GAPS = timedelta(days=7), 10


async def index(request: Request) -> HTTPResponse:
    """Every scene with its latest frame."""
    context = responses.context(request)
    identity, now = await auth.identify(request), context.clock.now()
    found = await looks.scenes_json(context.pool, identity, now)
    return await responses.page(
        request, "scenes/index.html", scenes=found, zones=days.zones(), about=About()
    )


async def show(request: Request, name: str) -> HTTPResponse:
    """One scene: live where a camera shows it, its last day, a month of days, its tags."""
    scene = await api.scene_of(request, name)
    shown = await api.scene_json(request, scene)
    pool = responses.context(request).pool
    identity = await auth.identify(request)
    spans = await scenes.spans(pool, scene_id=scene.id)
    return await responses.page(
        request,
        "scenes/show.html",
        **await look(request, scene),
        shown=shown,
        spans=[api.span_json(one, identity) for one in spans],
        tags=[looks.tag_json(tag, identity) for tag in await store.tags(pool, scene.id)],
    )


async def look(request: Request, scene: Scene) -> dict[str, Any]:
    """What the parts of a page need to show a scene's last day and a month of it."""
    context = responses.context(request)
    place, identity = days.zone(scene.time_zone), await auth.identify(request)
    last = (await store.last_days(context.pool, scene.id)).get(scene.id)
    today = days.day_of(context.clock.now(), place)
    latest = last[0] if last else today
    asked = request.args.get("month")
    month = days.parse_month(asked) if asked else days.month_of(latest)
    listed = await looks.month_json(context.pool, scene, month, identity)
    now = context.clock.now()
    holes = await store.gaps(context.pool, scene.id, now - RECENTLY, now, RECENT_GAPS)
    return {
        "gaps": [looks.gap_json(hole) for hole in reversed(holes)],
        "scene": scene,
        "local": local(place),
        "latest_day": latest if last else None,
        "strip": await looks.strip_json(context.pool, scene, latest, identity),
        "month": month,
        "listed": {one["day"]: one for one in listed},
        "today": today,
        "clock": now.astimezone(place).strftime("%Y-%m-%dT%H:%M"),
    }


def local(place: ZoneInfo) -> Any:
    """For templates: a moment as it is where the scene is."""

    def shown(moment: datetime | None) -> datetime | None:
        return moment.astimezone(place) if moment else None

    return shown


async def day(request: Request, name: str, day: str) -> HTTPResponse:
    """One day: key frames, hour by hour, gaps and tags."""
    scene = await api.scene_of(request, name)
    wanted = days.parse_day(day)
    pool = responses.context(request).pool
    whole = await looks.day_json(pool, scene, wanted, await auth.identify(request))
    place = days.zone(scene.time_zone)
    return await responses.page(
        request,
        "scenes/day.html",
        scene=scene,
        whole=whole,
        bars=[_bar(whole, gap["from_at"], gap["to_at"]) for gap in whole["gaps"]],
        marks=[
            _bar(whole, tag["from_at"], tag["to_at"] or whole["to_at"]) for tag in whole["tags"]
        ],
        local=local(place),
        month=days.month_of(wanted),
        reasons=looks.REASONS,
    )


def _bar(whole: looks.WholeDayJson, from_at: datetime, to_at: datetime) -> tuple[float, float]:
    """Where a span lies in its day, and how wide it is: thousandths."""
    length = (whole["to_at"] - whole["from_at"]).total_seconds()
    begin = max(0.0, (from_at - whole["from_at"]).total_seconds() / length)
    end = min(1.0, (to_at - whole["from_at"]).total_seconds() / length)
    return round(begin * 1000, 1), round(max(end - begin, 0.002) * 1000, 1)


async def frame(request: Request, name: str, frame_id: int) -> HTTPResponse:
    """One frame: as large as one likes, and the ways on from it."""
    scene = await api.scene_of(request, name)
    found = await api.frame_of(request, scene, frame_id)
    pool, place = responses.context(request).pool, days.zone(scene.time_zone)
    here = (found.taken_at, found.sha256)
    following, previous = await asyncio.gather(
        store.after(pool, scene.id, here), store.before(pool, scene.id, here)
    )
    identity = await auth.identify(request)
    moment = found.taken_at.astimezone(place)
    tags = await store.tags(pool, scene.id, found.taken_at, found.taken_at + _INSTANT)
    before, after = await store.around(pool, scene.id, moment.date())
    same_time = [_same_time(one, moment, place) if one else None for one in (before, after)]
    return await responses.page(
        request,
        "scenes/frame.html",
        scene=scene,
        frame=await api.one_frame(request, found),
        moment=moment,
        local=local(place),
        following=following[0].id if following else None,
        previous=previous[0].id if previous else None,
        day_before=same_time[0],
        day_after=same_time[1],
        tags=[looks.tag_json(tag, identity) for tag in tags],
    )


_INSTANT = datetime.resolution


def _same_time(day: date, moment: datetime, place: ZoneInfo) -> str:
    """The same time of another day, for an address."""
    wanted = days.at(day, moment.time(), place).astimezone(place)
    return urlencode({"at": wanted.isoformat(timespec="seconds")})


async def closest(request: Request, name: str) -> HTTPResponse:
    """Go to the frame closest to ``at``, or to ``date`` and ``time``."""
    scene = await api.scene_of(request, name)
    text = request.args.get("at") or ""
    if not text:
        text = f"{request.args.get('date') or ''}T{request.args.get('time') or '12:00'}"
    found = await api.closest(request, scene, text)
    if first := request.args.get("compare"):
        return responses.redirect(f"/scenes/{scene.name}/compare?a={_number(first)}&b={found.id}")
    return responses.redirect(f"/scenes/{scene.name}/frames/{found.id}")


async def compare(request: Request, name: str) -> HTTPResponse:
    """Two frames of a scene, one over the other."""
    scene = await api.scene_of(request, name)
    pair: list[Frame] = []
    for which in ("a", "b"):
        if text := request.args.get(f"{which}_at"):
            pair.append(await api.closest(request, scene, text))
        else:
            number = _number(request.args.get(which) or "")
            pair.append(await api.frame_of(request, scene, number))
    place = days.zone(scene.time_zone)
    return await responses.page(
        request,
        "scenes/compare.html",
        scene=scene,
        pair=[await api.one_frame(request, one) for one in pair],
        local=local(place),
    )


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Invalid("that is no frame's number")
    return int(text)


# -- what admins change ---------------------------------------------------------------------


@auth.require_admin
async def edit(request: Request, name: str) -> HTTPResponse:
    """The form of a scene."""
    scene = await api.scene_of(request, name)
    return await responses.page(
        request,
        "scenes/edit.html",
        scene=scene,
        shown=await api.scene_json(request, scene),
        about=describing.about(scene),
        zones=days.zones(),
    )


@auth.require_admin
async def edit_form(request: Request, name: str) -> HTTPResponse:
    """Change a scene from its form."""
    scene = await api.scene_of(request, name)
    await forms.change_scene(responses.context(request).pool, scene, about_of(request))
    return responses.redirect(f"/scenes/{scene.name}")


@auth.require_admin
async def add_form(request: Request) -> HTTPResponse:
    """Add a scene from the form."""
    pool = responses.context(request).pool
    scene = await forms.add_scene(pool, sent.field(request, "name"), about_of(request))
    return responses.redirect(f"/scenes/{scene.name}")


def about_of(request: Request) -> About:
    """What a form says of a scene."""
    return About(
        title=sent.field(request, "title"),
        notes=sent.field(request, "notes").replace("\r\n", "\n"),
        latitude=asking.optional(request, "latitude"),
        longitude=asking.optional(request, "longitude"),
        time_zone=sent.field(request, "time_zone") or "UTC",
    )


@auth.require_admin
async def delete_form(request: Request, name: str) -> HTTPResponse:
    """Remove a scene that is not used."""
    await api.remove_scene(request, name)
    return responses.redirect("/scenes")


@auth.require_admin
async def keep_form(request: Request, name: str, frame_id: int, action: str) -> HTTPResponse:
    """Keep a frame for ever, or release it."""
    scene = await api.scene_of(request, name)
    await api.keep(request, scene, frame_id, action)
    return responses.redirect(f"/scenes/{scene.name}/frames/{frame_id}")


@auth.require_admin
async def keep_day_form(request: Request, name: str, day: str, action: str) -> HTTPResponse:
    """Keep a day for ever, or release it."""
    scene = await api.scene_of(request, name)
    await api.keep_day(request, scene, day, action)
    return responses.redirect(f"/scenes/{scene.name}/days/{days.parse_day(day)}")


@auth.require_admin
async def tag_form(request: Request, name: str) -> HTTPResponse:
    """Name a span of time, or, with ``id``, change a tag."""
    scene = await api.scene_of(request, name)
    place, pool = days.zone(scene.time_zone), responses.context(request).pool
    end = sent.field(request, "to")
    from_at = days.parse_moment(sent.field(request, "from"), place, "the beginning")
    to_at = days.parse_moment(end, place, "the end") if end else None
    text = sent.field(request, "name")
    if number := sent.field(request, "id"):
        text = forms.check_tag(text, from_at, to_at)
        tag = await store.tag_by_id(pool, scene.id, min(_number(number), tagging.MOST - 1))
        if tag is not None:
            await store.change_tag(pool, tag.id, name=text, from_at=from_at, to_at=to_at)
    else:
        await forms.add_tag(pool, scene, text, from_at, to_at)
    return responses.redirect(f"/scenes/{scene.name}#tags")


@auth.require_admin
async def tag_delete_form(request: Request, name: str, tag_id: int) -> HTTPResponse:
    """Remove a tag."""
    await tagging.remove_tag(request, name, tag_id)
    return responses.redirect(f"/scenes/{name}#tags")


SCENE = "/scenes/<name>"
ROUTES: tuple[tuple[str, str, Any], ...] = (
    ("GET", "/scenes", index),
    ("POST", "/scenes", add_form),
    ("GET", SCENE, show),
    ("GET", f"{SCENE}/days/<day>", day),
    ("GET", f"{SCENE}/frames/<frame_id:int>", frame),
    ("GET", f"{SCENE}/closest", closest),
    ("GET", f"{SCENE}/compare", compare),
    ("GET", f"{SCENE}/edit", edit),
    ("POST", f"{SCENE}/edit", edit_form),
    ("POST", f"{SCENE}/delete", delete_form),
    ("POST", f"{SCENE}/frames/<frame_id:int>/<action:keep|release>", keep_form),
    ("POST", f"{SCENE}/days/<day>/<action:keep|release>", keep_day_form),
    ("POST", f"{SCENE}/tags", tag_form),
    ("POST", f"{SCENE}/tags/<tag_id:int>/delete", tag_delete_form),
)


def register(bp: Blueprint) -> None:
    """Put the routes on the room's blueprint."""
    for method, path, handler in ROUTES:
        bp.add_route(handler, path, (method,), name=f"scene_{handler.__name__}")
