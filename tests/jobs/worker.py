"""A renderer with one task, to be killed by a test: worker.py <dsn> <data folder>."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from vigil import loop
from vigil.context import Context, open_context
from vigil.jobs import engine, work
from vigil.jobs.model import RunningJob, Task
from vigil.settings import Settings


async def count(context: Context, job: RunningJob) -> None:
    """Counts to ``total``, ten a second."""
    for done in range(1, job.arguments["total"] + 1):
        await job.progress(done, job.arguments["total"], "steps", "counting")
        await asyncio.sleep(0.1)


COUNT = Task("test.count", count)


async def main(stop: asyncio.Event) -> None:
    settings = Settings(database_url=sys.argv[1], data_dir=Path(sys.argv[2]))
    async with open_context(settings, "renderer") as context:
        chores = loop.Spinner(context, "renderer", [work.targets])
        await asyncio.gather(chores.run(stop), engine.run(context, [COUNT], stop))


if __name__ == "__main__":
    raise SystemExit(loop.run(main))
