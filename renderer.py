"""The daemon that makes: a table of the jobs it can do.

Run as many as you like: jobs are handed out by the database.
"""

from __future__ import annotations

import asyncio
import os

import vigil.cameras.importing.work
import vigil.films.kinds
import vigil.films.standing.work
import vigil.films.telling.work
import vigil.films.work
import vigil.jobs.engine
import vigil.jobs.work
from vigil import ffmpeg, heap, loop
from vigil.context import open_context
from vigil.jobs.model import Task
from vigil.site.heartbeat import beat

TASKS: tuple[Task, ...] = vigil.films.work.TASKS
"""The kinds of jobs that are done here."""

LONG_TASKS: tuple[Task, ...] = (vigil.cameras.importing.work.BRING,)
"""Those that take hours; they have a worker of their own and keep nothing else waiting."""

FILM_KINDS = {"game": "vigil.games.filming:KIND"}
"""Films that other rooms draw; imported with the first of them."""

vigil.films.kinds.know_where(FILM_KINDS)

CHORES = (
    vigil.jobs.work.targets,
    vigil.films.work.targets,
    vigil.films.standing.work.targets,
    vigil.films.telling.work.targets,
)
"""What one renderer does for all of them, again and again."""


NICE = 10
"""Encoders take what cores the website and the scanner leave."""


async def main(stop: asyncio.Event) -> None:
    """Do jobs until told to stop; the one in hand then goes back to the queue."""
    chosen = loop.begin("renderer")
    os.nice(NICE)
    heap.steady()
    async with open_context(chosen, "renderer", stateless=True, asks=False) as context:
        chores = loop.Spinner(context, "renderer", CHORES)
        async with (
            loop.background(beat(context, "renderer")),
            loop.background(chores.run(stop)),
        ):
            await asyncio.gather(
                vigil.jobs.engine.run(context, TASKS, stop, concurrency=chosen.render_jobs),
                vigil.jobs.engine.run(context, LONG_TASKS, stop),
            )


if __name__ == "__main__":
    raise SystemExit(loop.run(main, kill=ffmpeg.kill_all))
