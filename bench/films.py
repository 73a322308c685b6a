"""What the benchmarks of films share: a camera and its pictures, renderers, plain ffmpeg."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from renderer import NICE
from vigil import ffmpeg, postgres
from vigil.context import Context, open_context
from vigil.films import store
from vigil.films.model import Film, NewFilm
from vigil.settings import ROOT, Settings

START = datetime(2026, 3, 1, tzinfo=UTC)
"""Slots begin at whole multiples of their length since 1970, and so does this."""
FPS = 25
SEGMENT_S = 2


@dataclass(frozen=True)
class Camera:
    """A camera whose frames are a second apart, the same few pictures again and again."""

    scene_id: int
    folder: Path
    """Its pictures, as %06d.jpg from 0."""
    pictures: int
    size: tuple[int, int]


@asynccontextmanager
async def house() -> AsyncIterator[tuple[Context, Path]]:
    """A database and a blob store of their own, and a folder; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="vigil-bench-") as folder:
        scratch = Path(folder)
        scratch.chmod(0o755)
        settings = Settings(data_dir=scratch / "data")
        with postgres.running(settings.data_dir):
            async with open_context(settings, "bench") as context:
                yield context, scratch


async def camera(context: Context, folder: Path, pictures: int, size: tuple[int, int]) -> Camera:
    """A camera of so many different pictures of something that moves, with the noise of a small
    sensor; without frames yet."""
    folder.mkdir()
    source = f"testsrc2=size={size[0]}x{size[1]}:rate={FPS},noise=alls=8:allf=t"
    output = ["-start_number", "0", str(folder / "%06d.jpg")]
    await ffmpeg.run(
        ["-f", "lavfi", "-i", source, "-frames:v", str(pictures), "-q:v", "4", *output]
    )
    scene_id: int = await context.pool.fetchval(
        """
        WITH camera AS (
            INSERT INTO cameras (name, kind, interval_s, retention_s)
            VALUES ($1, 'testcard', 1, 3e8) RETURNING id
        ), scene AS (
            INSERT INTO scenes (name) VALUES ($1) RETURNING id
        )
        INSERT INTO camera_scenes (camera_id, from_at, scene_id)
        SELECT camera.id, '-infinity', scene.id FROM camera, scene RETURNING scene_id
        """,
        folder.name,
    )
    return Camera(scene_id, folder, pictures, size)


async def take(context: Context, of: Camera, first: int, last: int) -> None:
    """Have the camera take its frames from one number up to, not including, another.

    The pictures repeat, but each frame says its number in a comment, so that none is another's.
    """
    files = [file.read_bytes() for file in sorted(of.folder.iterdir())]
    root = context.settings.data_dir / "blobs"

    def write() -> list[tuple[bytes, int, str]]:
        rows = []
        for number in range(first, last):
            said = b"%08d" % number
            comment = b"\xff\xfe" + (len(said) + 2).to_bytes(2, "big") + said  # COM of T.81
            whole = files[number % len(files)]
            data = whole[:2] + comment + whole[2:]
            digest = hashlib.sha256(data).digest()
            blob = f"frames/{of.scene_id}/{number // 1000:04}/{number:08}-{digest.hex()[:16]}.jpg"
            path = root / blob
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            rows.append((digest, len(data), blob))
        return rows

    rows = await asyncio.to_thread(write)
    await context.pool.execute(
        """
        INSERT INTO frames (camera_id, scene_id, taken_at, received_at, width, height, bytes,
            sha256, luma, blob)
        SELECT (SELECT camera_id FROM camera_scenes WHERE scene_id = $1), $1,
            $2::timestamptz + make_interval(secs => $3 + row.n - 1), $2, $4, $5, row.size,
            row.digest, 100, row.blob
        FROM unnest($6::bytea[], $7::integer[], $8::text[])
            WITH ORDINALITY AS row (digest, size, blob, n)
        """,
        of.scene_id,
        START,
        first,
        *of.size,
        [row[0] for row in rows],
        [row[1] for row in rows],
        [row[2] for row in rows],
    )
    await context.pool.execute("ANALYZE frames")


async def order(context: Context, of: Camera, frames: int) -> int:
    """Order a film of the camera's first so many frames."""
    return await store.add(
        context.pool,
        NewFilm(
            title=f"{frames} frames",
            scenes=(of.scene_id,),
            from_at=START,
            to_at=START + timedelta(seconds=frames),
            speed=FPS,
            fps=FPS,
            width=of.size[0],
            height=of.size[1],
            window_s=SEGMENT_S * FPS,
        ),
    )


async def until(context: Context, film_id: int, *, joined: bool) -> Film:
    """Wait until a film is done, and if wanted one file; looks when it is told that something
    changed, as what looking costs is missing to the renderers."""
    async with context.listener.subscribe(f"film:{film_id}") as news:
        while True:
            film = await store.get(context.pool, film_id)
            assert film is not None
            if film.state == "done" and (film.file_blob or not joined):
                return film
            assert film.state in ("waiting", "rendering", "done"), film.state
            with suppress(TimeoutError):
                await asyncio.wait_for(news.get(), 1.0)


@asynccontextmanager
async def renderers(context: Context, number: int, jobs: int) -> AsyncIterator[list[int]]:
    """So many renderers, in processes of their own, ready to work; their process ids."""
    database = postgres.dsn(context.settings.data_dir)
    environment = os.environ | {
        "VIGIL_DATA_DIR": str(context.settings.data_dir),
        "VIGIL_DATABASE_URL": database,
        "VIGIL_RENDER_JOBS": str(jobs),
        "VIGIL_LOG_LEVEL": "error",
        "PYTHONPATH": str(ROOT),
    }
    before = await _newest(context)
    started = [
        await asyncio.create_subprocess_exec(
            sys.executable, str(ROOT / "renderer.py"), cwd=ROOT, env=environment
        )
        for _ in range(number)
    ]
    try:
        while await _newest(context) < before + 2 * number:  # one for each queue
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)
        yield [process.pid for process in started]
    finally:
        for process in started:
            process.terminate()
        for process in started:
            await process.wait()
        await context.pool.execute("DELETE FROM procrastinate_workers")


async def _newest(context: Context) -> int:
    """How many workers there have ever been."""
    found: int = await context.pool.fetchval(
        "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM procrastinate_workers_id_seq"
    )
    return found


async def forget(context: Context) -> None:
    """Nothing is rendered yet, and nobody is at it."""
    await context.pool.execute("UPDATE films SET state = 'cancelled'")
    going = "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"
    while await context.pool.fetchval(going):
        await asyncio.sleep(0.1)
    await context.pool.execute("DELETE FROM films")
    await context.pool.execute("DELETE FROM segments")


async def plain(film: Film, of: Camera, out: Path, frames: int) -> None:
    """What anybody would do: one ffmpeg reading the files, with the same encoder, preset, quality
    and colours as ours, and all threads that it wants; as nice as our encoders, so that whatever
    else the machine has to do is in the way of both alike."""
    picture = f"scale={film.width}:{film.height}:out_range=tv:out_color_matrix=bt601,format=yuv420p"
    settings = ["-vf", picture, "-c:v", "libx264", "-preset", "veryfast", "-crf", "23"]
    loops = ["-stream_loop", "-1"] if frames > of.pictures else []
    process = await asyncio.create_subprocess_exec(
        *("nice", "-n", str(NICE), ffmpeg.executable(), "-loglevel", "error", "-nostdin"),
        *("-y", *loops, "-framerate", str(FPS), "-i", str(of.folder / "%06d.jpg")),
        *("-frames:v", str(frames), *settings, "-movflags", "+faststart", str(out)),
    )
    assert await process.wait() == 0


async def timed(work: Coroutine[object, object, object]) -> float:
    """Seconds that it takes."""
    begin = time.perf_counter()
    await work
    return time.perf_counter() - begin


def median(figures: Sequence[float]) -> float:
    """The middle one."""
    return sorted(figures)[len(figures) // 2]
