"""SQL of imports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import db_utils
from vigil.cameras.importing.model import Import, Near, Tally, merged
from vigil.jobs import store as jobs

TASK = "cameras.import"
QUEUE = "imports"
"""Of its own, so that hours of import keep no film waiting."""
CLOSE = timedelta(milliseconds=1)
"""Pictures of one moment are put microseconds apart, within this."""

_IMPORTS = """
    SELECT i.*, cameras.name AS camera FROM imports i JOIN cameras ON cameras.id = i.camera_id
"""


async def add(
    db: db_utils.Database,
    *,
    camera_id: int,
    place: str,
    pattern: str,
    rule: str,
    time_zone: str,
    clock_offset_s: float,
    keep: bool,
    now: datetime,
) -> int:
    """Note an import that somebody wants, with the job that does it; returns its number."""
    async with db_utils.transaction(db) as connection:
        import_id: int = await connection.fetchval(
            """
            INSERT INTO imports (camera_id, place, pattern, rule, time_zone, clock_offset_s, keep,
                created_at, checkpoint_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) RETURNING id
            """,
            camera_id,
            place,
            pattern,
            rule,
            time_zone,
            clock_offset_s,
            keep,
            now,
        )
        await enqueue(connection, import_id)
        return import_id


async def enqueue(db: db_utils.Database, import_id: int) -> bool:
    """Have an import done, or gone on with; False when it is gone, done, or under way already."""
    async with db_utils.transaction(db) as connection:
        row = await connection.fetchrow(
            """
            SELECT job_id, (SELECT name FROM cameras WHERE id = camera_id) AS camera
            FROM imports WHERE id = $1 AND finished_at IS NULL FOR UPDATE
            """,
            import_id,
        )
        if row is None:
            return False
        if row["job_id"] is not None:
            before = await jobs.get(connection, row["job_id"])
            if before is not None and not before.finished:
                return False
        job_id = await jobs.enqueue(
            connection,
            task=TASK,
            queue=QUEUE,
            subject=f"import:{import_id}",
            title=f"Import into {row['camera']}",
            arguments={"import_id": import_id},
            lock=f"import:{import_id}",
        )
        await connection.execute("UPDATE imports SET job_id = $2 WHERE id = $1", import_id, job_id)
        return True


async def get(db: db_utils.Database, import_id: int) -> Import | None:
    """One import."""
    row = await db.fetchrow(_IMPORTS + "WHERE i.id = $1", import_id)
    return Import(**row) if row else None


async def begin(db: db_utils.Database, import_id: int, job_id: int) -> Import | None:
    """The import of a job; ``None`` when it is gone, done, or another job's."""
    row = await db.fetchrow(
        _IMPORTS + "WHERE i.id = $1 AND i.job_id = $2 AND finished_at IS NULL", import_id, job_id
    )
    return Import(**row) if row else None


async def page(db: db_utils.Database, *, before: int | None = None, limit: int) -> list[Import]:
    """Imports, the newest first, from the one before the import ``before`` on."""
    rows = await db.fetch(
        _IMPORTS + "WHERE $1::bigint IS NULL OR i.id < $1 ORDER BY i.id DESC LIMIT $2",
        before,
        limit,
    )
    return [Import(**row) for row in rows]


async def set_total(db: db_utils.Database, import_id: int, files: int, size: int) -> None:
    """Note how much there is."""
    await db.execute(
        "UPDATE imports SET total_files = $2, total_bytes = $3 WHERE id = $1",
        import_id,
        files,
        size,
    )


async def checkpoint(
    db: db_utils.Database,
    one: Import,
    tally: Tally,
    *,
    cursor: bytes,
    busy_s: float,
    speed: tuple[float, float] | None,
    now: datetime,
) -> Import | None:
    """Note that an import is done up to ``cursor``; ``None`` when another went on with it.

    Args:
        db: the database.
        one: as it was after the last checkpoint: whoever else wrote one since has taken over.
        tally: what became of the files between.
        cursor: name of the last of them.
        busy_s: seconds that they took.
        speed: files and bytes a second lately.
        now: by the clock that stamps the arrival of frames.
    """
    row = await db.fetchrow(
        """
        UPDATE imports i SET cursor = $4, files = files + $5, bytes = bytes + $6,
            added = added + $7, known = known + $8, refused = refused + $9,
            mended = mended + $10, shifted = shifted + $11, ways = $12, refusals = $13,
            first_at = least(first_at, $14), last_at = greatest(last_at, $15),
            busy_s = busy_s + $16, files_per_s = $17, bytes_per_s = $18, checkpoint_at = $19
        FROM cameras
        WHERE i.id = $1 AND i.job_id = $2 AND i.cursor IS NOT DISTINCT FROM $3
            AND i.finished_at IS NULL AND cameras.id = i.camera_id
        RETURNING i.*, cameras.name AS camera
        """,
        one.id,
        one.job_id,
        one.cursor,
        cursor,
        tally.files,
        tally.bytes,
        tally.added,
        tally.known,
        tally.refused,
        tally.mended,
        tally.shifted,
        _sum(one.ways, tally.ways),
        merged(one.refusals, tally.refusals),
        tally.first_at,
        tally.last_at,
        busy_s,
        speed[0] if speed else None,
        speed[1] if speed else None,
        now,
    )
    return Import(**row) if row else None


async def finish(db: db_utils.Database, one: Import, now: datetime) -> bool:
    """Note that the last file is done; False when another went on with it."""
    done = await db.execute(
        """
        UPDATE imports SET finished_at = $4, total_files = files, total_bytes = bytes
        WHERE id = $1 AND job_id = $2 AND cursor IS NOT DISTINCT FROM $3 AND finished_at IS NULL
        """,
        one.id,
        one.job_id,
        one.cursor,
        now,
    )
    return done == "UPDATE 1"


async def forget(db: db_utils.Database, import_id: int) -> bool:
    """Forget an import; its frames stay. False when there is none."""
    return await db.execute("DELETE FROM imports WHERE id = $1", import_id) == "DELETE 1"


async def raise_retention(db: db_utils.Database, camera_id: int, seconds: float) -> None:
    """Let a camera keep frames at least so long."""
    await db.execute(
        "UPDATE cameras SET retention_s = $2 WHERE id = $1 AND retention_s < $2",
        camera_id,
        seconds,
    )


async def near(db: db_utils.Database, camera_id: int, moment: datetime) -> list[Near]:
    """Frames of a camera at a moment or within a millisecond after it, those going included."""
    rows = await db.fetch(
        """
        SELECT id, taken_at, sha256, received_at, kept FROM frames
        WHERE camera_id = $1 AND taken_at >= $2 AND taken_at < $3 ORDER BY taken_at
        """,
        camera_id,
        moment,
        moment + CLOSE,
    )
    return [Near(**row) for row in rows]


async def known(
    db: db_utils.Database, camera_id: int, found: Sequence[tuple[datetime, bytes]]
) -> int:
    """How many of these pictures, by time and SHA-256, a camera has already."""
    number: int = await db.fetchval(
        """
        SELECT count(*) FROM unnest($2::timestamptz[], $3::bytea[]) AS wanted (taken_at, sha256)
        WHERE EXISTS (
            SELECT FROM frames f WHERE f.camera_id = $1 AND f.sha256 = wanted.sha256
                AND f.taken_at >= wanted.taken_at AND f.taken_at < wanted.taken_at + $4::interval
                AND f.deleting_at IS NULL
        )
        """,
        camera_id,
        [taken_at for taken_at, _ in found],
        [digest for _, digest in found],
        CLOSE,
    )
    return number


def _sum(before: Mapping[str, int], more: Mapping[str, int]) -> dict[str, Any]:
    return {key: before.get(key, 0) + more.get(key, 0) for key in {**before, **more}}
