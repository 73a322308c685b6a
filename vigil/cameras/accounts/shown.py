"""Days and gaps for visitors and programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TypedDict

import db_utils
from vigil.cameras.accounts import store
from vigil.cameras.accounts.model import REASONS, Day, Gap
from vigil.cameras.looking import days as calendar
from vigil.cameras.model import Camera, Scene
from vigil.cameras.plan import at


class DayJson(TypedDict):
    """A camera's day; its scene's clocks say when it begins."""

    day: date
    planned: int
    obtained: int
    coverage: float | None
    missed: dict[str, int]
    left_out: int
    frames: int
    gaps: int
    expired: bool


class GapJson(TypedDict):
    """Frames missing one after another for one reason."""

    id: int
    from_at: datetime
    to_at: datetime
    lasted_s: float
    reason: str
    meaning: str
    detail: str
    missed: int
    open: bool


async def days(
    db: db_utils.Database, camera: Camera, scene: Scene, first: date, last: date
) -> list[DayJson]:
    """A camera's days from the first to the last, those that something is known of."""
    found = await store.days(db, camera.id, first, last)
    zone = calendar.zone(scene.time_zone)
    bounds = [calendar.bounds(one.day, zone) for one in found]
    gaps = await store.gaps_in_each(db, camera.id, bounds)
    kept_since = await store.kept_since(db, camera.id)
    return [
        day_json(one, number, kept_since is None or ends <= kept_since)
        for one, number, (_, ends) in zip(found, gaps, bounds, strict=True)
    ]


def day_json(day: Day, gaps: int, gone: bool) -> DayJson:
    """A day. ``gone``: no frame of it is kept by retention any more."""
    obtained = max(0, day.planned - sum(day.missed.values()))
    return {
        "day": day.day,
        "planned": day.planned,
        "obtained": obtained,
        "coverage": coverage(day),
        "missed": dict(day.missed),
        "left_out": day.left_out,
        "frames": day.frames,
        "gaps": gaps,
        "expired": gone and day.frames > 0,
    }


def coverage(day: Day) -> float | None:
    """Share of what was due that came, 0 to 1; ``None`` where nothing was due."""
    if not day.planned:
        return None
    return round(max(0, day.planned - sum(day.missed.values())) / day.planned, 4)


def gap_json(gap: Gap) -> GapJson:
    """A gap."""
    return {
        "id": gap.id or 0,
        "from_at": at(gap.from_us),
        "to_at": at(gap.to_us),
        "lasted_s": (gap.to_us - gap.from_us) / 1e6,
        "reason": gap.reason,
        "meaning": REASONS[gap.reason],
        "detail": gap.detail,
        "missed": gap.missed,
        "open": gap.is_open,
    }


def in_words(missed: Mapping[str, int]) -> str:
    """Why frames are missing, for a person: ``12 source, 3 down``."""
    return ", ".join(f"{number} {reason}" for reason, number in missed.items()) or "–"


def last_days(now: datetime, scene: Scene, number: int) -> tuple[date, date]:
    """The first and the last of so many days at a scene, today being the last."""
    today = calendar.day_of(now, calendar.zone(scene.time_zone))
    return today - timedelta(days=number - 1), today


def shown_gaps(gaps: Sequence[Gap]) -> list[GapJson]:
    """Gaps, in their order."""
    return [gap_json(gap) for gap in gaps]
