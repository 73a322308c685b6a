"""SQL of the scenes and of which camera shows which."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import asyncpg

import db_utils
from vigil.cameras.model import Scene
from vigil.cameras.scenes.model import Span
from vigil.errors import Conflict


async def all_scenes(db: db_utils.Database) -> list[Scene]:
    """Every scene, by name."""
    return [Scene(**row) for row in await db.fetch("SELECT * FROM scenes ORDER BY name")]


async def by_name(db: db_utils.Database, name: str) -> Scene | None:
    """The scene of this name."""
    row = await db.fetchrow("SELECT * FROM scenes WHERE name = $1", name)
    return Scene(**row) if row else None


async def of_camera(db: db_utils.Database, camera_id: int, moment: datetime) -> Scene:
    """The scene that a camera shows, or showed, at a moment; the camera must exist."""
    row = await db.fetchrow(
        """
        SELECT scenes.* FROM camera_scenes JOIN scenes ON scenes.id = scene_id
        WHERE camera_id = $1 AND from_at <= $2 ORDER BY from_at DESC LIMIT 1
        """,
        camera_id,
        moment,
    )
    assert row is not None  # noqa: S101 - a camera's first row says -infinity
    return Scene(**row)


async def by_id(db: db_utils.Database, scene_id: int) -> Scene | None:
    """The scene of this number."""
    row = await db.fetchrow("SELECT * FROM scenes WHERE id = $1", scene_id)
    return Scene(**row) if row else None


async def names(db: db_utils.Database, ids: Sequence[int]) -> list[str]:
    """Names of scenes, in the order of their numbers as given; those that are gone left out."""
    rows = await db.fetch(
        """
        SELECT name FROM unnest($1::integer[]) WITH ORDINALITY AS wanted (id, place)
        JOIN scenes USING (id) ORDER BY place
        """,
        list(ids),
    )
    return [row["name"] for row in rows]


async def shown_now(db: db_utils.Database, now: datetime) -> dict[int, Scene]:
    """For each camera, by its number, the scene that it shows."""
    rows = await db.fetch(
        """
        SELECT DISTINCT ON (camera_id) camera_id, scenes.*
        FROM camera_scenes JOIN scenes ON scenes.id = scene_id
        WHERE from_at <= $1 ORDER BY camera_id, from_at DESC
        """,
        now,
    )
    return {
        row["camera_id"]: Scene(**{k: v for k, v in row.items() if k != "camera_id"})
        for row in rows
    }


async def spans(
    db: db_utils.Database, *, camera_id: int | None = None, scene_id: int | None = None
) -> list[Span]:
    """Which camera showed which scene from when to when; of one camera, of one scene, or all."""
    rows = await db.fetch(
        """
        SELECT * FROM (
            SELECT camera_id, cameras.name AS camera, scene_id, scenes.name AS scene,
                CASE WHEN isfinite(from_at) THEN from_at END AS from_at,
                lead(from_at) OVER (PARTITION BY camera_id ORDER BY camera_scenes.from_at) AS to_at
            FROM camera_scenes
            JOIN cameras ON cameras.id = camera_id JOIN scenes ON scenes.id = scene_id
            WHERE $1::integer IS NULL OR camera_id = $1
        ) AS found
        WHERE $2::integer IS NULL OR scene_id = $2
        ORDER BY from_at DESC NULLS LAST, camera
        """,
        camera_id,
        scene_id,
    )
    return [Span(**row) for row in rows]


async def add(
    db: db_utils.Database,
    *,
    name: str,
    title: str,
    notes: str,
    latitude: float | None,
    longitude: float | None,
    time_zone: str,
) -> Scene:
    """Add a scene that no camera shows yet; Conflict when the name is taken."""
    try:
        row = await db.fetchrow(
            """
            INSERT INTO scenes (name, title, notes, latitude, longitude, time_zone)
            VALUES ($1, $2, $3, $4, $5, $6) RETURNING *
            """,
            name,
            title,
            notes,
            latitude,
            longitude,
            time_zone,
        )
    except asyncpg.UniqueViolationError as error:
        raise Conflict(f"there is a scene {name} already") from error
    assert row is not None  # noqa: S101 - it was inserted
    return Scene(**row)


async def change(
    db: db_utils.Database,
    scene_id: int,
    *,
    title: str,
    notes: str,
    latitude: float | None,
    longitude: float | None,
    time_zone: str,
) -> Scene | None:
    """Change a scene; another time zone counts its days anew. ``None`` when it is gone."""
    row = await db.fetchrow(
        """
        UPDATE scenes SET title = $2, notes = $3, latitude = $4, longitude = $5, time_zone = $6
        WHERE id = $1 RETURNING *
        """,
        scene_id,
        title,
        notes,
        latitude,
        longitude,
        time_zone,
    )
    return Scene(**row) if row else None


async def remove(db: db_utils.Database, scene_id: int) -> bool:
    """Remove a scene that no camera shows or showed and that has no frames; False otherwise."""
    done = await db.execute(
        """
        DELETE FROM scenes s WHERE id = $1
            AND NOT EXISTS (SELECT FROM camera_scenes WHERE scene_id = s.id)
            AND NOT EXISTS (SELECT FROM frames WHERE scene_id = s.id)
        """,
        scene_id,
    )
    return done == "DELETE 1"


async def move(
    db: db_utils.Database, camera_id: int, scene_id: int, from_at: datetime, *, most: int
) -> int | None:
    """Let a camera show a scene from a moment on, until it was moved next; frames follow.

    Returns how many frames that were there already changed their scene; ``None`` when the camera
    is gone or going. Conflict when they are more than ``most``.
    """
    async with db_utils.transaction(db) as connection:
        # Waits for frames under way, and lets new ones wait: none can slip in with the old scene.
        found = await connection.fetchval(
            "SELECT id FROM cameras WHERE id = $1 AND deleting_at IS NULL FOR UPDATE", camera_id
        )
        if found is None:
            return None
        await connection.execute(
            """
            INSERT INTO camera_scenes (camera_id, from_at, scene_id) VALUES ($1, $2, $3)
            ON CONFLICT (camera_id, from_at) DO UPDATE SET scene_id = excluded.scene_id
            """,
            camera_id,
            from_at,
            scene_id,
        )
        return await _follow(connection, camera_id, from_at, scene_id, most)


async def unmove(
    db: db_utils.Database, camera_id: int, from_at: datetime, *, most: int
) -> int | None:
    """Forget that a camera was moved at a moment: it went on showing what it showed before.

    Returns how many frames changed their scene; ``None`` when there was no such move or the camera
    is gone or going. Conflict when they are more than ``most``.
    """
    async with db_utils.transaction(db) as connection:
        found = await connection.fetchval(
            "SELECT id FROM cameras WHERE id = $1 AND deleting_at IS NULL FOR UPDATE", camera_id
        )
        gone = await connection.execute(
            "DELETE FROM camera_scenes WHERE camera_id = $1 AND from_at = $2 AND isfinite(from_at)",
            camera_id,
            from_at,
        )
        if found is None or gone != "DELETE 1":
            return None
        before = await of_camera(connection, camera_id, from_at)
        return await _follow(connection, camera_id, from_at, before.id, most)


async def _follow(
    connection: db_utils.Connection, camera_id: int, from_at: datetime, scene_id: int, most: int
) -> int:
    """Give the camera's frames from a moment up to its next move a scene; Conflict: too many."""
    rows = await connection.fetch(
        """
        SELECT id FROM frames
        WHERE camera_id = $1 AND taken_at >= $2 AND scene_id <> $3
            AND taken_at < coalesce((
                SELECT min(from_at) FROM camera_scenes WHERE camera_id = $1 AND from_at > $2
            ), 'infinity')
        LIMIT $4
        """,
        camera_id,
        from_at,
        scene_id,
        most + 1,
    )
    if len(rows) > most:
        raise Conflict(
            f"more than {most} frames would change their scene", hint="choose a later moment"
        )
    ids = [row["id"] for row in rows]
    await connection.execute(
        "UPDATE frames SET scene_id = $2 WHERE id = ANY ($1::bigint[])", ids, scene_id
    )
    return len(ids)
