"""The directories that a new installation looks through."""

from __future__ import annotations

from vigil.context import Context
from vigil.sources import store
from vigil.sources.kinds import DIRECTORIES

KEYLESS = ("owncast", "peertube")
"""Those that need no key."""


async def register_builtin(context: Context) -> None:
    """Add the directories that can be read, each once: one that a person removed stays away."""
    names = [*KEYLESS, "twitch"] if context.settings.twitch_client_id else KEYLESS
    for name in names:
        kind = DIRECTORIES[name]
        await store.plant(
            context.pool, name=name, kind=name, interval_s=kind.interval_s, ttl_s=kind.ttl_s
        )
