"""The chore of the notifications: forget what is long past."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from vigil.context import Context
from vigil.loop import Target
from vigil.notifications import store

KEPT = timedelta(days=90)
PRUNE_EVERY_S = 3600.0


async def targets(context: Context) -> Sequence[Target]:
    """Forget old events."""

    async def prune() -> float:
        await store.prune(context.pool, context.clock.now() - KEPT)
        return PRUNE_EVERY_S

    return (Target(key="notifications:prune", name="old events", run_once=prune),)
