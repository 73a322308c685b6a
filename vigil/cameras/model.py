"""Cameras and their frames."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vigil.context import Context


@dataclass(frozen=True, kw_only=True)
class Camera:
    """Something that delivers frames."""

    id: int
    name: str
    title: str
    kind: str
    url: str | None
    """With credentials; shown to nobody but an admin. ``None`` for the test card."""
    options: Mapping[str, Any]
    interval_s: float
    retention_s: float
    enabled: bool
    deleting_at: datetime | None
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RawFrame:
    """A picture as it came, before intake has looked at it."""

    data: bytes
    taken_at: datetime
    """UTC; our own clock where the camera says nothing that can be trusted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A picture that intake accepted."""

    id: int
    camera_id: int
    taken_at: datetime
    received_at: datetime
    width: int
    height: int
    bytes: int
    sha256: bytes
    luma: float
    blob: str


@dataclass(frozen=True, kw_only=True)
class CameraKind:
    """How one kind of camera is read. One of these stands in each adapter's file."""

    name: str
    title: str
    frames: Callable[[Context, Camera], AsyncIterator[RawFrame]]
    """One connection: yields a picture each ``interval_s`` until it breaks (raises SourceError)."""
    accepts: Callable[[str], bool]
    """Whether a URL looks like one of this kind."""
