"""What an admin asks for, checked: the one way to a new camera for page, API and command line."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import db_utils
from vigil.cameras import store
from vigil.cameras.model import Camera
from vigil.errors import Invalid
from vigil.sources.kinds import CAMERAS

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
LEAST_INTERVAL_S, MOST_INTERVAL_S = 0.1, 7 * 86_400.0
LEAST_RETENTION_S, MOST_RETENTION_S = 60.0, 100 * 365 * 86_400.0
MOST_CLOCK_OFFSET_S = 10 * 365 * 86_400.0
INTERVAL_S, RETENTION_S = 10.0, 30 * 86_400.0
FORMS = (
    "http(s)://… (a JPEG, MJPEG or .m3u8), rtsp://…, /path/of/a/video, /dev/video0, push, testcard"
)
WORDS = ("testcard", "push")
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
    options: dict[str, Any] = field(default_factory=dict)


async def add(db: db_utils.Database, wanted: Wanted) -> Camera:
    """Add a camera; raises Invalid naming what cannot be used, Conflict when the name is taken."""
    if not NAME.fullmatch(wanted.name):
        raise Invalid(
            f"{wanted.name[:70]!r} cannot be a camera's name",
            hint="lower-case letters, digits and dashes, at most 63, e.g. garden-2",
        )
    if len(wanted.title) > 200 or not wanted.title.isprintable():
        raise Invalid("the title is too long or holds control characters")
    _within("the interval", wanted.interval_s, LEAST_INTERVAL_S, MOST_INTERVAL_S)
    _within("the retention", wanted.retention_s, LEAST_RETENTION_S, MOST_RETENTION_S)
    url = canonical(wanted.url)
    kind = wanted.kind or guess(url)
    if kind not in CAMERAS:
        raise Invalid(f"there is no kind of camera called {kind}", hint=", ".join(CAMERAS))
    if (kind in WORDS or url in WORDS) and kind != url:
        raise Invalid(f"a camera of kind {kind} cannot have the address {url}", hint=FORMS)
    if kind == "http" and urlsplit(url).scheme not in ("http", "https"):
        raise Invalid("a camera of kind http has an address that begins with http", hint=FORMS)
    return await store.add(
        db,
        name=wanted.name,
        title=wanted.title.strip(),
        kind=kind,
        url=None if kind in WORDS else url,
        options=_options(wanted.options, kind),
        interval_s=float(wanted.interval_s),
        retention_s=float(wanted.retention_s),
    )


def guess(url: str) -> str:
    """The kind of camera an address looks like; raises Invalid when it is none."""
    for kind in CAMERAS.values():
        if kind.accepts(url):
            return kind.name
    raise Invalid("that is no address of a camera", hint=FORMS)


def canonical(url: str) -> str:
    """An address as it is kept: ``file:`` becomes its path; raises Invalid for what is none."""
    url = url.strip()
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


def _options(given: dict[str, Any], kind: str) -> dict[str, Any]:
    for name, value in given.items():
        check = OPTIONS.get(kind, {}).get(name)
        if check is None:
            raise Invalid(f"a camera of kind {kind} has no option {name}")
        if not check[0](value):
            raise Invalid(f"the option {name} is {check[1]}")
    return given


_STAMPING: dict[str, tuple[Callable[[Any], bool], str]] = {
    "time": (lambda value: value in ("exif", "name", "arrival"), "exif, name or arrival"),
    "clock_offset_s": (
        lambda value: type(value) in (int, float) and abs(value) <= MOST_CLOCK_OFFSET_S,
        "seconds by which the camera's clock is ahead, at most ten years",
    ),
}
OPTIONS: dict[str, dict[str, tuple[Callable[[Any], bool], str]]] = {
    "ffmpeg": {"keyframes": (lambda value: isinstance(value, bool), "true or false")},
    "push": _STAMPING,
}
"""Kind → option → what it must be, and the same in words."""
