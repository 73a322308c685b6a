"""What a film is made of."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

State = Literal["waiting", "rendering", "growing", "done", "failed", "cancelled", "deleting"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TICKS = 1000
"""Length of one picture in the timescale of its film, which is ``TICKS`` × fps: exact for any
frame rate of three decimals."""
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True)
class NewFilm:
    """A film as it was asked for, checked and complete."""

    title: str
    scene_id: int
    from_at: datetime
    to_at: datetime | None
    speed: float
    fps: float
    width: int
    height: int
    window_s: float


@dataclass(frozen=True, kw_only=True)
class Film:
    """A film of one scene over a time range."""

    id: int
    title: str
    scene_id: int | None
    """``None`` when the scene was removed: the film stays as it is."""
    camera: str | None
    """Name of the camera that shows the scene now."""
    retention_s: float | None
    """Seconds for which the camera's frames are kept; ``None``: it takes no more, or is gone."""
    from_at: datetime
    to_at: datetime | None
    """Exclusive; ``None``: it grows for ever."""
    speed: float
    """Real seconds in a second of film."""
    fps: float
    """Pictures in a second of film; three decimals."""
    width: int
    height: int
    window_s: float
    """Real seconds shown by a segment; a whole number of slots."""
    state: State
    error: str | None
    next_at: datetime | None
    planned_id: int
    """Frames up to this id are in the film where they belong; 0: plan all of it again."""
    dropped_segments: int
    dropped_ticks: int
    job_id: int | None
    file_blob: str | None
    file_bytes: int | None
    file_key: str | None
    created_at: datetime
    changed_at: datetime

    @property
    def timescale(self) -> int:
        """Ticks in a second of film."""
        return round(self.fps * TICKS)

    @property
    def slot(self) -> timedelta:
        """Real time from which at most one frame is taken."""
        return slot(self.speed, self.fps)

    @property
    def window(self) -> timedelta:
        """Real time of one segment."""
        return round(self.window_s * 1e6) * MICROSECOND

    @property
    def window_frames(self) -> int:
        """The most pictures in one segment."""
        return max(1, round(self.window / self.slot))


def slot(speed: float, fps: float) -> timedelta:
    """Real time from which at most one frame is taken: speed / fps, in whole microseconds."""
    return max(1, round(speed / fps * 1e6)) * MICROSECOND


@dataclass(frozen=True, slots=True)
class FilmFrame:
    """As much of a camera's frame as a film needs."""

    taken_at: datetime
    sha256: bytes
    """Of the bytes as they came."""
    blob: str
    picture: str | None = None
    """Key of the JPEG that is shown instead: turned, cropped, converted."""

    @property
    def key(self) -> str:
        """Key of what is filmed."""
        return self.picture or self.blob

    @property
    def digest(self) -> bytes:
        """Names what is filmed: another for the same bytes turned or cropped otherwise."""
        if self.picture is None:
            return self.sha256
        return hashlib.sha256(self.sha256 + bytes.fromhex(self._shown(self.picture))).digest()

    def is_whole(self, data: bytes) -> bool:
        """Whether these are the bytes that are filmed."""
        seen = hashlib.sha256(data)
        if self.picture is None:
            return seen.digest() == self.sha256
        return seen.hexdigest().startswith(self._shown(self.picture))

    @staticmethod
    def _shown(picture: str) -> str:
        """The beginning of a picture's SHA-256, which its key ends with."""
        return picture.rpartition("-")[2].removesuffix(".jpg")


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A segment that a film should have."""

    window_start: datetime
    frames: tuple[FilmFrame, ...]
    """At least one, in order, at most one a slot."""
    closed: bool
    """Whether the window is over, so that only a late frame can change it."""
    hash: str
    """Names everything that goes in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A segment that a film has."""

    window_start: datetime
    hash: str
    first_at: datetime
    last_at: datetime
    closed: bool
    frames: int
    bytes: int
    duration_s: float

    def ticks(self, timescale: int) -> int:
        """Its length in the film's timescale."""
        return round(self.duration_s * timescale)


@dataclass(frozen=True, kw_only=True)
class Totals:
    """What a film has so far."""

    segments: int = 0
    frames: int = 0
    duration_s: float = 0.0
    bytes: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None


def segment_blob(hash: str) -> str:
    """Where a segment is kept."""
    return f"segments/{hash[:2]}/{hash}.mp4"
