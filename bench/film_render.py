"""Wall time of a film through the room's own code, against plain ffmpeg reading the same files.

600 frames of 1280×720, the same encoder, preset and quality on both sides; rounds interleaved.
Ours: plan from rows, blobs through stdin, segments kept and listed, joined into one MP4; a real
database and a real blob store. Also: another 60 frames, against rendering all 660 at once.

    .venv/bin/python -m bench.film_render [--frames 600] [--rounds 3]
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import statistics
import tempfile
import time
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from vigil import ffmpeg, postgres
from vigil.clock import FakeClock
from vigil.context import Context, open_context
from vigil.films import order, store, work
from vigil.films.model import Film
from vigil.films.segments import encode
from vigil.jobs.model import RunningJob
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
        "INSERT INTO cameras (name, kind, interval_s) VALUES ('bench', 'testcard', 1) RETURNING id"
    )
    for number, file in enumerate(files):
        data = file.read_bytes()
        digest = hashlib.sha256(data).digest()
        blob = f"frames/{camera}/2026-03-01/{number:06}-{digest.hex()[:16]}.jpg"
        await context.storage.put(blob, data)
        await context.pool.execute(
            """
            INSERT INTO frames (camera_id, taken_at, received_at, width, height, bytes, sha256,
                luma, blob)
            VALUES ($1, $2, $2, 1280, 720, $3, $4, 100, $5)
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
    """Do the film's job, here; raises when the film is not done after it."""
    film = await store.get(context.pool, film_id)
    assert film is not None
    assert film.job_id is not None
    job = RunningJob(id=film.job_id, arguments={"film_id": film_id}, save=_save)
    await work.render(context, job)
    film = await store.get(context.pool, film_id)
    assert film is not None
    assert film.state == "done", film.error
    return film


async def _save(values: object) -> bool:
    return True


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


async def timed(work: Awaitable[object]) -> float:
    """Seconds that it takes."""
    begin = time.perf_counter()
    await work
    return time.perf_counter() - begin


def show(what: str, ours: list[float], theirs: list[float]) -> None:
    """Medians and their ratio."""
    a, b = statistics.median(ours), statistics.median(theirs)
    print(f"{what}: ours {a:.2f} s, plain ffmpeg {b:.2f} s, ratio {a / b:.3f}")


async def bench(context: Context, scratch: Path, frames: int, rounds: int) -> None:
    """Measure."""
    more = frames // 10
    files = await pictures(scratch / "pictures", frames + more)
    await fill(context, files)
    ours, theirs, grown, anew = [], [], [], []
    for number in range(rounds):
        await forget(context)
        film_id = await make(context, frames)
        ours.append(await timed(render(context, film_id)))
        film = await store.get(context.pool, film_id)
        assert film is not None
        out = scratch / "plain.mp4"
        theirs.append(await timed(plain(film, scratch / "pictures", out, frames)))
        print(
            f"round {number + 1}: {ours[-1]:.2f} s, {theirs[-1]:.2f} s; bytes ratio "
            f"{(film.file_bytes or 0) / out.stat().st_size:.3f}"
        )
        grown.append(await timed(render(context, await make(context, frames + more))))
        anew.append(await timed(plain(film, scratch / "pictures", out, frames + more)))
    show(f"{frames} frames", ours, theirs)
    show(f"{more} more, against {frames + more} from scratch", grown, anew)


async def main(frames: int, rounds: int) -> None:
    """Set everything up and measure."""
    with tempfile.TemporaryDirectory(prefix="vigil-bench-") as folder:
        scratch = Path(folder)
        scratch.chmod(0o755)
        settings = Settings(data_dir=scratch / "data")
        with postgres.running(settings.data_dir):
            clock = FakeClock(START + timedelta(days=1))
            async with open_context(settings, "bench", clock=clock) as context:
                await bench(context, scratch, frames, rounds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--frames", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    asyncio.run(main(given.frames, given.rounds))
