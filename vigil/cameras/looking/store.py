"""SQL by which frames of a scene are found: by day, by moment, by tag.

Every statement walks the index ``frames_scene`` (scene, time taken, hash) or reads ``scene_days``;
tests/cameras/test_looking_plans.py holds them to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import db_utils
from vigil.cameras.frames.store import of_row
from vigil.cameras.looking.model import DayAccount, DayCount, Hole, Tag
from vigil.cameras.model import Frame

CLOSEST = """
    SELECT frames.*, number FROM unnest($2::timestamptz[], $3::timestamptz[], $4::timestamptz[])
        WITH ORDINALITY AS asked (wish, from_at, to_at, number)
    CROSS JOIN LATERAL (
        SELECT * FROM (
            (SELECT * FROM frames
             WHERE scene_id = $1 AND taken_at >= wish AND taken_at < to_at
                 AND deleting_at IS NULL
             ORDER BY taken_at, sha256 LIMIT 1)
            UNION ALL
            (SELECT * FROM frames
             WHERE scene_id = $1 AND taken_at < wish AND taken_at >= from_at
                 AND deleting_at IS NULL
             ORDER BY taken_at DESC, sha256 DESC LIMIT 1)
        ) AS both_ways
        ORDER BY abs(extract(epoch FROM taken_at - wish)) LIMIT 1
    ) AS frames
"""
DAYS = """
    SELECT day, frames, bytes FROM scene_days
    WHERE scene_id = $1 AND day >= $2 AND day < $3 AND frames > 0 ORDER BY day
"""
AFTER = """
    SELECT * FROM frames
    WHERE scene_id = $1 AND (taken_at, sha256) > ($2, $3) AND taken_at < $4
        AND deleting_at IS NULL
    ORDER BY taken_at, sha256 LIMIT $5
"""
BEFORE = """
    SELECT * FROM frames
    WHERE scene_id = $1 AND (taken_at, sha256) < ($2, $3) AND taken_at >= $4
        AND deleting_at IS NULL
    ORDER BY taken_at DESC, sha256 DESC LIMIT $5
"""

ALWAYS, FOREVER = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


async def closest(
    db: db_utils.Database, scene_id: int, wishes: Sequence[tuple[datetime, datetime, datetime]]
) -> list[Frame | None]:
    """For each (moment, from, to) the frame closest to the moment in that span, both ways."""
    rows = await db.fetch(
        CLOSEST,
        scene_id,
        [wish for wish, _, _ in wishes],
        [from_at for _, from_at, _ in wishes],
        [to_at for _, _, to_at in wishes],
    )
    found = {row["number"]: of_row(row) for row in rows}
    return [found.get(number) for number in range(1, len(wishes) + 1)]


async def days(db: db_utils.Database, scene_id: int, first: date, end: date) -> list[DayCount]:
    """The days with frames from ``first`` up to, not including, ``end``."""
    return [DayCount(**row) for row in await db.fetch(DAYS, scene_id, first, end)]


async def around(
    db: db_utils.Database, scene_id: int, day: date
) -> tuple[date | None, date | None]:
    """The days with frames before and after a day."""
    row = await db.fetchrow(
        """
        SELECT (SELECT day FROM scene_days WHERE scene_id = $1 AND day < $2 AND frames > 0
                ORDER BY day DESC LIMIT 1) AS before,
               (SELECT day FROM scene_days WHERE scene_id = $1 AND day > $2 AND frames > 0
                ORDER BY day LIMIT 1) AS after
        """,
        scene_id,
        day,
    )
    return (row["before"], row["after"]) if row else (None, None)


async def last_days(
    db: db_utils.Database, scene_id: int | None = None
) -> dict[int, tuple[date, int]]:
    """For one scene, or each, its last day with frames, and how many frames it has in all."""
    rows = await db.fetch(
        """
        SELECT scene_id, max(day) FILTER (WHERE frames > 0) AS day, sum(frames)::bigint AS frames
        FROM scene_days WHERE $1::integer IS NULL OR scene_id = $1 GROUP BY scene_id
        """,
        scene_id,
    )
    return {row["scene_id"]: (row["day"], row["frames"]) for row in rows if row["day"]}


async def range_size(
    db: db_utils.Database, scene_id: int, first: date, last: date
) -> tuple[int, int]:
    """Frames and bytes of the days from ``first`` to ``last``, both included."""
    row = await db.fetchrow(
        """
        SELECT coalesce(sum(frames), 0)::bigint AS frames, coalesce(sum(bytes), 0)::bigint AS bytes
        FROM scene_days WHERE scene_id = $1 AND day BETWEEN $2 AND $3
        """,
        scene_id,
        first,
        last,
    )
    return (row["frames"], row["bytes"]) if row else (0, 0)


async def count_up_to(
    db: db_utils.Database, scene_id: int, from_at: datetime, to_at: datetime, most: int
) -> tuple[int, int]:
    """Frames and bytes taken in a span, counted no further than ``most`` frames."""
    row = await db.fetchrow(
        """
        SELECT count(*) AS frames, coalesce(sum(bytes), 0)::bigint AS bytes FROM (
            SELECT bytes FROM frames
            WHERE scene_id = $1 AND taken_at >= $2 AND taken_at < $3 AND deleting_at IS NULL
            ORDER BY taken_at, sha256 LIMIT $4
        ) AS within
        """,
        scene_id,
        from_at,
        to_at,
        most,
    )
    return (row["frames"], row["bytes"]) if row else (0, 0)


async def by_id(db: db_utils.Database, scene_id: int, frame_id: int) -> Frame | None:
    """One frame of a scene."""
    row = await db.fetchrow(
        "SELECT * FROM frames WHERE id = $1 AND scene_id = $2 AND deleting_at IS NULL",
        frame_id,
        scene_id,
    )
    return of_row(row) if row else None


async def latest(db: db_utils.Database, scene_id: int) -> Frame | None:
    """The scene's latest frame."""
    row = await db.fetchrow(
        """
        SELECT * FROM frames WHERE scene_id = $1 AND deleting_at IS NULL
        ORDER BY taken_at DESC, sha256 DESC LIMIT 1
        """,
        scene_id,
    )
    return of_row(row) if row else None


async def after(
    db: db_utils.Database,
    scene_id: int,
    place: tuple[datetime, bytes],
    *,
    to_at: datetime | None = None,
    limit: int = 1,
) -> list[Frame]:
    """The frames behind a (taken_at, sha256), the earliest first, taken before ``to_at``."""
    rows = await db.fetch(AFTER, scene_id, *place, to_at or FOREVER, limit)
    return [of_row(row) for row in rows]


async def before(
    db: db_utils.Database,
    scene_id: int,
    place: tuple[datetime, bytes],
    *,
    from_at: datetime | None = None,
    limit: int = 1,
) -> list[Frame]:
    """The frames in front of a (taken_at, sha256), the latest first, not before ``from_at``."""
    rows = await db.fetch(BEFORE, scene_id, *place, from_at or ALWAYS, limit)
    return [of_row(row) for row in rows]


async def tags(
    db: db_utils.Database,
    scene_id: int,
    from_at: datetime | None = None,
    to_at: datetime | None = None,
) -> list[Tag]:
    """The tags of a scene that lie, wholly or in part, in a span; the earliest first."""
    rows = await db.fetch(
        """
        SELECT * FROM scene_tags
        WHERE scene_id = $1 AND ($3::timestamptz IS NULL OR from_at < $3)
            AND ($2::timestamptz IS NULL OR to_at IS NULL OR to_at > $2)
        ORDER BY from_at, id
        """,
        scene_id,
        from_at,
        to_at,
    )
    return [Tag(**row) for row in rows]


async def tag_by_id(db: db_utils.Database, scene_id: int, tag_id: int) -> Tag | None:
    """One tag of a scene."""
    row = await db.fetchrow(
        "SELECT * FROM scene_tags WHERE id = $1 AND scene_id = $2", tag_id, scene_id
    )
    return Tag(**row) if row else None


async def add_tag(
    db: db_utils.Database,
    scene_id: int,
    *,
    name: str,
    from_at: datetime,
    to_at: datetime | None,
    most: int,
) -> Tag | None:
    """Add a tag; ``None`` when the scene has ``most`` already."""
    row = await db.fetchrow(
        """
        INSERT INTO scene_tags (scene_id, name, from_at, to_at)
        SELECT $1, $2, $3, $4 WHERE (SELECT count(*) FROM scene_tags WHERE scene_id = $1) < $5
        RETURNING *
        """,
        scene_id,
        name,
        from_at,
        to_at,
        most,
    )
    return Tag(**row) if row else None


async def change_tag(
    db: db_utils.Database, tag_id: int, *, name: str, from_at: datetime, to_at: datetime | None
) -> Tag | None:
    """Change a tag; ``None`` when it is gone."""
    row = await db.fetchrow(
        "UPDATE scene_tags SET name = $2, from_at = $3, to_at = $4 WHERE id = $1 RETURNING *",
        tag_id,
        name,
        from_at,
        to_at,
    )
    return Tag(**row) if row else None


async def remove_tag(db: db_utils.Database, scene_id: int, tag_id: int) -> bool:
    """Remove a tag; False when there is none."""
    done = await db.execute(
        "DELETE FROM scene_tags WHERE id = $1 AND scene_id = $2", tag_id, scene_id
    )
    return done == "DELETE 1"


async def camera_names(db: db_utils.Database, ids: Sequence[int]) -> dict[int, str]:
    """Names of cameras by their numbers."""
    rows: list[Any] = await db.fetch(
        "SELECT id, name FROM cameras WHERE id = ANY ($1::integer[])", ids
    )
    return {row["id"]: row["name"] for row in rows}


async def accounts(
    db: db_utils.Database, scene_id: int, first: date, end: date
) -> list[DayAccount]:
    """What was planned and missed on days, by the cameras that showed the scene all that day."""
    rows = await db.fetch(
        """
        WITH shows AS (
            SELECT camera_id, scene_id, from_at,
                coalesce(lead(from_at) OVER (PARTITION BY camera_id ORDER BY from_at), 'infinity')
                    AS to_at
            FROM camera_scenes
        )
        SELECT d.day, sum(d.planned)::bigint AS planned, sum(d.source)::bigint AS source,
            sum(d.network)::bigint AS network, sum(d.refused)::bigint AS refused,
            sum(d.down)::bigint AS down, sum(d.disk_full)::bigint AS disk_full,
            sum(d.unchanged)::bigint AS unchanged
        FROM shows JOIN scenes ON scenes.id = shows.scene_id JOIN camera_days d USING (camera_id)
        WHERE shows.scene_id = $1 AND d.day >= $2 AND d.day < $3
            AND shows.from_at <= d.day::timestamp AT TIME ZONE scenes.time_zone
            AND shows.to_at >= (d.day + 1)::timestamp AT TIME ZONE scenes.time_zone
        GROUP BY d.day HAVING sum(d.planned) > 0 ORDER BY d.day
        """,
        scene_id,
        first,
        end,
    )
    return [
        DayAccount(
            day=row["day"],
            planned=row["planned"],
            missed={name: row[name] for name in MISSED if row[name]},
        )
        for row in rows
    ]


MISSED = ("source", "network", "refused", "down", "disk_full", "unchanged")
"""Reasons for which a frame that was due is missing."""


async def gaps(
    db: db_utils.Database, scene_id: int, from_at: datetime, to_at: datetime, most: int = 200
) -> list[Hole]:
    """Gaps in a span, the latest ``most``, of the cameras while they showed the scene; the
    earliest first."""
    rows = await db.fetch(
        """
        WITH shows AS (
            SELECT camera_id, scene_id, from_at,
                coalesce(lead(from_at) OVER (PARTITION BY camera_id ORDER BY from_at), 'infinity')
                    AS to_at
            FROM camera_scenes
        )
        SELECT cameras.name AS camera, g.from_at, g.to_at, g.reason, g.detail, g.missed, g.is_open
        FROM shows JOIN cameras ON cameras.id = shows.camera_id
        JOIN camera_gaps g ON g.camera_id = shows.camera_id
            AND g.to_at > greatest(shows.from_at, $2) AND g.from_at < least(shows.to_at, $3)
        WHERE shows.scene_id = $1 ORDER BY g.from_at DESC, g.id DESC LIMIT $4
        """,
        scene_id,
        from_at,
        to_at,
        most,
    )
    return [Hole(**row) for row in reversed(rows)]
