"""The SQL of films.

Every change of a film tells the topic ``film:<id>``. What a job writes is written only while the
film is ``rendering``: a film that was cancelled or deleted meanwhile takes nothing any more, and
the function says so.
"""

from __future__ import annotations

from datetime import datetime

import db_utils
from vigil import events
from vigil.errors import Conflict, NotFound
from vigil.films.model import (
    Film,
    NewFilm,
)
from vigil.jobs import store as jobs

TASK = "films.render"

_FILMS = """
    SELECT f.id, f.title, f.scene_id, c.camera, c.retention_s,
        f.from_at, f.to_at, f.speed, f.fps, f.width, f.height, f.window_s, f.state, f.error,
        f.next_at, f.planned_id, f.dropped_segments, f.dropped_ticks, f.job_id,
        f.file_blob, f.file_bytes, f.file_key, f.created_at, f.changed_at
    FROM films f LEFT JOIN LATERAL (
        SELECT (array_agg(c.name ORDER BY shows.from_at DESC))[1] AS camera,
            min(c.retention_s) FILTER (WHERE c.deleting_at IS NULL) AS retention_s
        FROM camera_scenes shows JOIN cameras c ON c.id = shows.camera_id
        WHERE shows.scene_id = f.scene_id AND NOT EXISTS (
            SELECT FROM camera_scenes moved
            WHERE moved.camera_id = shows.camera_id AND moved.from_at > shows.from_at)
    ) c ON true
"""


def subject(film_id: int) -> str:
    """What a film's jobs say they work on; also their lock."""
    return f"film:{film_id}"


async def tell(db: db_utils.Database, film_id: int) -> None:
    """Tell everybody that a film changed."""
    await events.notify(db, f"film:{film_id}", id=film_id)


async def get(db: db_utils.Database, film_id: int) -> Film | None:
    """One film; ``None`` also while it is being deleted."""
    row = await db.fetchrow(_FILMS + "WHERE f.id = $1 AND f.state <> 'deleting'", film_id)
    return None if row is None else Film(**row)


async def page(
    db: db_utils.Database,
    *,
    camera: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[Film]:
    """Films, the newest first, from the one before the film ``before`` on."""
    rows = await db.fetch(
        _FILMS
        + """
        WHERE f.state <> 'deleting' AND ($1::text IS NULL OR c.camera = $1)
            AND ($2::bigint IS NULL OR f.id < $2)
        ORDER BY f.id DESC LIMIT $3
        """,
        camera,
        before,
        limit,
    )
    return [Film(**row) for row in rows]


async def add(db: db_utils.Database, new: NewFilm) -> int:
    """Make a film and enqueue its job; returns its id."""
    async with db_utils.transaction(db) as connection:
        film_id: int = await connection.fetchval(
            """
            INSERT INTO films
                (title, scene_id, from_at, to_at, speed, fps, width, height, window_s)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id
            """,
            new.title,
            new.scene_id,
            new.from_at,
            new.to_at,
            new.speed,
            new.fps,
            new.width,
            new.height,
            new.window_s,
        )
        await _enqueue(connection, film_id, new.title)
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
    """Plan all of a film again and render what is missing; raises NotFound or Conflict."""
    async with db_utils.transaction(db) as connection:
        row = await _locked(connection, film_id)
        if row["state"] not in ("cancelled", "failed", "done"):
            raise Conflict(f"film {film_id} is {row['state']}: it goes on by itself")
        await _stop_jobs(connection, film_id)  # one that waits for a later try, say
        await connection.execute("UPDATE films SET planned_id = 0 WHERE id = $1", film_id)
        await _enqueue(connection, film_id, row["title"])


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
            await _enqueue(connection, film_id, title)


async def _locked(connection: db_utils.Connection, film_id: int) -> dict[str, str]:
    row = await connection.fetchrow(
        "SELECT title, state FROM films WHERE id = $1 AND state <> 'deleting' FOR UPDATE", film_id
    )
    if row is None:
        raise NotFound(f"there is no film {film_id}")
    return dict(row)


async def _enqueue(connection: db_utils.Connection, film_id: int, title: str) -> None:
    job_id = await jobs.enqueue(
        connection,
        task=TASK,
        subject=subject(film_id),
        title=f"Film: {title}",
        arguments={"film_id": film_id},
        lock=subject(film_id),
        queueing_lock=subject(film_id),
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
        "SELECT id FROM procrastinate_jobs WHERE lock = $1 AND status IN ('todo', 'doing')",
        subject(film_id),
    )
    for row in rows:
        await jobs.cancel(connection, row["id"])


async def begin(db: db_utils.Database, film_id: int, job_id: int) -> Film | None:
    """A job begins to work on a film; ``None`` when there is nothing to do for it any more."""
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


async def growing_on(db: db_utils.Database, film: Film, next_at: datetime, planned_id: int) -> bool:
    """A film is up to date and goes on later; ``False`` when it takes nothing any more."""
    async with db_utils.transaction(db) as connection:
        found = await connection.fetchval(
            """
            UPDATE films SET state = 'growing', next_at = $2, planned_id = $3, error = NULL,
                changed_at = now()
            WHERE id = $1 AND state = 'rendering' RETURNING id
            """,
            film.id,
            next_at,
            planned_id,
        )
        await tell(connection, film.id)
        return found is not None


async def finish(db: db_utils.Database, film: Film, blob: str, bytes: int, key: str) -> bool:
    """A film is whole, and joined into one file; ``False`` when it takes nothing any more."""
    async with db_utils.transaction(db) as connection:
        found = await connection.fetchval(
            """
            UPDATE films SET state = 'done', next_at = NULL, error = NULL, file_blob = $2,
                file_bytes = $3, file_key = $4, changed_at = now()
            WHERE id = $1 AND state = 'rendering' RETURNING id
            """,
            film.id,
            blob,
            bytes,
            key,
        )
        await tell(connection, film.id)
        return found is not None


async def end_growing(db: db_utils.Database, film_id: int, now: datetime) -> None:
    """A growing film whose camera was removed ends here."""
    await db.execute(
        "UPDATE films SET to_at = greatest($2, from_at) WHERE id = $1 AND to_at IS NULL",
        film_id,
        now,
    )


async def fail(db: db_utils.Database, film_id: int, error: str, next_at: datetime | None) -> None:
    """Say why the last attempt failed, and when it is tried again if no job does so."""
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


async def takes(connection: db_utils.Connection, film_id: int) -> bool:
    """Whether a film is being rendered; until the transaction ends it stays so."""
    found = await connection.fetchval(
        """
        UPDATE films SET changed_at = now() WHERE id = $1 AND state = 'rendering' RETURNING id
        """,
        film_id,
    )
    return found is not None


async def due(db: db_utils.Database, now: datetime) -> list[Film]:
    """Films that a renderer should look at now."""
    rows = await db.fetch(
        _FILMS
        + """
        WHERE f.next_at <= $1 AND f.state IN ('growing', 'failed') ORDER BY f.next_at LIMIT 200
        """,
        now,
    )
    return [Film(**row) for row in rows]


async def look_later(db: db_utils.Database, film: Film, next_at: datetime) -> None:
    """Nothing came: look at a growing film again later."""
    await db.execute(
        "UPDATE films SET next_at = $2 WHERE id = $1 AND state = 'growing' AND next_at = $3",
        film.id,
        next_at,
        film.next_at,
    )


async def enqueue(db: db_utils.Database, film: Film) -> None:
    """Enqueue a film's job and clear when it is due, in one transaction."""
    async with db_utils.transaction(db) as connection:
        found = await connection.fetchval(
            """
            SELECT title FROM films
            WHERE id = $1 AND state NOT IN ('cancelled', 'deleting') FOR UPDATE
            """,
            film.id,
        )
        if found is not None:
            await _enqueue(connection, film.id, found)


async def mind_lost_jobs(db: db_utils.Database) -> list[int]:
    """Films that wait for a job that has ended are cancelled or have failed with it, or are
    enqueued again; returns the ids of those."""
    async with db_utils.transaction(db) as connection:
        rows = await connection.fetch(
            """
            SELECT f.id, f.title, j.status::text AS status, p.error
            FROM films f LEFT JOIN procrastinate_jobs j ON j.id = f.job_id
                LEFT JOIN job_progress p ON p.job_id = j.id
            WHERE f.state IN ('waiting', 'rendering')
                AND (j.id IS NULL OR j.status NOT IN ('todo', 'doing'))
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
                await _enqueue(connection, row["id"], row["title"])
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


async def trimmable(db: db_utils.Database) -> list[Film]:
    """Films that grow for ever."""
    rows = await db.fetch(
        _FILMS + "WHERE f.to_at IS NULL AND f.state NOT IN ('rendering', 'deleting')"
    )
    return [Film(**row) for row in rows]


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
    rows = await db.fetch(_FILMS + "WHERE f.state = 'done' ORDER BY f.id")
    return [Film(**row) for row in rows]
