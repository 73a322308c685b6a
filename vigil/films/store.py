"""The SQL of films.

Every change of a film tells the topic ``film:<id>``. What a job writes is written only while the
film is ``rendering``: a film that was cancelled or deleted meanwhile takes nothing any more, and
the function says so.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import db_utils
from vigil import events
from vigil.errors import Conflict, NotFound
from vigil.films.model import (
    EPOCH,
    CameraFacts,
    Film,
    FilmFrame,
    Listed,
    NewFilm,
    Planned,
    Totals,
    segment_blob,
)
from vigil.jobs import store as jobs

TASK = "films.render"

_FILMS = """
    SELECT f.id, f.title, f.camera_id, c.name AS camera,
        CASE WHEN c.deleting_at IS NULL THEN c.retention_s END AS retention_s,
        f.from_at, f.to_at, f.speed, f.fps, f.width, f.height, f.window_s, f.state, f.error,
        f.next_at, f.planned_id, f.dropped_segments, f.dropped_ticks, f.job_id,
        f.file_blob, f.file_bytes, f.file_key, f.created_at, f.changed_at
    FROM films f LEFT JOIN cameras c ON c.id = f.camera_id
"""


def subject(film_id: int) -> str:
    """What a film's jobs say they work on; also their lock."""
    return f"film:{film_id}"


async def tell(db: db_utils.Database, film_id: int) -> None:
    """Tell everybody that a film changed."""
    await events.notify(db, f"film:{film_id}", id=film_id)


# Films as people see them


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
        WHERE f.state <> 'deleting' AND ($1::text IS NULL OR c.name = $1)
            AND ($2::bigint IS NULL OR f.id < $2)
        ORDER BY f.id DESC LIMIT $3
        """,
        camera,
        before,
        limit,
    )
    return [Film(**row) for row in rows]


async def totals(db: db_utils.Database, film_ids: Sequence[int]) -> dict[int, Totals]:
    """What films have so far, by film."""
    rows = await db.fetch(
        """
        SELECT l.film_id, count(*) AS segments, sum(s.frames)::bigint AS frames,
            sum(s.duration_s) AS duration_s, sum(s.bytes)::bigint AS bytes,
            min(l.first_at) AS first_at, max(l.last_at) AS last_at
        FROM film_segments l JOIN segments s USING (hash)
        WHERE l.film_id = ANY($1) GROUP BY l.film_id
        """,
        list(film_ids),
    )
    found = {row["film_id"]: dict(row) for row in rows}
    return {
        film_id: Totals(**{k: v for k, v in values.items() if k != "film_id"})
        for film_id, values in found.items()
    }


async def listed(db: db_utils.Database, film_id: int) -> list[Listed]:
    """The segments of a film, in order."""
    rows = await db.fetch(
        """
        SELECT l.window_start, l.hash, l.first_at, l.last_at, l.closed,
            s.frames, s.bytes, s.duration_s
        FROM film_segments l JOIN segments s USING (hash)
        WHERE l.film_id = $1 ORDER BY l.window_start
        """,
        film_id,
    )
    return [Listed(**row) for row in rows]


async def first_hash(db: db_utils.Database, film_id: int) -> str | None:
    """Name of the first segment of a film."""
    found: str | None = await db.fetchval(
        "SELECT hash FROM film_segments WHERE film_id = $1 ORDER BY window_start LIMIT 1", film_id
    )
    return found


async def camera_facts(db: db_utils.Database, name: str) -> CameraFacts | None:
    """What an order needs to know of a camera; ``None`` when there is no such camera."""
    row = await db.fetchrow(
        """
        SELECT c.id, c.name, c.title, c.interval_s, f.width, f.height
        FROM cameras c LEFT JOIN LATERAL (
            SELECT width, height FROM frames
            WHERE camera_id = c.id AND deleting_at IS NULL ORDER BY taken_at DESC LIMIT 1
        ) f ON true
        WHERE c.name = $1 AND c.deleting_at IS NULL
        """,
        name,
    )
    return None if row is None else CameraFacts(**row)


async def camera_names(db: db_utils.Database) -> list[str]:
    """Cameras that a film can be made of."""
    rows = await db.fetch("SELECT name FROM cameras WHERE deleting_at IS NULL ORDER BY name")
    return [row["name"] for row in rows]


async def plant(db: db_utils.Database, name: str, new: NewFilm) -> None:
    """Make a built-in film, unless it was made before."""
    async with db_utils.transaction(db) as connection:
        first = await connection.fetchval(
            "INSERT INTO planted (name) VALUES ($1) ON CONFLICT DO NOTHING RETURNING name", name
        )
        if first is not None:
            await add(connection, new)


async def add(db: db_utils.Database, new: NewFilm) -> int:
    """Make a film and enqueue its job; returns its id."""
    async with db_utils.transaction(db) as connection:
        film_id: int = await connection.fetchval(
            """
            INSERT INTO films
                (title, camera_id, from_at, to_at, speed, fps, width, height, window_s)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id
            """,
            new.title,
            new.camera_id,
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


# What a job reads and writes


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


async def chosen(
    db: db_utils.Database, film: Film, spans: Sequence[tuple[datetime, datetime]]
) -> list[FilmFrame]:
    """The first frame of each slot in these spans of time, in order."""
    rows = await db.fetch(
        """
        SELECT DISTINCT ON (slot) date_bin($4, f.taken_at, $5) AS slot,
            f.taken_at, f.sha256, f.blob
        FROM unnest($2::timestamptz[], $3::timestamptz[]) AS span (since, until)
        JOIN frames f ON f.camera_id = $1
            AND f.taken_at >= span.since AND f.taken_at < span.until
        WHERE f.deleting_at IS NULL
        ORDER BY slot, f.taken_at, f.sha256
        """,
        film.camera_id,
        [since for since, _ in spans],
        [until for _, until in spans],
        film.slot,
        EPOCH,
    )
    return [FilmFrame(row["taken_at"], row["sha256"], row["blob"]) for row in rows]


async def touched(db: db_utils.Database, film: Film) -> list[datetime]:
    """Starts of the windows that frames have joined since the film was last planned, in order."""
    rows = await db.fetch(
        """
        SELECT DISTINCT date_bin($3, taken_at, $4) AS start FROM frames
        WHERE camera_id = $1 AND id > $2 AND taken_at >= $5
            AND ($6::timestamptz IS NULL OR taken_at < $6)
        ORDER BY start
        """,
        film.camera_id,
        film.planned_id,
        film.window,
        EPOCH,
        film.from_at,
        film.to_at,
    )
    return [row["start"] for row in rows]


async def planned_up_to(
    db: db_utils.Database, film: Film, open_since: datetime, settled: datetime
) -> int:
    """The frame up to which a plan made after this call is complete.

    Args:
        db: the database.
        film: says from which frame on.
        open_since: frames taken from here on are planned later.
        settled: frames received from here on are looked at once more: another with a lower id
            may not have been committed yet.
    """
    found: int = await db.fetchval(
        """
        SELECT coalesce(min(id) FILTER (WHERE taken_at >= $3 OR received_at >= $4) - 1,
            max(id), $2)
        FROM frames WHERE camera_id = $1 AND id > $2
        """,
        film.camera_id,
        film.planned_id,
        open_since,
        settled,
    )
    return found


async def link(db: db_utils.Database, film_id: int, planned: Planned, hash: str) -> bool | None:
    """Give a film a segment that is already rendered.

    Returns whether there is such a segment; ``None`` when the film takes nothing any more.
    """
    async with db_utils.transaction(db) as connection:
        if not await _takes(connection, film_id):
            return None
        found = await connection.fetchval(
            "SELECT hash FROM segments WHERE hash = $1 AND deleting_at IS NULL FOR SHARE", hash
        )
        if found is None:
            return False
        await _list(connection, film_id, planned, hash)
        return True


async def keep(
    db: db_utils.Database,
    film_id: int,
    planned: Planned,
    segment: Listed,
    put: Callable[[str], Awaitable[None]],
) -> bool:
    """Keep a rendered segment and give it to its film; ``False`` when that takes nothing any more.

    The row is locked first and seen by others only after ``put`` has written the blob under the
    key that it is given: neither a collector nor another renderer can come in between.
    """
    async with db_utils.transaction(db) as connection:
        await connection.execute(
            """
            INSERT INTO segments (hash, blob, bytes, frames, duration_s)
            VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (hash) DO UPDATE SET deleting_at = NULL, bytes = excluded.bytes,
                frames = excluded.frames, duration_s = excluded.duration_s, created_at = now()
            """,
            segment.hash,
            segment_blob(segment.hash),
            segment.bytes,
            segment.frames,
            segment.duration_s,
        )
        await put(segment_blob(segment.hash))
        if not await _takes(connection, film_id):
            return False  # the segment stays, and is collected if nobody wants it
        await _list(connection, film_id, planned, segment.hash)
        return True


async def unlist(db: db_utils.Database, film_id: int, windows: Sequence[datetime]) -> None:
    """Take the segments of these windows out of a film."""
    async with db_utils.transaction(db) as connection:
        await connection.execute(
            "DELETE FROM film_segments WHERE film_id = $1 AND window_start = ANY($2)",
            film_id,
            list(windows),
        )
        await tell(connection, film_id)


async def trim(db: db_utils.Database, film: Film, before: datetime) -> int:
    """Let the windows that ended before a moment leave a growing film; returns how many."""
    async with db_utils.transaction(db) as connection:
        row = await connection.fetchrow(
            """
            WITH gone AS (
                DELETE FROM film_segments l USING segments s
                WHERE l.film_id = $1 AND l.window_start <= $2 AND s.hash = l.hash
                RETURNING round(s.duration_s * $3) AS ticks
            )
            UPDATE films SET dropped_segments = dropped_segments + gone.number,
                dropped_ticks = dropped_ticks + gone.ticks, changed_at = now()
            FROM (SELECT count(*) AS number, sum(ticks)::bigint AS ticks FROM gone) AS gone
            WHERE id = $1 AND gone.number > 0 RETURNING gone.number
            """,
            film.id,
            before - film.window,
            float(film.timescale),
        )
        if row is None:
            return 0
        await tell(connection, film.id)
        return int(row["number"])


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


async def _takes(connection: db_utils.Connection, film_id: int) -> bool:
    """Whether a film is being rendered; until the transaction ends it stays so."""
    found = await connection.fetchval(
        """
        UPDATE films SET changed_at = now() WHERE id = $1 AND state = 'rendering' RETURNING id
        """,
        film_id,
    )
    return found is not None


async def _list(connection: db_utils.Connection, film_id: int, planned: Planned, hash: str) -> None:
    await connection.execute(
        """
        INSERT INTO film_segments (film_id, window_start, hash, first_at, last_at, closed)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (film_id, window_start) DO UPDATE SET hash = excluded.hash,
            first_at = excluded.first_at, last_at = excluded.last_at, closed = excluded.closed
        """,
        film_id,
        planned.window_start,
        hash,
        planned.frames[0].taken_at,
        planned.frames[-1].taken_at,
        planned.closed,
    )
    await tell(connection, film_id)


# What the chores read and write


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


async def has_news(db: db_utils.Database, film: Film) -> bool:
    """Whether frames came in a film's range since it was last planned."""
    found: bool = await db.fetchval(
        """
        SELECT EXISTS (SELECT 1 FROM frames WHERE camera_id = $1 AND id > $2 AND taken_at >= $3
            AND ($4::timestamptz IS NULL OR taken_at < $4))
        """,
        film.camera_id,
        film.planned_id,
        film.from_at,
        film.to_at,
    )
    return found


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
    """Films that wait for a job that has ended: cancelled with it, failed with it, or enqueued
    again; returns their ids."""
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
        for row in rows:
            ended = {"cancelled": "cancelled", "aborted": "cancelled", "failed": "failed"}
            state = ended.get(row["status"] or "")
            if state is None:
                await _enqueue(connection, row["id"], row["title"])
                continue
            error = (row["error"] or "its job failed") if state == "failed" else None
            await connection.execute(
                "UPDATE films SET state = $2, error = $3, changed_at = now() WHERE id = $1",
                row["id"],
                state,
                error,
            )
            await tell(connection, row["id"])
        return [row["id"] for row in rows]


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


async def mark_unused(db: db_utils.Database, before: datetime, limit: int = 1000) -> list[str]:
    """Mark segments that no film lists and that are older than a moment; returns all marked."""
    async with db_utils.transaction(db) as connection:
        await connection.execute(
            """
            UPDATE segments SET deleting_at = now() WHERE hash IN (
                SELECT s.hash FROM segments s
                WHERE s.deleting_at IS NULL AND s.created_at < $1
                    AND NOT EXISTS (SELECT 1 FROM film_segments l WHERE l.hash = s.hash)
                ORDER BY s.hash LIMIT $2 FOR UPDATE SKIP LOCKED)
            """,
            before,
            limit,
        )
        rows = await connection.fetch("SELECT hash FROM segments WHERE deleting_at IS NOT NULL")
        return [row["hash"] for row in rows]


async def collect(
    db: db_utils.Database, hash: str, remove_blob: Callable[[str], Awaitable[None]]
) -> bool:
    """Remove a marked segment, blob before row; ``False`` when somebody wanted it again."""
    async with db_utils.transaction(db) as connection:
        blob = await connection.fetchval(
            """
            SELECT s.blob FROM segments s WHERE s.hash = $1 AND s.deleting_at IS NOT NULL
                AND NOT EXISTS (SELECT 1 FROM film_segments l WHERE l.hash = s.hash)
            FOR UPDATE
            """,
            hash,
        )
        if blob is None:
            return False
        await remove_blob(blob)
        await connection.execute("DELETE FROM segments WHERE hash = $1", hash)
        return True


# What check.py reads and writes


async def known_segments(db: db_utils.Database, after: str, limit: int = 5000) -> list[str]:
    """Names of segments that should have blobs, in order, after one."""
    rows = await db.fetch(
        """
        SELECT hash FROM segments WHERE hash > $1 AND deleting_at IS NULL ORDER BY hash LIMIT $2
        """,
        after,
        limit,
    )
    return [row["hash"] for row in rows]


async def has_blob(
    db: db_utils.Database, hash: str, head: Callable[[str], Awaitable[object | None]]
) -> bool:
    """Whether the blob of a segment is there; also when the segment is no more."""
    if await head(segment_blob(hash)) is not None:
        return True
    async with db_utils.transaction(db) as connection:  # nobody makes or removes it meanwhile
        found = await connection.fetchval(
            "SELECT hash FROM segments WHERE hash = $1 AND deleting_at IS NULL FOR UPDATE", hash
        )
        return found is None or await head(segment_blob(hash)) is not None


async def remove_unknown(
    db: db_utils.Database, blob: str, remove_blob: Callable[[str], Awaitable[None]]
) -> None:
    """Remove a blob that no row names; a segment is not rendered anew while that happens."""
    async with db_utils.transaction(db) as connection:
        await connection.execute("LOCK TABLE segments IN SHARE ROW EXCLUSIVE MODE")
        if not await is_known(connection, blob):
            await remove_blob(blob)


async def is_known(db: db_utils.Database, blob: str) -> bool:
    """Whether a row names this blob."""
    found: bool = await db.fetchval(
        """
        SELECT EXISTS (SELECT 1 FROM segments WHERE blob = $1 AND hash = $2)
            OR EXISTS (SELECT 1 FROM films WHERE file_blob = $1)
        """,
        blob,
        blob.rpartition("/")[2].removesuffix(".mp4"),
    )
    return found


async def forget_segment(db: db_utils.Database, hash: str) -> list[int]:
    """Remove a segment whose blob is gone from every film; returns those, to be rendered again."""
    async with db_utils.transaction(db) as connection:
        rows = await connection.fetch(
            "DELETE FROM film_segments WHERE hash = $1 RETURNING film_id", hash
        )
        await connection.execute("DELETE FROM segments WHERE hash = $1", hash)
        return sorted({row["film_id"] for row in rows})


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
