"""Answers that read every row: worked out once for all who ask within a moment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from vigil.context import Context
from vigil.streams import store

COUNTED_ALONE = 9
"""Streams with more viewers are counted together."""
MOST_TIMES = 5
"""An answer is good for at least so many times as long as it took."""
LONG_S = 0.25
"""What takes longer is not waited for again."""


class Statistic:
    """One such answer, as an object and as JSON.

    Args:
        make: works it out.
        fresh_s: for how many seconds it is good.
    """

    def __init__(self, make: Callable[[], Awaitable[Any]], fresh_s: float) -> None:
        self._make = make
        self._fresh_s = fresh_s
        self._making: asyncio.Task[tuple[Any, bytes]] | None = None
        self._made: tuple[Any, bytes] | None = None
        self._stale_at = 0.0
        self._took_s = 0.0

    async def get(self) -> tuple[Any, bytes]:
        """The answer of this moment, or of one at most ``fresh_s`` ago.

        Where working it out takes long, the last answer is given while that is done.
        """
        now = asyncio.get_running_loop().time()
        if self._making is None or (self._making.done() and now >= self._stale_at):
            self._making = asyncio.create_task(self._work())
            self._making.add_done_callback(lambda task: task.cancelled() or task.exception())
        if self._made is not None and (self._making.done() or self._took_s > LONG_S):
            return self._made
        return await asyncio.shield(self._making)

    async def _work(self) -> tuple[Any, bytes]:
        self._stale_at = 0.0  # a failure is not remembered
        began = asyncio.get_running_loop().time()
        try:
            made = await self._make()
        except BaseException:
            self._made = None
            raise
        ended = asyncio.get_running_loop().time()
        self._took_s = ended - began
        self._stale_at = ended + max(self._fresh_s, MOST_TIMES * self._took_s)
        self._made = made, msgspec.json.encode(made)
        return self._made


class Statistics:
    """The answers below ``/stats``."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.counts = Statistic(self._counts, 1)
        self.games = Statistic(self._games, 5)
        self.tags = Statistic(self._tags, 5)

    async def _counts(self) -> dict[str, Any]:
        """Live streams in all, by viewers and by source; and under the names of nobody.live."""
        now = self._context.clock.now()
        rows = await store.counts(self._context.pool, now, COUNTED_ALONE)
        viewers = dict.fromkeys([*map(str, range(COUNTED_ALONE + 1)), f"{COUNTED_ALONE + 1}+"], 0)
        names = list(viewers)
        sources: dict[str, int] = {}
        for source, watching, streams in rows:
            viewers[names[watching]] += streams
            sources[source] = sources.get(source, 0) + streams
        total = sum(sources.values())
        return {
            "streams": total,
            "viewers": viewers,
            "sources": sources,
            "zero_viewer_count": viewers["0"],
            "one_viewer_count": viewers["1"],
            "total_count": total,
            "unique_games": await store.count_games(self._context.pool, now),
        }

    async def _games(self) -> list[dict[str, object]]:
        return await store.games(self._context.pool, self._context.clock.now())

    async def _tags(self) -> list[dict[str, object]]:
        return await store.tags(self._context.pool, self._context.clock.now())
