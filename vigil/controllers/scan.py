"""The chore of controllers."""

from __future__ import annotations

from collections.abc import Sequence

from vigil.context import Context
from vigil.controllers import store
from vigil.loop import Target

PRUNE_EVERY_S = 600.0


async def targets(context: Context) -> Sequence[Target]:
    """Forget codes that nobody used."""

    async def prune() -> float:
        await store.prune(context.pool)
        return PRUNE_EVERY_S

    return (Target(key="controllers:prune", name="old registration codes", run_once=prune),)
