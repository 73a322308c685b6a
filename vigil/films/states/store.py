"""The SQL of a film's states: what jobs make of it, and what is due."""

from __future__ import annotations

from datetime import datetime

import db_utils
from vigil.films.model import Film
from vigil.films.store import (
    FILMS,
    JOIN,
    JOINING,
    WATCHED,
    enqueue_plan,
    film_of,
    get,
    subject,
    tell,
)
from vigil.jobs import store as jobs


async def begin(db: db_utils.Database, film_id: int, job_id: int) -> Film | None:
    """A job begins to plan a film; ``None`` when there is nothing to do for it any more."""
    async with db_utils.transaction(db) as connection:
        found = await connection.fetchval(
            """
            UPDATE films SET state = 'rendering', job_id = $2, next_at = NULL, changed_at = now()
            WHERE id = $1 AND state NOT IN ('cancelled', 'deleting') RETURNING id
            """,
            film_id,
            job_id,
        )
        if found is None:
            return None
        await tell(connection, film_id)
        return await get(connection, film_id)


async def growing_on(
    db: db_utils.Database, film: Film, next_at: datetime, error: str | None = None
) -> bool:
    """A film is up to date, but for what ``error`` says, and goes on later; ``False`` when it
    takes nothing any more."""
    async with db_utils.transaction(db) as connection:
        found = await connection.fetchval(
            """
            UPDATE films SET state = 'growing', next_at = $2, error = $3, changed_at = now()
            WHERE id = $1 AND state = 'rendering' RETURNING id
            """,
            film.id,
            next_at,
            error,
        )
        await tell(connection, film.id)
        return found is not None


async def done(db: db_utils.Database, film: Film, now: datetime) -> bool:
    """A film is whole; have it joined into one file. ``False`` when it takes nothing any more."""
    async with db_utils.transaction(db) as connection:
        found = await connection.fetchval(
            """
            UPDATE films SET state = 'done', next_at = NULL, error = NULL,
                to_at = coalesce(to_at, greatest($2, from_at)), changed_at = now()
            WHERE id = $1 AND state = 'rendering' RETURNING id
            """,
            film.id,
            now,
        )
        if found is None:
            return False
        await enqueue_join(connection, film)
        await tell(connection, film.id)
        return True


async def enqueue_join(
    connection: db_utils.Connection, film: Film, priority: int = JOINING
) -> None:
    """Have a film joined into one file; by itself only once what is worth more is done."""
    job_id = await jobs.enqueue(
        connection,
        task=JOIN,
        subject=subject(film.id),
        title=f"File of {film.title}",
        arguments={"film_id": film.id},
        lock=f"file:{film.id}",
        queueing_lock=f"file:{film.id}",
        priority=priority,
    )
    if job_id is not None:  # else one waits already
        await connection.execute("UPDATE films SET file_job_id = $2 WHERE id = $1", film.id, job_id)


async def ask_for_file(db: db_utils.Database, film: Film) -> None:
    """Somebody wants the file of a film now."""
    async with db_utils.transaction(db) as connection:
        await enqueue_join(connection, film, WATCHED)
        await tell(connection, film.id)


async def keep_file(db: db_utils.Database, film: Film, blob: str, bytes: int, key: str) -> bool:
    """A film was joined into one file; ``False`` when it is gone, or going."""
    async with db_utils.transaction(db) as connection:
        found = await connection.fetchval(
            """
            UPDATE films SET file_blob = $2, file_bytes = $3, file_key = $4, changed_at = now()
            WHERE id = $1 AND state <> 'deleting' RETURNING id
            """,
            film.id,
            blob,
            bytes,
            key,
        )
        await tell(connection, film.id)
        return found is not None


async def fail(db: db_utils.Database, film_id: int, error: str, next_at: datetime | None) -> None:
    """Say why a film could not be made whole, and when that is tried again by itself."""
    async with db_utils.transaction(db) as connection:
        await connection.execute(
            """
            UPDATE films SET state = 'failed', error = $2, next_at = $3, changed_at = now()
            WHERE id = $1 AND state = 'rendering'
            """,
            film_id,
            error,
            next_at,
        )
        await tell(connection, film_id)


async def due(db: db_utils.Database, now: datetime) -> list[Film]:
    """Films that a renderer should look at now."""
    rows = await db.fetch(
        FILMS
        + """
        WHERE f.next_at <= $1 AND f.state IN ('growing', 'failed') ORDER BY f.next_at LIMIT 200
        """,
        now,
    )
    return [film_of(row) for row in rows]


async def look_later(db: db_utils.Database, film: Film, next_at: datetime) -> None:
    """Nothing came: look at a growing film again later."""
    await db.execute(
        "UPDATE films SET next_at = $2 WHERE id = $1 AND state = 'growing' AND next_at = $3",
        film.id,
        next_at,
        film.next_at,
    )


async def enqueue(db: db_utils.Database, film: Film) -> None:
    """Enqueue a film's planning and clear when it is due, in one transaction."""
    async with db_utils.transaction(db) as connection:
        found = await connection.fetchval(
            """
            SELECT title FROM films
            WHERE id = $1 AND state NOT IN ('cancelled', 'deleting') FOR UPDATE
            """,
            film.id,
        )
        if found is not None:
            await enqueue_plan(connection, film.id, found)


async def mind_lost_jobs(db: db_utils.Database) -> list[int]:
    """Films that wait for jobs that have all ended: with the planning that was cancelled or has
    failed they end, else they are planned again. Returns the ids of those.

    A segment whose job has failed for good (its renderers were killed again and again) fails.
    """
    async with db_utils.transaction(db) as connection:
        await connection.execute(
            """
            UPDATE film_segments l SET error = coalesce(p.error, 'its job failed')
            FROM films f, procrastinate_jobs j LEFT JOIN job_progress p ON p.job_id = j.id
            WHERE f.state = 'rendering' AND l.film_id = f.id AND l.job_id = j.id
                AND (l.hash IS NULL OR l.hash <> l.wanted) AND l.lost = 0 AND l.error IS NULL
                AND j.status = 'failed'
            """
        )
        rows = await connection.fetch(
            """
            SELECT f.id, f.title, j.status::text AS status, p.error
            FROM films f LEFT JOIN procrastinate_jobs j ON j.id = f.job_id
                LEFT JOIN job_progress p ON p.job_id = j.id
            WHERE f.state IN ('waiting', 'rendering')
                AND (j.id IS NULL OR j.status NOT IN ('todo', 'doing'))
                AND NOT EXISTS (
                    SELECT FROM film_segments l JOIN procrastinate_jobs s ON s.id = l.job_id
                    WHERE l.film_id = f.id AND s.status IN ('todo', 'doing'))
            FOR UPDATE OF f SKIP LOCKED
            """
        )
        again = []
        for row in rows:
            ended = {"cancelled": "cancelled", "aborted": "cancelled", "failed": "failed"}
            state = ended.get(row["status"] or "")
            if state is None:
                await connection.execute(
                    "UPDATE films SET state = 'waiting' WHERE id = $1", row["id"]
                )
                await enqueue_plan(connection, row["id"], row["title"])
                again.append(row["id"])
                continue
            error = (row["error"] or "its job failed") if state == "failed" else None
            await connection.execute(
                "UPDATE films SET state = $2, error = $3, changed_at = now() WHERE id = $1",
                row["id"],
                state,
                error,
            )
            await tell(connection, row["id"])
        return again
