"""What is counted of a camera."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

REASONS = {
    "source": "the camera gave none",
    "network": "the camera could not be reached from here",
    "refused": "what came was no good frame",
    "down": "Vigil did not watch",
    "disk_full": "there was no room for it, or no disk",
    "unchanged": "the camera gave the same picture again",
}
"""Why a frame that was due is missing: word → for a person."""


@dataclass(slots=True, kw_only=True)
class Account:
    """How far a camera is accounted for; moments are microseconds since 1970."""

    camera_id: int
    until: int
    last: int
    """When its last frame was taken, or since when frames are due."""
    missed: int | None = None
    """The last moment after that which is counted as missed."""


@dataclass(slots=True, kw_only=True)
class Gap:
    """Frames missing one after another for one reason; moments are microseconds since 1970."""

    id: int | None
    camera_id: int
    from_us: int
    to_us: int
    reason: str
    detail: str
    missed: int
    is_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A time in which a camera was watched, or went wrong; microseconds since 1970."""

    state: str
    detail: str
    from_us: int
    to_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A camera's day in numbers."""

    day: date
    planned: int = 0
    left_out: int = 0
    """What the interval alone would have asked for, and the plan did not."""
    frames: int = 0
    missed: Mapping[str, int] = field(default_factory=dict)
    """Reason → number."""
