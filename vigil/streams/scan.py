"""What the scanner does for the room: a pass over each source, again and again, and pruning.

Generations: a pass stamps what it saw. Only a complete, plausible pass retires what it did not
see; a pass that failed half-way retires nothing, and what nobody confirms expires.
"""

from __future__ import annotations

from collections import Counter
from contextlib import aclosing
from datetime import datetime, timedelta
from functools import partial

from vigil import log
from vigil.context import Context
from vigil.errors import SourceError, VigilError
from vigil.loop import Target
from vigil.sources import kinds
from vigil.sources import store as sources_store
from vigil.sources.model import Page, Source
from vigil.streams import store
from vigil.streams.model import SeenStream

BATCH = 1000
"""Streams written at once: what a crash costs."""
BATCH_S = 2.0
"""Seconds after which also a smaller batch is written, so that a slow source shows something."""
PRUNE_S = 15.0
FEW = 50
"""A source with no more live streams may lose any number of them between two passes."""
RETRY_S = 10.0


async def targets(context: Context) -> list[Target]:
    """Every enabled source, and the pruning of what expired."""
    sources = await sources_store.list_enabled(context.pool)
    pruning = Target(key="streams:prune", name="streams", run_once=partial(prune, context))
    return [pruning, *(_target(context, source) for source in sources)]


def _target(context: Context, source: Source) -> Target:
    scan = Scan(context, source)
    return Target(
        key=f"source:{source.id}",
        name=f"source {source.name}",
        version=source.changed_at.isoformat(),
        run_once=scan.run_once,
        on_failure=scan.failed,
        retry_min_s=min(RETRY_S, source.interval_s),
    )


async def prune(context: Context) -> float:
    """Remove what expired; returns the seconds until it is worth doing again."""
    gone = await store.prune(context.pool, context.clock.now())
    if gone:
        log.debug("streams", f"{gone} streams expired")
    return PRUNE_S


class Scan:
    """The passes over one source."""

    def __init__(self, context: Context, source: Source) -> None:
        self._context = context
        self._source = source
        self._completed_at: datetime | None = None
        """When the last complete pass had begun."""

    async def run_once(self) -> float:
        """One pass. Returns the seconds until the next; raises when it saw less than all."""
        db, clock, source = self._context.pool, self._context.clock, self._source
        kind = kinds.DIRECTORIES.get(source.kind)
        if kind is None:
            raise SourceError(f"there is no kind of source named {source.kind}", permanent=True)
        started_at = clock.now()
        await sources_store.begin_pass(db, source.id, started_at)
        seen = _Pass(self._context, source, started_at)
        try:
            async with aclosing(kind.pages(self._context, source)) as pages:  # type: ignore[type-var]
                async for page in pages:
                    await seen.add(page)
        except SourceError:
            await seen.write()  # what it showed is live all the same
            raise
        await seen.write()
        kept = await self._retire(seen)
        await seen.record(kept)
        await store.tidy_search(db)
        self._completed_at = started_at
        now = clock.now()
        next_at = now + timedelta(seconds=source.interval_s)
        await sources_store.finish_pass(db, source.id, now, True, next_at)
        return source.interval_s

    async def _retire(self, seen: _Pass) -> int:
        """Remove what a complete pass did not see; returns how many different streams it saw.

        Where streams change places while the pages are turned, some come twice and others not
        at all. A pass that met a stream twice, or could not use one, therefore removes only what
        the complete pass before it missed as well.
        """
        db, now, source = self._context.pool, self._context.clock.now(), self._source
        # What was seen under other criteria than now says nothing about this pass.
        kept, missed = await store.pass_counts(
            db, source.id, seen.started_at, source.changed_at, now
        )
        if missed > kept and kept + missed > FEW:
            await seen.record(kept)
            raise SourceError(
                f"it showed {kept} streams where {kept + missed} were live a moment ago",
                hint="not believed yet: none was removed, what stays unseen expires",
            )
        before = seen.started_at if kept == seen.found else self._completed_at
        gone = await store.retire(db, source.id, before) if before is not None else 0
        log.debug("streams", f"{source.name}: {kept} live, {gone} ended")
        return kept

    async def failed(self, error: Exception, delay: float) -> None:
        """Write down why a pass failed and when the next one begins."""
        if isinstance(error, VigilError):
            message, hint = error.message, error.hint
        else:
            message, hint = f"an unexpected error: {type(error).__name__}", "the log says more"
        now = self._context.clock.now()
        next_at = now + timedelta(seconds=delay)
        await sources_store.fail_pass(
            self._context.pool, self._source.id, now, message, hint, next_at
        )


class _Pass:
    """What one pass has seen so far; holds one batch, however large the directory is."""

    def __init__(self, context: Context, source: Source, started_at: datetime) -> None:
        self.started_at = started_at
        self.found = 0
        self._context = context
        self._source = source
        self._pages = 0
        self._kept = 0
        self._refused: Counter[str] = Counter()
        self._budget: tuple[int | None, int | None] = (None, None)
        self._batch: list[SeenStream] = []
        self._written_at = context.clock.monotonic()

    async def add(self, page: Page) -> None:
        """Take a page, and write when enough has come together."""
        self._pages += 1
        self.found += page.found
        self._refused.update(page.refused)
        if page.budget_limit is not None:
            self._budget = (page.budget_remaining, page.budget_limit)
        self._batch += page.streams
        waited = self._context.clock.monotonic() - self._written_at
        if len(self._batch) >= BATCH or waited >= BATCH_S:
            await self.write()

    async def write(self) -> None:
        """Write the batch and how far the pass is."""
        # A clock that is set back meanwhile must not make what was just seen look unseen.
        seen_at = max(self._context.clock.now(), self.started_at)
        # What comes again in another batch is counted twice here, until the pass is over.
        self._kept += await store.write_batch(
            self._context.pool, self._source.id, self._batch, seen_at, self._source.ttl_s
        )
        self._batch = []
        self._written_at = self._context.clock.monotonic()
        await self.record(self._kept)

    async def record(self, kept: int) -> None:
        """Tell how far the pass is, ``kept`` streams of it written."""
        await sources_store.record_progress(
            self._context.pool,
            self._source.id,
            self._pages,
            self.found,
            kept,
            self._refused,
            *self._budget,
        )
