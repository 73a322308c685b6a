"""What is known of the running processes and of the things they look after."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Process:
    """A heartbeat of a daemon."""

    name: str
    host: str
    pid: int
    version: str
    started_at: datetime
    seen_at: datetime
    age_s: float
    """Seconds since the heartbeat, by the database's clock."""


@dataclass(frozen=True, kw_only=True)
class SourceScan:
    """How the last pass over a source went."""

    name: str
    kind: str
    enabled: bool
    finished_at: datetime | None
    succeeded_at: datetime | None
    age_s: float | None
    """Seconds since a pass last ended well; ``None`` before the first."""
    next_at: datetime | None
    failures: int
    error: str | None
    hint: str | None
    found: int
    kept: int
    refused: int


@dataclass(frozen=True, kw_only=True)
class CameraFeed:
    """How a camera is doing."""

    name: str
    enabled: bool
    connected: bool
    frames: int
    """Ever accepted."""
    refused: int
    """Ever refused."""
    expired_frames: int
    """Ever removed by retention."""
    expired_bytes: int
    """What these took."""
    last_frame_at: datetime | None
    age_s: float | None
    """Seconds since its last frame was taken."""
    error: str | None
    hint: str | None


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What the database knows of everything, at one moment."""

    processes: list[Process]
    sources: list[SourceScan]
    cameras: list[CameraFeed]


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Numbers that cost a walk through a table; for /metrics only."""

    streams: dict[str, int]
    """Source → streams live now."""
    films: dict[str, int]
    """State → films."""
    jobs: dict[str, int]
    """State → jobs that are not parts of others."""
    parts: dict[str, int]
    """State → jobs that are, such as the segments of a film."""
