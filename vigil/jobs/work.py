"""The chores of jobs: taking up what a dead renderer left, and forgetting what is long done."""

from __future__ import annotations

from collections.abc import Sequence

from vigil import log
from vigil.context import Context
from vigil.jobs import store
from vigil.loop import Target

STALLED_EVERY_S = 5.0
PRUNE_EVERY_S = 600.0
PRUNE_AT_ONCE = 1000


async def targets(context: Context) -> Sequence[Target]:
    """What one renderer does for all of them."""

    async def stalled() -> float:
        for job_id in await store.put_back_stalled(context.pool):
            log.warning("jobs", f"job {job_id} lost its renderer and was taken out of its hands")
        return STALLED_EVERY_S

    async def prune() -> float:
        gone = await store.prune(context.pool, limit=PRUNE_AT_ONCE)
        return 0.0 if gone == PRUNE_AT_ONCE else PRUNE_EVERY_S

    return (
        Target(key="jobs:stalled", name="lost jobs", run_once=stalled, retry_max_s=STALLED_EVERY_S),
        Target(key="jobs:prune", name="old jobs", run_once=prune),
    )
