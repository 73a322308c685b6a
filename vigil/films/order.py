"""What may be asked for: from a person's words to a complete NewFilm.

A film says how its wishes were met: where the camera is too slow for the frame rate, the frame
rate is lowered, and the answer says so.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

import db_utils
from vigil.cameras import store as cameras
from vigil.cameras.frames import store as frames
from vigil.cameras.model import Camera, Frame
from vigil.context import Context
from vigil.errors import Invalid, NotFound
from vigil.films import store
from vigil.films.model import NewFilm, slot

DEFAULT_FPS = 25.0
GROWING_SEGMENT_S, FINISHED_SEGMENT_S = 2.0, 5.0
"""Seconds of film in a segment: short where somebody waits for the next one."""
LONGEST_RANGE = timedelta(days=3660)
MOST_FRAMES = 2_000_000
MOST_SPEED = 10_000_000.0
WIDTHS = (16, 3840)
HEIGHTS = (16, 2160)

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


class Order(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, rename={"from_": "from"}):
    """A film as somebody asks for it; only the camera is needed."""

    camera: str
    from_: str | None = None
    """ISO 8601, or how long ago: ``30m``, ``-2h``; default now."""
    to: str | None = None
    """The same, or ahead: ``+1h``; ``None``: it grows for ever."""
    speed: float | None = None
    """Real seconds in a second of film; default: every frame of the camera is shown."""
    fps: float | None = None
    size: str | None = None
    """``1280x720``; default: like the camera, at most 1280 wide."""
    width: int | None = None
    height: int | None = None
    title: str | None = None


def parse(body: Any) -> Order:
    """An order from JSON or a form (every value text); raises Invalid, naming what is wrong."""
    if isinstance(body, dict):
        body = {key: value for key, value in body.items() if value not in (None, "")}
    try:
        return msgspec.convert(body, Order, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(
            f"this film cannot be made: {error}",
            hint='send an object such as {"camera": "garden", "from": "1h", "to": "now"}',
        ) from None


async def make(context: Context, wish: Order) -> tuple[int, list[str]]:
    """Make a film as asked for; returns its number and notes. Raises Invalid or NotFound."""
    async with db_utils.transaction(context.pool) as connection:
        return await make_in(connection, wish, context.clock.now())


async def make_in(db: db_utils.Database, wish: Order, now: datetime) -> tuple[int, list[str]]:
    """The same in the caller's transaction."""
    camera = await cameras.by_name(db, wish.camera)
    if camera is None or camera.deleting_at is not None:
        names = [one.name for one in await cameras.all_cameras(db) if one.deleting_at is None]
        hint = f"there are: {', '.join(names[:20])}" if names else "add one first"
        raise NotFound(f"there is no camera {wish.camera[:60]}", hint=hint)
    scene_id = await cameras.scene_of(db, camera.id, now)
    new, notes = complete(wish, camera, scene_id, await frames.latest(db, camera.id), now)
    return await store.add(db, new), notes


def complete(
    order: Order, camera: Camera, scene_id: int, latest: Frame | None, now: datetime
) -> tuple[NewFilm, list[str]]:
    """The film that is made, and notes on what differs from the order; raises Invalid.

    Args:
        order: what was asked for.
        camera: the camera.
        scene_id: what it shows.
        latest: its latest frame, which says how large its pictures are.
        now: what "now" and spans of time count from.
    """
    from_at = moment(order.from_, now, "from") if order.from_ else now
    to_at = moment(order.to, now, "to") if order.to else None
    if to_at is not None and to_at <= from_at:
        raise Invalid("the film ends before it begins", hint='"to" must be later than "from"')
    if (to_at or now) - from_at > LONGEST_RANGE or from_at - now > LONGEST_RANGE:
        raise Invalid("a film may show at most ten years")
    wanted = _within("fps", order.fps or DEFAULT_FPS, 1, 60)
    speed = order.speed or max(1.0, camera.interval_s * wanted)
    speed = _within("speed", speed, 0.01, MOST_SPEED)
    fps = round(max(1.0, min(wanted, speed / camera.interval_s)), 3)
    notes = []
    if fps < wanted:
        notes.append(
            f"{fps:g} frames a second instead of {wanted:g}: at {speed:g} times real speed the "
            f"camera, which delivers one each {camera.interval_s:g} s, has no more"
        )
    width, height = _size(order, latest)
    segment_s = FINISHED_SEGMENT_S if to_at is not None and to_at <= now else GROWING_SEGMENT_S
    one = slot(speed, fps)
    if to_at is not None and (to_at - from_at) / one > MOST_FRAMES:
        raise Invalid("this film would be too long", hint="raise its speed or shorten its range")
    title = " ".join((order.title or "").split())[:200]
    return NewFilm(
        title=title or default_title(camera, from_at, to_at),
        scenes=(scene_id,),
        from_at=from_at,
        to_at=to_at,
        speed=speed,
        fps=fps,
        width=width,
        height=height,
        window_s=(max(1, round(segment_s * fps)) * one).total_seconds(),
    ), notes


def default_title(camera: Camera, from_at: datetime, to_at: datetime | None) -> str:
    """A title for who gave none."""
    name = camera.title or camera.name
    if to_at is None:
        return f"{name}, since {from_at:%Y-%m-%d %H:%M}"
    until = f"{to_at:%H:%M}" if to_at.date() == from_at.date() else f"{to_at:%Y-%m-%d %H:%M}"
    return f"{name}, {from_at:%Y-%m-%d %H:%M} to {until}"


def moment(text: str, now: datetime, what: str) -> datetime:
    """A moment from ``now``, ISO 8601 (UTC where it names no zone) or a span: ``30m`` ago,
    ``+2h`` ahead; raises Invalid."""
    text = text.strip()
    if text.lower() == "now":
        return now
    match = re.fullmatch(r"([+-]?)(\d{1,9}(?:\.\d{1,6})?)\s*([smhdw])", text)
    if match:
        span = timedelta(seconds=float(match[2]) * _UNITS[match[3]])
        try:
            return now + span if match[1] == "+" else now - span
        except OverflowError:
            raise Invalid(f'"{what}" is too far away') from None
    try:
        found = datetime.fromisoformat(text)
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid(
            f'"{what}" is not a moment: {text[:40]}',
            hint='give ISO 8601 such as 2026-03-01T06:00Z, or a span such as "2h" (ago), "+1h"',
        ) from None
    if not 1971 <= found.year <= 9000:
        raise Invalid(f'"{what}" is too far away')
    return found


def _within(what: str, value: float, least: float, most: float) -> float:
    if not least <= value <= most:
        raise Invalid(f'"{what}" must be between {least:g} and {most:g}')
    return value


def _size(order: Order, latest: Frame | None) -> tuple[int, int]:
    """Width and height, even."""
    width, height = order.width, order.height
    if order.size is not None:
        match = re.fullmatch(r"\s*(\d{2,5})\s*[x×]\s*(\d{2,5})\s*", order.size)
        if not match or width is not None or height is not None:
            raise Invalid(f"{order.size} is not a size", hint='give "1280x720"')
        width, height = int(match[1]), int(match[2])
    seen_width, seen_height = (latest.width, latest.height) if latest else (1280, 720)
    if width is None and height is None:
        width = min(seen_width, 1280)
    if width is None:
        width = round(seen_width * (height or 0) / seen_height)
    if height is None:
        height = round(seen_height * width / seen_width)
    for what, value, (least, most) in (("width", width, WIDTHS), ("height", height, HEIGHTS)):
        if not least <= value <= most:
            raise Invalid(f'"{what}" must be between {least} and {most} pixels')
    return width - width % 2, height - height % 2
