"""SQL for a visitor's page: what was not seen yet, and how many a looser filter would find."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import db_utils
from vigil.streams.model import Filter
from vigil.streams.store import _MATCHES, _OBJECT, NEIGHBOURS, _matches

_SEEN = """
    streams.external_id = ANY ($16::text[])
    AND (SELECT named.name FROM sources AS named WHERE named.id = streams.source_id)
        || ':' || streams.external_id = ANY ($17::text[])
"""
"""Whether its key is among ``$17``; the ids alone, ``$16``, are cheap to compare."""

_UNSEEN = f"""
    WITH walk AS (
        (SELECT streams.id, live.viewers, live.seen_at
         FROM streams JOIN stream_liveness AS live ON live.stream_id = streams.id
         WHERE streams.random_key >= $18 AND {_MATCHES} AND NOT ({_SEEN})
         ORDER BY streams.random_key LIMIT $19)
        UNION ALL
        (SELECT streams.id, live.viewers, live.seen_at
         FROM streams JOIN stream_liveness AS live ON live.stream_id = streams.id
         WHERE streams.random_key < $18 AND {_MATCHES} AND NOT ({_SEEN})
         ORDER BY streams.random_key LIMIT $19)
        LIMIT $19
    ), live AS (
        SELECT * FROM walk ORDER BY random() LIMIT $20
    )
    SELECT sources.name || ':' || streams.external_id AS key,
           convert_to(row_to_json(object)::text, 'UTF8') AS body
    FROM live
    JOIN streams ON streams.id = live.id
    JOIN sources ON sources.id = streams.source_id,
    LATERAL ({_OBJECT}) AS object
    ORDER BY random()
"""  # noqa: S608 - put together once, from constants


def _keys(seen: Sequence[str]) -> tuple[list[str], list[str]]:
    """``$16`` and ``$17`` of ``_SEEN``."""
    return [key.partition(":")[2] for key in seen], list(seen)


async def unseen(
    db: db_utils.Database,
    wanted: Filter,
    seen: Sequence[str],
    count: int,
    now: datetime,
    start: float,
) -> dict[str, bytes]:
    """``count`` random matches that are not among the seen, as key → JSON object, shuffled.

    A key is ``<source>:<external id>``; ``start`` is uniform in [0, 1).
    """
    rows = await db.fetch(
        _UNSEEN, *_matches(wanted, now), *_keys(seen), start, count + NEIGHBOURS, count
    )
    return {row["key"]: row["body"] for row in rows}


_MATCHING = f"""
    SELECT sources.name || ':' || streams.external_id AS key
    FROM streams
    JOIN stream_liveness AS live ON live.stream_id = streams.id
    JOIN sources ON sources.id = streams.source_id
    WHERE {_MATCHES} AND {_SEEN}
"""  # noqa: S608 - put together once, from constants


async def matching(
    db: db_utils.Database, wanted: Filter, seen: Sequence[str], now: datetime
) -> list[str]:
    """Which of the seen keys match."""
    rows = await db.fetch(_MATCHING, *_matches(wanted, now), *_keys(seen))
    return [row["key"] for row in rows]


_COUNT = f"""
    SELECT count(*) FROM (
        SELECT FROM streams JOIN stream_liveness AS live ON live.stream_id = streams.id
        WHERE {_MATCHES} LIMIT $16
    ) AS found
"""  # noqa: S608 - put together once, from constants


async def count(db: db_utils.Database, wanted: Filter, most: int, now: datetime) -> int:
    """How many streams match, counted up to ``most``."""
    found: int = await db.fetchval(_COUNT, *_matches(wanted, now), most)
    return found
