"""A film of 1,000 frames of 1280×720, against plain ffmpeg reading the same files.

With one renderer, and with two of one job each; a hundred frames more, against all 1,100 anew;
bytes and SSIM. Renderers are processes of their own with a real database and a real blob store;
a film counts as made when it is one file, as ffmpeg's is, a longer one when it plays again.

    .venv/bin/python -m bench.film_render [--frames 1000] [--rounds 3] [--only one,two,more,quality]
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

from bench import films
from bench.harness import Side, compare, machine
from vigil import ffmpeg
from vigil.context import Context
from vigil.films import store

Timed = Callable[[int], Awaitable[float]]
"""Makes a film of so many frames; gives the seconds that it took."""


async def bench(context: Context, scratch: Path, options: argparse.Namespace) -> None:
    """Measure what is asked for."""
    frames: int = options.frames
    more = frames // 10
    of = await films.camera(context, scratch / "camera", frames + more, (1280, 720))
    await films.take(context, of, 0, frames + more)
    out = scratch / "plain.mp4"

    async def made(number: int) -> float:
        await films.forget(context)
        film_id = await films.order(context, of, number)
        return await films.timed(films.until(context, film_id, joined=True))

    async def longer() -> float:
        await films.forget(context)
        await films.until(context, await films.order(context, of, frames), joined=True)
        film_id = await films.order(context, of, frames + more)
        return await films.timed(films.until(context, film_id, joined=False))

    async def plainly(number: int) -> float:
        film = await store.get(context.pool, await films.order(context, of, number))
        assert film is not None
        await films.forget(context)
        return await films.timed(films.plain(film, of, out, number))

    async with films.renderers(context, 1, 2):
        if "one" in options.only:
            await _pair(f"{frames} frames, one renderer", frames, plainly, made, options.rounds)
        if "more" in options.only:
            title = f"{more} more, against all {frames + more} anew"

            async def ours(_: int) -> float:
                return await longer()

            await _pair(title, frames + more, plainly, ours, options.rounds)
        if "quality" in options.only:
            await plainly(frames)
            await films.forget(context)
            film_id = await films.order(context, of, frames)
            film = await films.until(context, film_id, joined=True)
            ours_path = scratch / "ours.mp4"
            ours_path.write_bytes(await context.storage.get(str(film.file_blob)))
            sizes = ours_path.stat().st_size / out.stat().st_size
            print(f"bytes against plain ffmpeg's: {sizes:.4f}")
            for name, path in (("plain ffmpeg", out), ("vigil", ours_path)):
                print(f"  SSIM of {name}: {await _ssim(path, of):.5f}")
    if "two" in options.only:
        async with films.renderers(context, 2, options.jobs):
            await _pair(f"{frames} frames, two renderers", frames, plainly, made, options.rounds)


async def _pair(title: str, frames: int, plainly: Timed, ours: Timed, rounds: int) -> None:
    print(
        await compare(
            title,
            Side("plain ffmpeg", functools.partial(plainly, frames)),
            Side("vigil", functools.partial(ours, frames)),
            unit="s",
            rounds=rounds,
            warm_up=False,
        ),
        flush=True,
    )


async def _ssim(path: Path, of: films.Camera) -> float:
    """Likeness of a film to the pictures it was made of."""
    stills = ["-framerate", str(films.FPS), "-i", str(of.folder / "%06d.jpg")]
    graph = (
        "[1:v]scale=out_range=tv:out_color_matrix=bt601,format=yuv420p[s];[0:v][s]ssim=shortest=1"
    )
    stats = path.with_suffix(".ssim")
    await ffmpeg.run(
        ["-i", str(path), *stills, "-lavfi", f"{graph}:stats_file={stats}", "-f", "null", "-"]
    )
    found = [float(value) for value in re.findall(r"All:([\d.]+)", stats.read_text())]
    return sum(found) / len(found)


async def main(options: argparse.Namespace) -> None:
    """Set everything up and measure."""
    print(machine())
    async with films.house() as (context, scratch):
        await bench(context, scratch, options)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--frames", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=1, help="of each of two renderers")
    parser.add_argument("--only", default="one,two,more,quality")
    asyncio.run(main(parser.parse_args()))
