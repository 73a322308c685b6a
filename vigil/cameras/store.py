"""SQL of the cameras and their state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg

import db_utils
from vigil import events
from vigil.cameras.accounts import store as accounts
from vigil.cameras.frames import store as frames
from vigil.cameras.model import Camera, Health
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


async def scene_of(db: db_utils.Database, camera_id: int, moment: datetime) -> int:
    """Number of the scene that a camera shows, or showed, at a moment."""
    found: int = await db.fetchval(
        """
        SELECT scene_id FROM camera_scenes WHERE camera_id = $1 AND from_at <= $2
        ORDER BY from_at DESC LIMIT 1
        """,
        camera_id,
        moment,
    )
    return found


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
    """Add a camera, which shows the scene of its own name; Conflict when the name is taken."""
    try:
        row = await db.fetchrow(
            """
            WITH camera AS (
                INSERT INTO cameras (name, title, kind, url, options, interval_s, retention_s)
                VALUES ($1, $2, $3, $4, $5, $6, $7)
                RETURNING *
            ), scene AS (
                INSERT INTO scenes (name, title) VALUES ($1, $2)
                ON CONFLICT (name) DO UPDATE SET name = excluded.name
                RETURNING id
            ), shows AS (
                INSERT INTO camera_scenes (camera_id, from_at, scene_id)
                SELECT camera.id, '-infinity', scene.id FROM camera, scene
            )
            SELECT * FROM camera
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


async def change(
    db: db_utils.Database,
    camera_id: int,
    *,
    title: str,
    kind: str,
    url: str | None,
    options: Mapping[str, Any],
    interval_s: float,
    retention_s: float,
    retention_bytes: int | None,
    retention_frames: int | None,
    notes: str,
    plan: Mapping[str, Any],
    rotation: int,
    crop: Sequence[float] | None,
    enabled: bool,
) -> Camera | None:
    """Change a camera; ``None`` when it is gone or going."""
    row = await db.fetchrow(
        """
        UPDATE cameras SET title = $2, kind = $3, url = $4, options = $5, interval_s = $6,
            retention_s = $7, retention_bytes = $8, retention_frames = $9, notes = $10, plan = $11,
            rotation = $12, crop = $13, enabled = $14
        WHERE id = $1 AND deleting_at IS NULL RETURNING *
        """,
        camera_id,
        title,
        kind,
        url,
        dict(options),
        interval_s,
        retention_s,
        retention_bytes,
        retention_frames,
        notes,
        dict(plan),
        rotation,
        crop,
        enabled,
    )
    return _camera(row) if row else None


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
    """Delete the cameras that are being removed and have no frames left; returns their names.

    Their scenes go with them, unless another camera shows or showed them.
    """
    async with db_utils.transaction(db) as connection:
        rows = await connection.fetch(
            """
            WITH gone AS (
                DELETE FROM cameras c WHERE deleting_at IS NOT NULL
                    AND NOT EXISTS (SELECT FROM frames WHERE camera_id = c.id)
                RETURNING id, name
            )
            SELECT name, ARRAY(SELECT scene_id FROM camera_scenes WHERE camera_id = id) AS scenes
            FROM gone
            """
        )
        if rows:
            await connection.execute(
                """
                DELETE FROM scenes s WHERE id = ANY ($1::integer[])
                    AND NOT EXISTS (SELECT FROM camera_scenes WHERE scene_id = s.id)
                    AND NOT EXISTS (SELECT FROM frames WHERE scene_id = s.id)
                """,
                [scene for row in rows for scene in row["scenes"]],
            )
    return [row["name"] for row in rows]


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
        state = reason if reason == "disk_full" else "refused"
        await accounts.note_span(connection, camera_id, state, error, at, next_at)
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


async def note_rest(db: db_utils.Database, camera_id: int, until: datetime | None) -> None:
    """Record that a camera's plan asks for nothing until then; tells when that is news."""
    async with db_utils.transaction(db) as connection:
        news = await connection.fetchval(
            """
            INSERT INTO camera_state AS s (camera_id, next_at)
            SELECT id, $2 FROM cameras WHERE id = $1
            ON CONFLICT (camera_id) DO UPDATE SET
                failures = 0, error = NULL, hint = NULL, next_at = excluded.next_at
            WHERE s.error IS NOT NULL OR s.next_at IS DISTINCT FROM excluded.next_at
            RETURNING true
            """,
            camera_id,
            until,
        )
        if news:
            await events.notify(connection, f"camera:{camera_id}", change="state")


async def health(db: db_utils.Database, camera_id: int | None = None) -> dict[int, Health]:
    """How one camera, or each of them, is doing; by the camera's number."""
    rows = await db.fetch(
        """
        SELECT s.camera_id AS of_camera, s.connected, s.frames, s.refused, s.refusals, s.failures,
               s.error, s.hint, s.failed_at, s.next_at, f.*
        FROM camera_state s
        LEFT JOIN frames f ON f.id = s.last_frame_id AND f.deleting_at IS NULL
        WHERE $1::integer IS NULL OR s.camera_id = $1
        """,
        camera_id,
    )
    return {
        row["of_camera"]: Health(
            connected=row["connected"],
            last=frames.of_row(row) if row["id"] is not None else None,
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


async def files(db: db_utils.Database, camera_id: int) -> set[int]:
    """The files of a folder that a camera has had and left there."""
    rows = await db.fetch("SELECT file FROM camera_files WHERE camera_id = $1", camera_id)
    return {row["file"] for row in rows}


async def add_file(db: db_utils.Database, camera_id: int, file: int) -> None:
    """Note that a camera has had a file; nothing happens when the camera is gone."""
    await db.execute(
        """
        INSERT INTO camera_files (camera_id, file) SELECT id, $2 FROM cameras WHERE id = $1
        ON CONFLICT DO NOTHING
        """,
        camera_id,
        file,
    )


async def remove_files(db: db_utils.Database, camera_id: int, files: Sequence[int]) -> None:
    """Forget files that are no longer there."""
    await db.execute(
        "DELETE FROM camera_files WHERE camera_id = $1 AND file = ANY ($2::bigint[])",
        camera_id,
        files,
    )


def _camera(row: Any) -> Camera:
    crop = row["crop"] and [round(edge, 4) for edge in row["crop"]]  # PostgreSQL's real is short
    return Camera(**{**row, "crop": crop})
