"""Jobs in the database: the queue, what a person reads, what is forgotten."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import procrastinate
import procrastinate.schema
import pytest

import db_utils
from vigil.context import Context
from vigil.errors import Conflict, NotFound
from vigil.jobs import store
from vigil.jobs.listing import store as listing
from vigil.jobs.model import Job


async def put(db: db_utils.Database, **changes: Any) -> int:
    values: dict[str, Any] = {
        "task": "test.work",
        "subject": "thing:1",
        "title": "Work on a thing",
        "arguments": {"thing": 1},
    }
    job_id = await store.enqueue(db, **(values | changes))
    assert job_id is not None
    return job_id


async def read(db: db_utils.Database, job_id: int) -> Job:
    job = await store.get(db, job_id)
    assert job is not None
    return job


async def take(db: db_utils.Database, *, silent_s: float = 0) -> tuple[int, int]:
    """Be a worker that takes the next job; returns the ids of worker and job."""
    worker_id: int = await db.fetchval(
        """
        INSERT INTO procrastinate_workers (last_heartbeat)
        VALUES (now() - make_interval(secs => $1)) RETURNING id
        """,
        silent_s,
    )
    job_id: int = await db.fetchval(
        "SELECT id FROM procrastinate_fetch_job_v2(NULL, $1)", worker_id
    )
    return worker_id, job_id


async def server_is_up_for_a_while(db: db_utils.Database) -> None:
    """Nobody is taken for dead in the first ten seconds of a server."""
    age = "SELECT now() - pg_postmaster_start_time() < interval '11 seconds'"
    while await db.fetchval(age):
        await asyncio.sleep(0.5)


def test_schema_is_the_packages_own() -> None:
    ours = (db_utils.MIGRATIONS / "0002_procrastinate.sql").read_text()
    theirs = procrastinate.schema.SchemaManager.get_schema()
    assert ours.split("\n", 2)[2].strip() == theirs.strip()
    assert f"procrastinate {procrastinate.__version__}" in ours.split("\n")[0]


async def test_enqueue_and_read(pool: db_utils.Pool) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    job_id = await put(pool, priority=3, lock="thing:1", run_at=later, queue="slow")
    job = await read(pool, job_id)
    assert (job.task, job.queue, job.priority, job.lock) == ("test.work", "slow", 3, "thing:1")
    assert (job.subject, job.title) == ("thing:1", "Work on a thing")
    assert job.arguments == {"thing": 1}
    assert job.run_at == later
    assert (job.state, job.done, job.total, job.error) == ("waiting", 0, None, None)
    assert job.log_task
    assert await store.get(pool, job_id + 1) is None


async def test_no_commit_no_job(pool: db_utils.Pool) -> None:
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        job_id = await put(connection)
        assert await store.get(connection, job_id) is not None
        await transaction.rollback()
    assert await store.get(pool, job_id) is None
    assert await pool.fetchval("SELECT count(*) FROM procrastinate_jobs") == 0


async def test_queueing_lock_leaves_the_transaction_whole(pool: db_utils.Pool) -> None:
    async with pool.acquire() as connection, connection.transaction():
        first = await put(connection, queueing_lock="thing:1")
        again = await store.enqueue(
            connection,
            task="test.work",
            subject="thing:1",
            title="Twice",
            arguments={},
            queueing_lock="thing:1",
        )
        assert again is None
    assert [job.id for job in await listing.page(pool)] == [first]


async def test_why_it_waits(pool: db_utils.Pool) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    first = await put(pool, lock="thing:1")
    second = await put(pool, lock="thing:1")
    third = await put(pool, run_at=later)
    fourth = await put(pool)
    assert (await read(pool, first)).waiting_for == "no renderer is running"
    _, taken = await take(pool)
    assert taken == first
    assert (await read(pool, first)).waiting_for is None
    assert (await read(pool, second)).waits_for == first
    assert f"job {first}" in ((await read(pool, second)).waiting_for or "")
    assert "scheduled for" in ((await read(pool, third)).waiting_for or "")
    assert (await read(pool, fourth)).waiting_for == "waits for a free renderer"


async def test_pages(pool: db_utils.Pool) -> None:
    ids = [await put(pool, subject=f"thing:{n % 2}") for n in range(5)]
    await store.cancel(pool, ids[0])
    assert [job.id for job in await listing.page(pool, limit=2)] == [ids[4], ids[3]]
    assert [job.id for job in await listing.page(pool, before=ids[3], limit=2)] == [ids[2], ids[1]]
    assert [job.id for job in await listing.page(pool, subject="thing:1")] == [ids[3], ids[1]]
    assert [job.id for job in await listing.page(pool, state="cancelled")] == [ids[0]]
    assert [job.id for job in await listing.page(pool, state="cancelling")] == []
    assert len(await listing.page(pool, state="waiting")) == 4


async def test_cancel(pool: db_utils.Pool) -> None:
    running, waiting = await put(pool), await put(pool)
    await take(pool)
    assert await store.cancel(pool, waiting)
    assert (await read(pool, waiting)).state == "cancelled"
    assert await store.cancel(pool, running)
    job = await read(pool, running)
    assert job.state == "cancelling"
    assert job.actions(admin=True)["cancel"] == "it is being cancelled"
    assert not await store.cancel(pool, waiting)
    assert not await store.cancel(pool, running + 100)


async def test_retry(pool: db_utils.Pool) -> None:
    job_id = await put(pool, queueing_lock="thing:1")
    with pytest.raises(Conflict):
        await store.retry(pool, job_id)
    worker_id, _ = await take(pool)
    assert await store.finish(pool, job_id, worker_id, "failed", "it broke")
    job = await read(pool, job_id)
    assert (job.state, job.error, job.failures) == ("failed", "it broke", 1)
    assert job.actions(admin=True) == {"cancel": "it has already ended", "retry": None}
    assert job.actions(admin=False)["retry"] == "only an admin can try a job again"
    other = await put(pool, queueing_lock="thing:1")
    with pytest.raises(Conflict, match="already in the queue"):
        await store.retry(pool, job_id)
    await store.cancel(pool, other)
    await store.retry(pool, job_id)
    job = await read(pool, job_id)
    assert (job.state, job.failures, job.error) == ("waiting", 0, "it broke")
    with pytest.raises(NotFound):
        await store.retry(pool, job_id + 100)


async def test_put_back(pool: db_utils.Pool) -> None:
    job_id = await put(pool)
    worker_id, _ = await take(pool)
    assert await store.put_back(pool, job_id, worker_id, 60, "not yet")
    job = await read(pool, job_id)
    assert (job.state, job.failures, job.attempts, job.error) == ("waiting", 1, 1, "not yet")
    assert job.run_at is not None
    assert 55 < (job.run_at - job.now).total_seconds() <= 60
    assert "tried again at" in (job.waiting_for or "")
    assert not await store.put_back(pool, job_id, worker_id, None, None)


async def test_put_back_of_what_was_to_be_cancelled(pool: db_utils.Pool) -> None:
    job_id = await put(pool)
    worker_id, _ = await take(pool)
    await store.cancel(pool, job_id)
    assert await store.put_back(pool, job_id, worker_id, None, None)
    assert (await read(pool, job_id)).state == "cancelled"


async def test_nobody_writes_into_a_job_of_another(pool: db_utils.Pool) -> None:
    job_id = await put(pool)
    first, _ = await take(pool)
    assert await store.save(pool, job_id, first, {"done": 1, "total": 9, "unit": "frames"})
    assert await store.put_back(pool, job_id, first, None, None)
    assert not await store.save(pool, job_id, first, {"done": 2})
    second, taken = await take(pool)
    assert taken == job_id
    assert not await store.save(pool, job_id, first, {"done": 3})
    assert not await store.finish(pool, job_id, first, "succeeded", None)
    assert await store.save(pool, job_id, second, {"message": "second"})
    job = await read(pool, job_id)
    assert (job.done, job.total, job.unit, job.message) == (1, 9, "frames", "second")


async def test_stalled(pool: db_utils.Pool) -> None:
    await server_is_up_for_a_while(pool)
    lost, cancelled, poison, waited, alive = [await put(pool) for _ in range(5)]
    for _ in range(4):
        await take(pool, silent_s=11)
    await take(pool)
    await store.cancel(pool, cancelled)
    await pool.execute("UPDATE procrastinate_jobs SET attempts = 19 WHERE id = $1", poison)
    await pool.execute("UPDATE procrastinate_jobs SET attempts = 99 WHERE id = $1", waited)
    await pool.execute("UPDATE job_progress SET failures = 98 WHERE job_id = $1", waited)
    assert (await read(pool, lost)).lost
    assert "renderer was lost" in ((await read(pool, lost)).waiting_for or "")
    assert await store.put_back_stalled(pool) == [lost, cancelled, poison, waited]
    states = {job.id: job.state for job in await listing.page(pool)}
    assert states == {
        lost: "waiting",
        cancelled: "cancelled",
        poison: "failed",
        waited: "waiting",
        alive: "running",
    }
    assert "renderer was lost" in ((await read(pool, poison)).error or "")
    assert await store.put_back_stalled(pool) == []


async def test_heartbeat_of_a_worker_that_was_pruned(pool: db_utils.Pool) -> None:
    await server_is_up_for_a_while(pool)
    await put(pool)
    worker_id, _ = await take(pool, silent_s=60)
    assert await store.beat(pool, worker_id)
    assert await store.put_back_stalled(pool) == []
    await pool.execute("DELETE FROM procrastinate_workers")
    assert not await store.beat(pool, worker_id)


async def test_prune(pool: db_utils.Pool) -> None:
    worker_id = None
    ages = {}
    for status, hours in [("succeeded", 25), ("succeeded", 23), ("failed", 25), ("failed", 169)]:
        job_id = await put(pool)
        worker_id, _ = await take(pool)
        await store.finish(pool, job_id, worker_id, status, None)
        ages[job_id] = hours
    waiting = await put(pool)
    ages[waiting] = 1000
    for job_id, hours in ages.items():
        await pool.execute(
            "UPDATE job_progress SET updated_at = now() - make_interval(hours => $2)"
            " WHERE job_id = $1",
            job_id,
            hours,
        )
    assert await store.prune(pool) == 2
    first, kept, failed, last = list(ages)[:4]
    assert {job.id for job in await listing.page(pool)} == {kept, failed, waiting}
    assert await pool.fetchval("SELECT count(*) FROM job_progress") == 3
    assert first not in (kept, failed)
    assert last not in (kept, failed)


async def test_prune_keeps_few_of_what_succeeds_again_and_again(pool: db_utils.Pool) -> None:
    ids = [await put(pool, subject="film:1") for _ in range(25)]
    other = await put(pool, subject="film:2")
    for job_id in (*ids, other):
        worker_id, taken = await take(pool)
        assert taken == job_id
        await store.finish(pool, job_id, worker_id, "succeeded", None)
    assert await store.prune(pool) == 0
    await pool.execute("UPDATE job_progress SET updated_at = now() - interval '11 minutes'")
    assert await store.prune(pool) == 5
    assert {job.id for job in await listing.page(pool)} == {*ids[5:], other}


async def heard(news: asyncio.Queue[dict[str, Any]]) -> int:
    """The next job that is spoken of."""
    async with asyncio.timeout(10):
        while "id" not in (message := await news.get()):
            pass
    found: int = message["id"]
    return found


async def test_news(context: Context) -> None:
    async with context.listener.subscribe("jobs") as news:
        made = []
        while news.empty():  # the listener may still be connecting
            made.append(await put(context.pool))
            await asyncio.sleep(0.1)
        made.append(await put(context.pool))
        assert await heard(news) in made
    async with context.listener.subscribe(f"job:{made[0]}") as news:
        await store.cancel(context.pool, made[-1])
        await store.cancel(context.pool, made[0])
        assert await heard(news) == made[0]
