"""A standing film, and the films that it made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Every = Literal["daily", "weekly", "monthly", "rolling"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A span of time that one film shows."""

    from_at: datetime
    to_at: datetime | None
    """Exclusive; ``None``: it is a rolling film's, without an end."""


@dataclass(frozen=True, kw_only=True)
class NewStanding:
    """A standing film as it was asked for, checked and complete."""

    slug: str
    title: str
    wish: Mapping[str, Any]
    """An Order without title, begin and end."""
    every: Every
    rolling_s: float | None
    """Real seconds that a rolling one shows; ``None`` for the others."""
    time_zone: str
    """IANA name: where its days begin."""
    keep_films: int | None
    """Most films kept; ``None``: any number."""
    keep_s: float | None
    """Seconds for which a film is kept after its period; ``None``: for ever."""
    announce: bool


@dataclass(frozen=True, kw_only=True)
class Standing(NewStanding):
    """One as it stands in the database."""

    id: int
    since: datetime
    """Periods that ended before are made only when somebody asks for past ones."""
    ordered_at: datetime
    paused_at: datetime | None
    next_at: datetime
    made_at: datetime | None
    error: str | None
    """Why the next film could not be made."""
    past_at: datetime | None
    """Begin of the past period that is made next."""
    past_left: int
    past_total: int
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """The film that a standing film made of a period."""

    standing_id: int
    from_at: datetime
    to_at: datetime | None
    film_id: int
    title: str
    """The film's."""
    state: str
    """The film's."""
    error: str | None
    """The film's."""
    plays: bool
    """Whether its playlist has something to show."""
    duration_s: float
    file_bytes: int | None
    """Of the film as one file; ``None`` before it is joined."""
    container: str
    """Of that file: mp4, webm, webp or gif."""
    width: int
    height: int
    watched_at: datetime | None
    created_at: datetime

    @property
    def whole(self) -> bool:
        """Whether all of its period, or what a rolling one showed, is there as one file."""
        return self.file_bytes is not None and (self.state == "done" or self.to_at is None)

    def ended_by(self, now: datetime) -> bool:
        """Whether its period is over."""
        return self.to_at is not None and self.to_at <= now
