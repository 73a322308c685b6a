"""The plan of a film that there is not yet: exact, from the rows of frames, without rendering."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

import db_utils
from vigil.films.asking import store as asking
from vigil.films.asking.model import Costs, Place
from vigil.films.model import Film, NewFilm, at_moment, moment_of
from vigil.films.scene import bounds, holes, plan, store
from vigil.films.scene import facts as scene_facts
from vigil.films.scene.bounds import ALWAYS
from vigil.films.scene.facts import Facts
from vigil.films.scene.rows import Rows
from vigil.films.scene.shots import Shots, take_shots
from vigil.films.scene.windows import cut_windows

FOREVER = datetime(9999, 1, 1, tzinfo=UTC)
MOST_GAPS = 100
"""Gaps that are listed, the longest of them."""
DAY_S = 86_400.0


@dataclass(frozen=True, kw_only=True)
class Material:
    """What a plan is made from: the frames of each scene in a span, and what is known of it."""

    low: int
    high: int
    rows: Sequence[Rows]
    facts: Sequence[Facts]


@dataclass(frozen=True, kw_only=True)
class Gap:
    """A time in which no frame came."""

    from_at: datetime
    to_at: datetime

    @property
    def seconds(self) -> float:
        """How long it is."""
        return (self.to_at - self.from_at).total_seconds()


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture of the film: the frame (of the first scene that has one) that it shows."""

    moment: int
    frame: int
    camera: str

    @property
    def at(self) -> datetime:
        """When it was taken."""
        return at_moment(self.moment)


@dataclass(frozen=True, kw_only=True)
class Planning:
    """What a film would be if it was made now."""

    film: Film
    frames: int
    """In its range, of all scenes."""
    shown: int
    """Frames that go in, of all scenes."""
    pictures: int
    """Of film, the title card included."""
    segments: int
    there: int
    """Segments that are rendered already,"""
    there_pictures: int
    """and the pictures in them."""
    gaps: Sequence[Gap]
    gap_count: int
    gap_s: float
    """Of all gaps together."""
    costs: Costs
    looks: Sequence[Picture]
    """First, middle and last."""
    strip: Sequence[Picture]
    """Some of the pictures, in order, from ``strip_at`` on, to pick from."""
    strip_at: int
    strip_of: int
    """Pictures that there are to pick from."""
    a_day: float | None
    """Pictures that a day adds to a film that goes on; ``None``: it does not."""

    @property
    def seconds(self) -> float:
        """Of film."""
        return self.pictures / self.film.fps

    @property
    def bytes(self) -> int | None:
        """How large it will be; ``None``: there is no render yet to go by."""
        return self._cost(self.costs.bytes_per_pixel, self.pictures)

    @property
    def render_s(self) -> int | None:
        """Seconds that rendering what is missing takes one renderer, one segment at a time."""
        return self._cost(self.costs.seconds_per_pixel, self.pictures - self.there_pictures)

    def _cost(self, each: float | None, pictures: int) -> int | None:
        if each is None:
            return None
        return round(each * pictures * self.film.width * self.film.height)


def imagined(new: NewFilm, places: Sequence[Place], now: datetime) -> Film:
    """The film as if it was made; its number is 0."""
    first = places[0]
    return Film(
        id=0,
        title=new.title,
        kind=new.kind,
        scene_id=first.scene.id,
        scenes=new.scenes,
        camera=first.camera.name if first.camera else None,
        retention_s=first.camera.retention_s if first.camera else None,
        time_zone=first.scene.time_zone,
        from_at=new.from_at,
        to_at=new.to_at,
        rolling_s=new.rolling_s,
        speed=new.speed,
        fps=new.fps,
        width=new.width,
        height=new.height,
        window_s=new.window_s,
        options=new.options,
        state="waiting",
        error=None,
        next_at=None,
        watched_at=None,
        planned_id=0,
        dropped_segments=0,
        dropped_ticks=0,
        dropped_discontinuities=0,
        dropped_init=None,
        job_id=None,
        file_blob=None,
        file_bytes=None,
        file_key=None,
        created_at=now,
        changed_at=now,
    )


async def material(
    db: db_utils.Pool, film: Film, now: datetime, have: Material | None = None
) -> Material:
    """What the plan of a film is made from; ``have`` if that is enough."""
    back, ahead = bounds.reach(film)
    since, _ = bounds.span(film, now)
    low = since - back
    high = ALWAYS if film.to_at is None else moment_of(film.to_at) + ahead
    if have is not None and have.low <= low and have.high >= high:
        return have
    end = FOREVER if high >= ALWAYS else at_moment(high)
    return Material(
        low=low,
        high=high,
        rows=[await store.frames(db, scene, at_moment(low), end) for scene in film.scenes],
        facts=[await scene_facts.load(db, scene) for scene in film.scenes],
    )


async def pictures(film: Film, found: Material, now: datetime) -> int:
    """How many pictures of frames a film has, without its title card."""
    shots = await asyncio.to_thread(
        take_shots, film, found.rows, found.facts, *bounds.span(film, now)
    )
    return int(shots["pictures"].sum())


async def planning(
    db: db_utils.Pool,
    film: Film,
    now: datetime,
    *,
    have: Material | None = None,
    strip_at: int = 0,
    strip: int = 0,
) -> Planning:
    """What a film would be.

    Args:
        db: the database.
        film: as ``imagined``.
        now: says what is past.
        have: frames that were read for it before.
        strip_at: number of the first picture to pick from,
        strip: and how many of them.
    """
    found = await material(db, film, now, have)
    references = await store.references(db, film)
    digests = [b"" if one is None else one.digest for one in references]

    def think() -> tuple[Shots, dict[str, int], list[Gap], int]:
        shots = take_shots(film, found.rows, found.facts, *bounds.span(film, now))
        made = cut_windows(film, found.rows, shots, references=digests)
        names = {one.hash: len(one.moments) // 8 for one in made}
        first = plan.card(film)
        if first is not None:
            names[first.hash] = first.pictures
        return shots, names, _gaps(film, found, now), len(made) + (first is not None)

    shots, names, gaps, segments = await asyncio.to_thread(think)
    there = await asking.known(db, list(names))
    card = film.making.look.card
    total = int(shots["pictures"].sum()) + (max(1, round(card.seconds * film.fps)) if card else 0)
    own = _fresh(shots)
    strip_at = min(max(strip_at, 0), max(0, len(own) - 1))
    looks = [own[i] for i in sorted({0, len(own) // 2, len(own) - 1})] if len(own) else []
    picked = own[strip_at : strip_at + strip]
    known = await _pictures(db, found.rows, shots, [*looks, *picked])
    since, until = bounds.span(film, now)
    return Planning(
        film=film,
        frames=sum(
            int(np.diff(np.searchsorted(rows["moment"], [since, until]))[0]) for rows in found.rows
        ),
        shown=sum(_count(shots["row"][:, scene]) for scene in range(len(found.rows))),
        pictures=total,
        segments=segments,
        there=len(there),
        there_pictures=sum(names[name] for name in there),
        gaps=sorted(
            sorted(gaps, key=lambda gap: -gap.seconds)[:MOST_GAPS], key=lambda gap: gap.from_at
        ),
        gap_count=len(gaps),
        gap_s=sum(gap.seconds for gap in gaps),
        costs=await asking.costs(db, film.making.codec),
        looks=known[: len(looks)],
        strip=known[len(looks) :],
        strip_at=strip_at,
        strip_of=len(own),
        a_day=_a_day(film, found),
    )


def _fresh(shots: Shots) -> NDArray[np.intp]:
    """Places of the shots that show something else than the one before: no holes, nothing held."""
    own = np.flatnonzero(shots["hole"] == 0)
    rows = shots["row"][own]
    return own[np.concatenate([[True], np.any(rows[1:] != rows[:-1], axis=1)])] if len(own) else own


def _count(rows: NDArray[np.int64]) -> int:
    return len(np.unique(rows[rows >= 0]))


def _gaps(film: Film, found: Material, now: datetime) -> list[Gap]:
    """The times in which no scene has a frame, by the same measure as the plan's."""
    since, until = bounds.span(film, now)
    every = np.unique(np.concatenate([rows["moment"] for rows in found.rows]))
    within = every[(every >= since) & (every < until)]
    if not len(within):
        return []
    edges = np.concatenate([[since], within, [until]])
    gaps = np.flatnonzero(np.diff(edges) > holes.longest(film))
    return [
        Gap(from_at=at_moment(int(edges[one])), to_at=at_moment(int(edges[one + 1])))
        for one in gaps.tolist()
    ]


async def _pictures(
    db: db_utils.Database, scenes: Sequence[Rows], shots: Shots, which: Sequence[Any]
) -> list[Picture]:
    """What some shots show."""
    found: list[tuple[int, int]] = []
    for one in which:
        shown = [(scene, row) for scene, row in enumerate(shots["row"][one].tolist()) if row >= 0]
        scene, row = shown[0]
        found.append((int(shots["moment"][one]), int(scenes[scene]["id"][row])))
    cameras = await asking.cameras_of(db, [frame for _, frame in found])
    return [
        Picture(moment=moment, frame=frame, camera=cameras.get(frame, ""))
        for moment, frame in found
    ]


def _a_day(film: Film, found: Material) -> float | None:
    """Pictures that a day adds, if frames come as they did."""
    if film.to_at is not None:
        return None
    slot_s = film.slot.total_seconds()
    if film.making.choice.daily is not None:
        return 1.0
    moments = found.rows[0]["moment"][-1000:]
    apart = float(np.median(np.diff(moments))) / 1e6 if len(moments) > 1 else slot_s
    return DAY_S / (max(apart, 0.001) if film.making.choice.every else max(slot_s, apart))
