"""The SQL of plans and of rendering what they want."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

import db_utils
from vigil.films.kinds import Plan
from vigil.films.model import Film, Planned, Rendered, segment_blob
from vigil.films.store import (
    SEGMENT,
    UNWATCHED,
    WATCHED,
    enqueue_plan,
    subject,
    tell,
)
from vigil.jobs import store as jobs

AT_ONCE = 16
"""Segments of one film that have jobs at a time: others' films have their turn between them, and
the first picture does not wait for thousands of rows."""
MOST_ROUNDS = 8
"""How often a segment that has failed is tried again by itself."""


async def takes(connection: db_utils.Connection, film_id: int) -> bool:
    """Whether a film is being rendered; until the transaction ends it stays so."""
    found = await connection.fetchval(
        """
        UPDATE films SET changed_at = now() WHERE id = $1 AND state = 'rendering' RETURNING id
        """,
        film_id,
    )
    return found is not None


async def write_plan(db: db_utils.Database, film: Film, plan: Plan) -> bool:
    """List what a film should have, and give it what is rendered already.

    What was rendered of frozen windows stays; one that was never rendered may change or go.
    ``False`` when the film takes nothing any more.
    """
    async with db_utils.transaction(db) as connection:
        if not await takes(connection, film.id):
            return False
        await connection.execute(
            """
            DELETE FROM film_segments
            WHERE film_id = $1 AND start >= coalesce($2, start) AND start <> ALL ($3::bigint[])
                AND (first_moment >= coalesce($4, first_moment) OR hash IS NULL)
            """,
            film.id,
            plan.since,
            [one.start for one in plan.segments],
            plan.frozen,
        )
        await connection.execute(
            """
            INSERT INTO film_segments AS l
                (film_id, start, wanted, pictures, first_moment, last_moment, moments, closed)
            SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::integer[], $5::bigint[],
                $6::bigint[], $7::bytea[], $8::boolean[])
            ON CONFLICT (film_id, start) DO UPDATE SET wanted = excluded.wanted,
                pictures = excluded.pictures, first_moment = excluded.first_moment,
                last_moment = excluded.last_moment, moments = excluded.moments,
                closed = excluded.closed, lost = 0, failures = 0, error = NULL, again_at = NULL,
                rounds = 0
            WHERE (l.wanted, l.closed) IS DISTINCT FROM (excluded.wanted, excluded.closed)
                AND (l.first_moment >= coalesce($9, l.first_moment) OR l.hash IS NULL)
            """,
            film.id,
            [one.start for one in plan.segments],
            [one.hash for one in plan.segments],
            [one.pictures for one in plan.segments],
            [one.first for one in plan.segments],
            [one.last for one in plan.segments],
            [one.moments for one in plan.segments],
            [one.closed for one in plan.segments],
            plan.frozen,
        )
        await connection.execute(
            "UPDATE films SET planned_id = $2 WHERE id = $1", film.id, plan.planned_id
        )
        await _link(connection, film.id)
        await tell(connection, film.id)
        return True


async def _link(connection: db_utils.Connection, film_id: int) -> None:
    """Give a film the segments that it wants and that are rendered; they are locked first, so
    that none is collected meanwhile."""
    rows = await connection.fetch(
        """
        SELECT s.hash FROM segments s WHERE s.deleting_at IS NULL AND s.hash IN (
            SELECT wanted FROM film_segments
            WHERE film_id = $1 AND (hash IS NULL OR hash <> wanted))
        ORDER BY s.hash FOR SHARE
        """,
        film_id,
    )
    if rows:
        await connection.execute(
            """
            UPDATE film_segments SET hash = wanted, lost = 0
            WHERE film_id = $1 AND wanted = ANY ($2) AND hash IS DISTINCT FROM wanted
            """,
            film_id,
            [row["hash"] for row in rows],
        )


async def missing(db: db_utils.Database, film_id: int) -> tuple[int, int]:
    """How many segments of a film are still to be rendered, and how many could not be."""
    row = await db.fetchrow(
        """
        SELECT count(*) FILTER (WHERE error IS NULL) AS missing,
            count(*) FILTER (WHERE error IS NOT NULL) AS failed
        FROM film_segments
        WHERE film_id = $1 AND (hash IS NULL OR hash <> wanted) AND lost = 0
        """,
        film_id,
    )
    assert row is not None  # noqa: S101 - a count always has a row
    return row["missing"], row["failed"]


async def first_failed(db: db_utils.Database, film_id: int) -> tuple[int, str] | None:
    """Start and error of the first segment of a film that could not be rendered."""
    row = await db.fetchrow(
        """
        SELECT start, error FROM film_segments WHERE film_id = $1 AND error IS NOT NULL
        ORDER BY start LIMIT 1
        """,
        film_id,
    )
    return None if row is None else (row["start"], row["error"])


async def hand_out(connection: db_utils.Connection, film: Film) -> int:
    """Enqueue jobs for the next segments of a film, in order, in the caller's transaction.

    Returns how many are now waiting or being rendered; 0: nothing is missing any more.
    """
    going: int = await connection.fetchval(
        """
        SELECT count(*) FROM film_segments l JOIN procrastinate_jobs j ON j.id = l.job_id
        WHERE l.film_id = $1 AND (l.hash IS NULL OR l.hash <> l.wanted) AND l.lost = 0
            AND l.error IS NULL AND j.status IN ('todo', 'doing')
        """,
        film.id,
    )
    rows = await connection.fetch(
        """
        SELECT l.start, l.wanted FROM film_segments l
            LEFT JOIN procrastinate_jobs j ON j.id = l.job_id
        WHERE l.film_id = $1 AND (l.hash IS NULL OR l.hash <> l.wanted) AND l.lost = 0
            AND l.error IS NULL AND (j.id IS NULL OR j.status NOT IN ('todo', 'doing'))
        ORDER BY l.start LIMIT $2 FOR UPDATE OF l
        """,
        film.id,
        max(0, AT_ONCE - going),
    )
    for row in rows:
        job_id = await jobs.enqueue(
            connection,
            task=SEGMENT,
            subject=subject(film.id),
            title=f"Segment of {film.title}",
            arguments={"film_id": film.id, "start": row["start"]},
            lock=f"segment:{row['wanted']}",
            priority=UNWATCHED if film.watched_at is None else WATCHED,
            part=True,
        )
        await connection.execute(
            "UPDATE film_segments SET job_id = $3 WHERE film_id = $1 AND start = $2",
            film.id,
            row["start"],
            job_id,
        )
    return going + len(rows)


async def hand_out_first(db: db_utils.Database, film: Film) -> int:
    """``hand_out`` in a transaction of its own."""
    async with db_utils.transaction(db) as connection:
        return await hand_out(connection, film)


async def wanted(db: db_utils.Database, film_id: int, start: int) -> tuple[Planned, int] | None:
    """A segment that a film still lacks, and how many attempts at it have failed; ``None`` when
    it does not lack it, or takes nothing any more."""
    row = await db.fetchrow(
        """
        SELECT l.start, l.wanted AS hash, l.moments, l.closed, l.failures
        FROM film_segments l JOIN films f ON f.id = l.film_id
        WHERE l.film_id = $1 AND l.start = $2 AND f.state = 'rendering' AND l.moments IS NOT NULL
            AND (l.hash IS NULL OR l.hash <> l.wanted) AND l.lost = 0 AND l.error IS NULL
        """,
        film_id,
        start,
    )
    if row is None:
        return None
    values = dict(row)
    failures: int = values.pop("failures")
    return Planned(**values), failures


async def link(db: db_utils.Database, film: Film, planned: Planned) -> bool:
    """Give a film a segment that another film had rendered meanwhile; whether there was one."""
    async with db_utils.transaction(db) as connection:
        found = await connection.fetchval(
            "SELECT hash FROM segments WHERE hash = $1 AND deleting_at IS NULL FOR SHARE",
            planned.hash,
        )
        if found is None or not await takes(connection, film.id):
            return False
        await connection.execute(
            """
            UPDATE film_segments SET hash = wanted, lost = 0
            WHERE film_id = $1 AND start = $2 AND wanted = $3
            """,
            film.id,
            planned.start,
            planned.hash,
        )
        await tell(connection, film.id)
        return True


async def keep(
    db: db_utils.Database,
    film: Film,
    planned: Planned,
    rendered: Rendered,
    *,
    frames: int,
    duration_s: float,
    codec: str,
    init: str,
    render_s: float,
    put: Callable[[str], Awaitable[None]],
) -> None:
    """Keep a rendered segment and give it to every film that wants it.

    The row is locked first and seen by others only after ``put`` has written the blob under the
    key that it is given: neither a collector nor another renderer can come in between.
    """
    async with db_utils.transaction(db) as connection:
        await connection.execute(
            """
            INSERT INTO segments AS s (hash, blob, bytes, frames, duration_s, codec, pixels,
                render_s, init)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            ON CONFLICT (hash) DO UPDATE SET deleting_at = NULL, unused_at = NULL,
                bytes = excluded.bytes, frames = excluded.frames,
                duration_s = excluded.duration_s, created_at = now(),
                codec = excluded.codec, pixels = excluded.pixels, render_s = excluded.render_s,
                init = excluded.init, renders = s.renders + 1
            """,
            rendered.hash,
            segment_blob(rendered.hash),
            len(rendered.data),
            frames,
            duration_s,
            codec,
            film.width * film.height,
            render_s,
            init,
        )
        await put(segment_blob(rendered.hash))
        rows = await connection.fetch(
            """
            UPDATE film_segments SET hash = $2, lost = $3
            WHERE wanted = $1 AND hash IS DISTINCT FROM $2 RETURNING film_id
            """,
            planned.hash,
            rendered.hash,
            rendered.lost,
        )
        for film_id in sorted({row["film_id"] for row in rows} | {film.id}):
            await connection.execute("UPDATE films SET changed_at = now() WHERE id = $1", film_id)
            await tell(connection, film_id)


async def note_failure(
    db: db_utils.Database,
    film_id: int,
    planned: Planned,
    error: str,
    most: int,
    again_at: datetime | None = None,
) -> bool:
    """Count an attempt that failed; whether it was the last one, so that the segment has failed.

    Then it may be tried again by itself, at ``again_at``, ``MOST_ROUNDS`` times in all.
    """
    async with db_utils.transaction(db) as connection:
        found = await connection.fetchval(
            """
            UPDATE film_segments SET failures = failures + 1,
                error = CASE WHEN failures + 1 >= $5 THEN $4 END,
                again_at = CASE WHEN failures + 1 >= $5 AND rounds < $7 THEN $6::timestamptz END,
                rounds = rounds + (failures + 1 >= $5 AND rounds < $7 AND $6 IS NOT NULL)::integer
            WHERE film_id = $1 AND start = $2 AND wanted = $3 RETURNING error
            """,
            film_id,
            planned.start,
            planned.hash,
            error,
            most,
            again_at,
            MOST_ROUNDS,
        )
        if found is not None:
            await tell(connection, film_id)
        return found is not None


async def next_try(db: db_utils.Database, film_id: int) -> datetime | None:
    """When the first of a film's failed segments is tried again by itself."""
    found: datetime | None = await db.fetchval(
        "SELECT min(again_at) FROM film_segments WHERE film_id = $1", film_id
    )
    return found


async def try_again(db: db_utils.Database, now: datetime, failures: int) -> list[int]:
    """Have failed segments whose time has come rendered again; returns the ids of their films.

    Args:
        db: the database.
        now: says whose time has come.
        failures: they begin with so many, so that they have the attempts left that they shall have.
    """
    async with db_utils.transaction(db) as connection:
        films = await connection.fetch(
            """
            SELECT id, title FROM films WHERE state IN ('growing', 'failed')
                AND id IN (SELECT film_id FROM film_segments WHERE again_at <= $1)
            ORDER BY id FOR UPDATE
            """,
            now,
        )
        await connection.execute(
            """
            UPDATE film_segments SET error = NULL, again_at = NULL, failures = $3
            WHERE film_id = ANY ($1) AND again_at <= $2
            """,
            [film["id"] for film in films],
            now,
            failures,
        )
        for film in films:
            await enqueue_plan(connection, film["id"], film["title"])
        return [film["id"] for film in films]


async def go_on(db: db_utils.Database, film: Film) -> None:
    """After a segment: enqueue the next one, or the end of the film when none is missing."""
    async with db_utils.transaction(db) as connection:
        row = await connection.fetchrow(
            "SELECT title, state FROM films WHERE id = $1 FOR UPDATE", film.id
        )
        if row is None or row["state"] != "rendering":
            return
        if await hand_out(connection, film) == 0:
            await enqueue_plan(connection, film.id, row["title"])


async def plan_again(db: db_utils.Database, film: Film) -> None:
    """What a segment was planned from has changed: all of the film is planned again."""
    async with db_utils.transaction(db) as connection:
        title = await connection.fetchval(
            """
            UPDATE films SET planned_id = 0 WHERE id = $1 AND state = 'rendering' RETURNING title
            """,
            film.id,
        )
        if title is not None:
            await enqueue_plan(connection, film.id, title)
