"""SQL that writes what is live: batches of a pass, and what is over removed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import TypeVar

import db_utils
from vigil.streams.model import SeenStream, digest, search_text

Ready = TypeVar("Ready")

CHUNK = 2500
"""Rows a statement that refreshes; more gain nothing."""
NEW_CHUNK = 1000
"""The same, of those that are described."""
DEAD_LEAST, DEAD_SHARE = 500, 0.05
"""Dead rows that are worth a vacuum: so many, and so large a share of the living."""
TAG, FIELD, LINE = "\x1d", "\x1e", "\x1f"
"""What stands between tags, fields and lines. What is written holds no control characters; and
asyncpg encodes one text twenty times as fast as an array."""

_HOW = """
    SET LOCAL synchronous_commit TO off;
    SET LOCAL work_mem TO '64MB';
    SET LOCAL plan_cache_mode TO force_custom_plan;
    SET LOCAL enable_seqscan TO off;
    SET LOCAL enable_hashjoin TO off;
    SET LOCAL enable_mergejoin TO off;
    SELECT pg_stat_force_next_flush()
"""
"""Each row is found by its index: reading all of them for every chunk costs three times as much at
100,000 rows. Each chunk has a plan of its own, since one that was made for an empty table is kept
while the table grows. Where so many are new that the list of the search index must be emptied
meanwhile, memory makes that cheaper. What was written is counted at once, for ``vacuum``."""

_SEEN = """
    (SELECT $1::int AS source_id, listed.*
     FROM unnest(string_to_array($4, E'\\x1f'),
                 string_to_array($5, E'\\x1f')::int[],
                 string_to_array($6, E'\\x1f')::bigint[])
          WITH ORDINALITY AS listed (external_id, viewers, digest, number)
     OFFSET 0) AS seen
"""
"""Streams of source ``$1``, seen at ``$2``, good until ``$3``; numbered from 1 on.

OFFSET hides from the planner that it is one source: of one that the statistics do not know yet it
expects a single row, and would hold each against all that were seen.
"""

_REFRESH = f"""
    WITH refreshed AS (
        UPDATE stream_liveness AS live
        SET viewers = seen.viewers, seen_at = $2, expires_at = $3
        FROM {_SEEN}
        WHERE live.source_id = seen.source_id AND live.external_id = seen.external_id
          AND live.digest = seen.digest
        RETURNING seen.number::int AS number
    )
    SELECT coalesce(array_agg(number), '{{}}') FROM refreshed
"""  # noqa: S608 - put together once, from constants
"""Refreshes who watches, in the narrow table alone; gives the numbers of those whose description
is as it was."""

_DESCRIBE = """
    INSERT INTO streams (
        source_id, external_id, title, category_id, category, tags, language, mature,
        channel_id, channel_login, channel_name, page_url, thumbnail_url, player,
        player_url, started_at, search_text, first_seen_at, changed_at)
    SELECT $1, field[1], field[2], field[3], field[4], string_to_array(field[5], E'\\x1d'),
           field[6], field[7]::bool, field[8], field[9], field[10], field[11],
           nullif(field[12], ''), field[13], field[14], nullif(field[15], '')::timestamptz,
           field[16], $2, $2
    FROM string_to_table($3, E'\\x1f') AS line, string_to_array(line, E'\\x1e') AS field
    ON CONFLICT (source_id, external_id) DO UPDATE SET
        title = excluded.title, category_id = excluded.category_id,
        category = excluded.category, tags = excluded.tags, language = excluded.language,
        mature = excluded.mature, channel_id = excluded.channel_id,
        channel_login = excluded.channel_login, channel_name = excluded.channel_name,
        page_url = excluded.page_url, thumbnail_url = excluded.thumbnail_url,
        player = excluded.player, player_url = excluded.player_url,
        started_at = excluded.started_at, search_text = excluded.search_text,
        changed_at = excluded.changed_at
"""
"""Inserts new streams and rewrites those whose description changed."""

_ENLIVEN = f"""
    INSERT INTO stream_liveness (
        stream_id, source_id, external_id, digest, viewers, seen_at, expires_at)
    SELECT streams.id, seen.source_id, seen.external_id, seen.digest, seen.viewers, $2, $3
    FROM {_SEEN} JOIN streams
        ON streams.source_id = seen.source_id AND streams.external_id = seen.external_id
    ON CONFLICT (stream_id) DO UPDATE SET
        digest = excluded.digest, viewers = excluded.viewers, seen_at = excluded.seen_at,
        expires_at = excluded.expires_at
"""  # noqa: S608 - put together once, from constants
"""Says who watches those that were described."""


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
    others: list[SeenStream] = []
    async with db_utils.transaction(db) as connection:

        async def refresh(some: Sequence[SeenStream], keys: tuple[str, ...]) -> None:
            done = await connection.fetchval(_REFRESH, source_id, seen_at, expires_at, *keys)
            if len(done) < len(some):
                known = frozenset(done)
                others.extend(one for n, one in enumerate(some, start=1) if n not in known)

        async def describe(some: Sequence[SeenStream], ready: tuple[str, tuple[str, ...]]) -> None:
            lines, keys = ready
            await connection.execute(_DESCRIBE, source_id, seen_at, lines)
            await connection.execute(_ENLIVEN, source_id, seen_at, expires_at, *keys)

        await connection.execute(_HOW)
        await _in_turn(_chunks(different, CHUNK), _keys, refresh)
        await _in_turn(
            _chunks(others, NEW_CHUNK), lambda some: (_lines(some), _keys(some)), describe
        )
    return len(different)


def _chunks(streams: Sequence[SeenStream], size: int) -> Iterator[Sequence[SeenStream]]:
    """In the order of the index, where neighbours are found in the same pages.

    The first chunk is cut off before, so that PostgreSQL has it while the others are sorted.
    """
    by_id = attrgetter("external_id")
    yield sorted(streams[:size], key=by_id)
    others = sorted(streams[size:], key=by_id)
    for first in range(0, len(others), size):
        yield others[first : first + size]


async def _in_turn(
    chunks: Iterable[Sequence[SeenStream]],
    prepare: Callable[[Sequence[SeenStream]], Ready],
    send: Callable[[Sequence[SeenStream], Ready], Awaitable[None]],
) -> None:
    """Send chunk after chunk; each is made ready while PostgreSQL has the one before in hand."""
    sent: asyncio.Future[None] | None = None
    try:
        for chunk in chunks:
            if not chunk:
                continue
            ready = prepare(chunk)
            if sent is not None:
                await sent
            sent = asyncio.ensure_future(send(chunk, ready))
            await asyncio.sleep(0)  # it is on its way
    finally:
        if sent is not None:
            await sent


def _keys(streams: Sequence[SeenStream]) -> tuple[str, ...]:
    """What refreshing needs, in the order of ``$4`` and on."""
    return (
        _joined(LINE, [stream.external_id for stream in streams]),
        LINE.join([str(stream.viewers) for stream in streams]),
        LINE.join([str(digest(stream)) for stream in streams]),
    )


def _lines(streams: Sequence[SeenStream]) -> str:
    """The descriptions, in the order of the fields of ``_DESCRIBE``."""
    return _joined(LINE, [_joined(FIELD, _fields(stream)) for stream in streams])


def _fields(stream: SeenStream) -> tuple[str, ...]:
    started_at = stream.started_at
    return (
        stream.external_id,
        stream.title,
        stream.category_id,
        stream.category,
        _joined(TAG, stream.tags),
        stream.language,
        "t" if stream.mature else "f",
        stream.channel_id,
        stream.channel_login,
        stream.channel_name,
        stream.page_url,
        stream.thumbnail_url or "",
        stream.player,
        stream.player_url,
        "" if started_at is None else started_at.isoformat(),
        search_text(stream),
    )


def _joined(separator: str, parts: Sequence[str]) -> str:
    """The parts in one text; raises ValueError where one of them has the separator in it."""
    text = separator.join(parts)
    if parts and text.count(separator) != len(parts) - 1:
        raise ValueError("a description holds a control character")
    return text


async def retire(db: db_utils.Database, source_id: int, before: datetime) -> int:
    """Remove what this source last showed before a moment; returns how many streams that were."""
    return await _delete(
        db,
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


async def prune(db: db_utils.Database, now: datetime) -> int:
    """Remove what expired; returns how many streams that were.

    Leaves alone what is being written at this moment: it is live again, and nobody waits.
    """
    return await _delete(
        db,
        """
        DELETE FROM streams WHERE id IN (
            SELECT stream_id FROM stream_liveness WHERE expires_at <= $1
            FOR UPDATE SKIP LOCKED
        )
        """,
        now,
    )


async def _delete(db: db_utils.Database, statement: str, *arguments: object) -> int:
    """Run it, its dead rows counted at once; returns how many rows it removed."""
    async with db_utils.transaction(db) as connection:
        await connection.execute("SELECT pg_stat_force_next_flush()")
        status = await connection.execute(statement, *arguments)
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
    """Move the words that were written into the search index proper: a long list slows searches.

    Beside a batch that is being written, on another connection, neither waits for the other.
    """
    await db.execute("SELECT gin_clean_pending_list('streams_search')")


async def unseen(
    db: db_utils.Database,
    source_id: int,
    before: datetime,
    limit: int,
    languages: Sequence[str] = (),
    categories: Sequence[str] = (),
) -> list[tuple[int, str]]:
    """What this source last showed before a moment: id and channel id, by id.

    Only of these languages and categories (their ids); none: of all.
    """
    rows = await db.fetch(
        """
        SELECT streams.id, streams.channel_id
        FROM stream_liveness AS live JOIN streams ON streams.id = live.stream_id
        WHERE live.source_id = $1 AND live.seen_at < $2
          AND ($4::text[] = '{}' OR streams.language = ANY($4))
          AND ($5::text[] = '{}' OR streams.category_id = ANY($5))
        ORDER BY live.stream_id LIMIT $3
        """,
        source_id,
        before,
        limit,
        languages,
        categories,
    )
    return [(row["id"], row["channel_id"]) for row in rows]


async def retire_these(db: db_utils.Database, ids: Sequence[int], before: datetime) -> int:
    """Remove those of these that were last seen before a moment; returns how many that were."""
    return await _delete(
        db,
        """
        DELETE FROM streams WHERE id IN (
            SELECT stream_id FROM stream_liveness
            WHERE stream_id = ANY($1::bigint[]) AND seen_at < $2
        )
        """,
        ids,
        before,
    )


async def fresh(db: db_utils.Database, source_id: int, since: datetime) -> int:
    """How many streams of a source were not known before a moment."""
    found: int = await db.fetchval(
        "SELECT count(*) FROM streams WHERE source_id = $1 AND first_seen_at >= $2",
        source_id,
        since,
    )
    return found


async def pass_counts(
    db: db_utils.Database,
    source_id: int,
    started_at: datetime,
    since: datetime,
    now: datetime,
    languages: Sequence[str] = (),
    categories: Sequence[str] = (),
) -> tuple[int, int]:
    """What a pass that began at ``started_at`` saw, and what it missed of the live ones.

    Returns how many streams of the source were seen since then, and how many were not, but had
    been between ``since`` and then. Only of these languages and categories; none: of all.
    """
    (row,) = await db.fetch(
        """
        SELECT count(*) FILTER (WHERE live.seen_at >= $2) AS seen,
               count(*) FILTER (WHERE live.seen_at < $2 AND live.seen_at >= $3
                                  AND live.expires_at > $4) AS missed
        FROM streams JOIN stream_liveness AS live ON live.stream_id = streams.id
        WHERE streams.source_id = $1
          AND ($5::text[] = '{}' OR streams.language = ANY($5))
          AND ($6::text[] = '{}' OR streams.category_id = ANY($6))
        """,
        source_id,
        started_at,
        since,
        now,
        languages,
        categories,
    )
    return row["seen"], row["missed"]
