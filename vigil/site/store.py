"""SQL of the site: heartbeats, and one look at everything."""

from __future__ import annotations

import db_utils
from vigil.site.model import CameraFeed, Counts, Process, Snapshot, SourceScan

FORGET_AFTER_S = 60.0


async def beat(
    db: db_utils.Database, *, name: str, host: str, pid: int, version: str, up_s: float
) -> None:
    """Record that a process is alive and has been up for so many seconds."""
    await db.execute(
        """
        INSERT INTO processes (name, host, pid, version, started_at, seen_at)
        VALUES ($1, $2, $3, $4, now() - make_interval(secs => $5), now())
        ON CONFLICT (name, host, pid) DO UPDATE SET
            version = EXCLUDED.version,
            started_at = EXCLUDED.started_at,
            seen_at = EXCLUDED.seen_at
        """,
        name,
        host,
        pid,
        version,
        up_s,
    )


async def leave(db: db_utils.Database, *, name: str, host: str, pid: int) -> None:
    """Forget a process that ends of its own accord."""
    await db.execute(
        "DELETE FROM processes WHERE name = $1 AND host = $2 AND pid = $3", name, host, pid
    )


async def prune(db: db_utils.Database) -> int:
    """Forget processes that were not seen for a minute; returns how many."""
    status = await db.execute(
        "DELETE FROM processes WHERE seen_at < now() - make_interval(secs => $1)", FORGET_AFTER_S
    )
    return int(status.split()[-1])


async def snapshot(db: db_utils.Database) -> Snapshot:
    """Processes, sources and cameras as they are now."""
    async with db_utils.transaction(db) as connection:
        processes = await connection.fetch(
            """
            SELECT *, extract(epoch FROM now() - seen_at)::float8 AS age_s
            FROM processes ORDER BY name, host, pid
            """
        )
        sources = await connection.fetch(
            """
            SELECT s.name, s.kind, s.enabled, t.finished_at, t.succeeded_at, t.next_at,
                coalesce(t.failures, 0) AS failures, t.error, t.hint,
                coalesce(t.found, 0) AS found, coalesce(t.kept, 0) AS kept,
                coalesce(t.refused, 0) AS refused,
                extract(epoch FROM now() - t.succeeded_at)::float8 AS age_s
            FROM sources s LEFT JOIN source_state t ON t.source_id = s.id
            ORDER BY s.name
            """
        )
        cameras = await connection.fetch(
            """
            SELECT c.name, c.enabled, coalesce(t.connected, false) AS connected,
                coalesce(t.frames, 0) AS frames, coalesce(t.refused, 0) AS refused,
                coalesce(t.expired_frames, 0) AS expired_frames,
                coalesce(t.expired_bytes, 0) AS expired_bytes,
                t.error, t.hint, f.taken_at AS last_frame_at,
                extract(epoch FROM now() - f.taken_at)::float8 AS age_s
            FROM cameras c
            LEFT JOIN camera_state t ON t.camera_id = c.id
            LEFT JOIN frames f ON f.id = t.last_frame_id
            WHERE c.deleting_at IS NULL
            ORDER BY c.name
            """
        )
    return Snapshot(
        processes=[Process(**row) for row in processes],
        sources=[SourceScan(**row) for row in sources],
        cameras=[CameraFeed(**row) for row in cameras],
    )


async def counts(db: db_utils.Database) -> Counts:
    """Live streams, films and jobs."""
    async with db_utils.transaction(db) as connection:
        streams = await connection.fetch(
            """
            SELECT s.name AS key, count(l.stream_id) AS number
            FROM sources s
            LEFT JOIN (
                streams t JOIN stream_liveness l ON l.stream_id = t.id AND l.expires_at > now()
            ) ON t.source_id = s.id
            GROUP BY s.name
            """
        )
        films = await connection.fetch(
            "SELECT state AS key, count(*) AS number FROM films GROUP BY state"
        )
        jobs = await connection.fetch(
            """
            SELECT j.status::text AS key, count(*) FILTER (WHERE NOT coalesce(p.part, false))
                AS number, count(*) FILTER (WHERE p.part) AS parts
            FROM procrastinate_jobs j LEFT JOIN job_progress p ON p.job_id = j.id GROUP BY j.status
            """
        )
    return Counts(
        streams={row["key"]: row["number"] for row in streams},
        films={row["key"]: row["number"] for row in films},
        jobs={row["key"]: row["number"] for row in jobs},
        parts={row["key"]: row["parts"] for row in jobs},
    )


async def message_of_the_day(db: db_utils.Database) -> str | None:
    """What every visitor is told on the front page, plain text; ``None``: nothing."""
    text: str | None = await db.fetchval("SELECT text FROM message_of_the_day")
    return text


async def set_message_of_the_day(db: db_utils.Database, text: str, by: str) -> None:
    """Tell every visitor so from now on; nothing any more when the text is empty."""
    async with db_utils.transaction(db) as connection:
        await connection.execute("DELETE FROM message_of_the_day")
        if text:
            await connection.execute(
                "INSERT INTO message_of_the_day (text, changed_by) VALUES ($1, $2)", text, by
            )
