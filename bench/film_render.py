"""Wall time of a film through the room's own code, against plain ffmpeg reading the same files.

600 frames of 1280×720, the same encoder, preset and quality on both sides; rounds interleaved.
Ours: plan from rows, blobs through stdin, segments kept and listed, joined into one MP4; a real
database and a real blob store. Also: another 60 frames, against rendering all 660 at once.

    .venv/bin/python -m bench.film_render [--frames 600] [--rounds 3] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import tempfile
import time
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from bench.harness import Side, compare, machine
from vigil import ffmpeg, postgres
from vigil.clock import FakeClock
from vigil.context import Context, open_context
from vigil.films import order, store, work
from vigil.films.model import Film
from vigil.films.segments import encode
from vigil.jobs import engine
from vigil.settings import Settings

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
FPS = 25


async def pictures(folder: Path, number: int) -> list[Path]:
    """So many JPEGs of something that moves, with the noise of a small camera."""
    folder.mkdir()
    source = f"testsrc2=size=1280x720:rate={FPS},noise=alls=8:allf=t"
    output = [str(folder / "%06d.jpg")]
    await ffmpeg.run(["-f", "lavfi", "-i", source, "-frames:v", str(number), "-q:v", "4", *output])
    return sorted(folder.iterdir())


async def fill(context: Context, files: list[Path]) -> None:
    """A camera whose frames these are, one a second."""
    camera: int = await context.pool.fetchval(
        """
        WITH camera AS (
            INSERT INTO cameras (name, kind, interval_s) VALUES ('bench', 'testcard', 1)
            RETURNING id
        ), scene AS (
            INSERT INTO scenes (name) VALUES ('bench') RETURNING id
        )
        INSERT INTO camera_scenes (camera_id, from_at, scene_id)
        SELECT camera.id, '-infinity', scene.id FROM camera, scene RETURNING camera_id
        """
    )
    for number, file in enumerate(files):
        data = file.read_bytes()
        digest = hashlib.sha256(data).digest()
        blob = f"frames/{camera}/2026-03-01/{number:06}-{digest.hex()[:16]}.jpg"
        await context.storage.put(blob, data)
        await context.pool.execute(
            """
            INSERT INTO frames (camera_id, scene_id, taken_at, received_at, width, height, bytes,
                sha256, luma, blob)
            VALUES ($1, (SELECT scene_id FROM camera_scenes WHERE camera_id = $1),
                $2, $2, 1280, 720, $3, $4, 100, $5)
            """,
            camera,
            START + timedelta(seconds=number),
            len(data),
            digest,
            blob,
        )


async def make(context: Context, seconds: int) -> int:
    """A film of the first so many frames."""
    until = START + timedelta(seconds=seconds)
    wish = order.Order(
        camera="bench", from_=START.isoformat(), to=until.isoformat(), speed=FPS, fps=FPS
    )
    film_id, _ = await order.make(context, wish)
    return film_id


async def render(context: Context, film_id: int) -> Film:
    """Have a renderer, here, make the film; raises when it fails."""
    stop = asyncio.Event()
    jobs = context.settings.render_jobs
    renderer = asyncio.create_task(engine.run(context, work.TASKS, stop, concurrency=jobs))
    try:
        while True:
            film = await store.get(context.pool, film_id)
            assert film is not None
            assert film.state in ("waiting", "rendering", "done"), film.error
            if film.state == "done" and film.file_blob:
                return film
            await asyncio.sleep(0.01)
    finally:
        stop.set()
        await renderer


async def forget(context: Context) -> None:
    """No segment is rendered yet."""
    await context.pool.execute("DELETE FROM film_segments")
    await context.pool.execute("DELETE FROM segments")


async def plain(film: Film, folder: Path, out: Path, number: int) -> None:
    """What anybody would do: one ffmpeg, reading the files."""
    await ffmpeg.run(
        [
            *("-y", "-framerate", str(FPS), "-i", str(folder / "%06d.jpg")),
            *("-frames:v", str(number), *encode.arguments(film)),
            *("-movflags", "+faststart", str(out)),
        ]
    )


async def bench(context: Context, scratch: Path, options: argparse.Namespace) -> None:
    """Measure both pairs."""
    frames: int = options.frames
    more = frames // 10
    await fill(context, await pictures(scratch / "pictures", frames + more))
    out = scratch / "plain.mp4"

    async def whole() -> float:
        await forget(context)
        film_id = await make(context, frames)
        return await timed(render(context, film_id))

    async def longer() -> float:
        await forget(context)
        await render(context, await make(context, frames))
        film_id = await make(context, frames + more)
        return await timed(render(context, film_id))

    async def plainly(number: int) -> float:
        (film,) = await store.page(context.pool, limit=1)
        return await timed(plain(film, scratch / "pictures", out, number))

    await whole()  # so that there is a film for the settings; warms up, too
    (film,) = await store.page(context.pool, limit=1)
    await plainly(frames)
    size = (film.file_bytes or 0) / out.stat().st_size
    results = [
        await compare(
            title,
            Side("plain ffmpeg", partial(plainly, number)),
            Side("vigil", ours),
            unit="s",
            rounds=options.rounds,
            warm_up=False,
        )
        for title, number, ours in (
            (f"a film of {frames} frames", frames, whole),
            (f"{more} more, against all {frames + more} anew", frames + more, longer),
        )
    ]
    if options.json:
        print(json.dumps([result.as_object() for result in results]))
        return
    print(machine())
    for result in results:
        print(result)
    print(f"size of the film against plain ffmpeg's: {size:.3f}")


async def timed(work: Coroutine[Any, Any, object]) -> float:
    """Seconds that it takes."""
    begin = time.perf_counter()
    await work
    return time.perf_counter() - begin


async def main(options: argparse.Namespace) -> None:
    """Set everything up and measure."""
    with tempfile.TemporaryDirectory(prefix="vigil-bench-") as folder:
        scratch = Path(folder)
        scratch.chmod(0o755)
        settings = Settings(data_dir=scratch / "data")
        with postgres.running(settings.data_dir):
            clock = FakeClock(START + timedelta(days=1))
            async with open_context(settings, "bench", clock=clock) as context:
                await bench(context, scratch, options)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--frames", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    asyncio.run(main(parser.parse_args()))
