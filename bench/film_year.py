"""A film of a year, 100 frames a day, and one day more; and memory, 1,000 frames against 100,000.

Frames of 320×180, so that a year is rendered in a minute or two: what costs the same for a small
picture as for a large one (planning, jobs, rows) weighs the more.

    .venv/bin/python -m bench.film_year [--frames 36500] [--memory 100000] [--only year,memory]
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

import psutil

from bench import films
from bench.harness import machine
from vigil.context import Context

DAY = 100


async def year(context: Context, scratch: Path, of: films.Camera, frames: int) -> None:
    """A film of so many frames; a day comes; the film of both plays."""
    async with films.renderers(context, 1, 2):
        film_id = await films.order(context, of, frames)
        whole = await films.timed(films.until(context, film_id, joined=False))
        await films.until(context, film_id, joined=True)
        film_id = await films.order(context, of, frames + DAY)
        more = await films.timed(films.until(context, film_id, joined=False))
        film = await films.until(context, film_id, joined=True)
    plain = await films.timed(films.plain(film, of, scratch / "plain.mp4", frames + DAY))
    print(f"a film of {frames} frames: {whole:.2f} s; {DAY} more: {more:.3f} s")
    print(f"  plain ffmpeg, all {frames + DAY} anew: {plain:.2f} s; ratio {more / plain:.4f}")


async def memory(context: Context, of: films.Camera, frames: int) -> float:
    """Most MB that a renderer held while it made a film of so many frames, and its encoders'."""
    await films.forget(context)
    most = encoder = 0
    async with films.renderers(context, 1, 2) as (process_id,):
        renderer = psutil.Process(process_id)
        idle = renderer.memory_info().rss
        film_id = await films.order(context, of, frames)
        waiting = asyncio.create_task(films.until(context, film_id, joined=True))
        while not waiting.done():
            most = max(most, renderer.memory_info().rss)
            for child in renderer.children():
                try:
                    encoder = max(encoder, child.memory_info().rss)
                except psutil.NoSuchProcess:
                    continue
            await asyncio.sleep(0.05)
        await waiting
    print(
        f"{frames} frames: renderer {most / 1e6:.1f} MB ({idle / 1e6:.1f} MB before), "
        f"an encoder at most {encoder / 1e6:.1f} MB",
        flush=True,
    )
    return most / 1e6


async def main(options: argparse.Namespace) -> None:
    """Set everything up and measure."""
    print(machine())
    async with films.house() as (context, scratch):
        if "year" in options.only:
            of = await films.camera(context, scratch / "year", 1000, (320, 180))
            await films.take(context, of, 0, options.frames + DAY)
            await year(context, scratch, of, options.frames)
        if "memory" in options.only:
            of = await films.camera(context, scratch / "memory", 1000, (160, 90))
            await films.take(context, of, 0, options.memory)
            small = await memory(context, of, 1000)
            large = await memory(context, of, options.memory)
            print(f"ratio {large / small:.3f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--frames", type=int, default=36500)
    parser.add_argument("--memory", type=int, default=100_000)
    parser.add_argument("--only", default="year,memory")
    asyncio.run(main(parser.parse_args()))
