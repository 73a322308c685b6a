"""SQL of the events, of destinations and deliveries.

A new event tells the topic ``events``, with its id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg

import db_utils
from vigil import events
from vigil.errors import Conflict
from vigil.notifications.model import Delivery, Destination, Event


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
        await connection.execute(
            """
            INSERT INTO deliveries (event_id, destination_id)
            SELECT $1, id FROM destinations
            WHERE enabled AND (kinds = '{}' OR EXISTS (
                SELECT FROM unnest(kinds) AS kind WHERE starts_with($2, kind)))
            """,
            event_id,
            kind,
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


async def destinations(db: db_utils.Database) -> list[Destination]:
    """All of them, by name."""
    rows = await db.fetch("SELECT * FROM destinations ORDER BY name")
    return [Destination(**row) for row in rows]


async def destination(db: db_utils.Database, destination_id: int) -> Destination | None:
    """One of them."""
    row = await db.fetchrow("SELECT * FROM destinations WHERE id = $1", destination_id)
    return Destination(**row) if row else None


async def add_destination(
    db: db_utils.Database, *, name: str, kind: str, url: str, secret: str, kinds: Sequence[str]
) -> Destination:
    """Add one; raises Conflict when the name is taken."""
    try:
        row = await db.fetchrow(
            """
            INSERT INTO destinations (name, kind, url, secret, kinds) VALUES ($1, $2, $3, $4, $5)
            RETURNING *
            """,
            name,
            kind,
            url,
            secret,
            list(kinds),
        )
    except asyncpg.UniqueViolationError:
        raise Conflict(f"there is a destination {name} already") from None
    assert row is not None  # noqa: S101 - an INSERT returns its row
    return Destination(**row)


async def enable_destination(db: db_utils.Database, destination_id: int, enabled: bool) -> bool:
    """Tell it of new events, or no more; False when there is none."""
    done = await db.execute(
        "UPDATE destinations SET enabled = $2, error = NULL, error_at = NULL WHERE id = $1",
        destination_id,
        enabled,
    )
    return done == "UPDATE 1"


async def remove_destination(db: db_utils.Database, destination_id: int) -> bool:
    """Remove one, and what was on its way there; False when there is none."""
    return await db.execute("DELETE FROM destinations WHERE id = $1", destination_id) == "DELETE 1"


async def test_destination(db: db_utils.Database, destination: Destination) -> None:
    """Write an event that only this destination is told of, whatever it wants to be told of."""
    await db.execute(
        """
        WITH event AS (
            INSERT INTO events (kind, subject, message)
            VALUES ('notifications.test', 'notifications', $2) RETURNING id
        )
        INSERT INTO deliveries (event_id, destination_id) SELECT id, $1 FROM event
        """,
        destination.id,
        f"A test: {destination.name} is told what happens here.",
    )


async def due_deliveries(db: db_utils.Database, now: datetime, limit: int) -> list[Delivery]:
    """Deliveries that are to be tried now, the oldest events first."""
    rows = await db.fetch(
        """
        SELECT w.id AS delivery_id, w.attempts, e.id AS event_id, e.at, e.kind AS event_kind,
            e.subject, e.message, e.details, d.*
        FROM deliveries w
        JOIN events e ON e.id = w.event_id JOIN destinations d ON d.id = w.destination_id
        WHERE w.next_at <= $1 AND d.enabled ORDER BY w.next_at, w.id LIMIT $2
        """,
        now,
        limit,
    )
    return [_delivery(row) for row in rows]


async def next_delivery(db: db_utils.Database) -> datetime | None:
    """When the next delivery is due; ``None`` when none waits."""
    found: datetime | None = await db.fetchval(
        """
        SELECT min(next_at) FROM deliveries w JOIN destinations d ON d.id = w.destination_id
        WHERE next_at IS NOT NULL AND d.enabled
        """
    )
    return found


async def note_delivery(
    db: db_utils.Database,
    delivery: Delivery,
    now: datetime,
    *,
    error: str | None,
    next_at: datetime | None,
) -> None:
    """Write down how an attempt went: ``error`` is ``None`` when the destination took it."""
    async with db_utils.transaction(db) as connection:
        await connection.execute(
            """
            UPDATE deliveries SET attempts = attempts + 1, next_at = $2, error = $3,
                delivered_at = CASE WHEN $3::text IS NULL THEN $4::timestamptz END
            WHERE id = $1
            """,
            delivery.id,
            next_at,
            error,
            now,
        )
        await connection.execute(
            """
            UPDATE destinations SET error = $2, error_at = CASE WHEN $2::text IS NULL THEN NULL
                ELSE $3::timestamptz END
            WHERE id = $1 AND error IS DISTINCT FROM $2
            """,
            delivery.destination.id,
            error,
            now,
        )


async def waiting_deliveries(db: db_utils.Database) -> dict[int, tuple[int, datetime | None]]:
    """For each destination: how many deliveries wait, and when it last took one."""
    rows = await db.fetch(
        """
        SELECT destination_id, count(next_at) AS waiting, max(delivered_at) AS delivered_at
        FROM deliveries GROUP BY destination_id
        """
    )
    return {row["destination_id"]: (row["waiting"], row["delivered_at"]) for row in rows}


def _delivery(row: Any) -> Delivery:
    return Delivery(
        id=row["delivery_id"],
        attempts=row["attempts"],
        event=Event(
            id=row["event_id"],
            at=row["at"],
            kind=row["event_kind"],
            subject=row["subject"],
            message=row["message"],
            details=row["details"],
        ),
        destination=Destination(**{name: row[name] for name in Destination.__slots__}),
    )
