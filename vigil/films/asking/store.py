"""SQL of what is known when a film is asked for: frames that are there, past renders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import db_utils
from vigil.films.asking.model import Costs, Seen

ENOUGH = 400
"""Frames whose distances say how far apart frames usually are; segments whose cost is averaged."""


async def first_at(db: db_utils.Database, scenes: Sequence[int]) -> datetime | None:
    """When the first frame that there is of these scenes was taken."""
    found: datetime | None = await db.fetchval(
        """
        SELECT min(first.taken_at) FROM unnest($1::integer[]) AS scene
        CROSS JOIN LATERAL (
            SELECT taken_at FROM frames WHERE scene_id = scene AND deleting_at IS NULL
            ORDER BY taken_at, sha256 LIMIT 1
        ) AS first
        """,
        list(scenes),
    )
    return found


async def seen(
    db: db_utils.Database, scenes: Sequence[int], from_at: datetime, to_at: datetime
) -> Seen:
    """The frames of scenes in a span; how far apart, by the latest of the first scene there."""
    row = await db.fetchrow(
        """
        SELECT count(*) AS frames, min(taken_at) AS first_at, max(taken_at) AS last_at,
            (SELECT extract(epoch FROM percentile_cont(0.5) WITHIN GROUP (ORDER BY apart)) FROM (
                SELECT taken_at - lag(taken_at) OVER (ORDER BY taken_at) AS apart FROM (
                    SELECT taken_at FROM frames
                    WHERE scene_id = $4 AND taken_at >= $2 AND taken_at < $3
                        AND deleting_at IS NULL
                    ORDER BY taken_at DESC, sha256 DESC LIMIT $5
                ) AS latest
            ) AS distances WHERE apart > interval '0')::float8 AS interval_s
        FROM frames
        WHERE scene_id = ANY ($1::integer[]) AND taken_at >= $2 AND taken_at < $3
            AND deleting_at IS NULL
        """,
        list(scenes),
        from_at,
        to_at,
        scenes[0],
        ENOUGH,
    )
    return Seen(**row) if row else Seen()


async def known(db: db_utils.Database, hashes: Sequence[str]) -> set[str]:
    """Which of these segments are rendered already."""
    rows = await db.fetch(
        "SELECT hash FROM segments WHERE hash = ANY ($1::text[]) AND deleting_at IS NULL",
        list(hashes),
    )
    return {row["hash"] for row in rows}


async def costs(db: db_utils.Database, codec: str) -> Costs:
    """What the latest renders with a codec took."""
    row = await db.fetchrow(
        """
        SELECT sum(bytes)::float8 / sum(frames::float8 * pixels) AS bytes_per_pixel,
            sum(render_s)::float8 / nullif(sum(frames::float8 * pixels)
                FILTER (WHERE render_s IS NOT NULL), 0) AS seconds_per_pixel
        FROM (
            SELECT bytes, frames, pixels, render_s FROM segments
            WHERE codec = $1 AND pixels > 0 AND frames > 0
            ORDER BY created_at DESC LIMIT $2
        ) AS latest
        """,
        codec,
        ENOUGH,
    )
    return Costs(**row) if row else Costs()


async def cameras_of(db: db_utils.Database, frames: Sequence[int]) -> dict[int, str]:
    """For frames by their numbers the names of the cameras that took them."""
    rows = await db.fetch(
        """
        SELECT f.id, c.name FROM frames f JOIN cameras c ON c.id = f.camera_id
        WHERE f.id = ANY ($1::bigint[])
        """,
        list(frames),
    )
    return {row["id"]: row["name"] for row in rows}


async def frames_at(
    db: db_utils.Database, scene_id: int, moments: Sequence[datetime]
) -> list[tuple[int, int, str]]:
    """The frames of a scene taken at just these moments: moment, number, name of the camera."""
    rows = await db.fetch(
        """
        SELECT (extract(epoch FROM f.taken_at) * 1000000)::bigint AS moment, f.id, c.name
        FROM frames f JOIN cameras c ON c.id = f.camera_id
        WHERE f.scene_id = $1 AND f.taken_at = ANY ($2::timestamptz[]) AND f.deleting_at IS NULL
        """,
        scene_id,
        list(moments),
    )
    return [(row["moment"], row["id"], row["name"]) for row in rows]
