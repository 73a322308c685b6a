"""The SQL of standing films. Each change tells the topic ``standing:<slug>``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import asyncpg

import db_utils
from vigil import events
from vigil.errors import Conflict
from vigil.films.standing.model import Edition, NewStanding, Period, Standing

_EDITIONS = """
    SELECT e.standing_id, e.from_at, e.to_at, e.film_id, f.title, f.state, f.error, f.file_bytes,
        coalesce(f.options ->> 'container', 'mp4') AS container,
        f.width, f.height, f.watched_at, e.created_at,
        t.plays, t.duration_s
    FROM standing_editions e JOIN films f ON f.id = e.film_id
    CROSS JOIN LATERAL (
        SELECT count(s.hash) > 0 AND (f.state IN ('done', 'failed', 'cancelled')
                OR (array_agg(s.hash IS NOT NULL AND l.closed ORDER BY l.start))[1]) AS plays,
            coalesce(sum(s.duration_s), 0) AS duration_s
        FROM film_segments l LEFT JOIN segments s ON s.hash = l.hash WHERE l.film_id = f.id
    ) t
"""


def subject(slug: str) -> str:
    """What events about a standing film are about."""
    return f"standing:{slug}"


async def page(db: db_utils.Database) -> list[Standing]:
    """All of them, by title."""
    rows = await db.fetch("SELECT * FROM standing_films ORDER BY title, id")
    return [Standing(**row) for row in rows]


async def by_slug(db: db_utils.Database, slug: str) -> Standing | None:
    """One of them."""
    row = await db.fetchrow("SELECT * FROM standing_films WHERE slug = $1", slug)
    return Standing(**row) if row else None


async def add(db: db_utils.Database, new: NewStanding, now: datetime) -> Standing:
    """Keep a new one; it is due at once. Raises Conflict when its name is taken."""
    try:
        row = await db.fetchrow(
            """
            INSERT INTO standing_films (slug, title, wish, every, rolling_s, time_zone, keep_films,
                keep_s, announce, since, ordered_at, next_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $10) RETURNING *
            """,
            new.slug,
            new.title,
            dict(new.wish),
            new.every,
            new.rolling_s,
            new.time_zone,
            new.keep_films,
            new.keep_s,
            new.announce,
            now,
        )
    except asyncpg.UniqueViolationError:
        raise Conflict(f"there is a standing film {new.slug} already") from None
    assert row is not None  # noqa: S101 - an INSERT returns its row
    return Standing(**row)


async def change(
    db: db_utils.Database, standing_id: int, new: NewStanding, now: datetime
) -> Standing | None:
    """Change one, and look at it at once; its name and kind of period stay. ``None``: it is gone.

    In another time zone its periods begin anew with that of now.
    """
    row = await db.fetchrow(
        """
        UPDATE standing_films SET title = $2, wish = $3, rolling_s = $4, time_zone = $5,
            keep_films = $6, keep_s = $7, announce = $8, next_at = $9, error = NULL,
            changed_at = clock_timestamp(),
            since = CASE WHEN time_zone = $5 THEN since ELSE $9 END,
            past_at = CASE WHEN time_zone = $5 THEN past_at END,
            past_left = CASE WHEN time_zone = $5 THEN past_left ELSE 0 END,
            ordered_at = CASE WHEN wish = $3::jsonb THEN ordered_at ELSE $9 END
        WHERE id = $1 RETURNING *
        """,
        standing_id,
        new.title,
        dict(new.wish),
        new.rolling_s,
        new.time_zone,
        new.keep_films,
        new.keep_s,
        new.announce,
        now,
    )
    return Standing(**row) if row else None


async def pause(db: db_utils.Database, standing_id: int, now: datetime) -> bool:
    """Make no more films until it is resumed; ``False`` when it rests already."""
    done = await db.execute(
        """
        UPDATE standing_films SET paused_at = $2, changed_at = clock_timestamp()
        WHERE id = $1 AND paused_at IS NULL
        """,
        standing_id,
        now,
    )
    return done == "UPDATE 1"


async def resume(db: db_utils.Database, standing_id: int, now: datetime) -> bool:
    """Go on with the period of now; what was missed is not made up. ``False`` when it goes on."""
    done = await db.execute(
        """
        UPDATE standing_films SET paused_at = NULL, since = $2, next_at = $2, error = NULL,
            changed_at = clock_timestamp()
        WHERE id = $1 AND paused_at IS NOT NULL
        """,
        standing_id,
        now,
    )
    return done == "UPDATE 1"


async def remove(db: db_utils.Database, standing_id: int) -> bool:
    """Remove one; its films stay unless they were marked."""
    return await db.execute("DELETE FROM standing_films WHERE id = $1", standing_id) == "DELETE 1"


async def locked(connection: db_utils.Connection, standing_id: int) -> Standing | None:
    """One, which nobody else changes or makes films of until the transaction ends."""
    row = await connection.fetchrow(
        "SELECT * FROM standing_films WHERE id = $1 FOR UPDATE", standing_id
    )
    return Standing(**row) if row else None


async def due(db: db_utils.Database, now: datetime) -> list[Standing]:
    """Those whose next film may be due."""
    rows = await db.fetch(
        """
        SELECT * FROM standing_films WHERE next_at <= $1 AND paused_at IS NULL
        ORDER BY next_at LIMIT 100
        """,
        now,
    )
    return [Standing(**row) for row in rows]


async def with_past(db: db_utils.Database) -> list[Standing]:
    """Those that are asked to make films of past periods."""
    rows = await db.fetch("SELECT * FROM standing_films WHERE past_at IS NOT NULL ORDER BY id")
    return [Standing(**row) for row in rows]


async def looked(
    db: db_utils.Database, standing: Standing, next_at: datetime, error: str | None = None
) -> bool:
    """All that is due is made, or cannot be; ``False`` when it was changed meanwhile."""
    found = await db.fetchval(
        """
        UPDATE standing_films SET next_at = $3, error = $4 WHERE id = $1 AND next_at = $2
        RETURNING id
        """,
        standing.id,
        standing.next_at,
        next_at,
        error,
    )
    return found is not None


async def made(
    db: db_utils.Database, standing_id: int, since: datetime, *, there: bool = False
) -> set[datetime]:
    """Begins of the periods, from a moment on, of which a film was made; ``there``: and is not
    deleted."""
    rows = await db.fetch(
        """
        SELECT from_at FROM standing_editions
        WHERE standing_id = $1 AND from_at >= $2 AND (film_id IS NOT NULL OR NOT $3)
        """,
        standing_id,
        since,
        there,
    )
    return {row["from_at"] for row in rows}


async def note_edition(
    connection: db_utils.Connection,
    standing: Standing,
    period: Period,
    film_id: int,
    now: datetime,
    *,
    again: bool,
) -> bool:
    """Say that a film is that of a period; ``False`` when there is one.

    Args:
        connection: with the transaction that made the film.
        standing: the standing film.
        period: the period.
        film_id: the film.
        now: when it is made.
        again: whether to take the place of one that was deleted.
    """
    found = await connection.fetchval(
        """
        INSERT INTO standing_editions AS e
            (standing_id, from_at, to_at, film_id, created_at)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (standing_id, from_at) DO UPDATE SET film_id = excluded.film_id,
            to_at = excluded.to_at, created_at = excluded.created_at
        WHERE $6 AND e.film_id IS NULL RETURNING film_id
        """,
        standing.id,
        period.from_at,
        period.to_at,
        film_id,
        now,
        again,
    )
    if found is None:
        return False
    await connection.execute(
        "UPDATE standing_films SET made_at = $2 WHERE id = $1", standing.id, now
    )
    await tell(connection, standing)
    return True


async def has_frames(
    db: db_utils.Database, scenes: Sequence[int], from_at: datetime, to_at: datetime
) -> bool:
    """Whether one of these scenes has a frame in a span of time."""
    found: bool = await db.fetchval(
        """
        SELECT EXISTS (SELECT FROM unnest($1::integer[]) AS scene (id) WHERE EXISTS (
            SELECT FROM frames WHERE scene_id = scene.id AND taken_at >= $2 AND taken_at < $3
                AND deleting_at IS NULL))
        """,
        list(scenes),
        from_at,
        to_at,
    )
    return found


async def ask_for_past(
    db: db_utils.Database, standing_id: int, past_at: datetime | None, number: int
) -> None:
    """Have films of ``number`` past periods made, the first of them beginning at ``past_at``."""
    await db.execute(
        """
        UPDATE standing_films SET past_at = $2, past_left = $3, past_total = $3 WHERE id = $1
        """,
        standing_id,
        past_at,
        number,
    )


async def go_back(
    db: db_utils.Database, standing: Standing, past_at: datetime | None, left: int
) -> None:
    """One past period is dealt with."""
    await db.execute(
        "UPDATE standing_films SET past_at = $2, past_left = $3 WHERE id = $1",
        standing.id,
        past_at,
        left,
    )
    await tell(db, standing)


async def editions(
    db: db_utils.Database,
    standing_id: int,
    *,
    before: datetime | None = None,
    whole: bool = False,
    limit: int = 1000,
) -> list[Edition]:
    """Films of a standing film, the latest period first; ``whole``: those that are one file."""
    rows = await db.fetch(
        _EDITIONS
        + """
        WHERE e.standing_id = $1 AND f.state <> 'deleting'
            AND ($2::timestamptz IS NULL OR e.from_at < $2)
            AND (NOT $3 OR f.file_bytes IS NOT NULL AND (f.state = 'done' OR e.to_at IS NULL))
        ORDER BY e.from_at DESC LIMIT $4
        """,
        standing_id,
        before,
        whole,
        limit,
    )
    return [Edition(**row) for row in rows]


async def films_of(db: db_utils.Database, standing_id: int) -> list[int]:
    """Numbers of the films that it made and that are there."""
    rows = await db.fetch(
        """
        SELECT f.id FROM standing_editions e JOIN films f ON f.id = e.film_id
        WHERE e.standing_id = $1 AND f.state <> 'deleting' ORDER BY f.id
        """,
        standing_id,
    )
    return [row["id"] for row in rows]


async def ended(db: db_utils.Database, since: datetime, now: datetime) -> list[int]:
    """Films that are done, or found nothing to show, of periods that ended lately."""
    rows = await db.fetch(
        """
        SELECT f.id FROM standing_editions e JOIN films f ON f.id = e.film_id
        WHERE e.to_at > $1 AND e.to_at <= $2 AND (f.state = 'done' OR f.state = 'failed'
            AND f.changed_at < now() - interval '10 minutes'
            AND NOT EXISTS (SELECT FROM film_segments l WHERE l.film_id = f.id))
        ORDER BY f.id
        """,
        since,
        now,
    )
    return [row["id"] for row in rows]


async def tell(db: db_utils.Database, standing: Standing) -> None:
    """Tell everybody that a standing film changed."""
    await events.notify(db, subject(standing.slug), id=standing.id)
