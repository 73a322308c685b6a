"""SQL of what streams remember: samples, what they are thinned to, what is read of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import db_utils
from vigil.streams.history.model import SAMPLE, Ended, Memory, Titled, Watched

MOST_TITLES = 30
"""Remembered of one stream: one that renames itself all day long must not grow for ever."""

# -- taking samples --------------------------------------------------------------------------

_END = """
    WITH over AS (
        DELETE FROM stream_memories AS memory
        WHERE NOT EXISTS (
            SELECT FROM stream_liveness AS live WHERE live.stream_id = memory.stream_id)
        RETURNING memory.*
    )
    INSERT INTO ended_streams SELECT over.*, $1 FROM over ON CONFLICT DO NOTHING
"""

_BEGIN = """
    WITH fresh AS (
        SELECT live.stream_id, live.digest, live.viewers, live.seen_at,
               row_number() OVER () AS number
        FROM stream_liveness AS live
        WHERE NOT EXISTS (
            SELECT FROM stream_memories AS known WHERE known.stream_id = live.stream_id)
    ), free AS (
        SELECT slot, row_number() OVER (ORDER BY slot) AS number
        FROM generate_series(0, (SELECT count(*)::int - 1 FROM stream_liveness)) AS slot
        WHERE NOT EXISTS (SELECT FROM stream_memories AS taken WHERE taken.slot = slot.slot)
    )
    INSERT INTO stream_memories (
        stream_id, source_id, external_id, slot, since, digest, first_seen_at, started_at,
        peak, peak_at, titles, titled_at, category,
        channel_id, channel_login, channel_name, page_url)
    SELECT streams.id, streams.source_id, streams.external_id, free.slot, $1, fresh.digest,
           streams.first_seen_at, streams.started_at, fresh.viewers, fresh.seen_at,
           ARRAY[streams.title], ARRAY[streams.first_seen_at], streams.category,
           streams.channel_id, streams.channel_login, streams.channel_name, streams.page_url
    FROM fresh
    JOIN free ON free.number = fresh.number
    JOIN streams ON streams.id = fresh.stream_id
"""
"""Gives each new stream the lowest free slot: there are never more than live streams."""

_CHANGED = """
    SELECT memory.stream_id
    FROM stream_memories AS memory
    JOIN stream_liveness AS live ON live.stream_id = memory.stream_id
    WHERE live.digest <> memory.digest
"""

_CHANGE = """
    UPDATE stream_memories AS memory SET
        digest = seen.digest, started_at = seen.started_at, category = seen.category,
        channel_id = seen.channel_id, channel_login = seen.channel_login,
        channel_name = seen.channel_name, page_url = seen.page_url,
        titles = CASE WHEN seen.renamed
            THEN titles[greatest(1, cardinality(titles) - $2 + 2):] || seen.title
            ELSE titles END,
        titled_at = CASE WHEN seen.renamed
            THEN titled_at[greatest(1, cardinality(titles) - $2 + 2):] || seen.changed_at
            ELSE titled_at END
    FROM (
        SELECT known.stream_id, live.digest, streams.started_at, streams.category,
               streams.channel_id, streams.channel_login, streams.channel_name,
               streams.page_url, streams.title, streams.changed_at,
               streams.title <> known.titles[cardinality(known.titles)] AS renamed
        FROM stream_memories AS known
        JOIN stream_liveness AS live ON live.stream_id = known.stream_id
        JOIN streams ON streams.id = known.stream_id
        WHERE known.stream_id = ANY ($1::bigint[])
    ) AS seen
    WHERE memory.stream_id = seen.stream_id
"""
"""Brings those up to date whose description changed; keeps the ``$2`` newest titles."""

_RISE = """
    UPDATE stream_memories AS memory SET peak = live.viewers, peak_at = live.seen_at
    FROM stream_liveness AS live
    WHERE live.stream_id = memory.stream_id AND live.viewers > memory.peak
"""

_SAMPLE = """
    INSERT INTO stream_samples (at, block, hourly, viewers)
    SELECT $1, slot / 1024, $2, array_agg(live.viewers ORDER BY slot)
    FROM generate_series(0, (SELECT max(slot) FROM stream_memories)) AS slot
    LEFT JOIN stream_memories AS memory USING (slot)
    LEFT JOIN stream_liveness AS live ON live.stream_id = memory.stream_id
    GROUP BY slot / 1024 HAVING count(live.viewers) > 0
"""


async def last_sample(db: db_utils.Database) -> datetime | None:
    """When the last sample was taken."""
    found: datetime | None = await db.fetchval("SELECT max(at) FROM stream_samples")
    return found


async def sample(db: db_utils.Database, now: datetime, last: datetime | None) -> None:
    """Take a sample of all live streams; all of it or, when it raises, nothing.

    ``last`` is when the last one was taken. What is not live any more has ended, what is new
    begins, titles and peaks are brought up to date. A power cut may cost the sample.
    """
    hourly = last is None or last.replace(minute=0, second=0, microsecond=0) != now.replace(
        minute=0, second=0, microsecond=0
    )
    # Where nobody looked for long, what is gone did not end just now.
    ended_at = now if last is None or last > now else min(now, last + SAMPLE)
    async with db_utils.transaction(db) as connection:
        # One moment for all statements: slots are counted out to the streams of that moment.
        await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        await connection.execute("SET LOCAL synchronous_commit TO off")
        await connection.execute("SET LOCAL work_mem TO '32MB'")
        await connection.execute(_END, ended_at)
        changed = [row["stream_id"] for row in await connection.fetch(_CHANGED)]
        await connection.execute(_CHANGE, changed, MOST_TITLES)
        # The planner believes that a series has a thousand numbers, and would look up each.
        await connection.execute("SET LOCAL enable_nestloop TO off")
        await connection.execute(_BEGIN, now)
        await connection.execute(_RISE)
        await connection.execute(_SAMPLE, now, hourly)


async def thin(db: db_utils.Database, fine: datetime, hourly: datetime) -> None:
    """Remove samples before ``fine`` but the first of each hour, and all before ``hourly``."""
    await db.execute(
        "DELETE FROM stream_samples WHERE at < $1 AND (NOT hourly OR at < $2)", fine, hourly
    )


async def forget(db: db_utils.Database, before: datetime, most: int) -> int:
    """Forget so many of the streams that ended before a moment; returns how many those were."""
    status = await db.execute(
        """
        DELETE FROM ended_streams WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM ended_streams WHERE ended_at < $1 ORDER BY ended_at LIMIT $2))
        """,
        before,
        most,
    )
    return int(status.split()[-1])


# -- reading ---------------------------------------------------------------------------------


async def live(
    db: db_utils.Database, source: str, external_id: str, now: datetime
) -> Memory | None:
    """What is remembered of a live stream; None unless it is live."""
    row = await db.fetchrow(
        """
        SELECT streams.first_seen_at, streams.title, streams.changed_at, live.viewers,
               live.seen_at, memory.slot, memory.since, memory.peak, memory.peak_at,
               memory.titles, memory.titled_at
        FROM sources
        JOIN streams ON streams.source_id = sources.id
        JOIN stream_liveness AS live ON live.stream_id = streams.id
        LEFT JOIN stream_memories AS memory ON memory.stream_id = streams.id
        WHERE sources.name = $1 AND streams.external_id = $2 AND live.expires_at > $3
        """,
        source,
        external_id,
        now,
    )
    if row is None:
        return None
    latest = _watched(row["seen_at"], row["viewers"])
    if row["slot"] is None:  # no sample yet
        titles = (_titled(row["first_seen_at"], row["title"]),)
        return Memory(
            first_seen=_second(row["first_seen_at"]), peak=latest, history=(latest,), titles=titles
        )
    points = await _points(db, row["slot"], row["since"], now + SAMPLE)
    known = dict(row)
    if row["titles"][-1] != row["title"]:  # since the last sample
        known["titles"] = [*row["titles"], row["title"]]
        known["titled_at"] = [*row["titled_at"], row["changed_at"]]
    # A stream is seen before it is sampled, and may be seen again after.
    earlier = [point for point in points if point.at < latest.at]
    return _memory(known, [*earlier, latest])


async def ended(db: db_utils.Database, source: str, external_id: str) -> Ended | None:
    """What is remembered of a stream that is over; of several lives the last one."""
    row = await db.fetchrow(
        """
        SELECT over.* FROM ended_streams AS over JOIN sources ON sources.id = over.source_id
        WHERE sources.name = $1 AND over.external_id = $2
        ORDER BY over.ended_at DESC LIMIT 1
        """,
        source,
        external_id,
    )
    if row is None:
        return None
    points = await _points(db, row["slot"], row["since"], row["ended_at"])
    names = ("category", "channel_id", "channel_login", "channel_name", "page_url")
    return Ended(
        memory=_memory(dict(row), points),
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        **{name: row[name] for name in names},
    )


async def _points(
    db: db_utils.Database, slot: int, since: datetime, before: datetime
) -> list[Watched]:
    rows = await db.fetch(
        """
        SELECT at, viewers[$1 % 1024 + 1] AS viewers FROM stream_samples
        WHERE at >= $2 AND at < $3 AND block = $1 / 1024 ORDER BY at
        """,
        slot,
        since,
        before,
    )
    return [_watched(row["at"], row["viewers"]) for row in rows if row["viewers"] is not None]


def _memory(row: dict[str, Any], points: Sequence[Watched]) -> Memory:
    peak = _watched(row["peak_at"], row["peak"])
    return Memory(
        first_seen=_second(row["first_seen_at"]),
        peak=max(peak, *points, key=lambda point: point.viewers),
        history=tuple(points),
        titles=tuple(map(_titled, row["titled_at"], row["titles"])),
    )


def _watched(at: datetime, viewers: int) -> Watched:
    return Watched(at=_second(at), viewers=viewers)


def _titled(at: datetime, title: str) -> Titled:
    return Titled(at=_second(at), title=title)


def _second(moment: datetime) -> datetime:
    """Times are given as sources give them: to the second."""
    return moment - timedelta(microseconds=moment.microsecond)
