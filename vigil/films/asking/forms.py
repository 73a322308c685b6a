"""The form of a film: what it offers, and what somebody filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import db_utils
from vigil.cameras import store as cameras
from vigil.cameras.looking import store as looking
from vigil.cameras.model import Camera
from vigil.cameras.scenes import store as scenes
from vigil.errors import Invalid
from vigil.films.asking import fields
from vigil.films.asking import store as asking
from vigil.films.asking.planning import Picture
from vigil.films.asking.shown import FrameJson, PlanJson, frame_json
from vigil.films.model import at_moment

OURS = ("csrf", "part", "strip", "at", "exclude")
"""Fields that are not passed on as they are."""
MOST_PICKED = 200
"""Excluded frames whose thumbnails are shown; others stay excluded without."""
PRISTINE: Mapping[str, str] = {
    "range": "last",
    "last": "24h",
    "rolling": "24h",
    "pace": "length",
    "length": "60s",
    "speed": "1000",
    "per_day": "1",
    "daily": "none",
    "daily_clock": "12:00",
    "daily_sun": "10",
    "daily_rising": "morning",
    "stamp_format": "%Y-%m-%d %H:%M",
    "stamp_corner": "bottom-right",
    "card_seconds": "3",
    "fade": "none",
    "gaps": "cut",
    "layout": "single",
    "format": "mp4",
    "quality": "2",
}
"""What the form shows where nobody said anything."""


@dataclass(frozen=True)
class Form:
    """The fields of a form, as they were sent; the template asks it what to show."""

    given: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def counted(self) -> dict[str, Sequence[str]]:
        """The fields that make the order."""
        out = ("csrf", "part", "strip", "at")
        return {name: values for name, values in self.given.items() if name not in out}

    @property
    def kept(self) -> list[tuple[str, str]]:
        """All fields that another form passes on, but what is excluded."""
        return [
            (name, value)
            for name, values in self.given.items()
            if name not in OURS
            for value in values
            if value.strip()
        ]

    @property
    def names(self) -> list[str]:
        """Scenes and cameras that are chosen."""
        said = [*self.given.get("scene", ()), *self.given.get("camera", ())]
        return [name.strip() for one in said for name in one.split(",") if name.strip()]

    @property
    def strip_at(self) -> int:
        """Number of the first picture in the strip."""
        text = self.given.get("strip", [""])[0]
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0

    @property
    def excluded(self) -> list[tuple[int, int]]:
        """Spans that were picked out."""
        try:
            return fields.excluded(self.given.get("exclude", ()))
        except Invalid:
            return []

    def text(self, name: str) -> str:
        """What stands in a field."""
        values = self.given.get(name)
        if values and values[0].strip():
            return values[0]
        return PRISTINE.get(name, "")

    def chosen(self, name: str) -> str:
        """Which of several is chosen; also where only the fields below them say it."""
        if self.given.get(name):
            return self.given[name][0]
        groups: Mapping[str, Sequence[str]] = {}
        if name == "range":
            groups = {"last": ["last"], "rolling": ["rolling"], "between": ["from"], "on": ["to"]}
        elif name == "pace":
            groups = {"speed": ["speed"], "per_day": ["per_day"], "length": ["length"]}
        for value, below in groups.items():
            if any("".join(self.given.get(one, ())).strip() for one in below):
                return value
        return PRISTINE.get(name, "")

    def on(self, name: str) -> bool:
        """Whether a box is ticked."""
        return "".join(self.given.get(name, ())).strip().lower() not in ("", "off", "0", "false")

    def has(self, name: str, value: str) -> bool:
        """Whether one of several boxes is ticked."""
        return any(value in one.split(",") for one in self.given.get(name, ()))

    def any(self, *names: str) -> bool:
        """Whether something is said in one of these fields that differs from the usual."""
        return any(
            value.strip() and value != PRISTINE.get(name) and value not in ("none", "0", "off")
            for name in names
            for value in self.given.get(name, ())
        )

    def local(self, name: str) -> str:
        """A moment as ``datetime-local`` has it; other words cannot be shown there."""
        text = self.text(name)
        try:
            return f"{datetime.fromisoformat(text):%Y-%m-%dT%H:%M}"
        except ValueError:
            return ""


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A scene that can be filmed."""

    name: str
    title: str
    camera: str | None
    """Which shows it now."""
    tags: Sequence[str]
    has_sun: bool
    frame: int | None
    """Its latest frame,"""
    frame_camera: str | None
    """and who took it."""


async def offers(db: db_utils.Database, now: datetime) -> list[Offer]:
    """Every scene that a camera shows or that has frames, by name."""
    known = {one.id: one for one in await cameras.all_cameras(db) if one.deleting_at is None}
    by_scene: dict[int, Camera] = {}
    for camera_id, scene in (await scenes.shown_now(db, now)).items():
        if camera_id in known:
            by_scene.setdefault(scene.id, known[camera_id])
    found = []
    for scene in await scenes.all_scenes(db):
        latest = await looking.latest(db, scene.id)
        camera = by_scene.get(scene.id)
        if latest is None and camera is None:
            continue
        took = known.get(latest.camera_id) if latest else None
        tags = await looking.tags(db, scene.id)
        found.append(
            Offer(
                name=scene.name,
                title=scene.title or (camera.title if camera else "") or scene.name,
                camera=camera.name if camera else None,
                tags=list(dict.fromkeys(tag.name for tag in tags)),
                has_sun=scene.latitude is not None,
                frame=latest.id if latest and took else None,
                frame_camera=took.name if took else None,
            )
        )
    return found


@dataclass(frozen=True, kw_only=True)
class Pick:
    """A frame of the strip."""

    frame: FrameJson
    out: bool
    """Whether it is picked out."""


@dataclass(frozen=True, kw_only=True)
class Picked:
    """The strip: frames that go in, and those in between that were picked out."""

    picks: Sequence[Pick]
    rest: str
    """Spans that are excluded and not shown, as a field has them."""
    out: int
    """Frames and spans that are excluded."""
    before: int | None
    """Number of the first frame of the strip before this one,"""
    after: int | None
    """and behind."""


async def picked(db: db_utils.Database, plan: PlanJson, form: Form) -> Picked:
    """The strip of a plan, and what was excluded in its stretch of time."""
    strip = plan["strip"]
    spans = form.excluded
    at = plan["strip_at"]
    last = at + len(strip) >= plan["strip_of"]
    low = strip[0]["moment"] if strip and at else -(1 << 62)
    high = strip[-1]["moment"] if strip and not last else 1 << 62
    single = [span for span in spans if span[1] - span[0] == 1 and low <= span[0] <= high]
    single = single[:MOST_PICKED]
    scene = await scenes.by_name(db, plan["scenes"][0])
    out = []
    if scene is not None and single:
        rows = await asking.frames_at(db, scene.id, [at_moment(first) for first, _ in single])
        out = [
            frame_json(Picture(moment=moment, frame=frame, camera=camera))
            for moment, frame, camera in rows
        ]
    there = {frame["moment"] for frame in out}
    rest = [span for span in spans if not (span[1] - span[0] == 1 and span[0] in there)]
    picks = [Pick(frame=frame, out=False) for frame in strip]
    picks += [Pick(frame=frame, out=True) for frame in out]
    step = max(1, len(strip))
    return Picked(
        picks=sorted(picks, key=lambda pick: pick.frame["moment"]),
        rest=" ".join(f"{first}-{end}" for first, end in rest),
        out=len(spans),
        before=max(0, at - step) if at else None,
        after=None if last else at + step,
    )
