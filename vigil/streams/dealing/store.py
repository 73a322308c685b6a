"""SQL of the dealing: draws along the random keys, and many small questions in one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import db_utils
from vigil.streams.model import Filter
from vigil.streams.store import _MATCHES, _OBJECT, NEIGHBOURS, _matches, _pattern


class Card(NamedTuple):
    """A stream that was drawn."""

    body: bytes
    """Its JSON object."""
    key: float
    """Its random key."""
    text: bytes
    """What a search looks in; empty unless asked for."""


_DRAW = f"""
    WITH walk AS (
        (SELECT streams.id, streams.random_key, live.viewers, live.seen_at
         FROM streams JOIN stream_liveness AS live ON live.stream_id = streams.id
         WHERE streams.random_key >= $16 AND {_MATCHES}
         ORDER BY streams.random_key LIMIT $17)
        UNION ALL
        (SELECT streams.id, streams.random_key, live.viewers, live.seen_at
         FROM streams JOIN stream_liveness AS live ON live.stream_id = streams.id
         WHERE streams.random_key < $16 AND {_MATCHES}
         ORDER BY streams.random_key LIMIT $17)
        LIMIT $17
    ), live AS (
        SELECT * FROM walk ORDER BY random() LIMIT $18
    )
    SELECT convert_to(row_to_json(object)::text, 'UTF8') AS body, live.random_key AS key,
           convert_to(CASE WHEN $19 THEN streams.search_text ELSE '' END, 'UTF8') AS text
    FROM live
    JOIN streams ON streams.id = live.id
    JOIN sources ON sources.id = streams.source_id,
    LATERAL ({_OBJECT}) AS object
"""  # noqa: S608 - put together once, from constants


async def draw(
    db: db_utils.Database,
    wanted: Filter,
    count: int,
    now: datetime,
    start: float,
    *,
    neighbours: int = NEIGHBOURS,
    texts: bool = False,
) -> list[Card]:
    """``count`` different matches in random order, or all where there are fewer.

    Walks the index of random keys from ``start`` round to it again, ``neighbours`` further than
    needed. From a random ``start`` a key alone would favour streams behind a wide gap, which a
    longer walk evens out; from where the last walk ended there is nothing to even out.
    """
    rows = await db.fetch(_DRAW, *_matches(wanted, now), start, count + neighbours, count, texts)
    return [Card(*row) for row in rows]


_LOOK_UP = f"""
    SELECT live.key, convert_to(row_to_json(object)::text, 'UTF8') AS body
    FROM unnest($2::text[], $3::text[], $4::text[]) AS asked (key, source, id),
    LATERAL (
        (SELECT asked.key, known.stream_id, known.source_id, known.viewers, known.seen_at
         FROM sources AS named JOIN stream_liveness AS known
             ON known.source_id = named.id AND known.external_id = asked.id
         WHERE named.name = asked.source AND known.expires_at > $1)
        UNION ALL
        (SELECT asked.key, known.stream_id, known.source_id, known.viewers, known.seen_at
         FROM sources AS named JOIN stream_liveness AS known
             ON known.source_id = named.id AND known.external_id = asked.key
         WHERE known.expires_at > $1
         ORDER BY known.source_id LIMIT 1)
        LIMIT 1
    ) AS live
    JOIN streams ON streams.id = live.stream_id
    JOIN sources ON sources.id = live.source_id,
    LATERAL ({_OBJECT}) AS object
"""  # noqa: S608 - put together once, from constants


async def look_up(db: db_utils.Database, keys: Sequence[str], now: datetime) -> dict[str, bytes]:
    """As ``streams.store.by_id``, many at once: the live ones' JSON objects by what was asked."""
    parts = [key.partition(":") for key in keys]
    rows = await db.fetch(_LOOK_UP, now, keys, [part[0] for part in parts], [p[2] for p in parts])
    return {row["key"]: row["body"] for row in rows}


_RARE = f"""
    SELECT asked.number, convert_to(row_to_json(object)::text, 'UTF8') AS body
    FROM unnest($2::text[], $3::int[], $4::int[], $5::int[]) WITH ORDINALITY
        AS asked (pattern, most, minutes, count, number),
    LATERAL (
        SELECT shuffled.id, live.viewers, live.seen_at
        FROM (
            SELECT found.id, found.started_at FROM streams AS found
            WHERE found.search_text LIKE asked.pattern ORDER BY random()
        ) AS shuffled
        JOIN stream_liveness AS live ON live.stream_id = shuffled.id
        WHERE live.expires_at > $1 AND live.viewers <= asked.most
          AND (asked.minutes = 0
               OR shuffled.started_at <= $1 - asked.minutes * interval '1 minute')
        LIMIT asked.count
    ) AS live
    JOIN streams ON streams.id = live.id
    JOIN sources ON sources.id = streams.source_id,
    LATERAL ({_OBJECT}) AS object
"""  # noqa: S608 - put together once, from constants


async def rare(
    db: db_utils.Database, asked: Sequence[tuple[Filter, int]], now: datetime
) -> dict[tuple[Filter, int], list[bytes]]:
    """For each filter and count so many random matches, or all where there are fewer.

    Of a filter only its one word, ``max_viewers`` and ``min_age_minutes`` are looked at. All
    streams that have the word are read, so it had better be a rare one.
    """
    rows = await db.fetch(
        _RARE,
        now,
        [_pattern(wanted.include[0]) for wanted, _ in asked],
        [wanted.max_viewers for wanted, _ in asked],
        [wanted.min_age_minutes for wanted, _ in asked],
        [count for _, count in asked],
    )
    found: dict[tuple[Filter, int], list[bytes]] = {one: [] for one in asked}
    for row in rows:
        found[asked[row["number"] - 1]].append(row["body"])
    return found
