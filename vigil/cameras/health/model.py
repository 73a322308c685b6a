"""What is looked at, and what is found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A frame's numbers; those that nobody measured are ``None``."""

    taken_at: datetime
    received_at: datetime
    sha256: bytes
    luma: float
    contrast: float | None = None
    dark: float | None = None
    bright: float | None = None
    sharpness: float | None = None
    perceptual_hash: int | None = None
    sun_height: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A camera at this hour of the days before."""

    days: int = 0
    dark: float | None = None
    """Median share of black pixels."""
    sharpness: float | None = None
    """Median."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something wrong with a camera."""

    kind: str
    since_at: datetime
    message: str
