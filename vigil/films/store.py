"""The SQL of films.

Every change of a film tells the topic ``film:<id>``. What a job writes is written only while the
film is ``rendering``: a film that was cancelled or deleted meanwhile takes nothing any more, and
the function says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import asyncpg

import db_utils
from vigil import events
from vigil.errors import Conflict, NotFound
from vigil.films.model import Film, NewFilm
from vigil.jobs import store as jobs

PLAN, SEGMENT, JOIN = "films.plan", "films.segment", "films.join"
"""Tasks of films."""
WATCHED, UNWATCHED, JOINING = 10, 0, -10
"""Priorities of their jobs."""

FILMS = """
    SELECT f.id, f.title, f.kind, f.scene_id, f.scenes, c.camera, c.retention_s,
        coalesce(s.time_zone, 'UTC') AS time_zone,
        f.from_at, f.to_at, f.rolling_s, f.speed, f.fps, f.width, f.height, f.window_s, f.options,
        f.state, f.error, f.next_at, f.watched_at, f.planned_id, f.dropped_segments,
        f.dropped_ticks, f.dropped_discontinuities, f.dropped_init, f.job_id, f.file_blob,
        f.file_bytes, f.file_key, f.created_at, f.changed_at
    FROM films f LEFT JOIN scenes s ON s.id = f.scene_id LEFT JOIN LATERAL (
        SELECT (array_agg(c.name ORDER BY shows.from_at DESC))[1] AS camera,
            min(c.retention_s) FILTER (WHERE c.deleting_at IS NULL) AS retention_s
        FROM camera_scenes shows JOIN cameras c ON c.id = shows.camera_id
        WHERE shows.scene_id = f.scene_id AND NOT EXISTS (
            SELECT FROM camera_scenes moved
            WHERE moved.camera_id = shows.camera_id AND moved.from_at > shows.from_at)
    ) c ON true
"""
"""Beginning of every statement that reads films."""


def subject(film_id: int) -> str:
    """What a film's jobs say they work on; also the lock of planning and finishing it."""
    return f"film:{film_id}"


def film_of(row: asyncpg.Record) -> Film:
    """The film in a row of ``FILMS``."""
    return Film(**{**row, "scenes": tuple(row["scenes"])})


async def tell(db: db_utils.Database, film_id: int) -> None:
    """Tell everybody that a film changed."""
    await events.notify(db, f"film:{film_id}", id=film_id)


async def watch(db: db_utils.Database, film_id: int) -> None:
    """Somebody looks at a film: what is missing of it is rendered before that of others, and it is
    not deleted by itself for a while."""
    async with db_utils.transaction(db) as connection:
        state = await connection.fetchval(
            """
            UPDATE films SET watched_at = now() WHERE id = $1 AND state <> 'deleting'
                AND (watched_at IS NULL OR watched_at < now() - make_interval(secs => 30))
            RETURNING state
            """,
            film_id,
        )
        if state in ("waiting", "rendering"):
            await connection.execute(
                """
                UPDATE procrastinate_jobs SET priority = $2 WHERE status = 'todo' AND (lock = $3
                    OR id IN (SELECT job_id FROM film_segments WHERE film_id = $1))
                """,
                film_id,
                WATCHED,
                subject(film_id),
            )


async def get(db: db_utils.Database, film_id: int) -> Film | None:
    """One film; ``None`` also while it is being deleted."""
    row = await db.fetchrow(FILMS + "WHERE f.id = $1 AND f.state <> 'deleting'", film_id)
    return None if row is None else film_of(row)


async def page(
    db: db_utils.Database,
    *,
    camera: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[Film]:
    """Films, the newest first, from the one before the film ``before`` on."""
    rows = await db.fetch(
        FILMS
        + """
        WHERE f.state <> 'deleting' AND ($1::text IS NULL OR c.camera = $1)
            AND ($2::bigint IS NULL OR f.id < $2)
        ORDER BY f.id DESC LIMIT $3
        """,
        camera,
        before,
        limit,
    )
    return [film_of(row) for row in rows]


async def with_options(
    db: db_utils.Database, kind: str, options: Mapping[str, object], limit: int = 200
) -> list[Film]:
    """Films of a kind that have these options, whatever others they have; the newest first."""
    rows = await db.fetch(
        FILMS
        + """
        WHERE f.state <> 'deleting' AND f.kind = $1 AND f.options @> $2 ORDER BY f.id DESC LIMIT $3
        """,
        kind,
        dict(options),
        limit,
    )
    return [film_of(row) for row in rows]


async def over(db: db_utils.Database, kind: str, before: datetime) -> list[Film]:
    """Films of a kind that get no more and were last changed before a moment."""
    rows = await db.fetch(
        FILMS
        + """
        WHERE f.kind = $1 AND f.state IN ('done', 'failed', 'cancelled') AND f.changed_at < $2
        ORDER BY f.id
        """,
        kind,
        before,
    )
    return [film_of(row) for row in rows]


async def add(db: db_utils.Database, new: NewFilm) -> int:
    """Make a film and enqueue its job; returns its id."""
    async with db_utils.transaction(db) as connection:
        film_id: int = await connection.fetchval(
            """
            INSERT INTO films (title, kind, scene_id, scenes, from_at, to_at, rolling_s, speed, fps,
                width, height, window_s, options)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING id
            """,
            new.title,
            new.kind,
            new.scenes[0] if new.scenes else None,
            list(new.scenes),
            new.from_at,
            new.to_at,
            new.rolling_s,
            new.speed,
            new.fps,
            new.width,
            new.height,
            new.window_s,
            dict(new.options),
        )
        await enqueue_plan(connection, film_id, new.title)
        return film_id


async def cancel(db: db_utils.Database, film_id: int) -> None:
    """Stop a film where it is; raises NotFound or Conflict."""
    async with db_utils.transaction(db) as connection:
        row = await _locked(connection, film_id)
        if row["state"] not in ("waiting", "rendering", "growing"):
            raise Conflict(f"film {film_id} is {row['state']}: there is nothing to cancel")
        await connection.execute(
            """
            UPDATE films SET state = 'cancelled', next_at = NULL, error = NULL, changed_at = now()
            WHERE id = $1
            """,
            film_id,
        )
        await _stop_jobs(connection, film_id)
        await tell(connection, film_id)


async def resume(db: db_utils.Database, film_id: int) -> None:
    """Plan all of a film again and render what is missing, failed, or had frames that could not
    be read; raises NotFound or Conflict."""
    async with db_utils.transaction(db) as connection:
        row = await _locked(connection, film_id)
        if row["state"] not in ("cancelled", "failed", "done"):
            raise Conflict(f"film {film_id} is {row['state']}: it goes on by itself")
        await _stop_jobs(connection, film_id)  # one that waits for a later try, say
        await connection.execute("UPDATE films SET planned_id = 0 WHERE id = $1", film_id)
        await connection.execute(
            """
            UPDATE film_segments
            SET error = NULL, failures = 0, lost = 0, again_at = NULL, rounds = 0
            WHERE film_id = $1
            """,
            film_id,
        )
        await enqueue_plan(connection, film_id, row["title"])


async def mark_deleting(db: db_utils.Database, film_id: int) -> None:
    """Let a film disappear, and have it removed; raises NotFound."""
    async with db_utils.transaction(db) as connection:
        await _locked(connection, film_id)
        await connection.execute(
            """
            UPDATE films SET state = 'deleting', next_at = NULL, changed_at = now() WHERE id = $1
            """,
            film_id,
        )
        await _stop_jobs(connection, film_id)
        await tell(connection, film_id)


async def replan(db: db_utils.Database, film_id: int) -> None:
    """Have all of a film looked at again, whatever its state but cancelled and deleting."""
    async with db_utils.transaction(db) as connection:
        title = await connection.fetchval(
            """
            UPDATE films SET planned_id = 0
            WHERE id = $1 AND state NOT IN ('cancelled', 'deleting') RETURNING title
            """,
            film_id,
        )
        if title is not None:
            await enqueue_plan(connection, film_id, title)


async def _locked(connection: db_utils.Connection, film_id: int) -> dict[str, str]:
    row = await connection.fetchrow(
        "SELECT title, state FROM films WHERE id = $1 AND state <> 'deleting' FOR UPDATE", film_id
    )
    if row is None:
        raise NotFound(f"there is no film {film_id}")
    return dict(row)


async def enqueue_plan(connection: db_utils.Connection, film_id: int, title: str) -> None:
    """Have a film planned, in the caller's transaction; it waits until then."""
    job_id = await jobs.enqueue(
        connection,
        task=PLAN,
        subject=subject(film_id),
        title=f"Film: {title}",
        arguments={"film_id": film_id},
        lock=subject(film_id),
        queueing_lock=subject(film_id),
        priority=UNWATCHED,
    )
    if job_id is None:  # one waits already and will see what this one would have seen
        job_id = await connection.fetchval(
            "SELECT id FROM procrastinate_jobs WHERE queueing_lock = $1 AND status = 'todo'",
            subject(film_id),
        )
    await connection.execute(
        """
        UPDATE films SET state = CASE WHEN state = 'rendering' THEN state ELSE 'waiting' END,
            job_id = $2, error = NULL, next_at = NULL, changed_at = now()
        WHERE id = $1
        """,
        film_id,
        job_id,
    )
    await tell(connection, film_id)


async def _stop_jobs(connection: db_utils.Connection, film_id: int) -> None:
    rows = await connection.fetch(
        """
        SELECT id FROM procrastinate_jobs WHERE lock = $1 AND status IN ('todo', 'doing')
        UNION
        SELECT j.id FROM film_segments l JOIN procrastinate_jobs j ON j.id = l.job_id
        WHERE l.film_id = $2 AND j.status IN ('todo', 'doing')
        """,
        subject(film_id),
        film_id,
    )
    for row in rows:
        await jobs.cancel(connection, row["id"])


async def deleting(db: db_utils.Database) -> list[int]:
    """Films that are to be removed and that no job works on any more."""
    rows = await db.fetch(
        """
        SELECT f.id FROM films f WHERE f.state = 'deleting' AND NOT EXISTS (
            SELECT 1 FROM procrastinate_jobs j
            WHERE j.lock = 'film:' || f.id AND j.status = 'doing')
        """
    )
    return [row["id"] for row in rows]


async def remove(db: db_utils.Database, film_id: int) -> None:
    """Remove the row of a film whose blobs are gone."""
    async with db_utils.transaction(db) as connection:
        await connection.execute("DELETE FROM films WHERE id = $1 AND state = 'deleting'", film_id)
        await tell(connection, film_id)


async def rolling(db: db_utils.Database) -> list[Film]:
    """Films that roll, and that nobody works on."""
    rows = await db.fetch(
        FILMS + "WHERE f.rolling_s IS NOT NULL AND f.state NOT IN ('rendering', 'deleting')"
    )
    return [film_of(row) for row in rows]


async def forget_file(db: db_utils.Database, film_id: int) -> None:
    """The file of a film is gone."""
    await db.execute(
        """
        UPDATE films SET file_blob = NULL, file_bytes = NULL, file_key = NULL WHERE id = $1
        """,
        film_id,
    )


async def files(db: db_utils.Database) -> list[tuple[int, str]]:
    """Films that have a file, and its blob."""
    rows = await db.fetch(
        "SELECT id, file_blob FROM films WHERE file_blob IS NOT NULL AND state <> 'deleting'"
    )
    return [(row["id"], row["file_blob"]) for row in rows]


async def finished(db: db_utils.Database) -> list[Film]:
    """Films that are done."""
    rows = await db.fetch(FILMS + "WHERE f.state = 'done' ORDER BY f.id")
    return [film_of(row) for row in rows]
