"""Renderers killed (SIGKILL) at random moments while they make films; what became of the films.

Two renderers of two jobs each; whoever is killed is started again. Prints how many segments were
rendered twice, and fails when a film is not whole, when one was rendered more often, or when
``bin/vigil check`` finds anything.

    .venv/bin/python -m bench.film_kills [--kills 200] [--seed 1]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from bench import films
from bench.harness import machine
from vigil import ffmpeg, postgres
from vigil.context import Context
from vigil.films import store
from vigil.films.check import check
from vigil.settings import ROOT

FRAMES = 1000
SIZES = [(320 - 2 * step, 180) for step in range(60)]
"""Each film has a size of its own: nothing is shared."""
LONGEST_S = 2.0
"""A renderer lives at most so long, from its first segment on,"""
EARLY = 0.2
"""or, with this probability, from its start on."""


async def kill(context: Context, of: films.Camera, kills: int, seed: int) -> list[int]:
    """Kill so often while films are made, one after the other; returns the films' numbers, all
    of them done."""
    chance = random.Random(seed)
    sizes = iter(SIZES)
    made = [await _order(context, of, sizes)]
    left = kills

    async def live_and_die() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            process = await _renderer(context)
            if chance.random() > EARLY:
                await _encodes(process.pid)
            await asyncio.sleep(chance.uniform(0, LONGEST_S))
            process.kill()
            await process.wait()

    async def go_on_ordering() -> None:
        while True:
            await films.until(context, made[-1], joined=True)
            made.append(await _order(context, of, sizes))

    ordering = asyncio.create_task(go_on_ordering())
    await asyncio.gather(live_and_die(), live_and_die())
    ordering.cancel()
    await asyncio.gather(ordering, return_exceptions=True)
    async with films.renderers(context, 1, 2):
        for film_id in made:
            await films.until(context, film_id, joined=True)
    return made


async def _order(context: Context, of: films.Camera, sizes: Iterator[tuple[int, int]]) -> int:
    film_id = await films.order(context, of, FRAMES)
    width, height = next(sizes)
    await context.pool.execute(
        "UPDATE films SET width = $2, height = $3 WHERE id = $1", film_id, width, height
    )
    return film_id


async def _renderer(context: Context) -> asyncio.subprocess.Process:
    environment = os.environ | {
        "VIGIL_DATA_DIR": str(context.settings.data_dir),
        "VIGIL_DATABASE_URL": postgres.dsn(context.settings.data_dir),
        "VIGIL_RENDER_JOBS": "2",
        "VIGIL_LOG_LEVEL": "error",
        "PYTHONPATH": str(ROOT),
    }
    return await asyncio.create_subprocess_exec(
        sys.executable, str(ROOT / "renderer.py"), cwd=ROOT, env=environment
    )


async def _encodes(process_id: int) -> None:
    """Wait until a renderer encodes, or for a while."""
    renderer = psutil.Process(process_id)
    for _ in range(600):
        if renderer.children():
            return
        await asyncio.sleep(0.02)


async def faults(context: Context, made: list[int], scratch: Path) -> list[str]:
    """What is wrong with these films, and whatever else a crash left."""
    found = await check(context, False)
    for film_id in made:
        film = await store.get(context.pool, film_id)
        if film is None or film.file_blob is None:
            found.append(f"film {film_id} is not one file")
            continue
        path = scratch / "film.mp4"
        path.write_bytes(await context.storage.get(film.file_blob))
        decoded = await ffmpeg.run(["-xerror", "-i", str(path), "-f", "null", "-"])
        if decoded.frames != FRAMES:
            found.append(f"film {film_id} has {decoded.frames} of {FRAMES} pictures")
    rows = await context.pool.fetch("SELECT hash, renders FROM segments WHERE renders > 2")
    found += [f"segment {row['hash'][:16]} was rendered {row['renders']} times" for row in rows]
    return found


async def main(options: argparse.Namespace) -> None:
    """Set everything up, kill, and look."""
    print(machine())
    begin = time.perf_counter()
    async with films.house() as (context, scratch):
        of = await films.camera(context, scratch / "camera", 200, (320, 180))
        await films.take(context, of, 0, FRAMES)
        made = await kill(context, of, options.kills, options.seed)
        wrong = await faults(context, made, scratch)
        twice = await context.pool.fetchval("SELECT count(*) FROM segments WHERE renders = 2")
        every = await context.pool.fetchval("SELECT count(*) FROM segments")
    print(f"{options.kills} kills in {time.perf_counter() - begin:.0f} s, {len(made)} films made")
    print(f"{every} segments, {twice} of them rendered twice; faults: {wrong or 'none'}")
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    asyncio.run(main(parser.parse_args()))
