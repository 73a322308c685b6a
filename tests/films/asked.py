"""Scenes and orders for tests of what may be asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from vigil.cameras.model import Camera, Scene
from vigil.films.asking import when
from vigil.films.asking.completing import complete, settled
from vigil.films.asking.model import Place, Seen
from vigil.films.asking.orders import Order, parse
from vigil.films.asking.pace import Pace
from vigil.films.model import NewFilm
from vigil.films.options import Making, convert

NOW = datetime(2026, 3, 1, 12, 0, 0, 500, tzinfo=UTC)


def camera(interval_s: float = 10, name: str = "garden") -> Camera:
    return Camera(
        id=3,
        name=name,
        title="The garden",
        kind="http",
        url="http://nowhere",
        options={},
        interval_s=interval_s,
        retention_s=86400,
        enabled=True,
        deleting_at=None,
        created_at=NOW,
        changed_at=NOW,
    )


def place(
    number: int = 7,
    interval_s: float = 10,
    size: tuple[int, int] | None = None,
    tags: Sequence[str] = (),
    sun: bool = False,
    zone: str = "UTC",
) -> Place:
    scene = Scene(
        id=number,
        name=f"garden{number}",
        title="The garden",
        notes="",
        latitude=52.5 if sun else None,
        longitude=13.4 if sun else None,
        time_zone=zone,
        created_at=NOW,
        changed_at=NOW,
    )
    return Place(scene=scene, camera=camera(interval_s), size=size, tags=tags)


def ask(
    *places: Place,
    seen: Seen | None = None,
    order: Order | None = None,
    interval_s: float = 10,
    frame: tuple[int, int] | None = None,
    **body: Any,
) -> tuple[NewFilm, Pace]:
    """The film of an order, as far as that is pure."""
    places = places or (place(interval_s=interval_s, size=frame),)
    seen = seen or Seen(interval_s=interval_s)
    wish = settled(order or parse({"camera": "garden"} | body), places)
    zone = ZoneInfo(places[0].scene.time_zone)
    span = when.span(wish, NOW, zone, seen.first_at)
    return complete(wish, places, span, seen, NOW)


def making(film: NewFilm) -> Making:
    return convert(film.options)
