"""What a film is made of."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from vigil.films.options import Making, convert

State = Literal["waiting", "rendering", "growing", "done", "failed", "cancelled", "deleting"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TICKS = 1000
"""Length of one picture in the timescale of its film, which is ``TICKS`` × fps: exact for any
frame rate of three decimals."""
MICROSECOND = timedelta(microseconds=1)


def moment_of(at: datetime) -> int:
    """Microseconds since 1970 UTC: a moment in a film of scenes."""
    return (at - EPOCH) // MICROSECOND


def at_moment(moment: int) -> datetime:
    """The time of a moment in a film of scenes."""
    return EPOCH + moment * MICROSECOND


@dataclass(frozen=True, kw_only=True)
class NewFilm:
    """A film as it was asked for, checked and complete."""

    title: str
    from_at: datetime
    to_at: datetime | None
    speed: float
    fps: float
    width: int
    height: int
    window_s: float
    kind: str = "scene"
    scenes: tuple[int, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    rolling_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Film:
    """A film over a time range: of scenes, or of what another kind draws."""

    id: int
    title: str
    kind: str
    """Who plans and renders it: a name in ``vigil.films.kinds``."""
    scene_id: int | None
    """The first scene; ``None`` when it was removed (the film stays as it is) or there is none."""
    scenes: tuple[int, ...]
    """All scenes that it shows at once, in the order of their places."""
    camera: str | None
    """Name of the camera that shows the first scene now."""
    retention_s: float | None
    """Seconds for which that camera's frames are kept; ``None``: it takes no more, or is gone."""
    time_zone: str
    """IANA name of the first scene's zone; UTC without one."""
    from_at: datetime
    to_at: datetime | None
    """Exclusive; ``None``: it grows for ever."""
    rolling_s: float | None
    """It shows only the last so many seconds of real time; ``None``: all since ``from_at``."""
    speed: float
    """Real seconds in a second of film."""
    fps: float
    """Pictures in a second of film; three decimals."""
    width: int
    height: int
    window_s: float
    """Real seconds shown by a segment; a whole number of slots."""
    options: Mapping[str, Any]
    """What its maker chose; for a film of scenes see ``making``."""
    state: State
    error: str | None
    next_at: datetime | None
    watched_at: datetime | None
    planned_id: int
    """Frames up to this id are in the film where they belong; 0: plan all of it again."""
    dropped_segments: int
    dropped_ticks: int
    dropped_discontinuities: int
    dropped_init: str | None
    """Header of the last segment that left."""
    job_id: int | None
    file_blob: str | None
    file_bytes: int | None
    file_key: str | None
    created_at: datetime
    changed_at: datetime

    @functools.cached_property
    def making(self) -> Making:
        """The options of a film of scenes."""
        return convert(self.options)

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
        """Slots in one segment: its pictures, unless frames are held, blended or shown each."""
        return max(1, round(self.window / self.slot))


def slot(speed: float, fps: float) -> timedelta:
    """Real time from which at most one frame is taken: speed / fps, in whole microseconds."""
    return max(1, round(speed / fps * 1e6)) * MICROSECOND


@dataclass(frozen=True, slots=True)
class FilmFrame:
    """As much of a camera's frame as a film needs."""

    moment: int
    """When it was taken."""
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
class Shot:
    """One frame (of each scene) in a film of scenes, for one picture or several."""

    frames: tuple[FilmFrame | None, ...]
    """What each scene shows; ``None``: nothing, its place stays black."""
    moment: int
    """Of its pictures: what a stamp says, and where a slider stands."""
    pictures: int = 1
    """For how many pictures of film it is there, those of the blend included."""
    fade: int = 0
    """The first so many of them blend from the shot before into this one."""
    gains: tuple[float, ...] = ()
    """Factor of the brightness of each scene's frame (deflicker), three decimals; empty: 1."""
    days: tuple[FilmFrame | None, ...] = ()
    """For each scene the frame that stands for the day, whose colours are matched; empty: none."""
    mark: str = ""
    """Words over the picture: what is missing before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything that goes into one segment of a film of scenes: rendered, it needs no more."""

    film: Film
    shots: tuple[Shot, ...]
    """In order; empty: only the title card."""
    before: Shot | None = None
    """The shot before the first one, in another segment: what that blends from."""
    references: tuple[FilmFrame | None, ...] = ()
    """For each scene the frame that stabilise and colours go by; empty: none is asked for."""

    @property
    def pictures(self) -> int:
        """How many pictures the segment has."""
        if not self.shots:
            card = self.film.making.look.card
            return 0 if card is None else max(1, round(card.seconds * self.film.fps))
        return sum(shot.pictures for shot in self.shots)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A segment that a film should have."""

    start: int
    """Where its window begins, as a moment."""
    hash: str
    """Names everything that goes in."""
    moments: bytes
    """Moment of each picture, eight bytes each, most significant first; never empty."""
    closed: bool
    """Whether the window is over, so that only a late frame can change it."""

    @property
    def pictures(self) -> int:
        """How many pictures it has."""
        return len(self.moments) // 8

    @property
    def first(self) -> int:
        """Moment of its first picture."""
        return int.from_bytes(self.moments[:8], "big", signed=True)

    @property
    def last(self) -> int:
        """Moment of its last picture."""
        return int.from_bytes(self.moments[-8:], "big", signed=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A segment of a film as it stands in the database: planned, and perhaps rendered."""

    start: int
    wanted: str
    """Name of the segment that should be here."""
    hash: str | None
    """Name of the segment that is shown; ``None`` before one is rendered."""
    pictures: int
    """Pictures that the plan gives it."""
    first: int
    last: int
    closed: bool
    lost: int
    """Frames that could not be read: a neighbour stands in for each."""
    error: str | None
    """Why it could not be rendered."""
    frames: int
    """Pictures of what is shown; 0 before that is rendered."""
    bytes: int
    duration_s: float
    init: str | None
    """Names the header of what is shown."""

    def ticks(self, timescale: int) -> int:
        """Its length in the film's timescale."""
        return round(self.duration_s * timescale)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A segment that has just been rendered."""

    data: bytes
    """One self-contained fragmented MP4 that begins at time 0."""
    hash: str
    """Names what is really in it: another name than planned where frames could not be read."""
    lost: int = 0
    """Frames that could not be read: a neighbour stands in for each."""


@dataclass(frozen=True, kw_only=True)
class Totals:
    """What a film has so far."""

    segments: int = 0
    """Rendered."""
    planned: int = 0
    """All that the plan names, rendered or not."""
    frames: int = 0
    """Pictures rendered."""
    planned_frames: int = 0
    duration_s: float = 0.0
    bytes: int = 0
    lost: int = 0
    first: int | None = None
    last: int | None = None


def segment_blob(hash: str) -> str:
    """Where a segment is kept."""
    return f"segments/{hash[:2]}/{hash}.mp4"
