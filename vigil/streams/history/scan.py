"""The scanner's chore: a sample of all live streams every few minutes, and old ones thinned out.

Its lease makes it one process's business. A sample that is missed is missed: nothing is made up.
"""

from __future__ import annotations

from functools import partial

from vigil.context import Context
from vigil.loop import Target
from vigil.streams.history import store
from vigil.streams.history.model import ENDED, FINE, HOURLY, SAMPLE

AT_ONCE = 2000
"""Ended streams forgotten in one statement."""


def target(context: Context) -> Target:
    """What takes the samples."""
    return Target(key="streams:history", name="stream history", run_once=partial(sample, context))


async def sample(context: Context) -> float:
    """Take a sample when it is time; returns the seconds until it is time again."""
    db, now = context.pool, context.clock.now()
    last = await store.last_sample(db)
    if last is not None and now - SAMPLE < last <= now:  # another process took it
        return (last + SAMPLE - now).total_seconds()
    await store.sample(db, now, last)
    await store.thin(db, now - FINE, now - HOURLY)
    while await store.forget(db, now - ENDED, AT_ONCE) == AT_ONCE:
        pass
    taken = (context.clock.now() - now).total_seconds()
    return max(0.0, SAMPLE.total_seconds() - taken)
