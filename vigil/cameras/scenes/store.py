"""SQL of the scenes and of which camera shows which."""

from __future__ import annotations

from datetime import datetime

import db_utils
from vigil.cameras.model import Scene


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
