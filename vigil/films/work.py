"""What the renderer does for films: plan them, render what is missing, join what is done."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg

import db_utils
from vigil import ffmpeg, log
from vigil.context import Context
from vigil.errors import NotFound, VigilError
from vigil.films import plan, playlist, store
from vigil.films.model import Film, FilmFrame, Listed, Planned, segment_blob
from vigil.films.segments import encode, fmp4
from vigil.films.segments import store as segments
from vigil.jobs.model import RunningJob, TakenOver, Task
from vigil.loop import Target
from vigil.storage import Storage

READ_AHEAD = 4
"""Frames fetched from the blob store before the encoder asks for them."""
SETTLED = timedelta(seconds=60)
"""A frame older than this is in the database for all to see, whatever came before it."""
TRY_AGAIN = timedelta(minutes=5)
"""How long a growing film rests after its job has failed for good."""
UNUSED = timedelta(days=1)
LOOK_S, TIDY_S = 1.0, 600.0


class FilmStopped(Exception):
    """The film was cancelled or deleted while it was being rendered."""


async def render(context: Context, job: RunningJob) -> None:
    """The job: bring a film up to date, from wherever the last attempt left it."""
    film = await store.begin(context.pool, int(job.arguments["film_id"]), job.id)
    if film is None:
        return  # cancelled or deleted before it came to its turn
    try:
        await _bring_up_to_date(context, job, film)
    except FilmStopped:
        log.info("films", f"film {film.id} was stopped")
    except TakenOver:
        raise  # another renderer is at it, and says what becomes of the film
    except Exception as error:
        text = str(error) if isinstance(error, VigilError) else f"{type(error).__name__}: {error}"
        again = context.clock.now() + TRY_AGAIN if film.to_at is None else None
        with suppress(*db_utils.GONE, asyncpg.PostgresError):
            await store.fail(context.pool, film.id, text, again)
        raise


async def _bring_up_to_date(context: Context, job: RunningJob, film: Film) -> None:
    pool, now = context.pool, context.clock.now()
    if film.retention_s is None:  # the camera is gone: what is there is the film
        await store.end_growing(pool, film.id, now)
        await _finish(context, job, film)
        return
    if film.to_at is None:
        await trim(context, film)
    settled = plan.open_since(film, now), now - SETTLED
    planned_id = await segments.planned_up_to(pool, film, *settled)
    planned, touched = await _plan(context, film, now)
    listed = await segments.listed(pool, film.id)
    there = {segment.window_start: segment for segment in listed}
    todo = plan.changes(film, planned, there, now, touched)
    if todo.remove:
        await segments.unlist(pool, film.id, todo.remove)
    new = sum(one.window_start not in there for one in todo.render)
    total = len(listed) - len(todo.remove) + new
    lost = 0
    for number, one in enumerate(todo.render):
        await job.progress(
            total - len(todo.render) + number,
            total,
            "segments",
            f"rendering {one.window_start:%Y-%m-%d %H:%M:%S} UTC",
        )
        lost += await _segment(context, film, one)
    told = f"{lost} unreadable frame{'s' if lost != 1 else ''} left out" if lost else ""
    await job.progress(total, total, "segments", told, force=True)
    next_at = plan.next_look(film, now)
    if next_at is None:
        await _finish(context, job, film)
    elif not await store.growing_on(pool, film, next_at, planned_id):
        raise FilmStopped


async def _plan(
    context: Context, film: Film, now: datetime
) -> tuple[list[Planned], frozenset[datetime] | None]:
    """What the film should have; and of which windows that is said, ``None``: of all."""
    since = plan.kept_since(film, now)
    touched: frozenset[datetime] | None = None
    over = film.to_at is not None and film.to_at <= now
    if over or film.planned_id == 0:
        first = film.from_at
        if film.to_at is None and since is not None:
            first = max(first, since)
        spans = [(first, film.to_at or now)]
    else:
        windows = await segments.touched(context.pool, film)
        touched = frozenset(windows)
        spans = [(start, start + film.window) for start in windows]
    frames = await segments.chosen(context.pool, film, spans)
    version = await asyncio.to_thread(ffmpeg.version)

    def name(shown: Sequence[FilmFrame]) -> str:
        return encode.name(film, (frame.digest for frame in shown), version)

    return await asyncio.to_thread(plan.plan, film, frames, now, name), touched


async def _segment(context: Context, film: Film, planned: Planned) -> int:
    """Have one segment rendered and listed; returns how many frames could not be read."""
    linked = await segments.link(context.pool, film.id, planned, planned.hash)
    if linked is None:
        raise FilmStopped
    if linked:
        return 0
    used: list[FilmFrame] = []
    try:
        data = await encode.segment(film, pictures(context.storage, planned.frames, used))
    except ffmpeg.FfmpegError:
        if used:
            raise
        log.warning("films", f"film {film.id}: no frame of {planned.window_start} can be read")
        return len(planned.frames)
    whole = await asyncio.to_thread(fmp4.split, data)
    lost = len(planned.frames) - min(len(used), whole.frames)
    name = planned.hash
    if len(used) < len(planned.frames):  # a segment is named by what is really in it
        name = encode.name(film, (frame.digest for frame in used), ffmpeg.version())
    if lost:
        log.warning(
            "films", f"film {film.id}: {lost} frames of {planned.window_start} cannot be read"
        )
    segment = Listed(
        window_start=planned.window_start,
        hash=name,
        first_at=used[0].taken_at,
        last_at=used[-1].taken_at,
        closed=planned.closed,
        frames=whole.frames,
        bytes=len(data),
        duration_s=whole.ticks / film.timescale,
    )

    async def put(key: str) -> None:
        await context.storage.put(key, data)

    if not await segments.keep(context.pool, film.id, planned, segment, put):
        raise FilmStopped
    return lost


async def pictures(
    storage: Storage, frames: Sequence[FilmFrame], used: list[FilmFrame]
) -> AsyncIterator[bytes]:
    """The bytes of frames, in order, a few read ahead; appends to ``used`` those that are given.

    One whose blob is gone or differs from what came in is left out.
    """
    ahead: deque[tuple[FilmFrame, asyncio.Task[bytes]]] = deque()
    upcoming = iter(frames)

    def read_on() -> None:
        for frame in upcoming:
            ahead.append((frame, asyncio.create_task(storage.get(frame.key))))
            if len(ahead) > READ_AHEAD:
                return

    try:
        read_on()
        while ahead:
            frame, reading = ahead.popleft()
            try:
                data = await reading
            except NotFound:
                data = b""
            read_on()
            if frame.is_whole(data):
                used.append(frame)
                yield data
    finally:
        for _, reading in ahead:
            reading.cancel()
        await asyncio.gather(*(reading for _, reading in ahead), return_exceptions=True)


async def _finish(context: Context, job: RunningJob, film: Film) -> None:
    """Join the segments into one file by stream copy; raises NotFound for a film of nothing."""
    listed = await segments.listed(context.pool, film.id)
    if not listed:
        raise NotFound(
            f"there are no frames of {film.camera or 'its camera'} in this film's range",
            hint="frames are gone after the camera's retention, and a late one may yet come",
        )
    key = hashlib.sha256("".join(segment.hash for segment in listed).encode()).hexdigest()
    blob = f"films/{film.id}/{key[:32]}.mp4"
    size = film.file_bytes
    if film.file_key != key or size is None or await context.storage.head(blob) is None:
        await job.progress(message="joining the film")
        size = await _join(context, film, listed, blob)
    if not await store.finish(context.pool, film, blob, size, key):
        await context.storage.delete(blob)
        raise FilmStopped
    if film.file_blob not in (None, blob):
        await context.storage.delete(str(film.file_blob))


async def _join(context: Context, film: Film, listed: Sequence[Listed], blob: str) -> int:
    """Write the film's file; returns its bytes."""
    folder = await asyncio.to_thread(_scratch, context)
    with tempfile.TemporaryDirectory(dir=folder, prefix="film-", ignore_cleanup_errors=True) as tmp:
        path = Path(tmp) / "film.mp4"
        done = await ffmpeg.run(
            [
                *("-f", "mp4", "-i", "pipe:0", "-c", "copy", "-movflags", "+faststart"),
                *("-metadata", f"title={film.title}", "-f", "mp4", str(path)),
            ],
            input=fragments(context.storage, film, listed),
        )
        wanted = sum(segment.frames for segment in listed)
        if done.frames != wanted:
            raise ffmpeg.FfmpegError(f"the film came out with {done.frames} of {wanted} pictures")
        return await context.storage.put_file(blob, path)


async def fragments(storage: Storage, film: Film, listed: Sequence[Listed]) -> AsyncIterator[bytes]:
    """The whole film as one fragmented MP4: the first segment's header, then every fragment."""
    first = film.dropped_ticks
    for placed in playlist.place(film, listed):
        data = await storage.get(segment_blob(placed.segment.hash))
        segment = fmp4.split(data)
        if placed.start == first:
            yield segment.init
        yield fmp4.place(segment.media, placed.sequence, placed.start - first)


def _scratch(context: Context) -> Path:
    folder = context.settings.data_dir / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


async def holes(context: Context, film: Film) -> list[datetime]:
    """Windows of a finished film that have frames, which the camera still keeps, and no segment."""
    since = plan.kept_since(film, context.clock.now())
    if since is None or film.to_at is None:
        return []
    frames = await segments.chosen(context.pool, film, [(film.from_at, film.to_at)])
    there = {segment.window_start for segment in await segments.listed(context.pool, film.id)}
    wanted = dict.fromkeys(plan.window_start(film, frame.taken_at) for frame in frames)
    return [start for start in wanted if start >= since and start not in there]


async def trim(context: Context, film: Film) -> int:
    """Let what is older than the camera's frames leave a film that grows for ever."""
    since = plan.kept_since(film, context.clock.now())
    return 0 if since is None else await segments.trim(context.pool, film, since)


RENDER = Task(name=store.TASK, run=render)


async def targets(context: Context) -> Sequence[Target]:
    """The chores of films."""

    async def due() -> float:
        await look(context)
        return LOOK_S

    async def housekeeping() -> float:
        await tidy(context)
        return TIDY_S

    return [
        Target(key="films:due", name="films: what is due", run_once=due, retry_max_s=10),
        Target(key="films:housekeeping", name="films: housekeeping", run_once=housekeeping),
    ]


async def look(context: Context) -> None:
    """Enqueue what is due, remove what is to go, mind jobs that were lost."""
    pool, now = context.pool, context.clock.now()
    for film in await store.due(pool, now):
        next_at = plan.next_look(film, now)
        goes_on = film.state == "growing" and film.retention_s is not None
        if goes_on and next_at is not None and not await segments.has_news(pool, film):
            await store.look_later(pool, film, next_at)
        else:
            await store.enqueue(pool, film)
    for film_id in await store.mind_lost_jobs(pool):
        log.warning("films", f"film {film_id} had lost its job")
    for film_id in await store.deleting(pool):
        async for blob in context.storage.list(f"films/{film_id}"):
            await context.storage.delete(blob.key)
        await store.remove(pool, film_id)
        log.info("films", f"film {film_id} is removed")


async def tidy(context: Context) -> None:
    """Trim films that grow for ever, collect unused segments, sweep what a crash left."""
    for film in await store.trimmable(context.pool):
        await trim(context, film)
    unused = await segments.mark_unused(context.pool, context.clock.now() - UNUSED)
    gone = [
        hash
        for hash in unused
        if await segments.collect(context.pool, hash, context.storage.delete)
    ]
    if gone:
        log.info("films", f"{len(gone)} unused segments are removed")
    await asyncio.to_thread(_sweep, _scratch(context), context.clock.now() - UNUSED)


def _sweep(folder: Path, before: datetime) -> None:
    """Remove scratch folders of renderers that were killed."""
    for path in folder.glob("film-*"):
        with suppress(OSError):
            if path.stat().st_mtime < before.timestamp():
                for file in path.iterdir():
                    file.unlink()
                path.rmdir()
