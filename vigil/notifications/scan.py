"""The chores of the notifications: send what waits, forget what is long past."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Sequence
from datetime import timedelta

from vigil import log
from vigil.context import Context
from vigil.errors import VigilError
from vigil.loop import Target
from vigil.notifications import sending, store
from vigil.notifications.model import WAITS_S, Delivery

KEPT = timedelta(days=90)
PRUNE_EVERY_S = 3600.0
LOOK_EVERY_S = 2.0
AT_ONCE = 20


async def targets(context: Context) -> Sequence[Target]:
    """Forget old events."""

    async def prune() -> float:
        await store.prune(context.pool, context.clock.now() - KEPT)
        return PRUNE_EVERY_S

    return (
        Target(key="notifications:prune", name="old events", run_once=prune),
        Target(
            key="notifications:deliver",
            name="events for those who want to be told",
            run_once=functools.partial(deliver, context),
            retry_max_s=60,
        ),
    )


async def deliver(context: Context) -> float:
    """Send what is due; returns the seconds until the next look."""
    now = context.clock.now()
    due = await store.due_deliveries(context.pool, now, AT_ONCE)
    await asyncio.gather(*(_attempt(context, one) for one in due))
    return 0.0 if len(due) == AT_ONCE else LOOK_EVERY_S


async def _attempt(context: Context, delivery: Delivery) -> None:
    destination = delivery.destination
    error, next_at = None, None
    try:
        await sending.send(context, delivery, context.settings.site_url)
    except Exception as failure:  # one that cannot be told must not keep the others from it
        known = failure if isinstance(failure, VigilError) else None
        error = known.message if known else f"a fault in sending: {type(failure).__name__}"
        log.warning("notifications", f"{destination.name}: {error}")
        if isinstance(failure, sending.Gone):
            await store.enable_destination(context.pool, destination.id, False)
        elif delivery.attempts < len(WAITS_S):
            wait = max(WAITS_S[delivery.attempts], (known.retry_after or 0) if known else 0)
            next_at = context.clock.now() + timedelta(seconds=wait)
    await store.note_delivery(
        context.pool, delivery, context.clock.now(), error=error, next_at=next_at
    )
