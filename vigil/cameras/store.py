"""SQL of the cameras, their state and their frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg

import db_utils
from vigil import events
from vigil.cameras.model import Camera, Frame, Health
from vigil.errors import Conflict


async def all_cameras(db: db_utils.Database) -> list[Camera]:
    """Every camera, by name; those being removed included."""
    return [_camera(row) for row in await db.fetch("SELECT * FROM cameras ORDER BY name")]


async def by_name(db: db_utils.Database, name: str) -> Camera | None:
    """The camera of this name."""
    row = await db.fetchrow("SELECT * FROM cameras WHERE name = $1", name)
    return _camera(row) if row else None


async def by_id(db: db_utils.Database, camera_id: int) -> Camera | None:
    """The camera of this number."""
    row = await db.fetchrow("SELECT * FROM cameras WHERE id = $1", camera_id)
    return _camera(row) if row else None


async def add(
    db: db_utils.Database,
    *,
    name: str,
    title: str,
    kind: str,
    url: str | None,
    options: Mapping[str, Any],
    interval_s: float,
    retention_s: float,
) -> Camera:
    """Add a camera; raises Conflict when there is one of this name."""
    try:
        row = await db.fetchrow(
            """
            INSERT INTO cameras (name, title, kind, url, options, interval_s, retention_s)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            RETURNING *
            """,
            name,
            title,
            kind,
            url,
            dict(options),
            interval_s,
            retention_s,
        )
    except asyncpg.UniqueViolationError as error:
        raise Conflict(
            f"there is a camera {name} already",
            hint="choose another name; one that is being removed is gone in a moment",
        ) from error
    return _camera(row)


async def plant(db: db_utils.Database, name: str) -> bool:
    """Note that a built-in thing was made; False when it was made before."""
    row = await db.fetchrow(
        "INSERT INTO planted (name) VALUES ($1) ON CONFLICT DO NOTHING RETURNING name", name
    )
    return row is not None


async def begin_removal(db: db_utils.Database, camera_id: int) -> bool:
    """Mark a camera as being removed; False when it is already, or gone."""
    row = await db.fetchrow(
        """
        UPDATE cameras SET deleting_at = now(), enabled = false
        WHERE id = $1 AND deleting_at IS NULL
        RETURNING id
        """,
        camera_id,
    )
    return row is not None


async def finish_removal(db: db_utils.Database) -> list[str]:
    """Delete the cameras that are being removed and have no frames left; returns their names."""
    rows = await db.fetch(
        """
        DELETE FROM cameras c
        WHERE deleting_at IS NOT NULL AND NOT EXISTS (SELECT FROM frames WHERE camera_id = c.id)
        RETURNING name
        """
    )
    return [row["name"] for row in rows]


async def add_frame(
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
                    (camera_id, taken_at, received_at, width, height, bytes, sha256, luma, blob)
                SELECT id, $2, $3, $4, $5, $6, $7, $8, $9 FROM camera
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
            return _frame(row)
        row = await connection.fetchrow(
            """
            SELECT * FROM frames
            WHERE camera_id = $1 AND taken_at = $2 AND sha256 = $3 AND deleting_at IS NULL
            """,
            camera_id,
            taken_at,
            sha256,
        )
        return _frame(row) if row else None


async def note_refusal(
    db: db_utils.Database,
    camera_id: int,
    *,
    reason: str,
    error: str,
    at: datetime,
    next_at: datetime,
) -> None:
    """Count a refused picture; nothing happens when the camera is gone."""
    async with db_utils.transaction(db) as connection:
        await connection.execute(
            """
            INSERT INTO camera_state AS s
                (camera_id, refused, refusals, error, failed_at, next_at)
            SELECT id, 1, jsonb_build_object($2::text, 1), $3, $4, $5 FROM cameras WHERE id = $1
            ON CONFLICT (camera_id) DO UPDATE SET
                connected = false, refused = s.refused + 1,
                refusals = s.refusals
                    || jsonb_build_object($2::text, coalesce((s.refusals ->> $2)::bigint, 0) + 1),
                error = excluded.error, hint = NULL,
                failed_at = excluded.failed_at, next_at = excluded.next_at
            """,
            camera_id,
            reason,
            error,
            at,
            next_at,
        )
        await events.notify(connection, f"camera:{camera_id}", change="state")


async def note_failure(
    db: db_utils.Database,
    camera_id: int,
    *,
    error: str,
    hint: str | None,
    at: datetime,
    next_at: datetime,
) -> None:
    """Record that a camera could not be read; nothing happens when the camera is gone."""
    async with db_utils.transaction(db) as connection:
        await connection.execute(
            """
            INSERT INTO camera_state AS s (camera_id, failures, error, hint, failed_at, next_at)
            SELECT id, 1, $2, $3, $4, $5 FROM cameras WHERE id = $1
            ON CONFLICT (camera_id) DO UPDATE SET
                connected = false, failures = s.failures + 1, error = excluded.error,
                hint = excluded.hint, failed_at = excluded.failed_at, next_at = excluded.next_at
            """,
            camera_id,
            error,
            hint,
            at,
            next_at,
        )
        await events.notify(connection, f"camera:{camera_id}", change="state")


async def note_answer(db: db_utils.Database, camera_id: int) -> None:
    """Record that a camera answered, without a new picture; tells when that is news."""
    async with db_utils.transaction(db) as connection:
        news = await connection.fetchval(
            """
            UPDATE camera_state
            SET connected = true, failures = 0, error = NULL, hint = NULL, next_at = NULL
            WHERE camera_id = $1 AND (NOT connected OR error IS NOT NULL)
            RETURNING true
            """,
            camera_id,
        )
        if news:
            await events.notify(connection, f"camera:{camera_id}", change="state")


async def health(db: db_utils.Database, camera_id: int | None = None) -> dict[int, Health]:
    """How one camera, or each of them, is doing; by the camera's number."""
    rows = await db.fetch(
        """
        SELECT s.*, f.id, f.taken_at, f.received_at, f.width, f.height, f.bytes, f.sha256,
               f.luma, f.blob
        FROM camera_state s
        LEFT JOIN frames f ON f.id = s.last_frame_id AND f.deleting_at IS NULL
        WHERE $1::integer IS NULL OR s.camera_id = $1
        """,
        camera_id,
    )
    return {
        row["camera_id"]: Health(
            connected=row["connected"],
            last=_frame(row) if row["id"] is not None else None,
            frames=row["frames"],
            refused=row["refused"],
            refusals=row["refusals"],
            failures=row["failures"],
            error=row["error"],
            hint=row["hint"],
            failed_at=row["failed_at"],
            next_at=row["next_at"],
        )
        for row in rows
    }


async def latest(db: db_utils.Database, camera_id: int) -> Frame | None:
    """The camera's latest frame by time taken."""
    found = await frames(db, camera_id, limit=1)
    return found[0] if found else None


async def frame(db: db_utils.Database, camera_id: int, frame_id: int) -> Frame | None:
    """One frame of a camera."""
    row = await db.fetchrow(
        "SELECT * FROM frames WHERE id = $1 AND camera_id = $2 AND deleting_at IS NULL",
        frame_id,
        camera_id,
    )
    return _frame(row) if row else None


async def frames(
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
    return [_frame(row) for row in rows]


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


async def forget_frames(db: db_utils.Database, ids: Sequence[int]) -> int:
    """Delete the rows of frames that are marked and whose blobs are gone; returns how many."""
    done = await db.execute(
        "DELETE FROM frames WHERE id = ANY($1::bigint[]) AND deleting_at IS NOT NULL", ids
    )
    return int(done.split()[-1])


async def forget_frame(db: db_utils.Database, frame_id: int) -> bool:
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


def _camera(row: Any) -> Camera:
    return Camera(**row)


def _frame(row: Any) -> Frame:
    return Frame(**{name: row[name] for name in Frame.__slots__})
