"""SQL of the room streams."""

from __future__ import annotations

from datetime import datetime

import db_utils
from vigil.streams.model import Filter
from vigil.streams.writing.store import pass_counts, prune, retire, tidy_search, write_batch

__all__ = ["pass_counts", "prune", "retire", "tidy_search", "write_batch"]

NEIGHBOURS = 64
"""Streams from which one is drawn: the longer the walk, the less the gaps between keys matter."""
MOST_NAMES = 1000


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
    AND ($15::text[] IS NULL OR streams.source_id = ANY (source_ids($15)))
"""
"""What a Filter asks for. Under a custom plan the conditions that ask for nothing are gone.

LIKE ALL does not use the trigram index, LIKE and LIKE ANY do: so the three longest words stand
alone, and only the others share an array. A category is the second line of what is searched, tags
are the lines from the third on: the patterns find them by the index, the comparisons are exact,
and in a CASE because the planner would take a bare one for rare. Sources come from a function: the
planner looks what that gives, and so knows how many streams they have.
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


async def by_source(db: db_utils.Database, now: datetime) -> list[dict[str, object]]:
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
