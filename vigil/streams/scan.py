"""What the scanner does for the room: a pass over each source, again and again, and pruning.

Generations: a pass stamps what it saw. Only a complete, plausible pass retires what it did not
see. Of a pass that failed half-way, the parts of the directory that were seen wholly retire what
they did not see and what, asked for by name, is over; nothing else goes, and what nobody confirms
expires.

Where streams change places while the pages are turned, a pass misses some that are live. A source
that can be asked for them by name is asked: what it still has is live, the rest is over. Where
that cannot be, a pass that met a stream twice believes only what the pass before missed as well.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import db_utils
from vigil import log
from vigil.context import Context
from vigil.errors import SourceError, VigilError
from vigil.loop import Target
from vigil.sources import kinds
from vigil.sources import store as sources_store
from vigil.sources.blocks import store as blocks_store
from vigil.sources.model import Page, Source, Split
from vigil.streams.history import scan as history
from vigil.streams.model import SeenStream
from vigil.streams.writing import store

Confirm = Callable[[Context, Source, Sequence[str]], Awaitable[Page]]

BATCH = 2000
"""Streams written at once: what a crash costs."""
BATCH_S = 2.0
"""Seconds after which also a smaller batch is written, so that a slow source shows something."""
RECORD_S = 1.0
"""How often it is told at most how far a pass is."""
PRUNE_S = 15.0
MOST_FOUND = 600_000
"""Items in one pass; a source that sends more is not a directory of live streams."""
ASKED_AT_ONCE = 100
"""By name, in one request."""
ASKED_IN_A_ROUND = 3000
"""By name, before the answers are written."""
ASKED_SHARE, ASKED_LEAST = 0.2, 1000
"""At most so large a share of what a pass saw is asked for by name, or so many."""
FEW = 50
"""A source with no more live streams may lose any number of them between two passes."""
RETRY_S = 10.0


async def targets(context: Context) -> list[Target]:
    """Every enabled source, the pruning of what expired, and the samples of who watched."""
    sources = await sources_store.list_enabled(context.pool)
    pruning = Target(key="streams:prune", name="streams", run_once=partial(prune, context))
    return [pruning, *(_target(context, source) for source in sources), history.target(context)]


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
    """Remove what expired, and keep the search index tidy while passes are under way.

    Returns the seconds until it is worth doing again.
    """
    gone = await store.prune(context.pool, context.clock.now())
    if gone:
        log.debug("streams", f"{gone} streams expired")
        await store.vacuum(context.pool)
    await store.tidy_search(context.pool)
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
        remembering = replace(source, memory=await sources_store.recall(db, source.id))
        seen = _Pass(self._context, source, started_at)
        try:
            async with aclosing(kind.pages(self._context, remembering)) as pages:  # type: ignore[type-var]
                async for page in pages:
                    await seen.add(page)
        except SourceError:
            await seen.finish()  # what it showed is live all the same
            await self._retire_parts(seen)
            raise
        await seen.finish()
        kept = await self._retire(seen)
        await sources_store.record_outcome(
            db, source.id, kept, await store.fresh(db, source.id, started_at), seen.ended
        )
        await store.tidy_search(db)
        await store.vacuum(db)
        self._completed_at = started_at
        now = clock.now()
        next_at = now + timedelta(seconds=source.interval_s)
        await sources_store.finish_pass(db, source.id, now, True, next_at)
        return source.interval_s

    async def _retire(self, seen: _Pass) -> int:
        """Remove what a complete pass did not see; returns how many different streams it saw."""
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
        confirm, clean = kinds.DIRECTORIES[source.kind].confirm, kept == seen.found
        if confirm is not None:
            most = max(ASKED_LEAST, int(kept * ASKED_SHARE))
            kept += await self._ask_for_missed(confirm, seen, most, Split())
        before = seen.started_at if clean else self._completed_at
        if before is not None:
            seen.ended += await store.retire(db, source.id, before)
        log.debug("streams", f"{source.name}: {kept} live, {seen.ended} ended")
        return kept

    async def _retire_parts(self, seen: _Pass) -> None:
        """Remove what is over of those parts that a failed pass saw wholly and plausibly."""
        db, now, source = self._context.pool, self._context.clock.now(), self._source
        confirm = kinds.DIRECTORIES[source.kind].confirm
        if confirm is None:
            return
        for part in seen.whole:
            kept, missed = await store.pass_counts(
                db,
                source.id,
                seen.started_at,
                source.changed_at,
                now,
                part.languages,
                part.categories,
            )
            if missed <= kept or kept + missed <= FEW:
                most = max(ASKED_LEAST, int(kept * ASKED_SHARE))
                await self._ask_for_missed(confirm, seen, most, part)

    async def _ask_for_missed(self, confirm: Confirm, seen: _Pass, most: int, part: Split) -> int:
        """Ask for what the pass did not see of a part; what is not live is over.

        Returns how many are live. An answer that does not come costs nothing but certainty.
        """
        db, source = self._context.pool, self._source
        unseen = await store.unseen(
            db, source.id, seen.started_at, most, part.languages, part.categories
        )
        asked = [(number, channel) for number, channel in unseen if channel]
        confirmed = 0
        for first in range(0, len(asked), ASKED_IN_A_ROUND):
            some = asked[first : first + ASKED_IN_A_ROUND]
            batches = [some[i : i + ASKED_AT_ONCE] for i in range(0, len(some), ASKED_AT_ONCE)]
            answers = await asyncio.gather(
                *(confirm(self._context, source, [channel for _, channel in b]) for b in batches),
                return_exceptions=True,
            )
            ids: list[int] = []
            for batch, answer in zip(batches, answers, strict=True):
                if isinstance(answer, SourceError):
                    log.debug("streams", f"{source.name}: could not ask what was missed: {answer}")
                elif isinstance(answer, BaseException):
                    raise answer
                else:
                    confirmed += await seen.confirm(answer)
                    ids += [number for number, _ in batch]
            seen.ended += await store.retire_these(db, ids, seen.started_at)
            if not ids:
                break
        return confirmed

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
        self.ended = 0
        self.whole: list[Split] = []
        """Parts of the directory that were seen wholly."""
        self._context = context
        self._source = source
        self._pages = 0
        self._kept = 0
        self._refused: Counter[str] = Counter()
        self._budget: tuple[int | None, int | None] = (None, None)
        self._batch: list[SeenStream] = []
        self._written_at = self._recorded_at = context.clock.monotonic()

    async def add(self, page: Page) -> None:
        """Take a page, and write when enough has come together."""
        self._pages += page.answers
        self.found += page.found
        self._refused.update(page.refused)
        if page.budget_limit is not None:
            self._budget = (page.budget_remaining, page.budget_limit)
        self._batch += page.streams
        if page.whole is not None:
            self.whole.append(page.whole)
        if page.memory is not None:
            now = self._context.clock.now()
            await sources_store.remember(self._context.pool, self._source.id, page.memory, now)
        if self.found > MOST_FOUND:
            raise SourceError(
                f"it sent more than {MOST_FOUND:,} items in one pass",
                hint="is this address right? The pass was stopped",
            )
        waited = self._context.clock.monotonic() - self._written_at
        if len(self._batch) >= BATCH or waited >= BATCH_S:
            await self.write()

    async def write(self) -> None:
        """Write the batch and, now and then, how far the pass is."""
        # What comes again in another batch is counted twice here, until the pass is over.
        self._kept += await self._write(self._batch)
        self._batch = []
        now = self._written_at = self._context.clock.monotonic()
        if now - self._recorded_at >= RECORD_S:
            self._recorded_at = now
            await self.record(self._kept)

    async def finish(self) -> None:
        """Write what is left, and how far the pass came."""
        await self.write()
        await self.record(self._kept)

    async def confirm(self, page: Page) -> int:
        """Write what was asked for by name; returns how many streams that are."""
        self._refused.update(page.refused)
        return await self._write(page.streams)

    async def _write(self, streams: list[SeenStream]) -> int:
        # A clock that is set back meanwhile must not make what was just seen look unseen.
        seen_at = max(self._context.clock.now(), self.started_at)
        async with db_utils.transaction(self._context.pool) as connection:
            blocks = await blocks_store.held(connection)
            allowed = [stream for stream in streams if not blocks.has(stream)]
            self._refused["blocked"] += len(streams) - len(allowed)
            return await store.write_batch(
                connection, self._source.id, allowed, seen_at, self._source.ttl_s
            )

    async def record(self, kept: int) -> None:
        """Tell how far the pass is, ``kept`` streams of it written."""
        await sources_store.record_progress(
            self._context.pool,
            self._source.id,
            self._pages,
            self.found,
            kept,
            +self._refused,  # without zeros
            *self._budget,
        )
