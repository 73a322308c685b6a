"""The daemon that looks: a table of what is scanned.

Run as many as you like: each source and each camera is leased by one of them.
"""

from __future__ import annotations

import asyncio

import vigil.admin.scan
import vigil.cameras.accounts.scan
import vigil.cameras.builtin
import vigil.cameras.health.scan
import vigil.cameras.scan
import vigil.cameras.trying.scan
import vigil.controllers.scan
import vigil.films.builtin
import vigil.games.scan
import vigil.notifications.scan
import vigil.site.scan
import vigil.sources.builtin
import vigil.streams.scan
from vigil import ffmpeg, loop
from vigil.context import open_context
from vigil.site.heartbeat import beat

BUILTIN = (
    vigil.sources.builtin.register_builtin,
    vigil.cameras.builtin.register_testcard,
    vigil.films.builtin.register_testcard_film,
)
"""What a new installation has; each is made once, and stays away when a person removed it."""

SCANS = (
    vigil.streams.scan.targets,
    vigil.cameras.scan.targets,
    vigil.cameras.trying.scan.targets,
    vigil.cameras.accounts.scan.targets,
    vigil.cameras.health.scan.targets,
    vigil.controllers.scan.targets,
    vigil.games.scan.targets,
    vigil.admin.scan.targets,
    vigil.site.scan.targets,
    vigil.notifications.scan.targets,
)
"""What is looked at, and what is tidied up, again and again."""

DATABASE_CONNECTIONS = 20


async def main(stop: asyncio.Event) -> None:
    """Scan until told to stop."""
    chosen = loop.begin("scanner")
    async with open_context(
        chosen, "scanner", pool_size=DATABASE_CONNECTIONS, stateless=True
    ) as context:
        for register in BUILTIN:
            await register(context)
        async with loop.background(beat(context, "scanner")):
            await loop.Spinner(context, "scanner", SCANS).run(stop)


if __name__ == "__main__":
    raise SystemExit(loop.run(main, kill=ffmpeg.kill_all))
