"""SQL of the room streams."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import db_utils
from vigil.streams.model import Filter, SeenStream, search_text

CHUNK = 1000
"""Rows a statement; more gain nothing."""
TAG_SEPARATOR = "\x1f"
"""Tags hold no control characters, so this can join them: unnest would flatten lists of lists."""
NEIGHBOURS = 64
"""Streams from which one is drawn: the longer the walk, the less the gaps between keys matter."""
MOST_NAMES = 1000


# -- writing ---------------------------------------------------------------------------------


_SEEN = """
    unnest(
        $4::text[], $5::int[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
        $11::bool[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[],
        $17::text[], $18::text[], $19::timestamptz[], $20::text[]
    ) AS seen (
        external_id, viewers, title, category_id, category, tags, language,
        mature, channel_id, channel_login, channel_name, page_url, thumbnail_url,
        player, player_url, started_at, search_text
    )
"""
"""Streams of source ``$1``, seen at ``$2``, good until ``$3``."""

_REFRESH = f"""
    UPDATE stream_liveness AS live
    SET viewers = seen.viewers, seen_at = $2, expires_at = $3
    FROM {_SEEN}
    JOIN streams AS known ON known.source_id = $1 AND known.external_id = seen.external_id
    WHERE live.stream_id = known.id
      AND (known.title, known.category_id, known.category, known.tags, known.language,
           known.mature, known.channel_id, known.channel_login, known.channel_name,
           known.page_url, known.thumbnail_url, known.player, known.player_url,
           known.started_at, known.search_text)
          IS NOT DISTINCT FROM
          (seen.title, seen.category_id, seen.category, string_to_array(seen.tags, E'\\x1f'),
           seen.language, seen.mature, seen.channel_id, seen.channel_login, seen.channel_name,
           seen.page_url, seen.thumbnail_url, seen.player, seen.player_url,
           seen.started_at, seen.search_text)
    RETURNING known.external_id
"""  # noqa: S608 - put together once, from constants
"""Refreshes who watches, and gives the ids of those whose description is still true."""

_DESCRIBE = f"""
    WITH seen AS (SELECT * FROM {_SEEN}), written AS (
        INSERT INTO streams (
            source_id, external_id, title, category_id, category, tags, language, mature,
            channel_id, channel_login, channel_name, page_url, thumbnail_url, player,
            player_url, started_at, search_text, first_seen_at, changed_at)
        SELECT $1, external_id, title, category_id, category,
               string_to_array(tags, E'\\x1f'), language, mature, channel_id, channel_login,
               channel_name, page_url, thumbnail_url, player, player_url, started_at,
               search_text, $2, $2
        FROM seen
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
    )
    INSERT INTO stream_liveness (stream_id, viewers, seen_at, expires_at)
    SELECT written.id, seen.viewers, $2, $3 FROM written JOIN seen USING (external_id)
    ON CONFLICT (stream_id) DO UPDATE SET
        viewers = excluded.viewers, seen_at = excluded.seen_at, expires_at = excluded.expires_at
"""  # noqa: S608 - put together once, from constants
"""Inserts new streams and rewrites those whose description changed."""


async def write_batch(
    db: db_utils.Database,
    source_id: int,
    streams: Sequence[SeenStream],
    seen_at: datetime,
    ttl_s: float,
) -> int:
    """Remember that these were live at ``seen_at``; all of them or, when it raises, none.

    A description is rewritten only when it changed. Of a stream that comes twice the last counts.
    Returns how many different streams there were.
    """
    different = list({stream.external_id: stream for stream in streams}.values())
    expires_at = seen_at + timedelta(seconds=ttl_s)
    async with db_utils.transaction(db) as connection:
        for start in range(0, len(different), CHUNK):
            chunk = different[start : start + CHUNK]
            rows = await connection.fetch(
                _REFRESH, source_id, seen_at, expires_at, *_columns(chunk)
            )
            true = {row["external_id"] for row in rows}
            others = [stream for stream in chunk if stream.external_id not in true]
            if others:
                await connection.execute(
                    _DESCRIBE, source_id, seen_at, expires_at, *_columns(others)
                )
    return len(different)


def _columns(streams: Sequence[SeenStream]) -> tuple[list[object], ...]:
    """The streams turned by ninety degrees, in the order of ``$4`` and on."""
    return (
        [s.external_id for s in streams],
        [s.viewers for s in streams],
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
            SELECT streams.id
            FROM streams JOIN stream_liveness AS live ON live.stream_id = streams.id
            WHERE streams.source_id = $1 AND live.seen_at < $2
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
            SELECT streams.id
            FROM streams JOIN stream_liveness AS live ON live.stream_id = streams.id
            WHERE live.expires_at <= $1
            FOR UPDATE SKIP LOCKED
        )
        """,
        now,
    )
    return int(status.split()[-1])


async def tidy_search(db: db_utils.Database) -> None:
    """Move the words that were written into the search index proper: a long list slows searches."""
    await db.execute("SELECT gin_clean_pending_list('streams_search')")


# -- reading ---------------------------------------------------------------------------------

_OBJECT = """
    SELECT streams.external_id AS id, streams.channel_id AS user_id,
           streams.channel_login AS user_login, streams.channel_name AS user_name,
           streams.category_id AS game_id, streams.category AS game_name, 'live' AS type,
           streams.title, live.viewers AS viewer_count,
           to_char(streams.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
               AS started_at,
           streams.language, streams.thumbnail_url, streams.tags, streams.mature AS is_mature,
           sources.name AS source, streams.page_url AS url, streams.player, streams.player_url,
           to_char(live.seen_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS seen_at,
           '{}'::json AS actions
"""
"""A stream as programs get it: an item of Twitch's Helix API and what that lacks.

PostgreSQL makes the JSON: a row decoded and encoded again here costs five times the time.
"""

_MATCHES = """
    live.expires_at > $1 AND live.viewers <= $2
    AND ($3::int = 0 OR streams.started_at <= $1 - $3 * interval '1 minute')
    AND ($4::text IS NULL OR streams.search_text LIKE $4)
    AND ($5::text IS NULL OR streams.search_text LIKE $5)
    AND ($6::text IS NULL OR streams.search_text LIKE $6)
    AND streams.search_text LIKE ALL ($7::text[])
    AND ($8::text[] IS NULL OR streams.search_text LIKE ANY ($8))
    AND NOT streams.search_text LIKE ANY ($9::text[])
    AND ($10::text IS NULL OR streams.search_text LIKE $10)
    AND ($11::text IS NULL
         OR CASE WHEN split_part(streams.search_text, E'\\n', 2) = $11 THEN true END)
    AND ($12::text[] IS NULL OR streams.search_text LIKE ANY ($12))
    AND ($13::text[] IS NULL
         OR CASE WHEN $13 && (string_to_array(streams.search_text, E'\\n'))
                             [3 : 2 + cardinality(streams.tags)] THEN true END)
    AND ($14::text[] IS NULL OR streams.language = ANY ($14))
    AND ($15::text[] IS NULL OR streams.source_id = ANY (ARRAY(
            SELECT named.id FROM sources AS named WHERE named.name = ANY ($15))))
"""
"""What a Filter asks for. Under a custom plan the conditions that ask for nothing are gone.

LIKE ALL does not use the trigram index, LIKE and LIKE ANY do: so the three longest words stand
alone, and only the others share an array. A category is the second line of what is searched, tags
are the lines from the third on: the patterns find them by the index, the comparisons are exact,
and in a CASE because the planner would take a bare one for rare.
"""


def _matches(wanted: Filter, now: datetime) -> tuple[object, ...]:
    """``$1`` to ``$15`` of ``_MATCHES``."""
    words = [_pattern(word) for word in sorted(wanted.include, key=len, reverse=True)]
    alone: list[str | None] = [] if wanted.any else [*words[:3]]
    alone += [None] * (3 - len(alone))
    return (
        now,
        wanted.max_viewers,
        wanted.min_age_minutes,
        *alone,
        [] if wanted.any else words[3:],
        words if wanted.any and words else None,
        [_pattern(word) for word in wanted.exclude],
        _pattern(f"\n{wanted.category}\n") if wanted.category else None,
        wanted.category or None,
        [_pattern(f"\n{tag}\n") for tag in wanted.tags] or None,
        list(wanted.tags) or None,
        list(wanted.languages) or None,
        list(wanted.sources) or None,
    )


def _pattern(word: str) -> str:
    """A LIKE pattern that finds the word anywhere, its wildcards taken literally."""
    escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


_RANDOM = f"""
    WITH walk AS (
        (SELECT streams.id, live.viewers, live.seen_at
         FROM streams JOIN stream_liveness AS live ON live.stream_id = streams.id
         WHERE streams.random_key >= $16 AND {_MATCHES}
         ORDER BY streams.random_key LIMIT $17)
        UNION ALL
        (SELECT streams.id, live.viewers, live.seen_at
         FROM streams JOIN stream_liveness AS live ON live.stream_id = streams.id
         WHERE streams.random_key < $16 AND {_MATCHES}
         ORDER BY streams.random_key LIMIT $17)
        LIMIT $17
    ), live AS (
        SELECT * FROM walk ORDER BY random() LIMIT $18
    )
    SELECT convert_to(row_to_json(object)::text, 'UTF8') AS body
    FROM live
    JOIN streams ON streams.id = live.id
    JOIN sources ON sources.id = streams.source_id,
    LATERAL ({_OBJECT}) AS object
"""  # noqa: S608 - put together once, from constants


async def random(
    db: db_utils.Database, wanted: Filter, count: int, now: datetime, start: float
) -> list[bytes]:
    """``count`` random different matches, or all where there are fewer, as JSON objects.

    Walks the index of random keys from ``start`` (uniform in [0, 1)) round to it again. A key
    alone would favour streams behind a wide gap, so the walk is longer than what is drawn of it.
    """
    rows = await db.fetch(_RANDOM, *_matches(wanted, now), start, count + NEIGHBOURS, count)
    return [row["body"] for row in rows]


_LATEST = f"""
    SELECT streams.id, convert_to(row_to_json(object)::text, 'UTF8') AS body
    FROM streams
    JOIN stream_liveness AS live ON live.stream_id = streams.id
    JOIN sources ON sources.id = streams.source_id,
    LATERAL ({_OBJECT}) AS object
    WHERE streams.id < $16 AND {_MATCHES}
    ORDER BY streams.id DESC LIMIT $17
"""  # noqa: S608 - put together once, from constants


async def latest(
    db: db_utils.Database, wanted: Filter, before: int, limit: int, now: datetime
) -> list[tuple[int, bytes]]:
    """Matches as (number, JSON object), the one first seen last at the top, numbered below."""
    rows = await db.fetch(_LATEST, *_matches(wanted, now), before, limit)
    return [(row["id"], row["body"]) for row in rows]


_BY_ID = f"""
    SELECT convert_to(row_to_json(object)::text, 'UTF8') AS body
    FROM sources
    JOIN streams ON streams.source_id = sources.id
    JOIN stream_liveness AS live ON live.stream_id = streams.id,
    LATERAL ({_OBJECT}) AS object
    WHERE streams.external_id = ANY (ARRAY[$2, $4])
      AND (streams.external_id = $2 OR sources.name = $3) AND live.expires_at > $1
    ORDER BY (sources.name = $3 AND streams.external_id = $4) DESC, sources.id LIMIT 1
"""  # noqa: S608 - put together once, from constants


async def by_id(db: db_utils.Database, key: str, now: datetime) -> bytes | None:
    """The JSON object of ``<source>:<external id>`` or of an external id; None unless live."""
    source, _, external_id = key.partition(":")
    body: bytes | None = await db.fetchval(_BY_ID, now, key, source, external_id)
    return body


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


async def counts(db: db_utils.Database, now: datetime, most: int) -> list[tuple[str, int, int]]:
    """Live streams as (source, viewers, how many), viewers above ``most`` taken together."""
    rows = await db.fetch(
        """
        SELECT sources.name, least(live.viewers, $2::int + 1) AS viewers, count(*) AS streams
        FROM streams
        JOIN stream_liveness AS live ON live.stream_id = streams.id
        JOIN sources ON sources.id = streams.source_id
        WHERE live.expires_at > $1
        GROUP BY 1, 2 ORDER BY 1, 2
        """,
        now,
        most,
    )
    return [(row["name"], row["viewers"], row["streams"]) for row in rows]


async def count_games(db: db_utils.Database, now: datetime) -> int:
    """How many different categories live streams are in."""
    found: int = await db.fetchval(
        """
        SELECT count(DISTINCT streams.category)
        FROM streams JOIN stream_liveness AS live ON live.stream_id = streams.id
        WHERE live.expires_at > $1 AND streams.category <> ''
        """,
        now,
    )
    return found


async def games(db: db_utils.Database, now: datetime) -> list[dict[str, object]]:
    """The categories with the most live streams: name, count, and who has 0 or 1 viewer."""
    rows = await db.fetch(
        """
        SELECT streams.category AS name, count(*) AS count,
               count(*) FILTER (WHERE live.viewers = 0) AS zero_viewer,
               count(*) FILTER (WHERE live.viewers = 1) AS one_viewer
        FROM streams JOIN stream_liveness AS live ON live.stream_id = streams.id
        WHERE live.expires_at > $1 AND streams.category <> ''
        GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT $2
        """,
        now,
        MOST_NAMES,
    )
    return [dict(row) for row in rows]


async def tags(db: db_utils.Database, now: datetime) -> list[dict[str, object]]:
    """The tags that most live streams carry: name, count, and who has 0 or 1 viewer."""
    rows = await db.fetch(
        """
        SELECT tag AS name, count(*) AS count,
               count(*) FILTER (WHERE live.viewers = 0) AS zero_viewer,
               count(*) FILTER (WHERE live.viewers = 1) AS one_viewer
        FROM streams JOIN stream_liveness AS live ON live.stream_id = streams.id,
             unnest(streams.tags) AS tag
        WHERE live.expires_at > $1
        GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT $2
        """,
        now,
        MOST_NAMES,
    )
    return [dict(row) for row in rows]
