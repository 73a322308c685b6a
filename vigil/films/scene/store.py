"""The SQL of films of scenes: their frames, and what came since they were last planned.

A million rows would keep asyncpg busy for seconds, so PostgreSQL packs them, and some ten thousand
go over as one value.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import db_utils
from vigil.cameras.looking.model import DayCount
from vigil.cameras.looking.store import days
from vigil.films.model import Film, FilmFrame, at_moment, moment_of
from vigil.films.scene.rows import Rows, read

DAY = timedelta(days=1)
CONNECTIONS = 2
"""PostgreSQL packs on so many processors at a time."""
AT_ONCE = 40_000
"""Frames packed into one value: a few megabytes."""
PART, PARTS = 10_000, 25
"""Frames that are planned at a time, at least, and parts of a plan, about, at most."""
PACKED = """
    SELECT string_agg(
        timestamptz_send(taken_at) || int8send(id) || float4send(luma)
        || float4send(coalesce(contrast, 'NaN')) || float4send(coalesce(dark, 'NaN'))
        || float4send(coalesce(bright, 'NaN')) || float4send(coalesce(sharpness, 'NaN'))
        || float4send(coalesce(sun_height, 'NaN')) || int8send(coalesce(perceptual_hash, 0))
        || boolsend(perceptual_hash IS NOT NULL)
        || CASE WHEN picture IS NULL THEN sha256
            ELSE sha256(sha256 || decode(left(right(picture, 20), 16), 'hex')) END,
        ''::bytea)
    FROM frames
    WHERE scene_id = $1 AND taken_at >= $2 AND taken_at < $3 AND deleting_at IS NULL
"""
"""As ``rows.SENT`` has it; a picture's key ends with the beginning of its SHA-256, as
``FilmFrame.digest`` takes it."""


async def frames(pool: db_utils.Pool, scene_id: int, from_at: datetime, to_at: datetime) -> Rows:
    """The frames of a scene taken from one moment up to, not including, another; by moment."""
    counts = await days(pool, scene_id, from_at.date() - DAY, to_at.date() + 2 * DAY)
    inside = [edge for edge in edges(counts) if from_at < edge < to_at]
    turns = asyncio.Semaphore(CONNECTIONS)

    async def packed(span: tuple[datetime, datetime]) -> bytes:
        async with turns:
            found: bytes | None = await pool.fetchval(PACKED, scene_id, *span)
        return found or b""

    return read(b"".join(await asyncio.gather(*map(packed, pairwise([from_at, *inside, to_at])))))


async def borders(pool: db_utils.Pool, scenes: Sequence[int], since: int, until: int) -> list[int]:
    """Moments between two others that cut the frames of these scenes into parts for planning."""
    first, last = at_moment(since), at_moment(until)
    found: Counter[date] = Counter()
    for scene in scenes:
        for count in await days(pool, scene, first.date() - DAY, last.date() + 2 * DAY):
            found[count.day] += count.frames
    size = max(PART, found.total() // PARTS)
    counts = [DayCount(day=day, frames=found[day], bytes=0) for day in sorted(found)]
    return [moment_of(edge) for edge in edges(counts, size) if first < edge < last]


def edges(counts: Sequence[DayCount], at_once: int = AT_ONCE) -> list[datetime]:
    """Moments between which about so many frames lie at most; only near midnights, for the
    days are those of the scene's clock."""
    found, held = [], 0
    for count in counts:
        midnight = datetime.combine(count.day, time(0), UTC)
        if held + count.frames > at_once:
            found.append(midnight)
            held = 0
        pieces = count.frames // at_once + 1
        found += [midnight + DAY * number / pieces for number in range(1, pieces)]
        held += count.frames // pieces
    return found


async def shown(db: db_utils.Database, ids: Sequence[int]) -> dict[int, FilmFrame]:
    """Frames by id; those that are gone or going are left out."""
    rows = await db.fetch(
        """
        SELECT id, taken_at, sha256, blob, picture FROM frames
        WHERE id = ANY ($1::bigint[]) AND deleting_at IS NULL
        """,
        list(ids),
    )
    return {
        row["id"]: FilmFrame(moment_of(row["taken_at"]), row["sha256"], row["blob"], row["picture"])
        for row in rows
    }


async def references(db: db_utils.Database, film: Film) -> list[FilmFrame | None]:
    """For each scene the frame closest to the film's reference moment; empty without one."""
    moment = film.making.look.reference
    if moment is None:
        return []
    rows = await db.fetch(
        """
        SELECT f.id FROM unnest($1::integer[]) WITH ORDINALITY AS scene (id, place)
        LEFT JOIN LATERAL (
            SELECT near.id FROM (
                (SELECT id, taken_at FROM frames WHERE scene_id = scene.id AND deleting_at IS NULL
                    AND taken_at >= $2 ORDER BY taken_at, sha256 LIMIT 1)
                UNION ALL
                (SELECT id, taken_at FROM frames WHERE scene_id = scene.id AND deleting_at IS NULL
                    AND taken_at < $2 ORDER BY taken_at DESC, sha256 LIMIT 1)
            ) near ORDER BY abs(extract(epoch FROM near.taken_at - $2)), near.taken_at LIMIT 1
        ) f ON true
        ORDER BY scene.place
        """,
        list(film.scenes),
        at_moment(moment),
    )
    known = await shown(db, [row["id"] for row in rows if row["id"] is not None])
    return [known.get(row["id"]) for row in rows]


async def oldest(db: db_utils.Database, scenes: Sequence[int]) -> datetime | None:
    """When the oldest frame of these scenes was taken that retention has not removed yet, those
    kept for ever aside; ``None`` when there is none."""
    found: datetime | None = await db.fetchval(
        """
        SELECT min(f.taken_at) FROM unnest($1::integer[]) AS scene (id) CROSS JOIN LATERAL (
            SELECT taken_at FROM frames
            WHERE scene_id = scene.id AND NOT kept AND deleting_at IS NULL
            ORDER BY taken_at, sha256 LIMIT 1) f
        """,
        list(scenes),
    )
    return found


async def touched(db: db_utils.Database, film: Film) -> int | None:
    """The earliest moment at which frames have come since the film was last planned."""
    found: datetime | None = await db.fetchval(
        """
        SELECT min(taken_at) FROM frames
        WHERE scene_id = ANY ($1::integer[]) AND id > $2 AND taken_at >= $3
            AND ($4::timestamptz IS NULL OR taken_at < $4)
        """,
        list(film.scenes),
        film.planned_id,
        film.from_at,
        film.to_at,
    )
    return None if found is None else moment_of(found)


async def first_open(db: db_utils.Database, film_id: int) -> int | None:
    """Start of the earliest window that was planned before it was over."""
    found: int | None = await db.fetchval(
        "SELECT min(start) FROM film_segments WHERE film_id = $1 AND NOT closed", film_id
    )
    return found


async def planned_up_to(
    db: db_utils.Database, film: Film, open_since: datetime, settled: datetime
) -> int:
    """The frame up to which a plan made after this call is complete.

    Args:
        db: the database.
        film: says from which frame on.
        open_since: frames taken from here on are planned later.
        settled: frames received from here on are looked at once more: another with a lower id
            may not have been committed yet.
    """
    found: int = await db.fetchval(
        """
        SELECT coalesce(min(id) FILTER (WHERE taken_at >= $3 OR received_at >= $4) - 1,
            max(id), $2)
        FROM frames WHERE scene_id = ANY ($1::integer[]) AND id > $2
        """,
        list(film.scenes),
        film.planned_id,
        open_since,
        settled,
    )
    return found


async def has_news(db: db_utils.Database, film: Film) -> bool:
    """Whether frames came in a film's range since it was last planned, or a window of it was
    planned before its end."""
    found: bool = await db.fetchval(
        """
        SELECT EXISTS (SELECT 1 FROM frames WHERE scene_id = ANY ($1::integer[]) AND id > $2
                AND taken_at >= $3 AND ($4::timestamptz IS NULL OR taken_at < $4))
            OR EXISTS (SELECT 1 FROM film_segments WHERE film_id = $5 AND NOT closed)
        """,
        list(film.scenes),
        film.planned_id,
        film.from_at,
        film.to_at,
        film.id,
    )
    return found
