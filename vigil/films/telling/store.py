"""The SQL of which films are to be told of, and were."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import db_utils


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """A film that is done or has failed, which nobody was told yet."""

    film_id: int
    title: str
    done: bool
    error: str | None
    file_blob: str | None
    file_bytes: int | None
    """``None``: it is not one file, and has not become one for an hour."""
    standing: str | None
    """Name of the standing film that made it."""
    wanted: bool
    """Whether that is to be told; what is not is only noted."""


async def news(db: db_utils.Database) -> list[News]:
    """Films that are done, with their file, or have failed, and nobody knows."""
    rows = await db.fetch(
        """
        SELECT f.id AS film_id, f.title, f.state = 'done' AS done, f.error, f.file_bytes,
            f.file_blob,
            s.slug AS standing, f.state <> 'done' OR coalesce(s.announce, true) AS wanted
        FROM films f LEFT JOIN standing_editions e ON e.film_id = f.id
            LEFT JOIN standing_films s ON s.id = e.standing_id
        WHERE (f.state = 'done' AND f.announced_at IS NULL
                AND (f.file_bytes IS NOT NULL OR f.changed_at < now() - interval '1 hour'))
            OR (f.state IN ('failed', 'growing') AND f.error IS NOT NULL
                AND f.complained_at IS NULL)
        ORDER BY f.id LIMIT 100
        """
    )
    return [News(**row) for row in rows]


async def note_done(db: db_utils.Database, film_id: int, now: datetime) -> bool:
    """It is told now, in the caller's transaction, that a film is done; ``False``: it was."""
    done = await db.execute(
        """
        UPDATE films SET announced_at = $2, complained_at = NULL
        WHERE id = $1 AND announced_at IS NULL
        """,
        film_id,
        now,
    )
    return done == "UPDATE 1"


async def note_failed(db: db_utils.Database, film_id: int, now: datetime) -> bool:
    """It is told now, in the caller's transaction, that a film failed; ``False``: it was."""
    done = await db.execute(
        "UPDATE films SET complained_at = $2 WHERE id = $1 AND complained_at IS NULL",
        film_id,
        now,
    )
    return done == "UPDATE 1"


async def hush(db: db_utils.Database, film_id: int, now: datetime) -> None:
    """Nobody is to be told when a film is done."""
    await db.execute("UPDATE films SET announced_at = $2 WHERE id = $1", film_id, now)
