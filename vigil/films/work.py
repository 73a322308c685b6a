"""What the renderer does for films: plan them, render what is missing, join what is done.

Planning and finishing a film is one job under the film's lock; each segment is a job of its own,
so that any number of renderers work on one film, and a crash costs the segment in hand.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg

import db_utils
from vigil import ffmpeg, log
from vigil.context import Context
from vigil.errors import DiskFull, NotFound, Unavailable, VigilError
from vigil.films import full, joining, kinds, purging, store
from vigil.films.kinds import Outdated
from vigil.films.model import Film, Planned
from vigil.films.rendering import store as rendering
from vigil.films.scene import bounds
from vigil.films.scene.kind import SCENE
from vigil.films.scene.pictures import Unreadable
from vigil.films.segments import fmp4
from vigil.films.segments import store as segments
from vigil.films.states import store as states
from vigil.jobs.model import RunningJob, TakenOver, Task
from vigil.loop import Target

kinds.know(SCENE)

TRY_AGAIN = timedelta(minutes=5)
"""How long a film rests after its job has failed for good, before that is tried again."""
MOST_FAILURES = 4
"""Attempts at a segment that may fail for a reason of its own; half a minute in all."""
MOST_LOST = 0.1
"""Share of a segment's frames that may be unreadable without another attempt: where there are more
it may be the blob store that is gone, for a while."""
MOST_UNREAD = 6
"""Attempts at a segment whose frames are unreadable; a minute and a quarter at least."""
AGAIN = timedelta(hours=3)
"""So much later one more attempt is made at such a segment, rendering.MOST_ROUNDS times."""
BYTES_A_PIXEL = 0.2
"""Room that is wanted for a segment: several times what it will need."""
UNUSED = timedelta(days=1)
"""For so long a segment that no film has any more is kept for whoever plays it."""
LOOK_S, TIDY_S = 1.0, 600.0
AWAY = (Unavailable, TimeoutError, *db_utils.GONE, asyncpg.PostgresError)
"""What goes away by itself: a job that meets it is tried again for as long as it takes."""


async def plan(context: Context, job: RunningJob) -> None:
    """The job: plan a film, have what is missing rendered; finish it when nothing is."""
    film = await states.begin(context.pool, int(job.arguments["film_id"]), job.id)
    if film is None:
        return  # cancelled or deleted before it came to its turn
    try:
        await _bring_up_to_date(context, job, film)
    except TakenOver:
        raise  # another renderer is at it, and says what becomes of the film
    except Exception as error:
        text = str(error) if isinstance(error, VigilError) else f"{type(error).__name__}: {error}"
        permanent = isinstance(error, VigilError) and error.permanent and film.to_at is not None
        again = None if permanent else context.clock.now() + TRY_AGAIN
        with suppress(*db_utils.GONE, asyncpg.PostgresError):
            await states.fail(context.pool, film.id, text, again)
        raise


async def _bring_up_to_date(context: Context, job: RunningJob, film: Film) -> None:
    pool, now = context.pool, context.clock.now()
    await trim(context, film)
    wanted = await kinds.of(film).plan(context, film, now)
    if not await rendering.write_plan(pool, film, wanted):
        return  # cancelled or deleted meanwhile
    missing, failed = await rendering.missing(pool, film.id)
    if missing:
        await job.progress(message=f"{missing} segments to render")
        await rendering.hand_out_first(pool, film)
    elif failed:
        text = await _what_failed(context, film, failed)
        if wanted.next_at is None:
            await states.fail(pool, film.id, text, await rendering.next_try(pool, film.id))
        else:
            await states.growing_on(pool, film, wanted.next_at, text)
    elif wanted.next_at is not None:
        await states.growing_on(pool, film, wanted.next_at)
    elif not await segments.totals(pool, [film.id]):
        raise NotFound(
            f"there are no frames of {film.camera or 'its camera'} in this film's range"
            if film.kind == "scene"
            else "there is nothing yet that this film could show",
            hint="frames are gone after the camera's retention, and a late one may yet come",
        )
    else:
        await states.done(pool, film, now)


async def _what_failed(context: Context, film: Film, failed: int) -> str:
    first = await rendering.first_failed(context.pool, film.id)
    start, reason = first or (0, "")
    at = kinds.of(film).at(film, start)
    where = f"{at:%Y-%m-%d %H:%M:%S} UTC" if at is not None else str(start)
    return f"{failed} of its segments could not be rendered; the first, from {where}: {reason}"


async def segment(context: Context, job: RunningJob) -> None:
    """The job: render one segment of a film, and have the next one rendered."""
    film = await store.get(context.pool, int(job.arguments["film_id"]))
    if film is None:
        return
    found = await rendering.wanted(context.pool, film.id, int(job.arguments["start"]))
    if found is not None and not await rendering.link(context.pool, film, found[0]):
        planned, failures = found
        try:
            await _has_room(context, film, planned)
            with full.disk():
                await _render(context, film, planned, last=failures + 1 >= MOST_UNREAD)
        except Outdated:
            await rendering.plan_again(context.pool, film)
            return
        except AWAY:
            raise
        except Exception as error:
            if isinstance(error, Unreadable) and await _no_frames(context):
                raise Unavailable(
                    "there is not one frame in the blob store",
                    hint="is its disk mounted? It goes on by itself",
                ) from error
            if isinstance(error, VigilError):
                text = str(error)
            else:
                text = f"{type(error).__name__}: {error}"
            unread = isinstance(error, (_Unread, Unreadable))
            most = MOST_UNREAD if unread else MOST_FAILURES
            again_at = context.clock.now() + AGAIN if unread else None
            if not await rendering.note_failure(
                context.pool, film.id, planned, text, most, again_at
            ):
                raise _Again(text) from error
            log.error("films", f"film {film.id}: a segment cannot be rendered: {text}", exc=error)
    await rendering.go_on(context.pool, film)


async def _no_frames(context: Context) -> bool:
    """Whether it is all of the blob store that is gone, not only what a segment needs."""
    async for _ in context.storage.list("frames"):
        return False
    return True


class _Again(VigilError):
    """A segment could not be rendered this time."""

    code = "segment_failed"


class _Unread(VigilError):
    """Too many of a segment's frames cannot be read."""

    code = "frames_unreadable"


async def _has_room(context: Context, film: Film, planned: Planned) -> None:
    """Raises DiskFull when the segment would use up what is to stay free of the disk."""
    space = await context.storage.space()
    size = planned.pictures * film.width * film.height * BYTES_A_PIXEL
    if space is not None and space.free - size < context.settings.disk_reserve.of(space):
        raise DiskFull(
            "there is no room for another segment: what is left of the disk is kept free",
            hint="make room, or lower VIGIL_DISK_RESERVE; it goes on by itself",
        )


async def _render(context: Context, film: Film, planned: Planned, *, last: bool) -> None:
    begin = time.monotonic()
    rendered = await kinds.of(film).render(context, film, planned)
    if rendered.lost > MOST_LOST * planned.pictures and not last:
        raise _Unread(f"{rendered.lost} of its frames cannot be read")
    whole = fmp4.split(rendered.data)
    if whole.frames != planned.pictures:
        raise ffmpeg.FfmpegError(
            f"the segment came out with {whole.frames} of {planned.pictures} pictures"
        )
    if rendered.lost:
        log.warning(
            "films",
            f"film {film.id}: {rendered.lost} frames cannot be read, neighbours stand in for them",
        )

    async def put(key: str) -> None:
        await context.storage.put(key, rendered.data)

    await rendering.keep(
        context.pool,
        film,
        planned,
        rendered,
        frames=whole.frames,
        duration_s=whole.ticks / film.timescale,
        codec=str(film.options.get("codec", "h264")),
        init=hashlib.sha256(whole.init).hexdigest()[:16],
        render_s=time.monotonic() - begin,
        put=put,
    )


async def join(context: Context, job: RunningJob) -> None:
    """The job: join a film into one file."""
    film = await store.get(context.pool, int(job.arguments["film_id"]))
    if film is None:
        return
    try:
        with full.disk():
            await joining.join(context, job, film)
    except NotFound as error:  # of a segment that was there: the blob store may be gone for a while
        raise NotFound(error.message, hint=error.hint, permanent=False) from error


async def trim(context: Context, film: Film) -> int:
    """Let what is older than a rolling film shows leave it."""
    if film.rolling_s is None:
        return 0
    before = bounds.shown_since(film, context.clock.now())
    return await segments.trim(context.pool, film, before)


PLAN = Task(name=store.PLAN, run=plan)
SEGMENT = Task(name=store.SEGMENT, run=segment, attempts=1000)
JOIN = Task(name=store.JOIN, run=join, attempts=20)
TASKS = (PLAN, SEGMENT, JOIN)


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
    for film_id in await rendering.try_again(pool, now, MOST_UNREAD - 1):
        log.info("films", f"film {film_id}: what could not be read is tried again")
    for film in await states.due(pool, now):
        if film.state == "growing" and not await kinds.of(film).has_news(context, film):
            await states.look_later(pool, film, now + _rest(film))
        else:
            await states.enqueue(pool, film)
    for film_id in await states.mind_lost_jobs(pool):
        log.warning("films", f"film {film_id} had lost its job")
    await purging.remove_deleted(context)


def _rest(film: Film) -> timedelta:
    """How long a growing film that has no news rests."""
    return timedelta(seconds=min(max(film.window_s, 1.0), 60.0))


async def tidy(context: Context) -> None:
    """Trim rolling films, collect unused segments, sweep what a crash left."""
    pool, now = context.pool, context.clock.now()
    for film in await store.rolling(pool):
        await trim(context, film)
    await purging.collect(context, now, now - UNUSED)
    await asyncio.to_thread(_sweep, joining.scratch(context), now - UNUSED)


def _sweep(folder: Path, before: datetime) -> None:
    """Remove scratch folders of renderers that were killed."""
    for path in folder.glob("film-*"):
        with suppress(OSError):
            if path.stat().st_mtime < before.timestamp():
                for file in path.iterdir():
                    file.unlink()
                path.rmdir()
