"""The chore of admin."""

from __future__ import annotations

from collections.abc import Sequence

from vigil.admin import store
from vigil.context import Context
from vigil.loop import Target

PRUNE_EVERY_S = 600.0


async def targets(context: Context) -> Sequence[Target]:
    """Forget what opens nothing any more."""

    async def prune() -> float:
        await store.prune(context.pool)
        return PRUNE_EVERY_S

    return (Target(key="admin:prune", name="old sessions", run_once=prune),)
