"""The SQL of segments: the frames that go in, keeping them, giving them to films, collecting them.

A segment is given to a film only while that is ``rendering``; the functions that do so say when it
takes nothing any more.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import db_utils
from vigil.films.model import EPOCH, Film, FilmFrame, Listed, Planned, Totals, segment_blob
from vigil.films.store import takes, tell


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


async def chosen(
    db: db_utils.Database, film: Film, spans: Sequence[tuple[datetime, datetime]]
) -> list[FilmFrame]:
    """The first frame of each slot in these spans of time, in order."""
    rows = await db.fetch(
        """
        SELECT DISTINCT ON (slot) date_bin($4, f.taken_at, $5) AS slot,
            f.taken_at, f.sha256, f.blob, f.picture
        FROM unnest($2::timestamptz[], $3::timestamptz[]) AS span (since, until)
        JOIN frames f ON f.scene_id = $1
            AND f.taken_at >= span.since AND f.taken_at < span.until
        WHERE f.deleting_at IS NULL
        ORDER BY slot, f.taken_at, f.sha256
        """,
        film.scene_id,
        [since for since, _ in spans],
        [until for _, until in spans],
        film.slot,
        EPOCH,
    )
    return [FilmFrame(row["taken_at"], row["sha256"], row["blob"], row["picture"]) for row in rows]


async def touched(db: db_utils.Database, film: Film) -> list[datetime]:
    """Starts of the windows that frames have joined since the film was last planned, in order."""
    rows = await db.fetch(
        """
        SELECT DISTINCT date_bin($3, taken_at, $4) AS start FROM frames
        WHERE scene_id = $1 AND id > $2 AND taken_at >= $5
            AND ($6::timestamptz IS NULL OR taken_at < $6)
        ORDER BY start
        """,
        film.scene_id,
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
        FROM frames WHERE scene_id = $1 AND id > $2
        """,
        film.scene_id,
        film.planned_id,
        open_since,
        settled,
    )
    return found


async def has_news(db: db_utils.Database, film: Film) -> bool:
    """Whether frames came in a film's range since it was last planned."""
    found: bool = await db.fetchval(
        """
        SELECT EXISTS (SELECT 1 FROM frames WHERE scene_id = $1 AND id > $2 AND taken_at >= $3
            AND ($4::timestamptz IS NULL OR taken_at < $4))
        """,
        film.scene_id,
        film.planned_id,
        film.from_at,
        film.to_at,
    )
    return found


async def link(db: db_utils.Database, film_id: int, planned: Planned, hash: str) -> bool | None:
    """Give a film a segment that is already rendered.

    Returns whether there is such a segment; ``None`` when the film takes nothing any more.
    """
    async with db_utils.transaction(db) as connection:
        if not await takes(connection, film_id):
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
        if not await takes(connection, film_id):
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
        await connection.execute("UPDATE films SET changed_at = now() WHERE id = $1", film_id)
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


async def showing(db: db_utils.Database, scenes: Sequence[int], since: datetime) -> list[int]:
    """Numbers of the films that show one of these scenes after a moment."""
    rows = await db.fetch(
        """
        SELECT id FROM films WHERE scene_id = ANY ($1::integer[]) AND (to_at IS NULL OR to_at > $2)
            AND state NOT IN ('cancelled', 'deleting') ORDER BY id
        """,
        list(scenes),
        since,
    )
    return [row["id"] for row in rows]


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
        films = sorted({row["film_id"] for row in rows})
        await connection.execute("UPDATE films SET changed_at = now() WHERE id = ANY($1)", films)
        return films
