"""The plan of a film for people and programs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypedDict

import msgspec

from vigil.films.asking import pictures
from vigil.films.asking.planning import Gap, Picture, Planning
from vigil.films.model import NewFilm, moment_of
from vigil.openapi import Actions

FILLS = {
    "cut": "cut out: the film goes on with the next frame",
    "hold": "the last frame is held",
    "fade": "the last frame blends into the next",
    "mark": "a title says that pictures are missing",
}
"""What fills a gap, in words."""

GapJson = TypedDict("GapJson", {"from": datetime, "to": datetime, "seconds": float})


class LookJson(TypedDict):
    """A picture of the film as it will look."""

    which: str
    at: datetime
    url: str


class FrameJson(TypedDict):
    """A frame that the film shows."""

    moment: int
    at: datetime
    camera: str
    frame: int
    thumbnail: str


class GapsJson(TypedDict):
    """Times without frames."""

    count: int
    seconds: float
    fill: str
    """cut, hold, fade or mark."""
    said: str
    items: list[GapJson]
    """The longest of them, by time."""


class SegmentsJson(TypedDict):
    """Pieces of film."""

    count: int
    rendered: int
    """Those that are there already."""


PlanJson = TypedDict(
    "PlanJson",
    {
        "title": str,
        "scenes": list[str],
        "from": datetime,
        "to": datetime | None,
        "rolling_s": float | None,
        "speed": float,
        "fps": float,
        "width": int,
        "height": int,
        "options": dict[str, Any],
        "frames": int,
        "shown": int,
        "pictures": int,
        "duration_s": float,
        "segments": SegmentsJson,
        "gaps": GapsJson,
        "bytes": int | None,
        "render_s": int | None,
        "pictures_a_day": float | None,
        "looks": list[LookJson],
        "strip": list[FrameJson],
        "strip_at": int,
        "strip_of": int,
        "notes": list[str],
        "actions": Actions,
    },
)
"""What a film would be. ``frames``: in its range; ``shown``: that go in; ``pictures``: of film,
more where frames are held or blended; ``speed``: real seconds in a second of film; ``strip``: some
of the ``strip_of`` pictures to pick from, from number ``strip_at`` on; ``bytes`` and ``render_s``:
null before the first render."""


def plan_json(
    found: Planning, new: NewFilm, scenes: Sequence[str], notes: Sequence[str]
) -> PlanJson:
    """A plan as JSON."""
    film = found.film
    fill = film.making.look.gaps
    return {
        "title": new.title,
        "scenes": list(scenes),
        "from": new.from_at,
        "to": new.to_at,
        "rolling_s": new.rolling_s,
        "speed": new.speed / film.making.look.stands,
        "fps": new.fps,
        "width": new.width,
        "height": new.height,
        "options": msgspec.to_builtins(new.options),
        "frames": found.frames,
        "shown": found.shown,
        "pictures": found.pictures,
        "duration_s": round(found.seconds, 3),
        "segments": {"count": found.segments, "rendered": found.there},
        "gaps": {
            "count": found.gap_count,
            "seconds": round(found.gap_s, 3),
            "fill": fill,
            "said": FILLS[fill],
            "items": [_gap(gap) for gap in found.gaps],
        },
        "bytes": found.bytes,
        "render_s": found.render_s,
        "pictures_a_day": found.a_day,
        "looks": _looks(found, new),
        "strip": [frame_json(picture) for picture in found.strip],
        "strip_at": found.strip_at,
        "strip_of": found.strip_of,
        "notes": list(notes),
        "actions": {"make": None},
    }


def _gap(gap: Gap) -> GapJson:
    return {"from": gap.from_at, "to": gap.to_at, "seconds": gap.seconds}


def _looks(found: Planning, new: NewFilm) -> list[LookJson]:
    names = {1: ("only",), 2: ("first", "last"), 3: ("first", "middle", "last")}
    shown = []
    for which, picture in zip(names.get(len(found.looks), ()), found.looks, strict=True):
        packed = pictures.pack(new, picture.moment)
        url = f"/api/v1/films/plan/picture.jpg?film={packed}&at={picture.moment}"
        shown.append(LookJson(which=which, at=picture.at, url=url))
    return shown


def frame_json(picture: Picture) -> FrameJson:
    """A frame to pick, with its thumbnail."""
    return {
        "moment": moment_of(picture.at),
        "at": picture.at,
        "camera": picture.camera,
        "frame": picture.frame,
        "thumbnail": f"/api/v1/cameras/{picture.camera}/frames/{picture.frame}-160.jpg",
    }
