"""The SQL: choosing frames, segments that come and go, films that lose their jobs."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.films import making
from tests.films.making import START
from vigil.clock import FakeClock
from vigil.context import Context
from vigil.errors import Conflict, NotFound
from vigil.films import store, work
from vigil.films.kinds import Plan
from vigil.films.model import Planned, Rendered, moment_of, segment_blob
from vigil.films.rendering import store as rendering
from vigil.films.segments import store as segments
from vigil.films.states import store as states
from vigil.jobs import store as jobs


@pytest.fixture
def context(context: Context) -> Context:
    """A day after START."""
    return replace(context, clock=FakeClock(START + timedelta(days=1)))


def planned(hash: str = "a" * 64) -> Planned:
    moment = moment_of(START)
    return Planned(start=moment, moments=moment.to_bytes(8, "big"), closed=True, hash=hash)


async def a_rendering_film(context: Context) -> int:
    film_id = await making.film(context, await making.camera(context))
    film = await making.get(context, film_id)
    assert film.job_id
    assert await states.begin(context.pool, film_id, film.job_id)
    return film_id


async def plan(context: Context, film_id: int, *hashes: str) -> bool:
    """Plan a film of these segments."""
    wanted = [replace(planned(one), start=moment_of(START) + n) for n, one in enumerate(hashes)]
    film = await making.get(context, film_id)
    return await rendering.write_plan(context.pool, film, Plan(segments=wanted, next_at=None))


async def put_blob(context: Context, film_id: int, hash: str = "a" * 64) -> None:
    async def put(key: str) -> None:
        await context.storage.put(key, b"data")

    await rendering.keep(
        context.pool,
        await making.get(context, film_id),
        planned(hash),
        Rendered(data=b"data", hash=hash),
        frames=1,
        duration_s=0.1,
        codec="h264",
        init="0",
        render_s=0.1,
        put=put,
    )


async def names(context: Context, film_id: int) -> list[str | None]:
    return [one.hash for one in await segments.listed(context.pool, film_id)]


A, B = "a" * 64, "b" * 64
DAY = timedelta(days=1)


async def test_what_is_rendered_is_given_to_every_film_that_wants_it(context: Context) -> None:
    first = await a_rendering_film(context)
    second = await making.film(context, await making.camera(context, "other"))
    assert await states.begin(context.pool, second, 1)
    for film_id in (first, second):
        assert await plan(context, film_id, A, B)
        assert await rendering.missing(context.pool, film_id) == (2, 0)
    await put_blob(context, first, B)
    assert await names(context, first) == await names(context, second) == [None, B]
    third = await making.film(context, await making.camera(context, "third"))
    assert await states.begin(context.pool, third, 1)
    assert await plan(context, third, B, A)
    assert await names(context, third) == [B, None], "what is there is not rendered again"


async def test_a_new_plan_keeps_what_is_shown_until_the_new_is_there(context: Context) -> None:
    film_id = await a_rendering_film(context)
    await plan(context, film_id, A)
    await put_blob(context, film_id)
    await plan(context, film_id, B)
    (one,) = await segments.listed(context.pool, film_id)
    assert (one.hash, one.wanted) == (A, B)
    await put_blob(context, film_id, B)
    assert await names(context, film_id) == [B]
    await plan(context, film_id)
    assert await names(context, film_id) == []


async def test_what_its_frames_are_going_of_stays(context: Context) -> None:
    film_id = await a_rendering_film(context)
    await plan(context, film_id, A, B)
    await put_blob(context, film_id)
    film = await making.get(context, film_id)
    later = Plan(segments=[], next_at=None, frozen=moment_of(START) + 2)
    assert await rendering.write_plan(context.pool, film, later)
    assert await names(context, film_id) == [A], "what was never rendered is not waited for"
    changed = Plan(segments=[planned(B)], next_at=None, frozen=moment_of(START) + 2)
    assert await rendering.write_plan(context.pool, film, changed)
    assert [one.wanted for one in await segments.listed(context.pool, film_id)] == [A]


async def test_jobs_are_handed_out_a_few_at_a_time_in_order(context: Context) -> None:
    film_id = await a_rendering_film(context)
    film = await making.get(context, film_id)
    await plan(context, film_id, *(f"{n:064x}" for n in range(100)))
    assert await rendering.hand_out_first(context.pool, film) == rendering.AT_ONCE
    assert await rendering.hand_out_first(context.pool, film) == rendering.AT_ONCE
    rows = await context.pool.fetch(
        "SELECT args, lock FROM procrastinate_jobs WHERE task_name = $1 ORDER BY id", store.SEGMENT
    )
    assert [row["args"]["start"] - moment_of(START) for row in rows] == list(range(16))
    assert rows[1]["lock"] == f"segment:{1:064x}"
    await put_blob(context, film_id, f"{0:064x}")
    assert await rendering.hand_out_first(context.pool, film) == rendering.AT_ONCE
    count = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = $1"
    assert await context.pool.fetchval(count, store.SEGMENT) == 17


async def test_unused_segments_are_collected_after_a_day(context: Context) -> None:
    film_id = await a_rendering_film(context)
    await plan(context, film_id, A)
    await put_blob(context, film_id)
    await plan(context, film_id, B)
    await put_blob(context, film_id, B)
    await work.tidy(replace(context, clock=FakeClock(START)))
    await work.tidy(replace(context, clock=FakeClock(START + timedelta(hours=23))))
    assert await context.storage.head(segment_blob(A))
    await work.tidy(replace(context, clock=FakeClock(START + timedelta(hours=25))))
    assert await context.storage.head(segment_blob(A)) is None
    assert await context.storage.head(segment_blob(B))
    assert await segments.known_segments(context.pool, "") == [B]


async def unused(context: Context) -> int:
    """A film, and a segment A that nobody has and that is marked for removal."""
    film_id = await a_rendering_film(context)
    await put_blob(context, film_id)
    assert await segments.mark_unused(context.pool, START, START) == []
    assert await segments.mark_unused(context.pool, START + DAY, START + DAY) == [A]
    return film_id


async def test_a_collection_that_was_cut_off_goes_on(context: Context) -> None:
    film_id = await unused(context)

    async def die(key: str) -> None:
        await context.storage.delete(key)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await segments.collect(context.pool, A, die)
    # Blob gone, row marked: nobody is given it any more.
    await plan(context, film_id, A)
    assert await names(context, film_id) == [None]
    assert await segments.known_segments(context.pool, "") == []
    await work.tidy(context)
    assert await context.pool.fetchval("SELECT count(*) FROM segments") == 0


async def test_a_segment_wanted_again_while_it_goes_is_whole_in_the_end(context: Context) -> None:
    film_id = await unused(context)
    await plan(context, film_id, A)
    removing, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(key: str) -> None:
        removing.set()
        await go_on.wait()
        await context.storage.delete(key)

    collecting = asyncio.create_task(segments.collect(context.pool, A, slowly))
    await removing.wait()
    keeping = asyncio.create_task(put_blob(context, film_id))
    await asyncio.sleep(0.2)
    assert not keeping.done(), "it waits for the collector"
    go_on.set()
    assert await collecting
    await keeping
    assert await context.storage.get(segment_blob(A)) == b"data"
    assert await names(context, film_id) == [A]


async def test_what_is_being_linked_is_not_marked(context: Context) -> None:
    film_id = await a_rendering_film(context)
    await put_blob(context, film_id)
    await segments.mark_unused(context.pool, START, START)
    async with context.pool.acquire() as connection, connection.transaction():
        film = await making.get(context, film_id)
        await rendering.write_plan(connection, film, Plan(segments=[planned()], next_at=None))
        async with asyncio.timeout(5):
            assert await segments.mark_unused(context.pool, START + DAY, START + DAY) == []
    assert await segments.mark_unused(context.pool, START + DAY, START + DAY) == []


async def test_a_film_that_is_no_longer_rendered_takes_nothing(context: Context) -> None:
    film_id = await a_rendering_film(context)
    await plan(context, film_id, A)
    await store.cancel(context.pool, film_id)
    assert await plan(context, film_id, B) is False
    assert await rendering.wanted(context.pool, film_id, moment_of(START)) is None
    assert [one.wanted for one in await segments.listed(context.pool, film_id)] == [A]


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
    await states.fail(context.pool, film_id, "no", None)
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
