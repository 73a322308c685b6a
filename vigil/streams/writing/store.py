"""SQL that writes what is live: batches of a pass, and what is over removed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import db_utils
from vigil.streams.model import SeenStream, digest, search_text

CHUNK = 5000
"""Rows a statement; more gain nothing."""
NEW_CHUNK = 1000
"""The same, of those that are described."""
DEAD_LEAST, DEAD_SHARE = 500, 0.05
"""Dead rows that are worth a vacuum: so many, and so large a share of the living."""
TAG_SEPARATOR = "\x1f"
"""Tags hold no control characters, so this can join them: unnest would flatten lists of lists."""

_REFRESH = """
    WITH refreshed AS (
        UPDATE stream_liveness AS live
        SET viewers = seen.viewers, seen_at = $2, expires_at = $3
        FROM unnest($4::text[], $5::int[], $6::bigint[])
             WITH ORDINALITY AS seen (external_id, viewers, digest, number)
        WHERE live.source_id = $1 AND live.external_id = seen.external_id
          AND live.digest = seen.digest
        RETURNING seen.number
    )
    SELECT number FROM generate_series(1, $7::bigint) AS number
    WHERE number NOT IN (SELECT number FROM refreshed)
"""
"""Refreshes who watches, in the narrow table alone; gives the numbers, from 1 on, of those that
are new or whose description changed."""

_SEEN = """
    unnest(
        $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bool[],
        $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[],
        $16::text[], $17::timestamptz[], $18::text[]
    ) AS seen (
        external_id, title, category_id, category, tags, language, mature,
        channel_id, channel_login, channel_name, page_url, thumbnail_url,
        player, player_url, started_at, search_text
    )
"""
"""Descriptions of streams of source ``$1``, seen at ``$2``."""

_DESCRIBE = f"""
    INSERT INTO streams (
        source_id, external_id, title, category_id, category, tags, language, mature,
        channel_id, channel_login, channel_name, page_url, thumbnail_url, player,
        player_url, started_at, search_text, first_seen_at, changed_at)
    SELECT $1, external_id, title, category_id, category,
           string_to_array(tags, E'\\x1f'), language, mature, channel_id, channel_login,
           channel_name, page_url, thumbnail_url, player, player_url, started_at,
           search_text, $2, $2
    FROM {_SEEN}
    ON CONFLICT (source_id, external_id) DO UPDATE SET
        title = excluded.title, category_id = excluded.category_id,
        category = excluded.category, tags = excluded.tags, language = excluded.language,
        mature = excluded.mature, channel_id = excluded.channel_id,
        channel_login = excluded.channel_login, channel_name = excluded.channel_name,
        page_url = excluded.page_url, thumbnail_url = excluded.thumbnail_url,
        player = excluded.player, player_url = excluded.player_url,
        started_at = excluded.started_at, search_text = excluded.search_text,
        changed_at = excluded.changed_at
    RETURNING id, external_id
"""  # noqa: S608 - put together once, from constants
"""Inserts new streams and rewrites those whose description changed; gives number and id of each."""

_ENLIVEN = """
    INSERT INTO stream_liveness (
        stream_id, source_id, external_id, digest, viewers, seen_at, expires_at)
    SELECT id, $1, external_id, digest, viewers, $2, $3
    FROM unnest($4::bigint[], $5::text[], $6::bigint[], $7::int[])
         AS seen (id, external_id, digest, viewers)
    ON CONFLICT (stream_id) DO UPDATE SET
        digest = excluded.digest, viewers = excluded.viewers, seen_at = excluded.seen_at,
        expires_at = excluded.expires_at
"""
"""Says who watches those that were described. A join in one statement with the above would be
planned as if there were ten of them."""


async def write_batch(
    db: db_utils.Database,
    source_id: int,
    streams: Sequence[SeenStream],
    seen_at: datetime,
    ttl_s: float,
) -> int:
    """Remember that these were live at ``seen_at``; all of them or, when it raises, none.

    A description is rewritten only when it changed. Of a stream that comes twice the last counts.
    Returns how many different streams there were. A power cut may cost the last second of it,
    which the next pass sees again: nobody waits for the disk.
    """
    different = list({stream.external_id: stream for stream in streams}.values())
    expires_at = seen_at + timedelta(seconds=ttl_s)
    async with db_utils.transaction(db) as connection:
        await connection.execute("SET LOCAL synchronous_commit TO off")
        chunks = [different[i : i + CHUNK] for i in range(0, len(different), CHUNK)]
        ready = _keys(chunks[0]) if chunks else ()
        for number, chunk in enumerate(chunks):
            asked = asyncio.ensure_future(
                connection.fetch(_REFRESH, source_id, seen_at, expires_at, *ready, len(chunk))
            )
            await asyncio.sleep(0)  # it is on its way; the next one is made ready meanwhile
            ready = _keys(chunks[number + 1]) if number + 1 < len(chunks) else ()
            others = [chunk[row[0] - 1] for row in await asked]
            for first in range(0, len(others), NEW_CHUNK):
                some = others[first : first + NEW_CHUNK]
                await _describe(connection, source_id, seen_at, expires_at, some)
    return len(different)


def _keys(streams: Sequence[SeenStream]) -> tuple[list[object], ...]:
    """What refreshing needs, in the order of ``$4`` and on."""
    return (
        [stream.external_id for stream in streams],
        [stream.viewers for stream in streams],
        [digest(stream) for stream in streams],
    )


async def _describe(
    connection: db_utils.Connection,
    source_id: int,
    seen_at: datetime,
    expires_at: datetime,
    streams: Sequence[SeenStream],
) -> None:
    rows = await connection.fetch(_DESCRIBE, source_id, seen_at, *_columns(streams))
    ids = {row["external_id"]: row["id"] for row in rows}
    await connection.execute(
        _ENLIVEN,
        source_id,
        seen_at,
        expires_at,
        [ids[stream.external_id] for stream in streams],
        [stream.external_id for stream in streams],
        [digest(stream) for stream in streams],
        [stream.viewers for stream in streams],
    )


def _columns(streams: Sequence[SeenStream]) -> tuple[list[object], ...]:
    """The streams turned by ninety degrees, in the order of ``_SEEN``."""
    return (
        [s.external_id for s in streams],
        [s.title for s in streams],
        [s.category_id for s in streams],
        [s.category for s in streams],
        [TAG_SEPARATOR.join(s.tags) for s in streams],
        [s.language for s in streams],
        [s.mature for s in streams],
        [s.channel_id for s in streams],
        [s.channel_login for s in streams],
        [s.channel_name for s in streams],
        [s.page_url for s in streams],
        [s.thumbnail_url for s in streams],
        [s.player for s in streams],
        [s.player_url for s in streams],
        [s.started_at for s in streams],
        [search_text(s) for s in streams],
    )


async def retire(db: db_utils.Database, source_id: int, before: datetime) -> int:
    """Remove what this source last showed before a moment; returns how many streams that were."""
    status = await db.execute(
        """
        DELETE FROM streams WHERE id IN (
            SELECT stream_id FROM stream_liveness
            WHERE source_id = $1 AND seen_at < $2
            FOR UPDATE SKIP LOCKED
        )
        """,
        source_id,
        before,
    )
    return int(status.split()[-1])


async def prune(db: db_utils.Database, now: datetime) -> int:
    """Remove what expired; returns how many streams that were.

    Leaves alone what is being written at this moment: it is live again, and nobody waits.
    """
    status = await db.execute(
        """
        DELETE FROM streams WHERE id IN (
            SELECT stream_id FROM stream_liveness WHERE expires_at <= $1
            FOR UPDATE SKIP LOCKED
        )
        """,
        now,
    )
    return int(status.split()[-1])


async def vacuum(db: db_utils.Database) -> bool:
    """Make room of what was rewritten or removed usable again, when there is much; whether it was.

    Autovacuum comes once a minute at most, and thinks of tables that change more slowly.
    """
    much = await db.fetchval(
        """
        SELECT bool_or(n_dead_tup > $1 + $2 * n_live_tup) FROM pg_stat_user_tables
        WHERE relid IN ('streams'::regclass, 'stream_liveness'::regclass)
        """,
        DEAD_LEAST,
        DEAD_SHARE,
    )
    if much:
        await db.execute("VACUUM (SKIP_LOCKED, TRUNCATE off) streams, stream_liveness")
    return bool(much)


async def tidy_search(db: db_utils.Database) -> None:
    """Move the words that were written into the search index proper: a long list slows searches."""
    await db.execute("SELECT gin_clean_pending_list('streams_search')")


async def unseen(
    db: db_utils.Database, source_id: int, before: datetime, after: int, limit: int
) -> list[tuple[int, str]]:
    """What this source last showed before a moment: id and channel id, by id after ``after``."""
    rows = await db.fetch(
        """
        SELECT streams.id, streams.channel_id
        FROM stream_liveness AS live JOIN streams ON streams.id = live.stream_id
        WHERE live.source_id = $1 AND live.seen_at < $2 AND live.stream_id > $3
        ORDER BY live.stream_id LIMIT $4
        """,
        source_id,
        before,
        after,
        limit,
    )
    return [(row["id"], row["channel_id"]) for row in rows]


async def retire_these(db: db_utils.Database, ids: Sequence[int], before: datetime) -> int:
    """Remove those of these that were last seen before a moment; returns how many that were."""
    status = await db.execute(
        """
        DELETE FROM streams WHERE id IN (
            SELECT stream_id FROM stream_liveness
            WHERE stream_id = ANY($1::bigint[]) AND seen_at < $2
        )
        """,
        ids,
        before,
    )
    return int(status.split()[-1])


async def fresh(db: db_utils.Database, source_id: int, since: datetime) -> int:
    """How many streams of a source were not known before a moment."""
    found: int = await db.fetchval(
        "SELECT count(*) FROM streams WHERE source_id = $1 AND first_seen_at >= $2",
        source_id,
        since,
    )
    return found


async def pass_counts(
    db: db_utils.Database, source_id: int, started_at: datetime, since: datetime, now: datetime
) -> tuple[int, int]:
    """What a pass that began at ``started_at`` saw, and what it missed of the live ones.

    Returns how many streams of the source were seen since then, and how many were not, but had
    been between ``since`` and then.
    """
    (row,) = await db.fetch(
        """
        SELECT count(*) FILTER (WHERE live.seen_at >= $2) AS seen,
               count(*) FILTER (WHERE live.seen_at < $2 AND live.seen_at >= $3
                                  AND live.expires_at > $4) AS missed
        FROM streams JOIN stream_liveness AS live ON live.stream_id = streams.id
        WHERE streams.source_id = $1
        """,
        source_id,
        started_at,
        since,
        now,
    )
    return row["seen"], row["missed"]
