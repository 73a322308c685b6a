"""From an order and what is known to the film that is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from math import ceil, sqrt

import msgspec

from vigil.cameras.looking import days
from vigil.films.asking import checking, pace, words
from vigil.films.asking.model import Place, Seen, Span
from vigil.films.asking.orders import Order
from vigil.films.asking.pace import Pace
from vigil.films.asking.share import share
from vigil.films.asking.words import Wrong
from vigil.films.model import NewFilm
from vigil.films.options import Daily, Look, Making, convert, written

WIDTHS, HEIGHTS = (16, 3840), (16, 2160)
USUAL_WIDTH, USUAL_GRID_WIDTH = 1280, 1920
USUAL_SIZE = (1280, 720)
USUAL_INTERVAL_S = 10.0


def settled(order: Order, places: Sequence[Place]) -> Order:
    """The order with what it implies written down: one frame a day, a layout for several."""
    choice, look = order.choice, order.look
    if order.per_day == 1 and choice.daily is None:
        choice = msgspec.structs.replace(choice, daily=Daily(clock="12:00"))
    if len(places) > 1 and look.layout == "single":
        look = msgspec.structs.replace(look, layout="side" if len(places) == 2 else "grid")
    return msgspec.structs.replace(order, choice=choice, look=look)


def usual_s(places: Sequence[Place]) -> float:
    """How far apart frames are by the cameras' settings."""
    known = [place.camera.interval_s for place in places if place.camera is not None]
    return min(known, default=USUAL_INTERVAL_S)


def complete(
    order: Order, places: Sequence[Place], span: Span, seen: Seen, now: datetime
) -> tuple[NewFilm, Pace]:
    """The film that is made, and its pace, whose notes say what differs from the order.

    Raises Wrong. ``order`` is settled.
    """
    checking.check_short(order, span, None)
    making = checking.making(order, places)
    part = share(order.choice, span, places[0])
    found = pace.pace(order, span, seen, usual_s(places), now, part)
    pace.check_amount(found, span, seen.frames if span.ends_by(now) else None)
    return film(order, places, span, making, found), found


def film(order: Order, places: Sequence[Place], span: Span, making: Making, pace_: Pace) -> NewFilm:
    """The film of an order at a pace."""
    if pace_.every != making.choice.every:
        choice = msgspec.structs.replace(making.choice, every=pace_.every)
        making = msgspec.structs.replace(making, choice=choice)
    width, height = _size(order, places)
    title = " ".join((order.title or "").split())[:200]
    return NewFilm(
        title=title or default_title(places, span),
        scenes=tuple(place.scene.id for place in places),
        from_at=span.from_at,
        to_at=span.to_at,
        rolling_s=span.rolling_s,
        speed=pace_.speed,
        fps=pace_.fps,
        width=width,
        height=height,
        window_s=pace.window_s(pace_),
        options=written(making),
    )


def with_pace(new: NewFilm, pace_: Pace) -> NewFilm:
    """The same film at another pace."""
    making = convert(new.options)
    choice = msgspec.structs.replace(making.choice, every=pace_.every)
    return replace(
        new,
        speed=pace_.speed,
        fps=pace_.fps,
        window_s=pace.window_s(pace_),
        options=written(msgspec.structs.replace(making, choice=choice)),
    )


def default_title(places: Sequence[Place], span: Span) -> str:
    """A title for who gave none."""
    name = ", ".join(place.name for place in places)[:150]
    zone = days.zone(places[0].scene.time_zone)
    from_at = span.from_at.astimezone(zone)
    if span.rolling_s is not None:
        return f"{name}, the last {words.spelled(span.rolling_s)}"
    if span.to_at is None:
        return f"{name}, since {from_at:%Y-%m-%d %H:%M}"
    to_at = span.to_at.astimezone(zone)
    until = f"{to_at:%H:%M}" if to_at.date() == from_at.date() else f"{to_at:%Y-%m-%d %H:%M}"
    return f"{name}, {from_at:%Y-%m-%d %H:%M} to {until}"


def shape(size: tuple[int, int], look: Look, scenes: int) -> tuple[float, float]:
    """Width and height of what is shown when a scene's pictures are that large."""
    width, height = size
    if look.rotate in (90, 270):
        width, height = height, width
    if look.crop is not None:
        left, top, right, bottom = look.crop
        width, height = width * (right - left), height * (bottom - top)  # type: ignore[assignment]
    columns = {"single": 1, "side": scenes, "stack": 1, "grid": ceil(sqrt(scenes))}[look.layout]
    return width * columns, height * (1 if look.layout == "single" else ceil(scenes / columns))


def _size(order: Order, places: Sequence[Place]) -> tuple[int, int]:
    """Width and height, even."""
    width: int | None = order.width
    height: int | None = order.height
    if order.size is not None:
        if width is not None or height is not None:
            raise Wrong("size", "says width and height already")
        width, height = words.size(order.size)
    seen = next((place.size for place in places if place.size), USUAL_SIZE)
    wide, high = shape(seen, order.look, len(places))
    if width is None and height is None:
        width = min(round(wide), USUAL_WIDTH if order.look.layout == "single" else USUAL_GRID_WIDTH)
        if high * width / wide > HEIGHTS[1]:
            width, height = None, HEIGHTS[1]
    if width is None:
        width = round(wide * (height or 0) / high)
    if height is None:
        height = round(high * width / wide)
    field = "size" if order.size is not None else None
    for what, value, (least, most) in (("width", width, WIDTHS), ("height", height, HEIGHTS)):
        if not least <= value <= most:
            raise Wrong(field or what, f"must be between {least} and {most} pixels {_way(what)}")
    return width - width % 2, height - height % 2


def _way(what: str) -> str:
    return "wide" if what == "width" else "high"
