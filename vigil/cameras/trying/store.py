"""SQL of the trials."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import db_utils
from vigil import events
from vigil.cameras.trying.model import Found, Trial

_COLUMNS = """
    SELECT id, form, camera_id, kind, url, options, interval_s, state, attempts, created_at,
        started_at, finished_at, error, hint, width, height, bytes, format, took_s, camera_clock,
        clock_offset_s
    FROM camera_trials
"""


def topic(trial_id: int) -> str:
    """What is told of a trial."""
    return f"camera-trial:{trial_id}"


async def add(
    db: db_utils.Database,
    *,
    form: Mapping[str, Any],
    camera_id: int | None,
    kind: str,
    url: str | None,
    options: Mapping[str, Any],
    interval_s: float,
    most: int,
) -> int | None:
    """Ask for a trial; wakes the scanners. ``None`` while ``most`` are waiting already."""
    async with db_utils.transaction(db) as connection:
        found: int | None = await connection.fetchval(
            """
            INSERT INTO camera_trials (form, camera_id, kind, url, options, interval_s)
            SELECT $1, $2, $3, $4, $5, $6 WHERE $7 > (
                SELECT count(*) FROM camera_trials WHERE state IN ('waiting', 'asking'))
            RETURNING id
            """,
            dict(form),
            camera_id,
            kind,
            url,
            dict(options),
            interval_s,
            most,
        )
        if found is not None:
            await events.notify(connection, "cameras", change="trial", id=0)
        return found


async def get(db: db_utils.Database, trial_id: int) -> Trial | None:
    """One trial."""
    row = await db.fetchrow(_COLUMNS + "WHERE id = $1", trial_id)
    return Trial(**row) if row else None


async def preview(db: db_utils.Database, trial_id: int) -> bytes | None:
    """The picture of a trial; ``None`` when there is none."""
    found: bytes | None = await db.fetchval(
        "SELECT preview FROM camera_trials WHERE id = $1", trial_id
    )
    return found


async def unfinished(db: db_utils.Database) -> list[int]:
    """Numbers of the trials that nobody has finished."""
    rows = await db.fetch(
        "SELECT id FROM camera_trials WHERE state IN ('waiting', 'asking') ORDER BY id"
    )
    return [row["id"] for row in rows]


async def begin(db: db_utils.Database, trial_id: int, now: datetime) -> Trial | None:
    """Note that a scanner asks now, and how often that was; ``None`` when it is over."""
    async with db_utils.transaction(db) as connection:
        began = await connection.fetchval(
            """
            UPDATE camera_trials SET state = 'asking', started_at = $2, attempts = attempts + 1
            WHERE id = $1 AND state IN ('waiting', 'asking') RETURNING id
            """,
            trial_id,
            now,
        )
        if began is None:
            return None
        await events.notify(connection, topic(trial_id))
        return await get(connection, trial_id)


async def succeed(db: db_utils.Database, trial_id: int, found: Found, now: datetime) -> None:
    """Write what the camera showed."""
    async with db_utils.transaction(db) as connection:
        await connection.execute(
            """
            UPDATE camera_trials SET state = 'done', finished_at = $2, preview = $3, width = $4,
                height = $5, bytes = $6, format = $7, took_s = $8, camera_clock = $9,
                clock_offset_s = $10
            WHERE id = $1
            """,
            trial_id,
            now,
            found.preview,
            found.width,
            found.height,
            found.bytes,
            found.format,
            found.took_s,
            found.camera_clock,
            found.clock_offset_s,
        )
        await events.notify(connection, topic(trial_id))


async def fail(
    db: db_utils.Database, trial_id: int, error: str, hint: str | None, now: datetime
) -> None:
    """Write why there is no picture."""
    async with db_utils.transaction(db) as connection:
        await connection.execute(
            """
            UPDATE camera_trials SET state = 'failed', finished_at = $2, error = $3, hint = $4
            WHERE id = $1
            """,
            trial_id,
            now,
            error,
            hint,
        )
        await events.notify(connection, topic(trial_id))


async def expire(db: db_utils.Database, before: datetime) -> int:
    """Remove the trials that were made before then; returns how many."""
    done = await db.execute("DELETE FROM camera_trials WHERE created_at < $1", before)
    return int(done.split()[-1])
