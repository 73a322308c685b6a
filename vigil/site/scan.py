"""What the scanner does for the site: forget processes that are gone, mind the blob store."""

from __future__ import annotations

from collections.abc import Sequence

from vigil import log, marking
from vigil.context import Context
from vigil.errors import StoreAway
from vigil.loop import Target
from vigil.notifications import store as notifications
from vigil.site import store

EVERY_S = 20.0
STORE_EVERY_S = 10.0
SUBJECT, KIND = "blob-store", "store.away"


async def targets(context: Context) -> Sequence[Target]:
    """The chores of the site."""

    async def run_once() -> float:
        gone = await store.prune(context.pool)
        if gone:
            log.warning("site", f"{gone} process{'es' if gone > 1 else ''} ended without a word")
        return EVERY_S

    async def mind() -> float:
        await mind_store(context)
        return STORE_EVERY_S

    return [
        Target(key="site:prune", name="site: processes that are gone", run_once=run_once),
        Target(key="site:store", name="site: the blob store", run_once=mind, retry_max_s=30),
    ]


async def mind_store(context: Context) -> None:
    """Mark the blob store where that is still to be done; tell when it goes and when it is back."""
    await marking.settle(context.pool, context.storage)
    message = None
    try:
        await context.storage.there()
    except StoreAway as away:
        message = str(away)
    last = await notifications.page(context.pool, subject=SUBJECT, limit=1)
    was_away = bool(last) and last[0].kind == KIND
    if was_away != (message is not None):
        await notifications.add(
            context.pool,
            KIND if message else f"{KIND}.over",
            SUBJECT,
            message or "the blob store is there again",
            {},
            at=context.clock.now(),
        )
