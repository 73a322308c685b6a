"""Scenes, their days and tags as visitors and programs see them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import TypedDict

import db_utils
from vigil.auth import Identity
from vigil.cameras import shown
from vigil.cameras.looking import days, store
from vigil.cameras.looking.days import Month
from vigil.cameras.looking.model import DayAccount, Hole, Tag
from vigil.cameras.model import Frame, Scene
from vigil.cameras.scenes import store as scenes
from vigil.cameras.shown import ADMIN_ONLY, FrameJson
from vigil.openapi import Actions


class SceneJson(TypedDict):
    """A scene: a place and a view."""

    name: str
    title: str
    notes: str
    latitude: float | None
    longitude: float | None
    time_zone: str
    cameras: list[str]
    frames: int
    last_day: date | None
    latest: FrameJson | None
    url: str
    actions: Actions


class SpanJson(TypedDict):
    """A camera showed a scene; null: since ever, or still."""

    camera: str
    scene: str
    from_at: datetime | None
    to_at: datetime | None
    actions: Actions


class TagJson(TypedDict):
    """A named span of time of a scene; ``to_at`` null: it goes on."""

    id: int
    name: str
    from_at: datetime
    to_at: datetime | None
    actions: Actions


class Coverage(TypedDict):
    """How much of what was planned is there: all cameras of the scene together."""

    planned: int
    obtained: int
    percent: int
    level: str
    missed: dict[str, int]


class SceneDayJson(TypedDict):
    """A day of a scene."""

    day: date
    frames: int
    bytes: int
    cover: FrameJson | None
    coverage: Coverage | None
    tags: list[str]
    url: str
    actions: Actions


class StripJson(TypedDict):
    """A key frame of a day: the one closest to a time, if any is within the hour."""

    at: datetime
    frame: FrameJson | None


class SceneGapJson(TypedDict):
    """A hole in what a camera of the scene delivered."""

    camera: str
    from_at: datetime
    to_at: datetime
    reason: str
    detail: str
    missed: int
    open: bool
    actions: Actions


class WholeDayJson(TypedDict):
    """A day of a scene with its key frames, the frame closest to each hour, tags and gaps."""

    day: date
    from_at: datetime
    to_at: datetime
    previous: date | None
    next: date | None
    frames: int
    bytes: int
    cover: FrameJson | None
    coverage: Coverage | None
    strip: list[StripJson]
    hours: list[StripJson]
    tags: list[TagJson]
    gaps: list[SceneGapJson]
    actions: Actions


REASONS = {
    "source": "the camera gave none",
    "network": "it could not be reached from here",
    "refused": "what came was no good picture",
    "down": "Vigil did not watch",
    "disk_full": "there was no room, or no disk",
    "unchanged": "it gave the same picture again",
}
"""Why frames that were due are missing, for a person."""
DAY = timedelta(days=1)
LEVELS = ((99, "full"), (80, "good"), (1, "some"))
"""Least percent of what was planned → how a calendar calls it; ``none`` below."""


async def scene_json(
    db: db_utils.Database, scene: Scene, identity: Identity | None, cameras: Sequence[str]
) -> SceneJson:
    """One scene with its latest frame; ``cameras``: those that show it now."""
    last = (await store.last_days(db, scene.id)).get(scene.id)
    latest = await store.latest(db, scene.id)
    shown_frames = await frames_json(db, [latest], identity)
    return _scene(scene, identity, cameras, last, shown_frames[0])


async def scenes_json(
    db: db_utils.Database, identity: Identity | None, now: datetime
) -> list[SceneJson]:
    """Every scene, by name."""
    showing = await cameras_now(db, now)
    last = await store.last_days(db)
    found = await scenes.all_scenes(db)
    latest = [await store.latest(db, scene.id) for scene in found]
    pictures = await frames_json(db, latest, identity)
    return [
        _scene(scene, identity, showing.get(scene.id, []), last.get(scene.id), picture)
        for scene, picture in zip(found, pictures, strict=True)
    ]


async def cameras_now(db: db_utils.Database, now: datetime) -> dict[int, list[str]]:
    """For each scene the names of the cameras that show it now."""
    found: dict[int, list[str]] = {}
    for camera_id, scene in (await scenes.shown_now(db, now)).items():
        found.setdefault(scene.id, []).append(str(camera_id))
    names = await store.camera_names(db, [int(i) for ids in found.values() for i in ids])
    return {scene: sorted(names[int(i)] for i in ids) for scene, ids in found.items()}


def _scene(
    scene: Scene,
    identity: Identity | None,
    cameras: Sequence[str],
    last: tuple[date, int] | None,
    latest: FrameJson | None,
) -> SceneJson:
    refused = ADMIN_ONLY if identity is None else None
    used = f"shown by {', '.join(cameras)}" if cameras else None
    if last and not used:
        used = "it has frames"
    return {
        "name": scene.name,
        "title": scene.title or scene.name,
        "notes": scene.notes,
        "latitude": scene.latitude,
        "longitude": scene.longitude,
        "time_zone": scene.time_zone,
        "cameras": list(cameras),
        "frames": last[1] if last else 0,
        "last_day": last[0] if last else None,
        "latest": latest,
        "url": f"/scenes/{scene.name}",
        "actions": {"change": refused, "tag": refused, "delete": refused or used},
    }


async def frames_json(
    db: db_utils.Database, frames: Sequence[Frame | None], identity: Identity | None
) -> list[FrameJson | None]:
    """Frames of whichever cameras; ``None`` where there is none."""
    names = await store.camera_names(db, list({one.camera_id for one in frames if one}))
    return [
        shown.frame_json(names[one.camera_id], one, identity) if one else None for one in frames
    ]


def tag_json(tag: Tag, identity: Identity | None) -> TagJson:
    """A tag."""
    refused = ADMIN_ONLY if identity is None else None
    return {
        "id": tag.id,
        "name": tag.name,
        "from_at": tag.from_at,
        "to_at": tag.to_at,
        "actions": {"change": refused, "delete": refused},
    }


async def month_json(
    db: db_utils.Database, scene: Scene, month: Month, identity: Identity | None
) -> list[SceneDayJson]:
    """The days of a month that have frames, or should have had some."""
    place = days.zone(scene.time_zone)
    counts = {one.day: one for one in await store.days(db, scene.id, month.first, month.end)}
    covered = await coverage(db, scene.id, month.first, month.end)
    listed = sorted({*counts, *covered})
    wishes = [days.cover_wish(day, place) for day in listed]
    pictures = await frames_json(db, await store.closest(db, scene.id, wishes), identity)
    begin, end = days.bounds(month.first, place)[0], days.bounds(month.end, place)[0]
    tags = await store.tags(db, scene.id, begin, end)
    found: list[SceneDayJson] = []
    for day, picture in zip(listed, pictures, strict=True):
        count = counts.get(day)
        found.append(
            {
                "day": day,
                "frames": count.frames if count else 0,
                "bytes": count.bytes if count else 0,
                "cover": picture,
                "coverage": covered.get(day),
                "tags": names_within(tags, *days.bounds(day, place)),
                "url": f"/scenes/{scene.name}/days/{day}",
                "actions": {"download": None if count else "it has no frames"},
            }
        )
    return found


async def day_json(
    db: db_utils.Database, scene: Scene, day: date, identity: Identity | None
) -> WholeDayJson:
    """One day of a scene, whether or not it has frames."""
    place = days.zone(scene.time_zone)
    begin, end = days.bounds(day, place)
    strip, hours = days.key_wishes(day, place), days.hour_wishes(day, place)
    wishes = [*strip, *hours, days.cover_wish(day, place)]
    found = await store.closest(db, scene.id, wishes)
    pictures = await frames_json(db, found, identity)
    placed: list[StripJson] = [
        {"at": wish[0], "frame": picture} for wish, picture in zip(wishes, pictures, strict=True)
    ]
    counts = await store.days(db, scene.id, day, day + DAY)
    before, after = await store.around(db, scene.id, day)
    tags = await store.tags(db, scene.id, begin, end)
    gaps = [gap_json(hole) for hole in await store.gaps(db, scene.id, begin, end)]
    return {
        "day": day,
        "from_at": begin,
        "to_at": end,
        "previous": before,
        "next": after,
        "frames": counts[0].frames if counts else 0,
        "bytes": counts[0].bytes if counts else 0,
        "cover": pictures[-1],
        "coverage": (await coverage(db, scene.id, day, day + DAY)).get(day),
        "strip": placed[: len(strip)],
        "hours": placed[len(strip) : -1],
        "tags": [tag_json(tag, identity) for tag in tags],
        "gaps": gaps,
        "actions": {"download": None if counts else "it has no frames"},
    }


async def strip_json(
    db: db_utils.Database, scene: Scene, day: date, identity: Identity | None
) -> list[StripJson]:
    """The key frames of a day."""
    wishes = days.key_wishes(day, days.zone(scene.time_zone))
    pictures = await frames_json(db, await store.closest(db, scene.id, wishes), identity)
    return [{"at": w[0], "frame": picture} for w, picture in zip(wishes, pictures, strict=True)]


def names_within(tags: Iterable[Tag], begin: datetime, end: datetime) -> list[str]:
    """Names of the tags that lie, wholly or in part, in a span; each once."""
    found = [t.name for t in tags if t.from_at < end and (t.to_at is None or t.to_at > begin)]
    return list(dict.fromkeys(found))


async def coverage(
    db: db_utils.Database, scene_id: int, first: date, end: date
) -> dict[date, Coverage]:
    """What was planned and obtained on each day that had a plan."""
    return {one.day: _covered(one) for one in await store.accounts(db, scene_id, first, end)}


def _covered(one: DayAccount) -> Coverage:
    obtained = max(0, one.planned - sum(one.missed.values()))
    percent = 100 * obtained // one.planned
    level = next((name for least, name in LEVELS if percent >= least), "none")
    return {
        "planned": one.planned,
        "obtained": obtained,
        "percent": percent,
        "level": level,
        "missed": dict(one.missed),
    }


def gap_json(hole: Hole) -> SceneGapJson:
    """A gap."""
    return {
        "camera": hole.camera,
        "from_at": hole.from_at,
        "to_at": hole.to_at,
        "reason": REASONS.get(hole.reason, hole.reason),
        "detail": hole.detail,
        "missed": hole.missed,
        "open": hole.is_open,
        "actions": {},
    }
