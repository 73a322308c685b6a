"""SQL of retention, of the marks that keep frames for ever, and of the check of rows and blobs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import db_utils
from vigil.cameras.frames.model import Stored


async def past(
    db: db_utils.Database, now: datetime, received_before: datetime, limit: int
) -> list[int]:
    """Frames that are older than their camera keeps them, the oldest of each camera first.

    Not: what is kept for ever, what a film in the making needs, what only just came in.
    """
    rows = await db.fetch(
        """
        SELECT f.id FROM cameras c CROSS JOIN LATERAL (
            SELECT id FROM frames f
            WHERE camera_id = c.id AND deleting_at IS NULL AND NOT kept
                AND taken_at < $1::timestamptz - make_interval(secs => c.retention_s)
                AND received_at < $2
                AND NOT EXISTS (
                    SELECT FROM films m
                    WHERE f.scene_id = ANY (m.scenes) AND m.state IN ('waiting', 'rendering')
                        AND f.taken_at >= m.from_at AND f.taken_at < m.to_at
                )
            ORDER BY taken_at, sha256 LIMIT $3
        ) f
        WHERE c.deleting_at IS NULL LIMIT $3
        """,
        now,
        received_before,
        limit,
    )
    return [row["id"] for row in rows]


async def over(db: db_utils.Database, received_before: datetime, limit: int) -> list[int]:
    """Frames that are too many or too much for their camera, the oldest of each camera first.

    Not: what is kept for ever (which does not count either), what a film in the making needs,
    what only just came in.
    """
    rows = await db.fetch(
        """
        SELECT f.id
        FROM cameras c JOIN camera_state s ON s.camera_id = c.id
        CROSS JOIN LATERAL (
            SELECT id, row_number() OVER oldest AS number,
                sum(stored_bytes) OVER oldest - stored_bytes AS freed
            FROM (
                SELECT id, taken_at, sha256, stored_bytes FROM frames f
                WHERE camera_id = c.id AND deleting_at IS NULL AND NOT kept AND received_at < $1
                    AND NOT EXISTS (
                        SELECT FROM films m
                        WHERE f.scene_id = ANY (m.scenes) AND m.state IN ('waiting', 'rendering')
                            AND f.taken_at >= m.from_at
                            AND f.taken_at < coalesce(m.to_at, 'infinity')
                    )
                ORDER BY taken_at, sha256 LIMIT $2
            ) f
            WINDOW oldest AS (ORDER BY taken_at, sha256)
        ) f
        WHERE c.deleting_at IS NULL
            AND (s.passing_frames > c.retention_frames OR s.passing_bytes > c.retention_bytes)
            AND (f.number <= s.passing_frames - c.retention_frames
                OR f.freed < s.passing_bytes - c.retention_bytes)
        LIMIT $2
        """,
        received_before,
        limit,
    )
    return [row["id"] for row in rows]


async def of_removed(db: db_utils.Database, limit: int) -> list[int]:
    """Frames of cameras that are being removed; nothing of theirs stays."""
    rows = await db.fetch(
        """
        SELECT f.id FROM cameras c CROSS JOIN LATERAL (
            SELECT id FROM frames WHERE camera_id = c.id AND deleting_at IS NULL LIMIT $1
        ) f
        WHERE c.deleting_at IS NOT NULL LIMIT $1
        """,
        limit,
    )
    return [row["id"] for row in rows]


async def mark(db: db_utils.Database, ids: Sequence[int], now: datetime) -> tuple[int, int]:
    """Mark frames as being removed, unless they are kept meanwhile; returns frames and bytes.

    From then on nobody sees them, and they count as expired; those of a camera that is being
    removed go even if they are kept.
    """
    row = await db.fetchrow(
        """
        WITH marked AS (
            UPDATE frames f SET deleting_at = $2 FROM cameras c
            WHERE f.id = ANY($1::bigint[]) AND f.deleting_at IS NULL AND c.id = f.camera_id
                AND (NOT f.kept OR c.deleting_at IS NOT NULL)
            RETURNING f.camera_id, f.kept, f.stored_bytes
        ), sums AS (
            SELECT camera_id, count(*) AS frames, sum(stored_bytes)::bigint AS bytes,
                count(*) FILTER (WHERE NOT kept) AS passing_frames,
                coalesce(sum(stored_bytes) FILTER (WHERE NOT kept), 0)::bigint AS passing_bytes
            FROM marked GROUP BY camera_id
        ), counted AS (
            UPDATE camera_state s SET
                passing_frames = s.passing_frames - sums.passing_frames,
                passing_bytes = s.passing_bytes - sums.passing_bytes,
                expired_frames = s.expired_frames + sums.frames,
                expired_bytes = s.expired_bytes + sums.bytes
            FROM sums WHERE s.camera_id = sums.camera_id
        )
        SELECT coalesce(sum(frames), 0)::bigint AS frames, coalesce(sum(bytes), 0)::bigint AS bytes
        FROM sums
        """,
        list(ids),
        now,
    )
    assert row is not None  # noqa: S101  # sums always are one row
    return row["frames"], row["bytes"]


async def marked(db: db_utils.Database, limit: int) -> list[Stored]:
    """Frames that are being removed, those first that are so for longest."""
    rows = await db.fetch(
        """
        SELECT id, camera_id, blob, picture, thumbnails, stored_bytes FROM frames
        WHERE deleting_at IS NOT NULL ORDER BY deleting_at LIMIT $1
        """,
        limit,
    )
    return [Stored(**row) for row in rows]


async def forget(db: db_utils.Database, ids: Sequence[int]) -> int:
    """Delete the rows of frames that are marked and whose blobs are gone; returns how many."""
    done = await db.execute(
        "DELETE FROM frames WHERE id = ANY($1::bigint[]) AND deleting_at IS NOT NULL", list(ids)
    )
    return int(done.split()[-1])


async def keep(
    db: db_utils.Database,
    kept: bool,
    *,
    ids: Sequence[int] | None = None,
    camera_id: int | None = None,
    scene_id: int | None = None,
    from_at: datetime | None = None,
    to_at: datetime | None = None,
) -> int:
    """Keep frames for ever, or no longer; returns how many changed.

    Every condition that is given must hold: these numbers, of this camera, of this scene, taken
    from ``from_at`` up to, not including, ``to_at``. One of the first three must be given.
    """
    changed: int = await db.fetchval(
        """
        WITH changed AS (
            UPDATE frames SET kept = $1
            WHERE kept <> $1 AND deleting_at IS NULL
                AND num_nonnulls($2::bigint[], $3::integer, $4::integer) > 0
                AND ($2::bigint[] IS NULL OR id = ANY($2)) AND ($3 IS NULL OR camera_id = $3)
                AND ($4 IS NULL OR scene_id = $4)
                AND taken_at >= coalesce($5, '-infinity'::timestamptz)
                AND taken_at < coalesce($6, 'infinity'::timestamptz)
            RETURNING camera_id, CASE WHEN $1 THEN -1 ELSE 1 END AS way, stored_bytes
        ), counted AS (
            UPDATE camera_state s SET
                passing_frames = s.passing_frames + sums.frames,
                passing_bytes = s.passing_bytes + sums.bytes
            FROM (
                SELECT camera_id, sum(way) AS frames, sum(way * stored_bytes)::bigint AS bytes
                FROM changed GROUP BY camera_id
            ) sums WHERE s.camera_id = sums.camera_id
        )
        SELECT count(*) FROM changed
        """,
        kept,
        list(ids) if ids is not None else None,
        camera_id,
        scene_id,
        from_at,
        to_at,
    )
    return changed


async def stuck(db: db_utils.Database, before: datetime) -> list[Stored]:
    """Frames that were marked before then and are still there."""
    rows = await db.fetch(
        """
        SELECT id, camera_id, blob, picture, thumbnails, stored_bytes FROM frames
        WHERE deleting_at < $1 ORDER BY deleting_at LIMIT 10000
        """,
        before,
    )
    return [Stored(**row) for row in rows]


async def after(db: db_utils.Database, frame_id: int, limit: int) -> list[Stored]:
    """Frames that are not being removed, by id, for a walk over all of them."""
    rows = await db.fetch(
        """
        SELECT id, camera_id, blob, picture, thumbnails, stored_bytes FROM frames
        WHERE id > $1 AND deleting_at IS NULL ORDER BY id LIMIT $2
        """,
        frame_id,
        limit,
    )
    return [Stored(**row) for row in rows]


async def taken_at(db: db_utils.Database, places: Sequence[tuple[int, datetime]]) -> list[Stored]:
    """Frames of these cameras taken at these moments, those that are being removed included."""
    rows = await db.fetch(
        """
        SELECT f.id, camera_id, f.blob, f.picture, f.thumbnails, f.stored_bytes
        FROM (
            SELECT DISTINCT *
            FROM unnest($1::integer[], $2::timestamptz[]) AS p (camera_id, taken_at)
        ) p
        JOIN frames f USING (camera_id, taken_at)
        """,
        [camera_id for camera_id, _ in places],
        [moment for _, moment in places],
    )
    return [Stored(**row) for row in rows]


async def replace_derived(
    db: db_utils.Database,
    frame_id: int,
    *,
    picture: str | None,
    picture_bytes: int | None,
    thumbnails: Sequence[int] | None,
) -> None:
    """Name what was made of a frame anew, unless it is being removed."""
    async with db_utils.transaction(db) as connection:
        row = await connection.fetchrow(
            """
            WITH old AS (
                SELECT id, stored_bytes FROM frames
                WHERE id = $1 AND deleting_at IS NULL FOR UPDATE
            )
            UPDATE frames f SET picture = $2, picture_bytes = $3, thumbnails = $4
            FROM old WHERE f.id = old.id
            RETURNING f.camera_id, f.kept, f.stored_bytes - old.stored_bytes AS more
            """,
            frame_id,
            picture,
            picture_bytes,
            list(thumbnails) if thumbnails is not None else None,
        )
        if row is not None and not row["kept"]:
            await connection.execute(
                "UPDATE camera_state SET passing_bytes = passing_bytes + $2 WHERE camera_id = $1",
                row["camera_id"],
                row["more"],
            )


async def miscounted(db: db_utils.Database) -> list[str]:
    """Names of the cameras whose passing frames are not as many, or as much, as is noted."""
    rows = await db.fetch(
        """
        SELECT c.name FROM camera_state s JOIN cameras c ON c.id = s.camera_id LEFT JOIN (
            SELECT camera_id, count(*) AS frames, sum(stored_bytes) AS bytes FROM frames
            WHERE deleting_at IS NULL AND NOT kept GROUP BY camera_id
        ) f ON f.camera_id = s.camera_id
        WHERE (s.passing_frames, s.passing_bytes) <> (coalesce(f.frames, 0), coalesce(f.bytes, 0))
        ORDER BY c.name
        """
    )
    return [row["name"] for row in rows]


async def recount(db: db_utils.Database, camera: str) -> None:
    """Note how many passing frames a camera has, and how much they take."""
    async with db_utils.transaction(db) as connection:
        camera_id: Any = await connection.fetchval(
            """
            SELECT s.camera_id FROM camera_state s JOIN cameras c ON c.id = s.camera_id
            WHERE c.name = $1 FOR UPDATE OF s
            """,
            camera,
        )
        await connection.execute(  # whoever adds or marks a frame now waits, and counts after us
            """
            UPDATE camera_state s SET passing_frames = f.frames, passing_bytes = f.bytes
            FROM (
                SELECT count(*) AS frames, coalesce(sum(stored_bytes), 0)::bigint AS bytes
                FROM frames WHERE camera_id = $1 AND deleting_at IS NULL AND NOT kept
            ) f
            WHERE s.camera_id = $1
            """,
            camera_id,
        )
