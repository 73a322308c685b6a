"""The camera that every new installation has."""

from __future__ import annotations

import db_utils
from vigil.cameras import store
from vigil.context import Context

NAME = "testcard"
DAY_S = 86_400.0


async def register_testcard(context: Context) -> None:
    """Add the test card, once: when a person removed it, it stays away."""
    async with db_utils.transaction(context.pool) as connection:
        if not await store.plant(connection, f"camera:{NAME}"):
            return
        if await store.by_name(connection, NAME) is not None:
            return
        await store.add(
            connection,
            name=NAME,
            title="Test card",
            kind="testcard",
            url=None,
            options={},
            interval_s=1.0,
            retention_s=DAY_S,
        )
