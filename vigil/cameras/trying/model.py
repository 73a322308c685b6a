"""A camera that is tried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a camera's first picture says of it."""

    preview: bytes
    """The picture as a JPEG at most 1280 wide, turned as its EXIF says."""
    width: int
    height: int
    bytes: int
    format: str
    took_s: float
    camera_clock: datetime | None
    """When the camera says it was taken; ``None`` when it says nothing."""
    clock_offset_s: float | None
    """Seconds by which that was ahead of our clock."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A camera as somebody described it, and how asking it went."""

    id: int
    form: Mapping[str, Any]
    camera_id: int | None
    """The camera that is being changed; ``None`` for a new one."""
    kind: str
    url: str | None
    options: Mapping[str, Any]
    interval_s: float
    state: str
    """waiting, asking, done or failed."""
    attempts: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: str | None
    hint: str | None
    width: int | None
    height: int | None
    bytes: int | None
    format: str | None
    took_s: float | None
    camera_clock: datetime | None
    clock_offset_s: float | None
