"""What is known when a film is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from vigil.cameras.model import Camera, Scene


@dataclass(frozen=True, kw_only=True)
class Place:
    """A scene that the film shows."""

    scene: Scene
    camera: Camera | None
    """Which shows it now, if any does."""
    size: tuple[int, int] | None
    """Of its latest picture; ``None`` before the first one."""
    tags: Sequence[str] = ()
    """Names of its tags."""

    @property
    def name(self) -> str:
        """What people call it."""
        return self.scene.title or (self.camera and self.camera.title) or self.scene.name

    @property
    def has_sun(self) -> bool:
        """Whether the sun's height is known there."""
        return self.scene.latitude is not None


@dataclass(frozen=True, kw_only=True)
class Span:
    """The time that a film shows."""

    from_at: datetime
    to_at: datetime | None
    """Not included; ``None``: it grows for ever."""
    rolling_s: float | None = None

    def ends_by(self, now: datetime) -> bool:
        """Whether all of it is past."""
        return self.to_at is not None and self.to_at <= now

    @property
    def seconds(self) -> float | None:
        """How long it is; ``None``: for ever."""
        if self.rolling_s is not None:
            return self.rolling_s
        return None if self.to_at is None else (self.to_at - self.from_at).total_seconds()


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Frames that are there already, of one scene or several."""

    frames: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    interval_s: float | None = None
    """How far apart they usually are; ``None``: not known."""


@dataclass(frozen=True, kw_only=True)
class Costs:
    """What past renders tell of future ones; ``None``: there were none."""

    bytes_per_pixel: float | None = None
    """Of a picture: bytes for each of its pixels."""
    seconds_per_pixel: float | None = None
