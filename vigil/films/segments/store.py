"""The SQL of segments: which of them a film has, and which nobody has any more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import db_utils
from vigil.films.model import Film, Listed, Totals, segment_blob
from vigil.films.store import tell

PAGE = 250
"""Rows of a film that come together."""


async def totals(db: db_utils.Database, film_ids: Sequence[int]) -> dict[int, Totals]:
    """What films have so far, by film."""
    rows = await db.fetch(
        """
        SELECT l.film_id, count(l.hash) AS segments, count(*) AS planned,
            coalesce(sum(s.frames), 0)::bigint AS frames,
            sum(l.pictures)::bigint AS planned_frames,
            coalesce(sum(s.duration_s), 0) AS duration_s,
            coalesce(sum(s.bytes), 0)::bigint AS bytes, sum(l.lost)::bigint AS lost,
            min(l.first_moment) FILTER (WHERE l.hash IS NOT NULL) AS first,
            max(l.last_moment) FILTER (WHERE l.hash IS NOT NULL) AS last
        FROM film_segments l LEFT JOIN segments s USING (hash)
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
    """The segments of a film, rendered or not, in order; its rows are never all in memory."""
    async with db_utils.transaction(db) as connection:
        rows = connection.cursor(
            """
            SELECT l.start, l.wanted, l.hash, l.pictures, l.first_moment AS first,
                l.last_moment AS last, l.closed, l.lost, l.error, coalesce(s.frames, 0) AS frames,
                coalesce(s.bytes, 0) AS bytes, coalesce(s.duration_s, 0) AS duration_s, s.init
            FROM film_segments l LEFT JOIN segments s USING (hash)
            WHERE l.film_id = $1 ORDER BY l.start
            """,
            film_id,
            prefetch=PAGE,
        )
        return [Listed(**row) async for row in rows]


async def moments(db: db_utils.Database, film_id: int, starts: Sequence[int]) -> dict[int, bytes]:
    """Moments of the pictures (see Planned) of some segments of a film, by start; those from
    before they were kept are left out."""
    rows = await db.fetch(
        """
        SELECT start, moments FROM film_segments
        WHERE film_id = $1 AND start = ANY ($2::bigint[]) AND moments IS NOT NULL
        """,
        film_id,
        list(starts),
    )
    return {row["start"]: row["moments"] for row in rows}


async def before(db: db_utils.Database, film_id: int, start: int) -> int | None:
    """Start of the segment before a window; ``None`` when it is the first."""
    found: int | None = await db.fetchval(
        "SELECT max(start) FROM film_segments WHERE film_id = $1 AND start < $2", film_id, start
    )
    return found


async def trim(db: db_utils.Database, film: Film, before: int) -> int:
    """Let the windows that begin before a moment leave a rolling film; returns how many."""
    async with db_utils.transaction(db) as connection:
        row = await connection.fetchrow(
            """
            WITH gone AS (
                DELETE FROM film_segments l WHERE l.film_id = $1 AND l.start < $2
                RETURNING l.start, l.hash, l.closed
            ), shown AS (
                SELECT round(s.duration_s * $3) AS ticks, s.init, start,
                    lag(start) OVER before IS NOT NULL
                        AND s.init IS DISTINCT FROM lag(s.init) OVER before AS changes
                FROM gone JOIN segments s USING (hash)
                WHERE gone.closed WINDOW before AS (ORDER BY start)
            )
            UPDATE films SET dropped_segments = dropped_segments + shown.number,
                dropped_ticks = dropped_ticks + shown.ticks,
                dropped_discontinuities = dropped_discontinuities + shown.changes + (
                    dropped_segments > 0 AND shown.number > 0
                    AND dropped_init IS DISTINCT FROM shown.inits[1])::integer,
                dropped_init = CASE WHEN shown.number = 0 THEN dropped_init
                    ELSE shown.inits[shown.number] END,
                changed_at = now()
            FROM (SELECT count(*) AS number, coalesce(sum(ticks), 0)::bigint AS ticks,
                    count(*) FILTER (WHERE changes) AS changes,
                    array_agg(init ORDER BY start) AS inits FROM shown) AS shown
            WHERE id = $1 AND EXISTS (SELECT FROM gone) RETURNING shown.number
            """,
            film.id,
            before,
            float(film.timescale),
        )
        if row is None:
            return 0
        await tell(connection, film.id)
        return int(row["number"])


async def mark_unused(
    db: db_utils.Database, now: datetime, before: datetime, limit: int = 1000
) -> list[str]:
    """Note since when segments are in no film, and mark for removal those that have been since
    before a moment; returns all marked."""
    async with db_utils.transaction(db) as connection:
        await connection.execute(
            """
            UPDATE segments s SET unused_at = NULL
            WHERE s.unused_at IS NOT NULL AND s.deleting_at IS NULL
                AND EXISTS (SELECT FROM film_segments l WHERE l.hash = s.hash)
            """
        )
        await connection.execute(
            """
            UPDATE segments s SET unused_at = $1
            WHERE s.unused_at IS NULL AND s.deleting_at IS NULL
                AND NOT EXISTS (SELECT FROM film_segments l WHERE l.hash = s.hash)
            """,
            now,
        )
        await connection.execute(
            """
            UPDATE segments SET deleting_at = now() WHERE hash IN (
                SELECT s.hash FROM segments s
                WHERE s.deleting_at IS NULL AND s.unused_at < $1
                    AND NOT EXISTS (SELECT 1 FROM film_segments l WHERE l.hash = s.hash)
                ORDER BY s.hash LIMIT $2 FOR UPDATE SKIP LOCKED)
            """,
            before,
            limit,
        )
        rows = await connection.fetch("SELECT hash FROM segments WHERE deleting_at IS NOT NULL")
        return [row["hash"] for row in rows]


async def only_of(db: db_utils.Database, film_ids: Sequence[int]) -> int:
    """How many segments are in none but these films, or in none at all."""
    found: int = await db.fetchval(
        """
        SELECT count(*) FROM segments s WHERE s.deleting_at IS NULL AND NOT EXISTS (
            SELECT FROM film_segments l WHERE l.hash = s.hash AND l.film_id <> ALL ($1))
        """,
        list(film_ids),
    )
    return found


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
        SELECT id FROM films WHERE scenes && $1::integer[] AND (to_at IS NULL OR to_at > $2)
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
    """Take a segment whose blob is gone out of every film; returns those, to be rendered again."""
    async with db_utils.transaction(db) as connection:
        rows = await connection.fetch(
            """
            UPDATE film_segments SET hash = NULL, lost = 0, failures = 0, error = NULL
            WHERE hash = $1 RETURNING film_id
            """,
            hash,
        )
        await connection.execute("DELETE FROM segments WHERE hash = $1", hash)
        films = sorted({row["film_id"] for row in rows})
        await connection.execute("UPDATE films SET changed_at = now() WHERE id = ANY($1)", films)
        return films
