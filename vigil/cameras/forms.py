"""A camera's form: what is filled in, and what somebody made of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from vigil.cameras import adding
from vigil.cameras.adding import Wanted
from vigil.cameras.model import Camera, CameraKind, Option, Scene
from vigil.errors import Invalid
from vigil.sources.kinds import CAMERAS

Form = dict[str, str]
DAY_S = 86_400.0
GB = 1_000_000_000
EDGES = ("left", "top", "right", "bottom")
MANY = ("weekdays",)
"""Fields that come several times; joined with commas."""


def flat(given: Mapping[str, list[str]]) -> Form:
    """A form's fields as text."""
    return {
        name: ",".join(values) if name in MANY else values[0].strip()
        for name, values in given.items()
        if values
    }


def empty() -> Form:
    """The form of a camera that there is not yet."""
    return filled(Wanted(name="", url=""), None)


def of_camera(camera: Camera, scene: Scene) -> Form:
    """The form of a camera as it is."""
    return filled(adding.as_wanted(camera), scene) | {"camera": camera.name}


def filled(wanted: Wanted, scene: Scene | None) -> Form:
    """The fields as they are for a camera."""
    plan, crop = wanted.plan, wanted.crop
    daylight = plan.get("daylight")
    form = {
        "name": wanted.name,
        "url": wanted.url,
        "kind": wanted.kind or "",
        "title": wanted.title,
        "notes": wanted.notes,
        "interval_s": _number(wanted.interval_s),
        "retention_days": _number(wanted.retention_s / DAY_S),
        "retention_gb": _number(wanted.retention_bytes / GB) if wanted.retention_bytes else "",
        "retention_frames": _number(wanted.retention_frames),
        "daylight": msgspec.json.encode(daylight).decode() if daylight else "",
        "hours": ", ".join(f"{first}-{last}" for first, last in plan.get("hours") or ()),
        "weekdays": ",".join(map(str, plan.get("weekdays") or ())),
        "per_day": _number(plan.get("per_day")),
        "rotation": str(wanted.rotation),
        "enabled": "1" if wanted.enabled else "",
        "latitude": _number(scene.latitude) if scene else "",
        "longitude": _number(scene.longitude) if scene else "",
        "time_zone": scene.time_zone if scene else "UTC",
    }
    for edge, share in zip(EDGES, crop or (0, 0, 1, 1), strict=True):
        form[edge] = f"{share * 100:.2f}".rstrip("0").rstrip(".")
    for kind in CAMERAS.values():
        for option in kind.form:
            value: bool | float | str = option.default
            if kind.name == wanted.kind:
                value = wanted.options.get(option.name, option.default)
            form[field(kind, option)] = _spelled(value)
    return form


def field(kind: CameraKind, option: Option) -> str:
    """Name of the field of an option."""
    return f"option.{kind.name}.{option.name}"


def wanted(form: Form) -> Wanted:
    """What a form says; raises Invalid for what cannot be read."""
    url = form.get("url", "")
    kind = form.get("kind") or None
    if kind in adding.WORDS and not url:
        url = kind
    gigabytes = _read(form, "retention_gb", "the gigabytes that are kept")
    frames = _read(form, "retention_frames", "the frames that are kept")
    interval = _read(form, "interval_s", "the interval")
    kept = _read(form, "retention_days", "the retention")
    return Wanted(
        name=form.get("name", ""),
        url=url,
        title=form.get("title", ""),
        kind=kind,
        interval_s=adding.INTERVAL_S if interval is None else interval,
        retention_s=adding.RETENTION_S if kept is None else kept * DAY_S,
        options=_options(form, kind or adding.guess(adding.canonical(url))),
        retention_bytes=None if gigabytes is None else _whole(gigabytes * GB),
        retention_frames=None if frames is None else _whole(frames),
        notes=form.get("notes", "").replace("\r\n", "\n"),
        plan=_plan(form),
        rotation=_whole(_read(form, "rotation", "the rotation") or 0),
        crop=_crop(form),
        enabled=bool(form.get("enabled", "1")),
        latitude=_read(form, "latitude", "the latitude"),
        longitude=_read(form, "longitude", "the longitude"),
        time_zone=form.get("time_zone") or None,
    )


def changes(form: Form) -> dict[str, Any]:
    """What a form of a camera that there is changes: everything but its name."""
    said = vars(wanted({"enabled": "", **form}))
    return {name: value for name, value in said.items() if name != "name"}


def _plan(form: Form) -> dict[str, Any]:
    plan: dict[str, Any] = {}
    if form.get("daylight"):
        try:
            plan["daylight"] = msgspec.json.decode(form["daylight"])
        except msgspec.DecodeError:
            raise Invalid("daylight cannot be read") from None
    if form.get("hours"):
        pairs = re.split(r"[,;]\s*", form["hours"])
        plan["hours"] = [[part.strip() for part in re.split("[-–]", pair)] for pair in pairs]
    if form.get("weekdays"):
        plan["weekdays"] = [_whole(_float(day, "a weekday")) for day in form["weekdays"].split(",")]
    per_day = _read(form, "per_day", "the number of frames a day")
    if per_day is not None:
        plan["per_day"] = _whole(per_day)
    return plan


def _crop(form: Form) -> list[float] | None:
    usual = dict(zip(EDGES, (0.0, 0.0, 100.0, 100.0), strict=True))
    edges = {edge: _read(form, edge, f"the {edge} edge") for edge in EDGES}
    return [(usual[e] if value is None else value) / 100 for e, value in edges.items()]


def _options(form: Form, kind: str) -> dict[str, Any]:
    """The options of a kind that differ from what holds anyway."""
    found: dict[str, Any] = {}
    for option in CAMERAS[kind].form if kind in CAMERAS else ():
        name = field(CAMERAS[kind], option)
        given: Any = form.get(name, "")
        if isinstance(option.default, bool):
            # A box that is not ticked says nothing; one that was never shown neither.
            given = given == "1" if f"{name}.shown" in form else option.default
        elif isinstance(option.default, float):
            given = _float(given, option.label) if given else option.default
        if given != option.default:
            found[option.name] = given
    return found


def _read(form: Form, name: str, what: str) -> float | None:
    text = form.get(name, "")
    return _float(text, what) if text else None


def _float(text: str, what: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise Invalid(f"{what} is a number") from None


def _whole(number: float) -> int:
    if not abs(number) < 1e18:  # NaN, too
        raise Invalid("that number is too large")
    return round(number)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.10g}"


def _spelled(value: bool | float | str) -> str:
    if isinstance(value, bool):
        return "1" if value else ""
    return _number(value) if isinstance(value, float | int) else value
