"""SQL of figures about all live streams."""

from __future__ import annotations

from datetime import datetime

import db_utils

MOST_NAMES = 1000


async def languages(db: db_utils.Database, now: datetime) -> list[dict[str, object]]:
    """The languages of most live streams: name, count, and who has 0 or 1 viewer."""
    rows = await db.fetch(
        """
        SELECT streams.language AS name, count(*) AS count,
               count(*) FILTER (WHERE live.viewers = 0) AS zero_viewer,
               count(*) FILTER (WHERE live.viewers = 1) AS one_viewer
        FROM streams JOIN stream_liveness AS live ON live.stream_id = streams.id
        WHERE live.expires_at > $1 AND streams.language <> ''
        GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT $2
        """,
        now,
        MOST_NAMES,
    )
    return [dict(row) for row in rows]


async def sources(db: db_utils.Database, now: datetime) -> list[dict[str, object]]:
    """The sources, the one with the most live streams first: name, count, who has 0 or 1 viewer."""
    rows = await db.fetch(
        """
        SELECT sources.name, coalesce(found.count, 0) AS count,
               coalesce(found.zero_viewer, 0) AS zero_viewer,
               coalesce(found.one_viewer, 0) AS one_viewer
        FROM sources LEFT JOIN (
            SELECT streams.source_id, count(*) AS count,
                   count(*) FILTER (WHERE live.viewers = 0) AS zero_viewer,
                   count(*) FILTER (WHERE live.viewers = 1) AS one_viewer
            FROM streams JOIN stream_liveness AS live ON live.stream_id = streams.id
            WHERE live.expires_at > $1
            GROUP BY 1
        ) AS found ON found.source_id = sources.id
        ORDER BY 2 DESC, 1 LIMIT $2
        """,
        now,
        MOST_NAMES,
    )
    return [dict(row) for row in rows]
