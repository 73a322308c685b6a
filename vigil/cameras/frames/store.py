"""SQL of the frames."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import db_utils
from vigil import events
from vigil.cameras.model import Frame


async def add(
    db: db_utils.Database,
    *,
    camera_id: int,
    taken_at: datetime,
    received_at: datetime,
    width: int,
    height: int,
    bytes: int,
    sha256: bytes,
    luma: float,
    blob: str,
) -> Frame | None:
    """Write a frame, whose blob is there already, and its camera's state; tells everybody.

    Returns the frame that was there already for the same bytes at the same time, ``None`` when
    the camera is gone or going.
    """
    async with db_utils.transaction(db) as connection:
        row = await connection.fetchrow(
            """
            WITH camera AS (
                SELECT id FROM cameras WHERE id = $1 AND deleting_at IS NULL FOR KEY SHARE
            ), added AS (
                INSERT INTO frames
                    (camera_id, scene_id, taken_at, received_at, width, height, bytes, sha256,
                     luma, blob)
                SELECT id, scene_at($1, $2), $2, $3, $4, $5, $6, $7, $8, $9 FROM camera
                ON CONFLICT (camera_id, taken_at, sha256) DO NOTHING
                RETURNING *
            ), state AS (
                INSERT INTO camera_state AS s (camera_id, connected, last_frame_id, frames)
                SELECT camera_id, true, id, 1 FROM added
                ON CONFLICT (camera_id) DO UPDATE SET
                    connected = true, frames = s.frames + 1, failures = 0,
                    error = NULL, hint = NULL, next_at = NULL,
                    last_frame_id = CASE
                        WHEN $2 < (SELECT taken_at FROM frames WHERE id = s.last_frame_id)
                        THEN s.last_frame_id ELSE excluded.last_frame_id END
            )
            SELECT * FROM added
            """,
            camera_id,
            taken_at,
            received_at,
            width,
            height,
            bytes,
            sha256,
            luma,
            blob,
        )
        if row is not None:
            await events.notify(
                connection,
                f"camera:{camera_id}",
                change="frame",
                frame=row["id"],
                taken_at=taken_at.isoformat(),
                width=width,
                height=height,
                bytes=bytes,
            )
            return of_row(row)
        row = await connection.fetchrow(
            """
            SELECT * FROM frames
            WHERE camera_id = $1 AND taken_at = $2 AND sha256 = $3 AND deleting_at IS NULL
            """,
            camera_id,
            taken_at,
            sha256,
        )
        return of_row(row) if row else None


async def latest(db: db_utils.Database, camera_id: int) -> Frame | None:
    """The camera's latest frame by time taken."""
    found = await page(db, camera_id, limit=1)
    return found[0] if found else None


async def by_id(db: db_utils.Database, camera_id: int, frame_id: int) -> Frame | None:
    """One frame of a camera."""
    row = await db.fetchrow(
        "SELECT * FROM frames WHERE id = $1 AND camera_id = $2 AND deleting_at IS NULL",
        frame_id,
        camera_id,
    )
    return of_row(row) if row else None


async def page(
    db: db_utils.Database,
    camera_id: int,
    *,
    from_at: datetime | None = None,
    to_at: datetime | None = None,
    before: tuple[datetime, bytes] | None = None,
    limit: int = 100,
) -> list[Frame]:
    """Frames of a camera, latest first, taken from ``from_at`` up to, not including, ``to_at``.

    ``before`` is the (taken_at, sha256) of the last frame of the page before this one.
    """
    rows = await db.fetch(
        """
        SELECT * FROM frames
        WHERE camera_id = $1 AND deleting_at IS NULL
          AND taken_at >= coalesce($2, '-infinity'::timestamptz)
          AND taken_at < coalesce($3, 'infinity'::timestamptz)
          AND (taken_at, sha256)
            < (coalesce($4, 'infinity'::timestamptz), coalesce($5, ''::bytea))
        ORDER BY taken_at DESC, sha256 DESC
        LIMIT $6
        """,
        camera_id,
        from_at,
        to_at,
        before[0] if before else None,
        before[1] if before else None,
        limit,
    )
    return [of_row(row) for row in rows]


async def mark_expired(db: db_utils.Database, now: datetime, limit: int) -> list[tuple[int, str]]:
    """Mark frames that have to go, at most about ``limit``; returns their ids and blobs.

    Those are: what is past its camera's retention, everything of a camera that is being removed,
    and what was marked before and never finished.
    """
    rows = await db.fetch(
        """
        WITH due AS (
            SELECT f.id FROM cameras c
            CROSS JOIN LATERAL (
                SELECT id FROM frames
                WHERE camera_id = c.id
                  AND taken_at < CASE WHEN c.deleting_at IS NOT NULL THEN 'infinity'
                                 ELSE $1::timestamptz - make_interval(secs => c.retention_s) END
                ORDER BY taken_at LIMIT $2
            ) f
            UNION
            (SELECT id FROM frames WHERE deleting_at IS NOT NULL ORDER BY deleting_at LIMIT $2)
            LIMIT $2
        )
        UPDATE frames SET deleting_at = coalesce(deleting_at, $1)
        WHERE id = ANY (ARRAY(SELECT id FROM due))
        RETURNING id, blob
        """,
        now,
        limit,
    )
    return [(row["id"], row["blob"]) for row in rows]


async def forget(db: db_utils.Database, ids: Sequence[int]) -> int:
    """Delete the rows of frames that are marked and whose blobs are gone; returns how many."""
    done = await db.execute(
        "DELETE FROM frames WHERE id = ANY($1::bigint[]) AND deleting_at IS NOT NULL", ids
    )
    return int(done.split()[-1])


async def forget_one(db: db_utils.Database, frame_id: int) -> bool:
    """Delete the row of a frame that has lost its blob."""
    return await db.execute("DELETE FROM frames WHERE id = $1", frame_id) == "DELETE 1"


async def stuck(db: db_utils.Database, before: datetime) -> list[tuple[int, str]]:
    """Ids and blobs of the frames that were marked before then and are still there."""
    rows = await db.fetch(
        "SELECT id, blob FROM frames WHERE deleting_at < $1 ORDER BY deleting_at LIMIT 10000",
        before,
    )
    return [(row["id"], row["blob"]) for row in rows]


async def blobs_after(db: db_utils.Database, after: int, limit: int) -> list[tuple[int, str]]:
    """Ids and blobs of frames that are not being removed, by id, for a walk over all of them."""
    rows = await db.fetch(
        "SELECT id, blob FROM frames WHERE id > $1 AND deleting_at IS NULL ORDER BY id LIMIT $2",
        after,
        limit,
    )
    return [(row["id"], row["blob"]) for row in rows]


async def known_blobs(
    db: db_utils.Database, places: Sequence[tuple[int, datetime, str]]
) -> set[str]:
    """Which of these blobs have a row; each place is (camera id, taken_at, blob)."""
    rows = await db.fetch(
        """
        SELECT f.blob
        FROM unnest($1::integer[], $2::timestamptz[], $3::text[]) AS p (camera_id, taken_at, blob)
        JOIN frames f USING (camera_id, taken_at, blob)
        """,
        [place[0] for place in places],
        [place[1] for place in places],
        [place[2] for place in places],
    )
    return {row["blob"] for row in rows}


def of_row(row: Any) -> Frame:
    """The frame of a row that has its columns."""
    return Frame(**{name: row[name] for name in Frame.__slots__})
