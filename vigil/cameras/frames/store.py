"""SQL of the frames."""

from __future__ import annotations

from dataclasses import astuple
from datetime import datetime
from typing import Any

import db_utils
from vigil import events
from vigil.cameras.frames.model import NewFrame
from vigil.cameras.model import Frame


async def add(db: db_utils.Database, camera_id: int, new: NewFrame) -> Frame | None:
    """Write a frame, whose blobs are there already, and its camera's state; tells everybody.

    One statement, since this happens for each frame of each camera. Returns the frame that was
    there already for the same bytes at the same time, ``None`` when the camera is gone or going.
    """
    row = await db.fetchrow(
        """
        WITH camera AS (
            SELECT id FROM cameras WHERE id = $1 AND deleting_at IS NULL FOR KEY SHARE
        ), added AS (
            INSERT INTO frames
                (camera_id, scene_id, taken_at, received_at, width, height, bytes, sha256,
                 format, blob, picture, picture_bytes, thumbnails, luma, contrast, dark,
                 bright, sharpness, perceptual_hash, sun_height, kept)
            SELECT id, scene_at($1, $2), $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,
                $14, $15, $16, $17, $18, $19, $20
            FROM camera
            ON CONFLICT (camera_id, taken_at, sha256) DO NOTHING
            RETURNING *
        ), state AS (
            INSERT INTO camera_state AS s
                (camera_id, connected, last_frame_id, frames, passing_frames, passing_bytes)
            SELECT camera_id, true, id, 1, CASE WHEN kept THEN 0 ELSE 1 END,
                CASE WHEN kept THEN 0 ELSE stored_bytes END
            FROM added
            ON CONFLICT (camera_id) DO UPDATE SET
                connected = true, frames = s.frames + 1, failures = 0,
                passing_frames = s.passing_frames + excluded.passing_frames,
                passing_bytes = s.passing_bytes + excluded.passing_bytes,
                error = NULL, hint = NULL, next_at = NULL,
                last_frame_id = CASE
                    WHEN $2 < (SELECT taken_at FROM frames WHERE id = s.last_frame_id)
                    THEN s.last_frame_id ELSE excluded.last_frame_id END
        )
        SELECT *, pg_notify($21, ($22::jsonb || jsonb_build_object('frame', id))::text) FROM added
        """,
        camera_id,
        *astuple(new),
        events.CHANNEL,
        {
            "topic": f"camera:{camera_id}",
            "change": "frame",
            "taken_at": new.taken_at.isoformat(),
            "width": new.width,
            "height": new.height,
            "bytes": new.bytes,
        },
    )
    if row is not None:
        return of_row(row)
    row = await db.fetchrow(
        """
        SELECT * FROM frames
        WHERE camera_id = $1 AND taken_at = $2 AND sha256 = $3 AND deleting_at IS NULL
        """,
        camera_id,
        new.taken_at,
        new.sha256,
    )
    return of_row(row) if row else None


async def by_content(
    db: db_utils.Database, camera_id: int, taken_at: datetime, sha256: bytes
) -> tuple[Frame, bool] | None:
    """The frame of these bytes at this time, and whether it is being removed."""
    row = await db.fetchrow(
        "SELECT * FROM frames WHERE camera_id = $1 AND taken_at = $2 AND sha256 = $3",
        camera_id,
        taken_at,
        sha256,
    )
    return (of_row(row), row["deleting_at"] is not None) if row else None


async def place(
    db: db_utils.Database, camera_id: int, moment: datetime
) -> tuple[float, float] | None:
    """Latitude and longitude of what a camera shows at a moment; ``None`` when nobody said."""
    row = await db.fetchrow(
        """
        SELECT latitude, longitude FROM camera_scenes JOIN scenes ON scenes.id = scene_id
        WHERE camera_id = $1 AND from_at <= $2 ORDER BY from_at DESC LIMIT 1
        """,
        camera_id,
        moment,
    )
    if row is None or row["latitude"] is None:
        return None
    return row["latitude"], row["longitude"]


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


def of_row(row: Any) -> Frame:
    """The frame of a row that has its columns."""
    return Frame(**{name: row[name] for name in Frame.__slots__})
