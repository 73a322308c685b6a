"""What an admin asks for, checked: the one way to a new camera for page, API and command line."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import db_utils
from vigil.cameras import planned, store
from vigil.cameras.model import Camera, Option
from vigil.cameras.scenes import describing
from vigil.cameras.scenes import store as scenes
from vigil.errors import Conflict, Invalid
from vigil.sources.kinds import CAMERAS

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
LEAST_INTERVAL_S, MOST_INTERVAL_S = 0.1, 7 * 86_400.0
LEAST_RETENTION_S, MOST_RETENTION_S = 60.0, 100 * 365 * 86_400.0
LEAST_CROP = 0.01
INTERVAL_S, RETENTION_S = 10.0, 30 * 86_400.0
FORMS = (
    "http(s)://… (a JPEG, MJPEG or .m3u8), rtsp://…, /path/of/a/video, /dev/video0,"
    " folder:/path, push, testcard"
)
WORDS = tuple(kind.name for kind in CAMERAS.values() if not kind.address)
"""Kinds whose address is their name: there is nothing to call."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A camera as somebody describes it; ``add`` says what is wrong with it."""

    name: str
    url: str
    title: str = ""
    kind: str | None = None
    """``None``: guessed from the URL."""
    interval_s: float = INTERVAL_S
    retention_s: float = RETENTION_S
    options: Mapping[str, Any] = field(default_factory=dict)
    retention_bytes: int | None = None
    retention_frames: int | None = None
    notes: str = ""
    plan: Mapping[str, Any] = field(default_factory=dict)
    rotation: int = 0
    crop: Sequence[float] | None = None
    enabled: bool = True
    latitude: float | None = None
    longitude: float | None = None
    time_zone: str | None = None
    """These three are its scene's; ``None``: as they are."""


PLACE = ("latitude", "longitude", "time_zone")


async def add(db: db_utils.Database, wanted: Wanted) -> Camera:
    """Add a camera; raises Invalid naming what cannot be used, Conflict when the name is taken."""
    if not NAME.fullmatch(wanted.name):
        raise Invalid(
            f"{wanted.name[:70]!r} cannot be a camera's name",
            hint="lower-case letters, digits and dashes, at most 63, e.g. garden-2",
        )
    values = checked(wanted)
    first = {name: values.pop(name) for name in FIRST}
    async with db_utils.transaction(db) as connection:
        camera = await store.add(connection, name=wanted.name, **first)
        await _place(connection, camera.id, wanted)
        if any(values[name] != getattr(camera, name) for name in values):
            changed = await store.change(connection, camera.id, **first, **values)
            camera = changed or camera
        return camera


FIRST = ("title", "kind", "url", "options", "interval_s", "retention_s")


async def change(db: db_utils.Database, camera: Camera, changes: Mapping[str, Any]) -> Camera:
    """Change what ``changes`` names of a camera: fields of Wanted but its name; a scanner that
    reads it begins afresh. Raises Invalid, Conflict."""
    if camera.deleting_at:
        raise Conflict(f"camera {camera.name} is being removed")
    if changes.get("kind", camera.kind) != camera.kind:
        changes = {"options": {}, **changes}  # those of another kind mean nothing here
    elif "url" in changes and "kind" not in changes:
        changes = {**changes, "kind": camera.kind}
    wanted = replace(as_wanted(camera), **changes)
    async with db_utils.transaction(db) as connection:
        await _place(connection, camera.id, wanted)
        scene = await scenes.of_camera(connection, camera.id, _LATER)
        values = checked(wanted, has_place=scene.latitude is not None)
        found = await store.change(connection, camera.id, **values)
        if found is None:
            raise Conflict(f"camera {camera.name} is being removed")
        return found


_LATER = datetime(9999, 1, 1, tzinfo=UTC)


def as_wanted(camera: Camera) -> Wanted:
    """What a camera is, as somebody would describe it."""
    return Wanted(
        name=camera.name,
        url=camera.url or camera.kind,
        title=camera.title,
        kind=camera.kind,
        interval_s=camera.interval_s,
        retention_s=camera.retention_s,
        options=camera.options,
        retention_bytes=camera.retention_bytes,
        retention_frames=camera.retention_frames,
        notes=camera.notes,
        plan=camera.plan,
        rotation=camera.rotation,
        crop=camera.crop,
        enabled=camera.enabled,
    )


def checked(wanted: Wanted, *, has_place: bool | None = None) -> dict[str, Any]:
    """The columns of a camera; raises Invalid naming what cannot be used."""
    title, notes = wanted.title.strip(), wanted.notes.strip()
    describing.check_title(title)
    describing.check_notes(notes)
    _within("the interval", wanted.interval_s, LEAST_INTERVAL_S, MOST_INTERVAL_S)
    _within("the retention", wanted.retention_s, LEAST_RETENTION_S, MOST_RETENTION_S)
    for what, value in (("bytes", wanted.retention_bytes), ("frames", wanted.retention_frames)):
        if value is not None and not 1 <= value < 1 << 60:
            raise Invalid(f"the {what} that are kept are at least 1", hint="or no limit at all")
    if wanted.rotation not in (0, 90, 180, 270):
        raise Invalid("pictures are turned by 0, 90, 180 or 270 degrees")
    url = canonical(wanted.url)
    kind = wanted.kind or guess(url)
    if kind not in CAMERAS:
        raise Invalid(f"there is no kind of camera called {kind}", hint=", ".join(CAMERAS))
    if (kind in WORDS or url in WORDS) and kind != url:
        raise Invalid(f"a camera of kind {kind} cannot have the address {url}", hint=FORMS)
    if kind == "http" and urlsplit(url).scheme not in ("http", "https"):
        raise Invalid("a camera of kind http has an address that begins with http", hint=FORMS)
    placed = wanted.latitude is not None if has_place is None else has_place
    return {
        "title": title,
        "kind": kind,
        "url": None if kind in WORDS else url,
        "options": _options(wanted.options, kind),
        "interval_s": float(wanted.interval_s),
        "retention_s": float(wanted.retention_s),
        "retention_bytes": wanted.retention_bytes,
        "retention_frames": wanted.retention_frames,
        "notes": notes,
        "plan": planned.check(wanted.plan, has_place=placed),
        "rotation": wanted.rotation,
        "crop": _crop(wanted.crop),
        "enabled": wanted.enabled,
    }


def _crop(given: Sequence[float] | None) -> list[float] | None:
    """Left, top, right, bottom, rounded so that PostgreSQL's real keeps it; ``None``: all."""
    if given is None:
        return None
    if len(given) != 4 or not all(0 <= edge <= 1 for edge in given):
        raise Invalid("a crop is four numbers from 0 to 1: left, top, right, bottom")
    left, top, right, bottom = edges = [round(float(edge), 4) for edge in given]
    if right - left < LEAST_CROP or bottom - top < LEAST_CROP:
        raise Invalid(f"a crop leaves at least {LEAST_CROP:.0%} of each side")
    return None if edges == [0, 0, 1, 1] else edges


async def _place(connection: db_utils.Connection, camera_id: int, wanted: Wanted) -> None:
    """Write where the scene is that the camera shows, where somebody said so."""
    said = {name: getattr(wanted, name) for name in PLACE}
    said = {name: value for name, value in said.items() if value is not None}
    if said:
        scene = await scenes.of_camera(connection, camera_id, _LATER)
        about = replace(describing.about(scene), **said)
        await scenes.change(connection, scene.id, **vars(describing.checked(about)))


def guess(url: str) -> str:
    """The kind of camera an address looks like; raises Invalid when it is none."""
    for kind in CAMERAS.values():
        if kind.accepts(url):
            return kind.name
    raise Invalid("that is no address of a camera", hint=FORMS)


def canonical(url: str) -> str:
    """An address as it is kept: ``file:`` becomes its path; raises Invalid for what is none."""
    url = url.strip()
    if url.startswith("folder:/"):
        return "folder:" + canonical(url.removeprefix("folder:"))
    if not url or len(url) > 2000 or not url.isprintable() or (" " in url and url[0] != "/"):
        raise Invalid("that is no address of a camera", hint=FORMS)
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise Invalid("that is no address of a camera", hint=str(error)) from error
    if parts.scheme == "file":
        url = unquote(parts.path)
    if url.startswith("/"):
        if ".." in Path(url).parts:
            raise Invalid("give the path without ..")
        return url
    if parts.scheme and not parts.hostname:
        raise Invalid("that address names no host", hint=FORMS)
    return url


def _within(what: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:  # NaN, too, is refused
        raise Invalid(f"{what} is from {least:g} to {most:g} seconds")


def _options(given: Mapping[str, Any], kind: str) -> dict[str, Any]:
    known = {option.name: option for option in CAMERAS[kind].form}
    for name, value in given.items():
        if name not in known:
            raise Invalid(f"a camera of kind {kind} has no option {name}")
        _check_option(known[name], value)
    return dict(given)


def _check_option(option: Option, value: Any) -> None:
    if isinstance(option.default, bool):
        if not isinstance(value, bool):
            raise Invalid(f"the option {option.name} is true or false")
    elif isinstance(option.default, float):
        if type(value) not in (int, float) or not option.least <= value <= option.most:
            raise Invalid(
                f"the option {option.name} is a number from {option.least:g} to {option.most:g}"
            )
    elif not isinstance(value, str) or len(value) > 1000 or not value.isprintable():
        raise Invalid(f"the option {option.name} is text")
    elif option.choices and value not in option.choices:
        raise Invalid(f"the option {option.name} is one of {', '.join(option.choices)}")
