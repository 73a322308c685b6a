"""SQL of the events. A new one tells the topic ``events``, with its id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import db_utils
from vigil import events
from vigil.notifications.model import Event


async def add(
    db: db_utils.Database,
    kind: str,
    subject: str,
    message: str,
    details: Mapping[str, Any] | None = None,
    *,
    at: datetime | None = None,
) -> int:
    """Write an event, in the caller's transaction if there is one; returns its number.

    Args:
        db: a connection, or the pool.
        kind: word to choose by, e.g. ``camera.silent``.
        subject: what it is about, e.g. ``camera:garden``.
        message: a sentence for a person.
        details: the same for programs.
        at: when it was noticed; the database's clock when not given.
    """
    async with db_utils.transaction(db) as connection:
        event_id: int = await connection.fetchval(
            """
            INSERT INTO events (at, kind, subject, message, details)
            VALUES (coalesce($1, now()), $2, $3, $4, $5) RETURNING id
            """,
            at,
            kind,
            subject,
            message,
            dict(details or {}),
        )
        await events.notify(connection, "events", id=event_id, kind=kind, subject=subject)
    return event_id


async def page(
    db: db_utils.Database,
    *,
    subject: str | None = None,
    kinds: Sequence[str] | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[Event]:
    """Events, the latest first: of one subject, of some kinds, or all; with lower numbers than
    ``before``."""
    rows = await db.fetch(
        """
        SELECT id, at, kind, subject, message, details FROM events
        WHERE ($1::text IS NULL OR subject = $1)
          AND ($2::text[] IS NULL OR kind = ANY ($2))
          AND ($3::bigint IS NULL OR id < $3)
        ORDER BY id DESC LIMIT $4
        """,
        subject,
        kinds,
        before,
        limit,
    )
    return [Event(**row) for row in rows]


async def prune(db: db_utils.Database, before: datetime) -> int:
    """Forget events from before then; returns how many."""
    done = await db.execute("DELETE FROM events WHERE at < $1", before)
    return int(done.split()[-1])
