"""Jobs while they are done: progress, errors, cancelling, stopping, dying."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import asyncpg
import eliot
import pytest

import db_utils
from tests.jobs.worker import count
from vigil import log, postgres
from vigil.context import Context, open_context
from vigil.errors import DiskFull, Invalid, SourceError, StoreAway
from vigil.jobs import engine, store
from vigil.jobs.model import Job, RunningJob, Task
from vigil.settings import ROOT, Settings

WORKER = Path(__file__).with_name("worker.py")


@contextlib.asynccontextmanager
async def rendering(
    context: Context, *tasks: Task, concurrency: int = 1
) -> AsyncIterator[asyncio.Event]:
    """An engine in this process."""
    stop = asyncio.Event()
    running = asyncio.create_task(engine.run(context, tasks, stop, concurrency=concurrency))
    try:
        yield stop
    finally:
        stop.set()
        await asyncio.wait_for(running, 15)


@contextlib.asynccontextmanager
async def worker_process(settings: Settings) -> AsyncIterator[asyncio.subprocess.Process]:
    """An engine in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(WORKER),
        settings.database_url or "",
        str(settings.data_dir),
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def put(db: db_utils.Database, task: str = "test.task", **arguments: Any) -> int:
    job_id = await store.enqueue(
        db, task=task, subject="thing:1", title="Work on a thing", arguments=arguments
    )
    assert job_id is not None
    return job_id


async def until(
    db: db_utils.Database, job_id: int, true: Callable[[Job], bool], seconds: float = 10
) -> Job:
    deadline = time.monotonic() + seconds
    while True:
        try:
            job = await store.get(db, job_id)
        except db_utils.GONE:
            assert time.monotonic() < deadline, "the database is away"
        else:
            assert job is not None
            if true(job):
                return job
            assert time.monotonic() < deadline, f"still {job.state}: {job}"
        await asyncio.sleep(0.02)


async def test_a_job_is_done(context: Context) -> None:
    seen: list[dict[str, Any]] = []

    async def work(given: Context, job: RunningJob) -> None:
        assert given is context
        seen.append(job.arguments)
        await job.progress(1, 2, "frames", "first", force=True)
        halfway = await store.get(context.pool, job.id)
        assert halfway is not None
        assert (halfway.state, halfway.done, halfway.total) == ("running", 1, 2)
        for _ in range(100):
            await job.progress(2)

    async with rendering(context, Task("test.task", work)):
        job_id = await put(context.pool, thing=7)
        job = await until(context.pool, job_id, lambda job: job.finished)
    assert seen == [{"thing": 7}]
    assert (job.state, job.done, job.total, job.unit) == ("done", 2, 2, "frames")
    assert job.error is None
    assert job.started_at is not None
    assert job.finished_at is not None


async def test_a_new_job_is_taken_up_at_once(context: Context) -> None:
    async def work(_context: Context, _job: RunningJob) -> None:
        return

    async with rendering(context, Task("test.task", work)):
        await until(context.pool, await put(context.pool), lambda job: job.finished)
        took = []
        for _ in range(5):
            began = time.monotonic()
            await until(context.pool, await put(context.pool), lambda job: job.finished)
            took.append(time.monotonic() - began)
    assert sorted(took)[2] < engine.POLL_S / 2  # woken by NOTIFY, not by the next poll


async def test_progress_is_throttled_and_told(context: Context) -> None:
    async def work(_context: Context, job: RunningJob) -> None:
        for done in range(100):
            await job.progress(done, 100)
            await asyncio.sleep(0.01)

    async with context.listener.subscribe("jobs") as news:
        async with rendering(context, Task("test.task", work)):
            job_id = await put(context.pool)
            job = await until(context.pool, job_id, lambda job: job.finished)
        told = sum("id" in news.get_nowait() for _ in range(news.qsize()))
    assert job.done == 99
    assert job.started_at is not None
    seconds = (job.updated_at - job.started_at).total_seconds()
    assert 5 <= told <= 4 * seconds + 6  # four a second; enqueued, begun, last words, finished


async def test_errors_are_tried_again_until_they_are_too_many(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "RETRY_MIN_S", 0.1)

    async def work(_context: Context, _job: RunningJob) -> None:
        raise SourceError("the moon is down")

    async with rendering(context, Task("test.task", work, attempts=3)):
        job_id = await put(context.pool)
        job = await until(context.pool, job_id, lambda job: job.finished)
    assert (job.state, job.failures, job.error) == ("failed", 3, "the moon is down")


async def test_a_full_disk_is_waited_for(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "RETRY_MIN_S", 0.01)
    monkeypatch.setattr(engine, "RETRY_MAX_S", 0.01)
    room = asyncio.Event()

    async def work(_context: Context, _job: RunningJob) -> None:
        if not room.is_set():
            raise DiskFull("the disk is full")

    async with rendering(context, Task("test.task", work, attempts=2)):
        job_id = await put(context.pool)
        job = await until(context.pool, job_id, lambda job: job.failures >= 3)
        assert (job.finished, job.error) == (False, "the disk is full")
        room.set()
        job = await until(context.pool, job_id, lambda job: job.finished)
    assert job.state == "done"


async def test_a_success_forgets_the_error_before_it(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "RETRY_MIN_S", 0.1)
    attempts = []

    async def work(_context: Context, job: RunningJob) -> None:
        attempts.append(job.id)
        if len(attempts) == 1:
            raise ValueError("a bug")

    async with rendering(context, Task("test.task", work)):
        job_id = await put(context.pool)
        job = await until(context.pool, job_id, lambda job: job.failures == 1)
        assert job.error == "unexpected ValueError: a bug"
        job = await until(context.pool, job_id, lambda job: job.finished)
    assert (job.state, job.failures, job.error) == ("done", 1, None)
    assert attempts == [job_id, job_id]


async def test_what_cannot_help_is_not_tried_again(context: Context) -> None:
    async def work(_context: Context, _job: RunningJob) -> None:
        raise Invalid("a film of nothing")

    async with rendering(context, Task("test.task", work)):
        job_id = await put(context.pool)
        job = await until(context.pool, job_id, lambda job: job.finished)
        assert (job.state, job.failures, job.error) == ("failed", 1, "a film of nothing")
        await store.retry(context.pool, job_id)
        job = await until(context.pool, job_id, lambda job: job.attempts > 2 and job.finished)
    assert job.failures == 1


def test_waits_grow_and_have_a_cap() -> None:
    job = Job.__new__(Job)
    task = Task("test.task", count, attempts=100)
    waits = []
    for failures in (0, 1, 2, 3, 20):
        object.__setattr__(job, "failures", failures)
        for name, value in (("id", 1), ("title", "A job")):
            object.__setattr__(job, name, value)
        waits.append(engine.judge(task, job, SourceError("no")).delay_s or 0)
    assert all(5 * 2**n / 2 <= wait <= 5 * 2**n for n, wait in enumerate(waits[:4]))
    assert 300 <= waits[4] <= 600
    assert (engine.judge(task, job, SourceError("no", retry_after=900)).delay_s or 0) >= 900
    assert 30 <= (engine.judge(task, job, DiskFull("full")).delay_s or 0) <= 60
    object.__setattr__(job, "failures", task.attempts)
    assert engine.judge(task, job, SourceError("no")).delay_s is None
    for waited_for in (DiskFull("full"), StoreAway("not mounted")):
        assert engine.judge(task, job, waited_for).delay_s is not None


async def test_a_task_that_nobody_knows(context: Context) -> None:
    async with rendering(context, Task("test.task", count)):
        job_id = await put(context.pool, "test.unknown")
        job = await until(context.pool, job_id, lambda job: job.finished)
    assert job.state == "failed"
    assert "test.unknown" in (job.error or "")


async def test_cancel_while_running(context: Context) -> None:
    ended = asyncio.Event()

    async def work(_context: Context, job: RunningJob) -> None:
        await job.progress(message="for ever", force=True)
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    async with rendering(context, Task("test.task", work)):
        job_id = await put(context.pool)
        await until(context.pool, job_id, lambda job: job.message == "for ever")
        began = time.monotonic()
        assert await store.cancel(context.pool, job_id)
        job = await until(context.pool, job_id, lambda job: job.finished)
        assert time.monotonic() - began < 3
        assert ended.is_set()
        assert (job.state, job.failures) == ("cancelled", 0)
        other = await put(context.pool)
        await until(context.pool, other, lambda job: job.state == "running")
        await store.cancel(context.pool, other)


async def test_an_error_while_being_cancelled_is_no_failure(context: Context) -> None:
    async def work(_context: Context, job: RunningJob) -> None:
        await job.progress(message="for ever", force=True)
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise SourceError("torn in two") from None

    async with rendering(context, Task("test.task", work)):
        job_id = await put(context.pool)
        await until(context.pool, job_id, lambda job: job.message == "for ever")
        await store.cancel(context.pool, job_id)
        job = await until(context.pool, job_id, lambda job: job.finished)
    assert (job.state, job.error) == ("cancelled", None)


async def test_stopping_puts_the_job_back(context: Context) -> None:
    began = asyncio.Event()

    async def work(_context: Context, job: RunningJob) -> None:
        await job.progress(5, 10, force=True)
        began.set()
        await asyncio.sleep(60)

    async with rendering(context, Task("test.task", work)) as stop:
        job_id = await put(context.pool)
        await asyncio.wait_for(began.wait(), 10)
        stop.set()
        asked = time.monotonic()
    assert time.monotonic() - asked < 5
    job = await until(context.pool, job_id, lambda job: True)
    assert (job.state, job.failures, job.error, job.done) == ("waiting", 0, None, 5)
    assert job.run_at is None
    assert await context.pool.fetchval("SELECT count(*) FROM procrastinate_workers") == 0


async def test_lock_lets_one_run_at_a_time_in_order(context: Context) -> None:
    running: list[int] = []
    most: list[int] = []
    order: list[int] = []

    async def work(_context: Context, job: RunningJob) -> None:
        running.append(job.id)
        order.append(job.id)
        most.append(len(running))
        await asyncio.sleep(0.2)
        running.remove(job.id)

    ids = []
    for _ in range(3):
        job_id = await store.enqueue(
            context.pool,
            task="test.task",
            subject="thing:1",
            title="One at a time",
            arguments={},
            lock="thing:1",
        )
        assert job_id is not None
        ids.append(job_id)
    async with rendering(context, Task("test.task", work), concurrency=3):
        await until(context.pool, ids[-1], lambda job: job.finished)
    assert order == ids
    assert max(most) == 1


async def test_whoever_lost_a_job_leaves_it_alone(context: Context) -> None:
    """As when a laptop slept: another took the job up, the first one wakes and still works."""
    began, ended = asyncio.Event(), asyncio.Event()

    async def work(_context: Context, job: RunningJob) -> None:
        began.set()
        try:
            for done in range(600):
                await job.progress(done)
                await asyncio.sleep(0.1)
        finally:
            ended.set()

    async with rendering(context, Task("test.task", work)):
        job_id = await put(context.pool)
        await asyncio.wait_for(began.wait(), 10)
        other = await context.pool.fetchval(
            "INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id"
        )
        await context.pool.execute(
            "UPDATE procrastinate_jobs SET worker_id = $2 WHERE id = $1", job_id, other
        )
        await asyncio.wait_for(ended.wait(), 5)
        assert await store.finish(context.pool, job_id, other, "succeeded", None)
        await asyncio.sleep(0.5)
        job = await until(context.pool, job_id, lambda job: True)
    assert (job.state, job.error) == ("done", None)


async def test_a_worker_that_was_taken_for_dead_begins_anew(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "HEARTBEAT_S", 0.2)

    async def work(_context: Context, _job: RunningJob) -> None:
        return

    async with rendering(context, Task("test.task", work)):
        await until(context.pool, await put(context.pool), lambda job: job.finished)
        await context.pool.execute("DELETE FROM procrastinate_workers")
        await until(context.pool, await put(context.pool), lambda job: job.finished)
        assert await context.pool.fetchval("SELECT count(*) FROM procrastinate_workers") == 1


async def test_the_job_in_hand_outlives_cut_connections(context: Context) -> None:
    async def work(_context: Context, job: RunningJob) -> None:
        for done in range(30):
            await job.progress(done + 1, 30)
            await asyncio.sleep(0.1)

    async with rendering(context, Task("test.task", work)):
        job_id = await put(context.pool)
        await until(context.pool, job_id, lambda job: job.done > 1)
        await cut(context.settings)
        job = await until(context.pool, job_id, lambda job: job.finished, seconds=20)
        assert (job.state, job.attempts, job.done) == ("done", 1, 30)
        await until(context.pool, await put(context.pool), lambda job: job.finished)


async def cut(settings: Settings) -> None:
    """Cut every connection to the test's database."""
    connection = await asyncpg.connect(settings.database_url)
    await connection.execute(
        """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()
        """
    )
    await connection.close()


async def test_the_story_of_a_job_is_one_tree(context: Context, tmp_path: Path) -> None:
    messages: list[dict[str, Any]] = []

    async def work(_context: Context, _job: RunningJob) -> None:
        log.info("jobs", "inside")

    eliot.add_destinations(messages.append)
    try:
        async with rendering(context, Task("test.task", work)):
            job_id = await put(context.pool)
            job = await until(context.pool, job_id, lambda job: job.finished)
    finally:
        eliot.remove_destination(messages.append)
    story = [m for m in messages if m["task_uuid"] == job.log_task]
    assert any(m.get("action_type") == "job:test.task" for m in story)
    assert any(m.get("action_type") == "attempt:test.task" for m in story)
    assert any(m.get("text") == "inside" for m in story)
    levels = [tuple(m["task_level"]) for m in story]
    assert len(levels) == len(set(levels))


@pytest.mark.slow
async def test_a_killed_renderers_job_is_taken_up_within_30_seconds(
    context: Context, settings: Settings
) -> None:
    job_id = await put(context.pool, "test.count", total=60)
    async with worker_process(settings) as first:
        await until(context.pool, job_id, lambda job: job.done > 3, seconds=20)
        async with worker_process(settings):
            await asyncio.sleep(2)
            first.kill()
            await first.wait()
            killed = time.monotonic()
            job = await until(context.pool, job_id, lambda job: job.attempts == 1, seconds=40)
            job = await until(context.pool, job_id, lambda job: job.state == "running", 40)
            took = time.monotonic() - killed
            print(f"taken up after {took:.1f} s")
            assert took < 30
            job = await until(context.pool, job_id, lambda job: job.finished, seconds=30)
    assert (job.state, job.failures, job.error) == ("done", 0, None)


@pytest.mark.slow
async def test_sigterm_puts_the_job_back(context: Context, settings: Settings) -> None:
    job_id = await put(context.pool, "test.count", total=600)
    async with worker_process(settings) as process:
        await until(context.pool, job_id, lambda job: job.done > 3, seconds=20)
        process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        assert await asyncio.wait_for(process.wait(), 10) == 0
        assert time.monotonic() - began < 8
    job = await until(context.pool, job_id, lambda job: True)
    assert (job.state, job.failures) == ("waiting", 0)


@pytest.mark.slow
async def test_the_database_restarts_under_a_job() -> None:
    folder = Path(tempfile.mkdtemp(prefix="vigil-"))
    folder.chmod(0o755)
    settings = Settings(data_dir=folder)
    server = postgres.running(folder)
    await asyncio.to_thread(server.__enter__)
    try:
        async with (
            open_context(settings, "test") as context,
            rendering(context, Task("test.count", count)),
        ):
            job_id = await put(context.pool, "test.count", total=40)
            await until(context.pool, job_id, lambda job: job.done > 3)
            await asyncio.to_thread(server.__exit__, None, None, None)
            await asyncio.sleep(1)
            server = postgres.running(folder)
            await asyncio.to_thread(server.__enter__)
            await db_utils.wait_until_up(settings)
            job = await until(context.pool, job_id, lambda job: job.finished, seconds=20)
            assert (job.state, job.done, job.error) == ("done", 40, None)
            job_id = await put(context.pool, "test.count", total=1)
            await until(context.pool, job_id, lambda job: job.state == "done", seconds=20)
    finally:
        await asyncio.to_thread(server.__exit__, None, None, None)
        shutil.rmtree(folder, ignore_errors=True)
