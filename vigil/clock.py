"""The clock, passed in wherever time matters, so that a test can run a week in milliseconds."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """The time of day, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back, whatever happens to the time of day."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after ``seconds`` of this clock."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """The time of day, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since some moment."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Return after ``seconds`` seconds."""
        await asyncio.sleep(max(0.0, seconds))


class FakeClock:
    """A clock that stands still until a test calls ``advance``."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime(2026, 1, 1, tzinfo=UTC)
        self._monotonic = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    def now(self) -> datetime:
        """The time of day, in UTC."""
        return self._now

    def monotonic(self) -> float:
        """Seconds advanced since this clock was made."""
        return self._monotonic

    async def sleep(self, seconds: float) -> None:
        """Return once the clock was advanced by ``seconds``."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._monotonic + seconds, next(self._order), woken))
        await woken

    async def advance(self, seconds: float) -> None:
        """Move time on, waking each sleeper at its own moment, in order."""
        end = self._monotonic + seconds
        while True:
            await self._settle()
            if not self._sleepers or self._sleepers[0][0] > end:
                break
            due, _, woken = heapq.heappop(self._sleepers)
            self._move(due)
            if not woken.done():
                woken.set_result(None)
        self._move(end)
        await self._settle()

    def jump(self, seconds: float) -> None:
        """Set the time of day forward or back, as an operator or NTP would; nobody wakes."""
        self._now += timedelta(seconds=seconds)

    def _move(self, to: float) -> None:
        if to > self._monotonic:
            self._now += timedelta(seconds=to - self._monotonic)
            self._monotonic = to

    @staticmethod
    async def _settle() -> None:
        for _ in range(5):  # let what was woken run until it sleeps again
            await asyncio.sleep(0)
