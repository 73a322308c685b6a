"""What a look costs: processor time of one segment, against plain ffmpeg reading the same files.

100 frames of 1280×720, the same encoder, preset, quality and number of threads on both sides;
rounds interleaved.

    .venv/bin/python -m bench.film_looks [--rounds 3] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import resource
import tempfile
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from bench.harness import Side, compare, machine
from tests.films import looking
from vigil import ffmpeg
from vigil.films.model import Film, FilmFrame, Recipe, Shot, moment_of
from vigil.films.segments import encode

FRAMES, FPS = 100, 25
PAN = {"start": (0, 0, 1, 1), "end": (0.2, 0.2, 0.8, 0.8)}
LOOKS: dict[str, dict[str, Any]] = {
    "stamp": {"stamp": {}},
    "deflicker": {"deflicker": 5},
    "denoise": {"denoise": 2},
    "turned and cut": {"rotate": 180, "crop": (0.1, 0.1, 0.9, 0.9)},
    "pan": {"pan": PAN},
    "colours": {"colours": True},
    "steadied": {"stabilise": True},
    "VP9": {"codec": "vp9"},
    "AV1": {"codec": "av1"},
}


def a_film(**look: Any) -> Film:
    """Of the bench's pictures."""
    span: dict[str, Any] = {
        "from_at": looking.START,
        "to_at": looking.START + timedelta(seconds=FRAMES),
    }
    return looking.film(fps=float(FPS), width=1280, height=720, **span, **look)


def recipe(film: Film, files: list[Path]) -> Recipe:
    """A shot of each file."""
    frames = [FilmFrame(0, hashlib.sha256(str(f).encode()).digest(), str(f)) for f in files]
    shots = tuple(
        Shot(
            frames=(frame,),
            moment=moment_of(looking.START) + number * 1_000_000,
            gains=(1 + (number % 5 - 2) / 50,) if film.making.look.deflicker else (),
            days=(frames[0],),
        )
        for number, frame in enumerate(frames)
    )
    return Recipe(film=film, shots=shots, references=(frames[0],))


async def read(frame: FilmFrame) -> bytes:
    """A frame's file."""
    return Path(frame.blob).read_bytes()


async def cpu(work: Callable[[], Awaitable[object]]) -> float:
    """Seconds of processor time that it takes, here and in ffmpeg."""
    begin = used()
    await work()
    return used() - begin


def used() -> float:
    """Seconds of processor time so far."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


async def plain(folder: Path, out: Path) -> None:
    """What anybody would do: one ffmpeg, reading the files."""
    film = a_film()
    size = f"{film.width}:{film.height}"
    uniform = (
        f"scale={size}:force_original_aspect_ratio=decrease:force_divisible_by=2"
        f":out_range=tv:out_color_matrix=bt601,pad={size}:-1:-1:black,setsar=1,format=yuv420p"
    )
    await ffmpeg.run(
        [
            *("-y", "-threads", "1", "-framerate", str(FPS), "-i", str(folder / "%06d.jpg")),
            *("-vf", uniform, *encode.arguments(film), str(out)),
        ]
    )


async def main(options: argparse.Namespace) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="vigil-bench-") as temporary:
        scratch = Path(temporary)
        folder = scratch / "pictures"
        folder.mkdir()
        source = f"testsrc2=size=1280x720:rate={FPS},noise=alls=8:allf=t"
        target = ["-frames:v", str(FRAMES), "-q:v", "4", str(folder / "%06d.jpg")]
        await ffmpeg.run(["-f", "lavfi", "-i", source, *target])
        files = sorted(folder.iterdir())
        bare = partial(encode.segment, recipe(a_film(), files), read)
        results = [
            await compare(
                f"a segment of {FRAMES} frames",
                Side("plain ffmpeg", partial(cpu, partial(plain, folder, scratch / "plain.mp4"))),
                Side("vigil", partial(cpu, bare)),
                unit="s of processor time",
                rounds=options.rounds,
            )
        ]
        for title, look in LOOKS.items():
            film = a_film(**look)
            work = partial(encode.segment, recipe(film, files), read)
            results.append(
                await compare(
                    title,
                    Side("bare", partial(cpu, bare)),
                    Side(title, partial(cpu, work)),
                    unit="s of processor time",
                    rounds=options.rounds,
                    warm_up=False,
                )
            )
    if options.json:
        print(json.dumps([result.as_object() for result in results]))
        return
    print(machine())
    for result in results:
        print(result)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    asyncio.run(main(parser.parse_args()))
