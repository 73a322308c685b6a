"""Days and tags of a scene."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCount:
    """A day of a scene that has frames."""

    day: date
    frames: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A span of time of a scene that has a name."""

    id: int
    scene_id: int
    name: str
    from_at: datetime
    to_at: datetime | None
    """Not included; ``None``: it goes on."""
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DayAccount:
    """What was planned on a day and why some of it is missing."""

    day: date
    planned: int
    missed: Mapping[str, int]
    """Reason → frames that were due and did not come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """A gap in what a camera delivered."""

    camera: str
    """Its name."""
    from_at: datetime
    to_at: datetime
    reason: str
    detail: str
    missed: int
    is_open: bool
    """Whether no frame came since."""
