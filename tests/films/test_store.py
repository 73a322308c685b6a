"""The SQL: choosing frames, segments that come and go, films that lose their jobs."""

from __future__ import annotations

import asyncio
import random
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.films import making
from tests.films.making import START
from tests.films.test_plan import a_film
from vigil.cameras.store import scene_of
from vigil.clock import FakeClock
from vigil.context import Context
from vigil.errors import Conflict, NotFound
from vigil.films import plan, store, work
from vigil.films.model import FilmFrame, Listed, Planned, segment_blob
from vigil.films.segments import store as segments
from vigil.jobs import store as jobs


@pytest.fixture
def context(context: Context) -> Context:
    """A day after START."""
    return replace(context, clock=FakeClock(START + timedelta(days=1)))


async def rows(context: Context, camera: int, moments: list[float]) -> list[FilmFrame]:
    """Rows of frames, without blobs."""
    made = []
    for number, second in enumerate(moments):
        frame = FilmFrame(
            START + timedelta(microseconds=round(second * 1e6)), number.to_bytes(32), f"f/{number}"
        )
        await context.pool.execute(
            """
            INSERT INTO frames (camera_id, scene_id, taken_at, received_at, width, height, bytes,
                sha256, luma, blob)
            VALUES ($1, (SELECT scene_id FROM camera_scenes WHERE camera_id = $1),
                $2, $2, 1, 1, 1, $3, 0, $4)
            """,
            camera,
            frame.taken_at,
            frame.sha256,
            frame.blob,
        )
        made.append(frame)
    return made


@pytest.mark.parametrize(
    "shape",
    [(10, 10, 20.0), (10, 3, 6.666666), (33, 25, 66.0), (0.5, 29.97, 1.0), (4000, 25, 8000)],
)
async def test_the_database_chooses_as_the_plan_does(
    context: Context, shape: tuple[float, float, float]
) -> None:
    camera = await making.camera(context)
    chance = random.Random(7)
    span = shape[2] * 3
    made = await rows(context, camera, [chance.uniform(-1, span) for _ in range(400)])
    film = replace(a_film(span * 0.9, *shape), scene_id=await scene_of(context.pool, camera, START))
    assert film.to_at is not None
    found = await segments.chosen(context.pool, film, [(film.from_at, film.to_at)])
    assert found == plan.choose(film, made)
    windows = sorted({plan.window_start(film, f.taken_at) for f in plan.choose(film, made)})
    assert await segments.touched(context.pool, film) == windows
    spans = [(start, start + film.window) for start in windows[1:]]
    some = await segments.chosen(context.pool, film, spans)
    assert plan.choose(film, some) == [
        f for f in found if plan.window_start(film, f.taken_at) in windows[1:]
    ]


async def test_frames_that_go_are_not_chosen(context: Context) -> None:
    camera = await making.camera(context)
    made = await rows(context, camera, [0, 1, 2])
    await context.pool.execute("UPDATE frames SET deleting_at = now() WHERE blob = 'f/1'")
    film = replace(a_film(), scene_id=await scene_of(context.pool, camera, START))
    spans = [(START, START + timedelta(hours=1))]
    assert await segments.chosen(context.pool, film, spans) == [made[0], made[2]]


async def test_choosing_uses_the_index(context: Context) -> None:
    camera = await making.camera(context)
    await context.pool.execute(
        """
        INSERT INTO frames (camera_id, scene_id, taken_at, received_at, width, height, bytes,
                sha256, luma, blob)
        SELECT $1, (SELECT scene_id FROM camera_scenes WHERE camera_id = $1),
            $2::timestamptz + make_interval(secs => n), $2, 1, 1, 1,
            sha256(n::text::bytea), 0, 'f/' || n
        FROM generate_series(1, 50000) AS n
        """,
        camera,
        START,
    )
    await context.pool.execute("ANALYZE frames")
    plans: list[str] = []
    original = context.pool.fetch

    class Explaining:
        async def fetch(self, query: str, *arguments: Any) -> list[Any]:
            found = await original("EXPLAIN (ANALYZE) " + query, *arguments)
            plans.append("\n".join(row[0] for row in found))
            return []

    film = replace(
        a_film(), scene_id=await scene_of(context.pool, camera, START), planned_id=49_900
    )
    spans = [(START + timedelta(seconds=100), START + timedelta(seconds=120))]
    await segments.chosen(Explaining(), film, spans)  # type: ignore[arg-type]  # looks on
    await segments.touched(Explaining(), film)  # type: ignore[arg-type]  # looks on
    assert re.search(r"Index (Only )?Scan (using|on) frames_", plans[0]), plans[0]
    assert "Seq Scan on frames" not in plans[0]
    assert "frames_pkey" in plans[1]


def planned(hash: str = "a" * 64) -> Planned:
    frame = FilmFrame(START, b"", "f")
    return Planned(window_start=START, frames=(frame,), closed=True, hash=hash)


def listed(hash: str = "a" * 64) -> Listed:
    return Listed(
        window_start=START,
        hash=hash,
        first_at=START,
        last_at=START,
        closed=True,
        frames=1,
        bytes=4,
        duration_s=0.1,
    )


async def a_rendering_film(context: Context) -> int:
    film_id = await making.film(context, await making.camera(context))
    film = await making.get(context, film_id)
    assert film.job_id
    assert await store.begin(context.pool, film_id, film.job_id)
    return film_id


async def put_blob(context: Context, film_id: int, hash: str = "a" * 64) -> bool:
    async def put(key: str) -> None:
        await context.storage.put(key, b"data")

    return await segments.keep(context.pool, film_id, planned(hash), listed(hash), put)


async def test_unused_segments_are_collected_after_a_day(context: Context) -> None:
    film_id = await a_rendering_film(context)
    await put_blob(context, film_id)
    await put_blob(context, film_id, "b" * 64)  # takes the window of the first
    await context.pool.execute("UPDATE segments SET created_at = $1", START)
    await work.tidy(replace(context, clock=FakeClock(START + timedelta(hours=23))))
    assert await context.storage.head(segment_blob("a" * 64))
    await work.tidy(replace(context, clock=FakeClock(START + timedelta(hours=25))))
    assert await context.storage.head(segment_blob("a" * 64)) is None
    assert await context.storage.head(segment_blob("b" * 64))
    assert await segments.known_segments(context.pool, "") == ["b" * 64]


async def test_a_collection_that_was_cut_off_goes_on(context: Context) -> None:
    film_id = await a_rendering_film(context)
    await put_blob(context, film_id)
    await segments.unlist(context.pool, film_id, [START])
    await context.pool.execute("UPDATE segments SET created_at = $1", START)
    assert await segments.mark_unused(context.pool, START + timedelta(days=1)) == ["a" * 64]

    async def die(key: str) -> None:
        await context.storage.delete(key)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await segments.collect(context.pool, "a" * 64, die)
    # Blob gone, row marked: nobody is given it any more.
    assert await segments.link(context.pool, film_id, planned(), "a" * 64) is False
    assert await segments.known_segments(context.pool, "") == []
    await work.tidy(context)
    assert await context.pool.fetchval("SELECT count(*) FROM segments") == 0


async def test_a_segment_wanted_again_while_it_goes_is_whole_in_the_end(context: Context) -> None:
    film_id = await a_rendering_film(context)
    await put_blob(context, film_id)
    await segments.unlist(context.pool, film_id, [START])
    await context.pool.execute("UPDATE segments SET created_at = $1", START)
    await segments.mark_unused(context.pool, START + timedelta(days=1))
    removing, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(key: str) -> None:
        removing.set()
        await go_on.wait()
        await context.storage.delete(key)

    collecting = asyncio.create_task(segments.collect(context.pool, "a" * 64, slowly))
    await removing.wait()
    keeping = asyncio.create_task(put_blob(context, film_id))
    await asyncio.sleep(0.2)
    assert not keeping.done(), "it waits for the collector"
    go_on.set()
    assert await collecting
    assert await keeping
    assert await context.storage.get(segment_blob("a" * 64)) == b"data"
    assert [s.hash for s in await segments.listed(context.pool, film_id)] == ["a" * 64]


async def test_what_is_linked_is_not_marked(context: Context) -> None:
    film_id = await a_rendering_film(context)
    await put_blob(context, film_id)
    await segments.unlist(context.pool, film_id, [START])
    await context.pool.execute("UPDATE segments SET created_at = $1", START)
    async with context.pool.acquire() as connection, connection.transaction():
        assert await segments.link(connection, film_id, planned(), "a" * 64)
        assert await segments.mark_unused(context.pool, START + timedelta(days=1)) == []
    assert await segments.mark_unused(context.pool, START + timedelta(days=1)) == []


async def test_a_film_that_is_no_longer_rendered_takes_nothing(context: Context) -> None:
    film_id = await a_rendering_film(context)
    await store.cancel(context.pool, film_id)
    assert await put_blob(context, film_id) is False
    assert await segments.link(context.pool, film_id, planned(), "a" * 64) is None
    assert await segments.listed(context.pool, film_id) == []


async def test_actions_that_make_no_sense(context: Context) -> None:
    film_id = await a_rendering_film(context)
    with pytest.raises(Conflict, match="goes on by itself"):
        await store.resume(context.pool, film_id)
    await store.cancel(context.pool, film_id)
    with pytest.raises(Conflict, match="nothing to cancel"):
        await store.cancel(context.pool, film_id)
    await store.mark_deleting(context.pool, film_id)
    for action in (store.cancel, store.resume, store.mark_deleting):
        with pytest.raises(NotFound):
            await action(context.pool, film_id)
    assert await store.get(context.pool, film_id) is None


async def end_job(context: Context, film_id: int, status: str, error: str | None = None) -> None:
    film = await making.get(context, film_id)
    await context.pool.execute(
        "UPDATE procrastinate_jobs SET status = $2::text::procrastinate_job_status WHERE id = $1",
        film.job_id,
        status,
    )
    await context.pool.execute(
        "UPDATE job_progress SET error = $2 WHERE job_id = $1", film.job_id, error
    )


@pytest.mark.parametrize(
    ("status", "error", "state"),
    [
        ("failed", "its renderer was lost", "failed"),
        ("cancelled", None, "cancelled"),
        ("aborted", None, "cancelled"),
        ("succeeded", None, "waiting"),
    ],
)
async def test_a_film_follows_its_job(
    context: Context, status: str, error: str | None, state: str
) -> None:
    film_id = await a_rendering_film(context)
    await work.look(context)
    assert (await making.get(context, film_id)).state == "rendering"
    await end_job(context, film_id, status, error)
    await work.look(context)
    film = await making.get(context, film_id)
    assert (film.state, film.error) == (state, error)
    assert film.job_id
    job = await jobs.get(context.pool, film.job_id)
    assert job is not None
    assert (job.state == "waiting") == (state == "waiting")


async def test_a_film_whose_job_was_pruned_is_enqueued_again(context: Context) -> None:
    film_id = await a_rendering_film(context)
    await context.pool.execute("DELETE FROM procrastinate_jobs")
    await work.look(context)
    film = await making.get(context, film_id)
    assert film.state == "waiting"
    assert film.job_id is not None


async def test_a_deleted_film_takes_its_file_with_it(context: Context) -> None:
    camera = await making.camera(context)
    await making.add_frames(context, camera, range(20))
    film_id = await making.film(context, camera, until=20)
    other = await making.film(context, camera, until=20, fps=5)
    await making.render(context, film_id)
    await making.render(context, other)
    blob = (await making.get(context, film_id)).file_blob
    kept = (await making.get(context, other)).file_blob
    assert blob is not None
    assert kept is not None
    await store.mark_deleting(context.pool, film_id)
    await work.look(context)
    assert await context.pool.fetchval("SELECT count(*) FROM films") == 1
    assert await context.storage.head(blob) is None
    assert await context.storage.head(kept)


async def test_a_film_that_is_rendered_goes_when_its_job_has_ended(context: Context) -> None:
    film_id = await a_rendering_film(context)
    film = await making.get(context, film_id)
    await context.pool.execute(
        "UPDATE procrastinate_jobs SET status = 'doing' WHERE id = $1", film.job_id
    )
    await store.mark_deleting(context.pool, film_id)
    await work.look(context)
    assert await context.pool.fetchval("SELECT count(*) FROM films") == 1
    await context.pool.execute("UPDATE procrastinate_jobs SET status = 'aborted'")
    await work.look(context)
    assert await context.pool.fetchval("SELECT count(*) FROM films") == 0


async def test_resuming_does_not_wait_for_a_later_try(context: Context) -> None:
    film_id = await a_rendering_film(context)
    film = await making.get(context, film_id)
    await store.fail(context.pool, film_id, "no", None)
    await context.pool.execute(
        "UPDATE procrastinate_jobs SET scheduled_at = now() + interval '1 hour'"
    )
    await store.resume(context.pool, film_id)
    again = await making.get(context, film_id)
    assert again.job_id != film.job_id
    assert again.job_id
    job = await jobs.get(context.pool, again.job_id)
    assert job is not None
    assert job.run_at is None


async def test_scratch_of_a_killed_renderer_is_swept(context: Context) -> None:
    folder = context.settings.data_dir / "tmp" / "film-abc"
    folder.mkdir(parents=True)
    (folder / "film.mp4").write_bytes(b"x")
    await work.tidy(replace(context, clock=FakeClock(START - timedelta(days=9999))))
    assert folder.exists()
    await work.tidy(replace(context, clock=FakeClock(START + timedelta(days=9999))))
    assert not folder.exists()
