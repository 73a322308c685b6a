"""The SQL of jobs: enqueueing, what a renderer writes while it works, what a person reads.

A state is changed only through procrastinate's own functions. Every change tells the topics
``jobs`` and ``job:<id>``, with the job's id.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import asyncpg
import eliot

import db_utils
from vigil import events
from vigil.errors import Conflict, NotFound
from vigil.jobs.model import Job

QUEUEING_LOCK_INDEX = "procrastinate_jobs_queueing_lock_idx_v1"
STALLED_S = 10.0
"""A worker whose last heartbeat is older than this is taken for dead."""
MOST_ATTEMPTS = 20
"""A job whose renderer died under it is taken up again so often, then it has failed."""

JOBS = """
    SELECT j.id, j.task_name AS task, j.queue_name AS queue, j.status::text AS status,
        j.priority, j.lock, j.attempts, j.args AS arguments, j.scheduled_at AS run_at,
        j.abort_requested,
        p.subject, p.title, p.part, p.done, p.total, p.unit, p.message, p.error, p.failures,
        p.host, p.pid, p.log_task, p.created_at, p.started_at, p.updated_at, now() AS now,
        j.status = 'doing' AND coalesce(
            w.last_heartbeat < now() - make_interval(secs => 10), true) AS lost,
        (SELECT count(*) FROM procrastinate_workers
            WHERE last_heartbeat >= now() - make_interval(secs => 10)) AS renderers,
        (SELECT o.id FROM procrastinate_jobs o
            WHERE j.status = 'todo' AND o.lock = j.lock AND o.id <> j.id
                AND (o.status = 'doing' OR (o.status = 'todo'
                    AND (o.priority > j.priority OR (o.priority = j.priority AND o.id < j.id))))
            ORDER BY o.status = 'doing' DESC, o.priority DESC, o.id LIMIT 1) AS waits_for
    FROM procrastinate_jobs j
    JOIN job_progress p ON p.job_id = j.id
    LEFT JOIN procrastinate_workers w ON w.id = j.worker_id
"""
"""Begins a statement that answers with jobs as they stand."""


async def enqueue(
    db: db_utils.Database,
    *,
    task: str,
    subject: str,
    title: str,
    arguments: Mapping[str, Any],
    queue: str = "default",
    lock: str | None = None,
    queueing_lock: str | None = None,
    priority: int = 0,
    run_at: datetime | None = None,
    part: bool = False,
) -> int | None:
    """Put a job into the queue, in the caller's transaction: no commit, no job.

    Args:
        db: a connection in a transaction, or the pool for a transaction of its own.
        task: name of the Task.
        subject: what the job works on, ``film:12``.
        title: one line for a person.
        arguments: given to the Task; what JSON can say.
        queue: the Task's queue.
        lock: of the jobs with the same lock, one runs at a time, in order.
        queueing_lock: of the jobs with the same one, one waits at a time.
        priority: higher runs first.
        run_at: not before this moment.
        part: it is one of many of the same work on its subject; lists leave it out.

    Returns the job's id; ``None`` when one with the same queueing lock waits already.
    """
    with eliot.start_task(action_type=f"job:{task}", subject=subject, title=title) as story:
        try:
            async with db_utils.transaction(db) as connection:
                job_id: int = await connection.fetchval(
                    """
                    SELECT (procrastinate_defer_jobs_v1(ARRAY[ROW(
                        $1::varchar, $2::varchar, $3::integer, $4::text, $5::text, $6::jsonb,
                        $7::timestamptz)::procrastinate_job_to_defer_v1]))[1]
                    """,
                    queue,
                    task,
                    priority,
                    lock,
                    queueing_lock,
                    dict(arguments),
                    run_at,
                )
                await connection.execute(
                    """
                    INSERT INTO job_progress (job_id, subject, title, log_task, part)
                    VALUES ($1, $2, $3, $4, $5)
                    """,
                    job_id,
                    subject,
                    title,
                    story.task_uuid,
                    part,
                )
                await _tell(connection, job_id)
        except asyncpg.UniqueViolationError as error:
            if error.constraint_name != QUEUEING_LOCK_INDEX:
                raise
            return None
        return job_id


async def get(db: db_utils.Database, job_id: int) -> Job | None:
    """One job, or ``None``."""
    row = await db.fetchrow(JOBS + "WHERE j.id = $1", job_id)
    return None if row is None else Job(**row)


async def cancel(db: db_utils.Database, job_id: int) -> bool:
    """Cancel a job that waits, or ask for the end of one that runs; ``False`` for any other."""
    async with db_utils.transaction(db) as connection:
        found = await connection.fetchval(
            "SELECT procrastinate_cancel_job_v1($1, abort => true, delete_job => false)", job_id
        )
        if found is not None:
            await _touch(connection, job_id)
        return found is not None


async def retry(db: db_utils.Database, job_id: int) -> None:
    """Put a failed job back into the queue; raises NotFound or Conflict."""
    async with db_utils.transaction(db) as connection:
        status = await connection.fetchval(
            "SELECT status::text FROM procrastinate_jobs WHERE id = $1 FOR UPDATE", job_id
        )
        if status is None:
            raise NotFound(f"there is no job {job_id}")
        if status != "failed":
            raise Conflict("only a failed job can be tried again")
        try:
            await connection.execute(
                "SELECT procrastinate_retry_job_v2($1, NULL, NULL, NULL, NULL)", job_id
            )
        except asyncpg.UniqueViolationError:
            raise Conflict("the same work is already in the queue") from None
        await connection.execute(
            "UPDATE job_progress SET failures = 0, updated_at = now() WHERE job_id = $1", job_id
        )
        await _tell(connection, job_id)


async def begin(
    db: db_utils.Database, job_id: int, worker_id: int | None, *, host: str, pid: int
) -> Job | None:
    """Note that an attempt begins, and who makes it; ``None`` when it is not this worker's."""
    async with db_utils.transaction(db) as connection:
        if not await _ours(connection, job_id, worker_id):
            return None
        await connection.execute(
            """
            UPDATE job_progress SET started_at = now(), updated_at = now(), message = '',
                host = $2, pid = $3
            WHERE job_id = $1
            """,
            job_id,
            host,
            pid,
        )
        await _tell(connection, job_id)
        return await get(connection, job_id)


async def save(
    db: db_utils.Database, job_id: int, worker_id: int | None, values: Mapping[str, Any]
) -> bool:
    """Write progress; ``False``, and nothing written, when the job is not this worker's."""
    async with db_utils.transaction(db) as connection:
        found = await connection.fetchval(
            """
            UPDATE job_progress p SET done = coalesce($3, done), total = coalesce($4, total),
                unit = coalesce($5, unit), message = coalesce($6, message), updated_at = now()
            FROM procrastinate_jobs j
            WHERE p.job_id = $1 AND j.id = $1 AND j.status = 'doing'
                AND (j.worker_id IS NULL OR j.worker_id = $2)
            RETURNING p.job_id
            """,
            job_id,
            worker_id,
            values.get("done"),
            values.get("total"),
            values.get("unit"),
            values.get("message"),
        )
        if found is not None:
            await _tell(connection, job_id)
        return found is not None


async def finish(
    db: db_utils.Database, job_id: int, worker_id: int | None, status: str, error: str | None
) -> bool:
    """End a job for good (succeeded, failed, aborted); ``False`` when it is not this worker's."""
    async with db_utils.transaction(db) as connection:
        if not await _ours(connection, job_id, worker_id):
            return False
        await _finish(connection, job_id, status, error)
        return True


async def put_back(
    db: db_utils.Database,
    job_id: int,
    worker_id: int | None,
    delay_s: float | None,
    error: str | None,
) -> bool:
    """Put a job back into the queue for another attempt; ``False`` when not this worker's.

    Args:
        db: the database.
        job_id: the job.
        worker_id: whoever puts it back; it must still be the job's worker.
        delay_s: seconds before which it is not taken up; ``None``: at once.
        error: why the attempt failed; ``None`` when it was only interrupted.
    """
    async with db_utils.transaction(db) as connection:
        if not await _ours(connection, job_id, worker_id):
            return False
        if await connection.fetchval(
            "SELECT abort_requested FROM procrastinate_jobs WHERE id = $1", job_id
        ):
            await _finish(connection, job_id, "aborted", error)
            return True
        await connection.execute(
            """
            SELECT procrastinate_retry_job_v2(
                $1, now() + make_interval(secs => $2::float8), NULL, NULL, NULL)
            """,
            job_id,
            delay_s,
        )
        subject = await connection.fetchval(
            """
            UPDATE job_progress SET error = coalesce($2, error), updated_at = now(),
                failures = failures + ($2::text IS NOT NULL)::integer
            WHERE job_id = $1 RETURNING subject
            """,
            job_id,
            error,
        )
        await _tell(connection, job_id)
        if error is not None and subject:
            await events.notify(connection, subject, job=job_id)
        return True


async def put_back_stalled(db: db_utils.Database) -> list[int]:
    """Put the jobs of dead workers back into the queue; returns their ids.

    Nobody is taken for dead while the server has only just started: nobody could have told.

    One that was to be cancelled is cancelled; one that has lost its renderer again and again
    has failed, since it may be what kills them.
    """
    async with db_utils.transaction(db) as connection:
        rows = await connection.fetch(
            """
            SELECT j.id, j.attempts - coalesce(p.failures, 0) AS attempts, j.abort_requested
            FROM procrastinate_jobs j LEFT JOIN job_progress p ON p.job_id = j.id
            LEFT JOIN procrastinate_workers w ON w.id = j.worker_id
            WHERE j.status = 'doing' AND (j.worker_id IS NULL
                OR w.last_heartbeat < now() - make_interval(secs => $1))
                AND pg_postmaster_start_time() < now() - make_interval(secs => $1)
            ORDER BY j.id FOR UPDATE OF j SKIP LOCKED
            """,
            STALLED_S,
        )
        for row in rows:
            if row["abort_requested"]:
                await _finish(connection, row["id"], "aborted", None)
            elif row["attempts"] + 1 >= MOST_ATTEMPTS:
                reason = f"its renderer was lost, attempt {row['attempts'] + 1}"
                await _finish(connection, row["id"], "failed", reason)
            else:
                await connection.execute(
                    "SELECT procrastinate_retry_job_v2($1, NULL, NULL, NULL, NULL)", row["id"]
                )
                await _touch(connection, row["id"])
        return [row["id"] for row in rows]


async def prune(db: db_utils.Database, *, limit: int = 1000) -> int:
    """Delete jobs that ended a week ago, or a day ago when they succeeded; returns how many.

    Of the successes of one subject only the newest twenty stay longer than ten minutes: a film
    that grows for ever has a job every few seconds. So do parts of others only where they failed.
    """
    result: int = await db.fetchval(
        """
        WITH ended AS (
            SELECT j.id, j.status, coalesce(p.updated_at, '-infinity') AS at, p.part,
                row_number() OVER (PARTITION BY p.subject, j.status, p.part ORDER BY j.id DESC)
                    AS place
            FROM procrastinate_jobs j LEFT JOIN job_progress p ON p.job_id = j.id
            WHERE j.status IN ('succeeded', 'failed', 'cancelled', 'aborted')
        ), old AS (
            SELECT id FROM ended
            WHERE at < now() - CASE WHEN status = 'failed' THEN interval '7 days'
                WHEN part THEN interval '10 minutes'
                WHEN status <> 'succeeded' THEN interval '7 days'
                WHEN place <= 20 THEN interval '1 day' ELSE interval '10 minutes' END
            LIMIT $1
        ), gone AS (DELETE FROM procrastinate_jobs WHERE id IN (SELECT id FROM old) RETURNING id)
        SELECT count(*) FROM gone
        """,
        limit,
    )
    return result


async def beat(db: db_utils.Database, worker_id: int) -> bool:
    """A worker's sign of life; ``False`` when it was taken for dead and its row is gone."""
    found = await db.fetchval(
        "UPDATE procrastinate_workers SET last_heartbeat = now() WHERE id = $1 RETURNING id",
        worker_id,
    )
    return found is not None


async def _ours(connection: db_utils.Connection, job_id: int, worker_id: int | None) -> bool:
    """Whether a job still runs in this worker; locks its row. A worker that was taken for dead
    and is not has no row any more: its job is its own until it is put back."""
    found = await connection.fetchval(
        """
        SELECT id FROM procrastinate_jobs
        WHERE id = $1 AND status = 'doing' AND (worker_id IS NULL OR worker_id = $2) FOR UPDATE
        """,
        job_id,
        worker_id,
    )
    return found is not None


async def _finish(
    connection: db_utils.Connection, job_id: int, status: str, error: str | None
) -> None:
    await connection.execute(
        "SELECT procrastinate_finish_job_v1($1, $2::text::procrastinate_job_status, false)",
        job_id,
        status,
    )
    await connection.execute(
        """
        UPDATE job_progress SET error = $2, updated_at = now(),
            failures = failures + ($2::text IS NOT NULL)::integer
        WHERE job_id = $1
        """,
        job_id,
        error,
    )
    await _tell(connection, job_id)


async def _touch(connection: db_utils.Connection, job_id: int) -> None:
    await connection.execute("UPDATE job_progress SET updated_at = now() WHERE job_id = $1", job_id)
    await _tell(connection, job_id)


async def _tell(connection: db_utils.Connection, job_id: int) -> None:
    await events.notify(connection, "jobs", id=job_id)
    await events.notify(connection, f"job:{job_id}", id=job_id)
