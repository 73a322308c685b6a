"""A renderer with the films' task and chores, to be killed: worker.py <dsn> <data folder> <time>.

Its clock stands still at the given moment, as that of the test does.
"""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import datetime
from pathlib import Path

import vigil.films.work
import vigil.jobs.work
from vigil import ffmpeg, loop
from vigil.clock import SystemClock
from vigil.context import Context, open_context
from vigil.films.model import Recipe
from vigil.films.segments import encode
from vigil.jobs import engine
from vigil.reserve import Reserve
from vigil.settings import Settings


class Then(SystemClock):
    """Another time of day; what waits waits as ever."""

    def now(self) -> datetime:
        return datetime.fromisoformat(sys.argv[3])


def note_encoded(path: Path) -> None:
    """Have the first moment of each segment that is encoded written there."""
    original = encode.segment

    async def noted(recipe: Recipe, read: encode.Read) -> bytes:
        data = await original(recipe, read)
        with path.open("a") as file:
            file.write(f"{recipe.shots[0].moment}\n")
        return data

    encode.segment = noted


async def main(stop: asyncio.Event) -> None:
    room = Reserve(int(os.environ.get("VIGIL_TEST_RESERVE", "0")), 0.0)
    settings = Settings(
        database_url=sys.argv[1], data_dir=Path(sys.argv[2]), disk_reserve=room, render_jobs=2
    )
    if "VIGIL_TEST_ENCODED" in os.environ:
        note_encoded(Path(os.environ["VIGIL_TEST_ENCODED"]))
    async with open_context(settings, "renderer", clock=Then()) as context:
        await do_jobs(context, stop)


async def do_jobs(context: Context, stop: asyncio.Event) -> None:
    chores = loop.Spinner(context, "renderer", [vigil.jobs.work.targets, vigil.films.work.targets])
    await asyncio.gather(
        chores.run(stop), engine.run(context, vigil.films.work.TASKS, stop, concurrency=2)
    )


if __name__ == "__main__":
    raise SystemExit(loop.run(main, kill=ffmpeg.kill_all))
