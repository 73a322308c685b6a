"""What is no longer kept goes: frames past their age, number or bytes, and cameras.

Small steps, each a transaction of its own, so that nothing that comes in waits for it. A row is
marked, its blobs are removed, the row is removed: whatever is cut short is taken up again. Never
removed are frames that somebody keeps for ever and those that a film in the making needs; a film
that grows for ever gives up what is too old by itself, so age counts there all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from vigil import log
from vigil.cameras import shedding, store
from vigil.cameras.frames.model import Stored
from vigil.cameras.keeping import store as keeping
from vigil.context import Context

EACH_S = 10.0
PAUSE_S = 0.05
BATCH = 200
MOST_STEPS = 100
"""After so many steps a run ends, and says what it freed, though there may be more to do."""
FRESH = timedelta(seconds=10)
"""A frame is left alone so long after it came in: whoever brings it twice at once finds it."""
DELETES_AT_ONCE = 16


async def expire(context: Context) -> float:
    """Remove what is due, step by step; returns the seconds until the next look."""
    await shedding.tell(context)
    frames = size = 0
    left = True
    for _ in range(MOST_STEPS):
        some, much, left = await step(context)
        frames, size = frames + some, size + much
        if not left:
            break
        await asyncio.sleep(PAUSE_S)
    if frames:
        log.info("cameras", f"retention freed {size / 1e6:,.1f} MB: {frames:,} frames")
    for name in await store.finish_removal(context.pool):
        log.info("cameras", f"camera {name} was removed")
    return PAUSE_S if left else EACH_S


async def step(context: Context) -> tuple[int, int, bool]:
    """Remove at most a batch; returns frames and bytes that expired, and whether more may be."""
    pool, now = context.pool, context.clock.now()
    due = await keeping.past(pool, now, now - FRESH, BATCH)
    if len(due) < BATCH:
        due += await keeping.over(pool, now - FRESH, BATCH - len(due))
    if len(due) < BATCH:
        due += await keeping.of_removed(pool, BATCH - len(due))
    frames, size = await keeping.mark(pool, due, now) if due else (0, 0)
    marked = await keeping.marked(pool, BATCH)
    await remove(context, marked)
    return frames, size, bool(marked)


async def remove(context: Context, marked: Sequence[Stored]) -> None:
    """Remove the blobs, then the rows, of frames that are marked."""
    keys = [key for frame in marked for key in frame.blobs]
    for start in range(0, len(keys), DELETES_AT_ONCE):
        some = keys[start : start + DELETES_AT_ONCE]
        await asyncio.gather(*(context.storage.delete(key) for key in some))
    if marked:
        await keeping.forget(context.pool, [frame.id for frame in marked])
