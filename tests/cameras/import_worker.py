"""A renderer that does imports, to be killed: import_worker.py <dsn> <data folder>."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import vigil.jobs.work
from vigil import loop
from vigil.cameras.importing import bringing, work
from vigil.context import open_context
from vigil.jobs import engine
from vigil.settings import Settings

bringing.CHECKPOINT_S = 0.2
bringing.STEP = 20


async def main(stop: asyncio.Event) -> None:
    settings = Settings(database_url=sys.argv[1], data_dir=Path(sys.argv[2]))
    async with open_context(settings, "renderer") as context:
        chores = loop.Spinner(context, "renderer", [vigil.jobs.work.targets])
        await asyncio.gather(chores.run(stop), engine.run(context, [work.BRING], stop))


if __name__ == "__main__":
    raise SystemExit(loop.run(main))
