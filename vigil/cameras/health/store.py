"""SQL of the findings, and of the frames they are found in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import db_utils
from vigil.cameras.health.model import Finding, Look, Past


async def latest(
    db: db_utils.Database, camera_ids: Sequence[int], number: int, since: datetime
) -> dict[int, list[Look]]:
    """The latest frames of each camera, so many at most, taken since then; the latest last."""
    rows = await db.fetch(
        """
        SELECT f.* FROM unnest($1::integer[]) AS c (id)
        CROSS JOIN LATERAL (
            SELECT camera_id, taken_at, received_at, sha256, luma, contrast, dark, bright,
                   sharpness, perceptual_hash, sun_height
            FROM frames
            WHERE camera_id = c.id AND taken_at >= $3 AND deleting_at IS NULL
            ORDER BY taken_at DESC, sha256 DESC LIMIT $2
        ) f
        """,
        camera_ids,
        number,
        since,
    )
    return _looks(rows)


async def before_each(
    db: db_utils.Database, camera_ids: Sequence[int], moments: Sequence[datetime], since: datetime
) -> dict[int, list[Look]]:
    """For each camera and moment the last frame until then, if it was taken since ``since``."""
    rows = await db.fetch(
        """
        SELECT DISTINCT f.* FROM unnest($1::integer[]) AS c (id)
        CROSS JOIN unnest($2::timestamptz[]) AS m (moment)
        CROSS JOIN LATERAL (
            SELECT camera_id, taken_at, received_at, sha256, luma, contrast, dark, bright,
                   sharpness, perceptual_hash, sun_height
            FROM frames
            WHERE camera_id = c.id AND taken_at >= $3 AND taken_at <= m.moment
              AND deleting_at IS NULL
            ORDER BY taken_at DESC, sha256 DESC LIMIT 1
        ) f
        """,
        camera_ids,
        moments,
        since,
    )
    return _looks(rows)


async def past(
    db: db_utils.Database, camera_ids: Sequence[int], now: datetime, days: int, number: int
) -> dict[int, Past]:
    """How cameras were at this time of day on the days before: medians over the days.

    Of each day so many frames are looked at, those that were the latest at that time.
    """
    rows = await db.fetch(
        """
        WITH daily AS (
            SELECT c.id, d.day,
                percentile_cont(0.5) WITHIN GROUP (ORDER BY f.dark) AS dark,
                percentile_cont(0.5) WITHIN GROUP (ORDER BY f.sharpness)
                    FILTER (WHERE f.contrast >= 15) AS sharpness
            FROM unnest($1::integer[]) AS c (id)
            CROSS JOIN generate_series(1, $3::integer) AS d (day)
            CROSS JOIN LATERAL (
                SELECT dark, sharpness, contrast FROM frames
                WHERE camera_id = c.id AND deleting_at IS NULL AND dark IS NOT NULL
                  AND taken_at <= $2::timestamptz - make_interval(days => d.day)
                  AND taken_at >= $2::timestamptz - make_interval(days => d.day, hours => 1)
                ORDER BY taken_at DESC LIMIT $4
            ) f
            GROUP BY c.id, d.day
        )
        SELECT id, count(*) AS days,
            percentile_cont(0.5) WITHIN GROUP (ORDER BY dark) AS dark,
            percentile_cont(0.5) WITHIN GROUP (ORDER BY sharpness) AS sharpness
        FROM daily GROUP BY id
        """,
        camera_ids,
        now,
        days,
        number,
    )
    return {
        row["id"]: Past(days=row["days"], dark=row["dark"], sharpness=row["sharpness"])
        for row in rows
    }


async def unchanged_since(db: db_utils.Database, now: datetime) -> dict[int, datetime]:
    """Since when cameras give the same picture again and again, those that do now."""
    rows = await db.fetch(
        """
        SELECT s.camera_id, min(s.from_at) AS since FROM camera_spans s
        JOIN cameras c ON c.id = s.camera_id
        WHERE s.state = 'unchanged'
          AND s.to_at >= $1::timestamptz - make_interval(secs => greatest(60, 2 * c.interval_s))
        GROUP BY s.camera_id
        """,
        now,
    )
    return {row["camera_id"]: row["since"] for row in rows}


async def findings(
    db: db_utils.Database, camera_ids: Iterable[int] | None = None
) -> dict[int, list[Finding]]:
    """What is wrong with each camera, or with some of them, the longest first."""
    rows = await db.fetch(
        """
        SELECT camera_id, kind, since_at, message FROM camera_findings
        WHERE $1::integer[] IS NULL OR camera_id = ANY ($1) ORDER BY since_at, kind
        """,
        None if camera_ids is None else list(camera_ids),
    )
    found: dict[int, list[Finding]] = {}
    for row in rows:
        one = Finding(kind=row["kind"], since_at=row["since_at"], message=row["message"])
        found.setdefault(row["camera_id"], []).append(one)
    return found


async def by_name(db: db_utils.Database) -> list[tuple[str, str]]:
    """What is wrong with which camera: its name, and the kind of finding."""
    rows = await db.fetch(
        """
        SELECT c.name, f.kind FROM camera_findings f JOIN cameras c ON c.id = f.camera_id
        ORDER BY 1, 2
        """
    )
    return [(row["name"], row["kind"]) for row in rows]


async def begin(db: db_utils.Database, camera_id: int, finding: Finding) -> bool:
    """Write down what is wrong; False when it was, or the camera is gone."""
    done = await db.execute(
        """
        INSERT INTO camera_findings (camera_id, kind, since_at, message)
        SELECT id, $2, $3, $4 FROM cameras WHERE id = $1
        ON CONFLICT DO NOTHING
        """,
        camera_id,
        finding.kind,
        finding.since_at,
        finding.message,
    )
    return done == "INSERT 0 1"


async def forget_disabled(db: db_utils.Database) -> None:
    """Strike out what was wrong with cameras that are switched off: nobody looks any more."""
    await db.execute(
        """
        DELETE FROM camera_findings f USING cameras c WHERE c.id = f.camera_id AND NOT c.enabled
        """
    )


async def end(db: db_utils.Database, camera_id: int, kind: str) -> bool:
    """Strike out what is wrong no more; False when somebody has done so."""
    done = await db.execute(
        "DELETE FROM camera_findings WHERE camera_id = $1 AND kind = $2", camera_id, kind
    )
    return done == "DELETE 1"


def _looks(rows: Sequence[Any]) -> dict[int, list[Look]]:
    found: dict[int, list[Look]] = {}
    for row in sorted(rows, key=lambda row: row["taken_at"]):
        look = Look(**{name: value for name, value in row.items() if name != "camera_id"})
        found.setdefault(row["camera_id"], []).append(look)
    return found
