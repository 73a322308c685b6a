"""What the scanner does for the site: forget processes that are gone."""

from __future__ import annotations

from collections.abc import Sequence

from vigil import log
from vigil.context import Context
from vigil.loop import Target
from vigil.site import store

EVERY_S = 20.0


async def targets(context: Context) -> Sequence[Target]:
    """The chores of the site."""

    async def run_once() -> float:
        gone = await store.prune(context.pool)
        if gone:
            log.warning("site", f"{gone} process{'es' if gone > 1 else ''} ended without a word")
        return EVERY_S

    return [Target(key="site:prune", name="site: processes that are gone", run_once=run_once)]
