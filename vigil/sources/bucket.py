"""A rate limit that several cursors share: who may ask next, and when."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from dataclasses import dataclass

from vigil.clock import Clock

WINDOW_S = 60.0
"""Within so long an empty bucket fills, unless the headers say otherwise."""
LONGEST_WINDOW_S = 300.0
FIRST_WAIT_S = 0.5
WAIT_MOST_S = 65.0
"""The bucket is full again within a minute, whatever the other side's clock says."""
UNLIMITED = 1000.0
CERTAIN = 0.1
"""Share of the bucket that must be spent before the time until it is full says anything."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """What the headers of one answer say; ``None`` where they say nothing."""

    limit: int | None = None
    remaining: int | None = None
    full_in_s: float | None = None
    """Seconds until the bucket is full, by the other side's clock; both ends are whole seconds."""


class Bucket:
    """Points that come back with time. One is taken for each request, the most urgent first.

    The level is reckoned here (one point less for each request, so many more a second) and held
    against each answer: with ``remaining`` points left there and ``under_way`` requests whose
    answers are still to come, the truth lies between ``remaining - under_way`` and ``remaining``.
    """

    def __init__(self, clock: Clock) -> None:
        self.limit: int | None = None
        self.remaining: int | None = None
        self.refusals = 0
        """Rounds of refusals since the last answer."""
        self._clock = clock
        self._level, self._rate, self._at = 1.0, 0.0, clock.monotonic()
        self._under_way = 0
        self._shut_until = self._at
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()
        self._pump: asyncio.Task[None] | None = None
        self._pause: asyncio.Future[None] | None = None

    @property
    def level(self) -> float:
        """Points that are left, as far as is known."""
        return max(self._now(), 0.0)

    async def take(self, urgency: float = 0.0) -> None:
        """Return when a request may be made; ``told`` or ``refused`` must follow."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (-urgency, next(self._numbers), turn))
        if self._pump is None or self._pump.done():
            self._pump = asyncio.create_task(self._give_out())
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.lost()
            if all(other.done() for _, _, other in self._waiting):
                self._pump.cancel()
            raise

    def told(self, told: Told) -> None:
        """An answer came."""
        self._under_way -= 1
        self.refusals = 0
        self._learn(told)
        if told.remaining is None:
            self._set(UNLIMITED)
        else:
            least = told.remaining - self._under_way
            self._set(min(max(self._now(), least), told.remaining))

    def refused(self, told: Told) -> None:
        """The bucket was empty: nobody asks for a while, longer each time in a row.

        Many at once are refused together: one round, counted once.
        """
        self._under_way -= 1
        self._learn(told)
        self.remaining = 0
        now = self._clock.monotonic()
        if now >= self._shut_until:
            self.refusals += 1
            wait = min(FIRST_WAIT_S * 2.0 ** (self.refusals - 1), WAIT_MOST_S)
            if told.full_in_s is not None:
                wait = min(wait, max(told.full_in_s, FIRST_WAIT_S))
            self._shut_until = now + wait
        self._set(0.0)

    def lost(self) -> None:
        """No answer came to a request."""
        self._under_way -= 1
        self._set(self._now())

    def _learn(self, told: Told) -> None:
        self.limit, self.remaining = told.limit, told.remaining
        if told.limit is None:
            return
        self._set(self._now())  # until now the old rate was right
        self._rate = told.limit / WINDOW_S
        spent, seconds = told.limit - (told.remaining or 0), told.full_in_s
        if seconds is None or not 0 < seconds <= LONGEST_WINDOW_S or spent < CERTAIN * told.limit:
            return
        # Both moments are whole seconds: up to two seconds less is just as possible.
        slowest, fastest = spent / seconds, spent / max(seconds - 2, 0.01)
        self._rate = min(max(self._rate, slowest), fastest)

    def _now(self) -> float:
        """The level as it must be by now."""
        passed = self._clock.monotonic() - max(self._at, self._shut_until)
        most = UNLIMITED if self.limit is None else float(self.limit)
        return min(self._level + max(passed, 0.0) * self._rate, most)

    def _set(self, level: float) -> None:
        self._level, self._at = level, self._clock.monotonic()
        if self._pause is not None:
            self._pause.cancel()  # there may be a point sooner than was reckoned

    def _wait_s(self) -> float:
        """Seconds until the next point; 0: there is one."""
        now = self._clock.monotonic()
        if now < self._shut_until:
            return self._shut_until - now
        # One is tried when nothing is known: before the first answer, and after a refusal.
        if self._now() >= 1 or (self._under_way == 0 and (self.refusals or self._rate == 0)):
            return 0.0
        if self._rate == 0:
            return WAIT_MOST_S  # the answer under way wakes us
        return min((1 - self._now()) / self._rate + 0.001, WAIT_MOST_S)

    async def _give_out(self) -> None:
        while self._waiting:
            if self._waiting[0][2].done():  # gave up waiting
                heapq.heappop(self._waiting)
                continue
            wait = self._wait_s()
            if wait > 0:
                self._pause = asyncio.ensure_future(self._clock.sleep(wait))
                try:
                    await asyncio.wait([self._pause])
                finally:
                    self._pause.cancel()
                    self._pause = None
                continue
            self._level, self._at = self._now() - 1, self._clock.monotonic()
            self._under_way += 1
            heapq.heappop(self._waiting)[2].set_result(None)
