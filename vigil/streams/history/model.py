"""What is remembered of a stream."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

SAMPLE = timedelta(minutes=5)
"""From one sample to the next."""
FINE = timedelta(days=1)
"""Every sample is kept so long;"""
HOURLY = timedelta(days=7)
"""then one an hour, so long."""
ENDED = timedelta(days=2)
"""What is remembered of a stream that is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """How many watched at a moment."""

    at: datetime
    viewers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Titled:
    """What a stream called itself, and since when; the moment of a change is right to 5 minutes."""

    at: datetime
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What is remembered of a live stream, this moment included."""

    first_seen: datetime
    peak: Watched
    """In its whole life, as far as samples were taken."""
    history: tuple[Watched, ...]
    """Every 5 minutes for a day, each hour for the week before; the last one is now."""
    titles: tuple[Titled, ...]
    """The oldest first; the last one is the title it has. At most the 30 newest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What is remembered of a stream that is over."""

    memory: Memory
    started_at: datetime | None
    ended_at: datetime
    """Right to 5 minutes."""
    category: str
    channel_id: str
    channel_login: str
    channel_name: str
    page_url: str

    @property
    def title(self) -> str:
        """The last one it had."""
        return self.memory.titles[-1].title

    @property
    def live_s(self) -> float:
        """Seconds on air, as far as is known."""
        return (self.ended_at - (self.started_at or self.memory.first_seen)).total_seconds()
