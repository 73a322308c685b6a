"""SQL of room sources."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import asyncpg

import db_utils
from vigil import events
from vigil.errors import Conflict
from vigil.sources.model import Source, SourceState

STATE_TOPIC = "source_state"
"""What is notified when a pass began, went on or ended."""

_SOURCE = frozenset(Source.__dataclass_fields__)
_STATE = frozenset(SourceState.__dataclass_fields__) - {"source"}


async def list_enabled(db: db_utils.Database) -> list[Source]:
    """Every source that the scanner looks at, by name."""
    rows = await db.fetch("SELECT * FROM sources WHERE enabled ORDER BY name")
    return [_source(row) for row in rows]


async def list_states(db: db_utils.Database) -> list[SourceState]:
    """Every source with how its last pass went, by name."""
    rows = await db.fetch(
        """
        SELECT * FROM sources LEFT JOIN source_state ON source_state.source_id = sources.id
        ORDER BY name
        """
    )
    return [_state(row) for row in rows]


async def get_state(db: db_utils.Database, name: str) -> SourceState | None:
    """One source with how its last pass went."""
    row = await db.fetchrow(
        """
        SELECT * FROM sources LEFT JOIN source_state ON source_state.source_id = sources.id
        WHERE name = $1
        """,
        name,
    )
    return None if row is None else _state(row)


async def add(
    db: db_utils.Database,
    *,
    name: str,
    kind: str,
    base_url: str | None,
    options: Mapping[str, Any],
    interval_s: float,
    ttl_s: float,
    secrets: Mapping[str, str] | None = None,
) -> Source:
    """Add a source; raises Conflict when the name is taken."""
    row = await db.fetchrow(
        """
        INSERT INTO sources (name, kind, base_url, options, interval_s, ttl_s, secrets)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (name) DO NOTHING RETURNING *
        """,
        name,
        kind,
        base_url,
        dict(options),
        interval_s,
        ttl_s,
        dict(secrets or {}),
    )
    if row is None:
        raise Conflict(f"there is a source named {name} already", hint="choose another name")
    return _source(row)


async def plant(
    db: db_utils.Database, *, name: str, kind: str, interval_s: float, ttl_s: float
) -> bool:
    """Make a built-in source, once in the life of a database; whether it was made now."""
    async with db_utils.transaction(db) as connection:
        first = await connection.fetchval(
            "INSERT INTO planted (name) VALUES ($1) ON CONFLICT DO NOTHING RETURNING true",
            f"source:{name}",
        )
        if not first:
            return False
        made = await connection.fetchval(
            """
            INSERT INTO sources (name, kind, interval_s, ttl_s) VALUES ($1, $2, $3, $4)
            ON CONFLICT (name) DO NOTHING RETURNING true
            """,
            name,
            kind,
            interval_s,
            ttl_s,
        )
        return bool(made)


async def change(
    db: db_utils.Database,
    name: str,
    *,
    base_url: str | None,
    options: Mapping[str, Any],
    interval_s: float,
    ttl_s: float,
    secrets: Mapping[str, str],
    enabled: bool,
) -> bool:
    """Write everything of a source that can change; False when there is none of this name."""
    return bool(
        await db.fetchval(
            """
            UPDATE sources
            SET base_url = $2, options = $3, interval_s = $4, ttl_s = $5, secrets = $6,
                enabled = $7
            WHERE name = $1 RETURNING true
            """,
            name,
            base_url,
            dict(options),
            interval_s,
            ttl_s,
            dict(secrets),
            enabled,
        )
    )


async def set_enabled(db: db_utils.Database, name: str, enabled: bool) -> bool:
    """Let the scanner look at a source, or not; False when there is none of this name."""
    return bool(
        await db.fetchval(
            "UPDATE sources SET enabled = $2 WHERE name = $1 RETURNING true", name, enabled
        )
    )


async def touch(db: db_utils.Database, name: str) -> bool:
    """Have the scanner look at a source now; False when there is none, or none enabled.

    What wakes the scanner is the trigger that writes changed_at and notifies.
    """
    return bool(
        await db.fetchval(
            "UPDATE sources SET enabled = true WHERE name = $1 AND enabled RETURNING true", name
        )
    )


async def delete(db: db_utils.Database, name: str) -> bool:
    """Remove a source and every stream seen there; False when there is none of this name."""
    return bool(await db.fetchval("DELETE FROM sources WHERE name = $1 RETURNING true", name))


async def begin_pass(db: db_utils.Database, source_id: int, now: datetime) -> None:
    """A pass begins: its counts are zero. Nothing happens when the source is gone."""
    await db.execute(
        """
        INSERT INTO source_state (source_id, started_at) SELECT id, $2 FROM sources WHERE id = $1
        ON CONFLICT (source_id) DO UPDATE
        SET started_at = $2, next_at = NULL, pages = 0, found = 0, kept = 0, refused = 0,
            refusals = '{}', fresh = 0, ended = 0
        """,
        source_id,
        now,
    )
    await events.notify(db, STATE_TOPIC, id=source_id)


async def recall(db: db_utils.Database, source_id: int) -> str:
    """What the last pass over a source asked to have kept; empty: nothing."""
    found: str | None = await db.fetchval(
        "SELECT memory FROM source_memory WHERE source_id = $1", source_id
    )
    return found or ""


async def remember(db: db_utils.Database, source_id: int, memory: str, now: datetime) -> None:
    """Keep this for the next pass. Nothing happens when the source is gone."""
    await db.execute(
        """
        INSERT INTO source_memory (source_id, memory, kept_at)
        SELECT id, $2, $3 FROM sources WHERE id = $1
        ON CONFLICT (source_id) DO UPDATE SET memory = $2, kept_at = $3
        """,
        source_id,
        memory,
        now,
    )


async def record_progress(
    db: db_utils.Database,
    source_id: int,
    pages: int,
    found: int,
    kept: int,
    refusals: Mapping[str, int],
    budget_remaining: int | None,
    budget_limit: int | None,
) -> None:
    """Write the totals of the running pass so far."""
    await db.execute(
        """
        UPDATE source_state
        SET pages = $2, found = $3, kept = $4, refused = $5, refusals = $6,
            budget_remaining = $7, budget_limit = $8
        WHERE source_id = $1
        """,
        source_id,
        pages,
        found,
        kept,
        sum(refusals.values()),
        dict(refusals),
        budget_remaining,
        budget_limit,
    )
    await events.notify(db, STATE_TOPIC, id=source_id)


async def record_outcome(
    db: db_utils.Database, source_id: int, kept: int, fresh: int, ended: int
) -> None:
    """Write what a complete pass came to: different streams, those new, and those removed."""
    await db.execute(
        "UPDATE source_state SET kept = $2, fresh = $3, ended = $4 WHERE source_id = $1",
        source_id,
        kept,
        fresh,
        ended,
    )


async def finish_pass(
    db: db_utils.Database, source_id: int, now: datetime, complete: bool, next_at: datetime
) -> None:
    """A pass ended well."""
    await db.execute(
        """
        UPDATE source_state
        SET finished_at = $2, succeeded_at = $2, complete = $3, next_at = $4, failures = 0,
            error = NULL, hint = NULL
        WHERE source_id = $1
        """,
        source_id,
        now,
        complete,
        next_at,
    )
    await events.notify(db, STATE_TOPIC, id=source_id)


async def fail_pass(
    db: db_utils.Database,
    source_id: int,
    now: datetime,
    error: str,
    hint: str | None,
    next_at: datetime,
) -> None:
    """A pass ended badly, or could not begin. Nothing happens when the source is gone."""
    await db.execute(
        """
        INSERT INTO source_state (source_id, finished_at, complete, failures, error, hint,
                                  failed_at, next_at)
        SELECT id, $2, false, 1, $3, $4, $2, $5 FROM sources WHERE id = $1
        ON CONFLICT (source_id) DO UPDATE
        SET finished_at = $2, complete = false, failures = source_state.failures + 1,
            error = $3, hint = $4, failed_at = $2, next_at = $5
        """,
        source_id,
        now,
        error,
        hint,
        next_at,
    )
    await events.notify(db, STATE_TOPIC, id=source_id)


def _source(row: asyncpg.Record) -> Source:
    return Source(**{name: value for name, value in row.items() if name in _SOURCE})


def _state(row: asyncpg.Record) -> SourceState:
    given = {n: value for n, value in row.items() if n in _STATE and row["source_id"] is not None}
    return SourceState(source=_source(row), **given)
