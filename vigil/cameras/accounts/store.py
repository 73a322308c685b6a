"""SQL of the accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import db_utils
from vigil.cameras.accounts.model import REASONS, Account, Day, Gap, Span
from vigil.cameras.plan import micros

BATCH = 20_000


async def note_span(
    db: db_utils.Database,
    camera_id: int,
    state: str,
    detail: str,
    from_at: datetime,
    to_at: datetime,
) -> None:
    """Note what went wrong with a camera from then to then; joined to the same before it.

    Nothing happens when the camera is gone.
    """
    await db.execute(
        """
        WITH joined AS (
            UPDATE camera_spans SET to_at = greatest(to_at, $5), detail = $3
            WHERE id = (
                SELECT id FROM camera_spans
                WHERE camera_id = $1 AND state = $2 AND from_at <= $5
                  AND to_at >= $4::timestamptz - interval '1 minute'
                ORDER BY to_at DESC LIMIT 1
            )
            RETURNING id
        )
        INSERT INTO camera_spans (camera_id, state, detail, from_at, to_at)
        SELECT id, $2, $3, $4, $5 FROM cameras WHERE id = $1 AND NOT EXISTS (SELECT FROM joined)
        """,
        camera_id,
        state,
        detail,
        min(from_at, to_at),
        to_at,
    )


async def tell_gaps(
    db: db_utils.Database, camera_id: int, detail: str, from_at: datetime, to_at: datetime
) -> int:
    """Say in words why frames are missing in the gaps that touch a time; returns how many."""
    done = await db.execute(
        """
        UPDATE camera_gaps SET detail = $2
        WHERE camera_id = $1 AND from_at <= $4 AND to_at >= $3
        """,
        camera_id,
        detail,
        from_at,
        to_at,
    )
    return int(done.split()[-1])


async def note_watched(
    db: db_utils.Database,
    leases: Mapping[int, int],
    brought: Sequence[int],
    now: datetime,
    bridge_s: float,
) -> None:
    """Note which cameras are watched now.

    Args:
        db: pool or connection.
        leases: camera → the advisory lock that its watcher holds.
        brought: cameras that nobody asks, which are watched whenever this is called.
        now: by our clock.
        bridge_s: what was noted at most so long ago by the same holder is carried on.
    """
    await db.execute(
        """
        WITH held AS (
            SELECT l.camera_id, k.pid AS holder
            FROM unnest($1::integer[], $2::bigint[]) AS l (camera_id, lock)
            JOIN pg_locks k
              ON k.locktype = 'advisory' AND k.objsubid = 1 AND k.granted
             AND k.database = (SELECT oid FROM pg_database WHERE datname = current_database())
             AND k.classid = ((l.lock >> 32) & 4294967295)::oid
             AND k.objid = (l.lock & 4294967295)::oid
            UNION ALL
            SELECT unnest($3::integer[]), 0
        ), carried AS (
            UPDATE camera_spans s SET to_at = $4
            FROM held
            WHERE s.id = (
                SELECT id FROM camera_spans
                WHERE camera_id = held.camera_id AND state = 'watching'
                  AND holder = held.holder
                  AND to_at BETWEEN $4::timestamptz - make_interval(secs => $5) AND $4
                ORDER BY to_at DESC LIMIT 1
            )
            RETURNING s.camera_id
        )
        INSERT INTO camera_spans (camera_id, state, holder, from_at, to_at)
        SELECT camera_id, 'watching', holder, $4, $4
        FROM held JOIN cameras ON cameras.id = camera_id
        WHERE camera_id NOT IN (SELECT camera_id FROM carried)
        """,
        list(leases),
        list(leases.values()),
        brought,
        now,
        bridge_s,
    )


async def spans(
    db: db_utils.Database, camera_ids: Sequence[int], from_at: datetime
) -> dict[int, list[Span]]:
    """What is noted of some cameras since then, in order."""
    rows = await db.fetch(
        """
        SELECT camera_id, state, detail, from_at, to_at FROM camera_spans
        WHERE camera_id = ANY ($1::integer[]) AND to_at >= $2 ORDER BY from_at
        """,
        camera_ids,
        from_at,
    )
    found: dict[int, list[Span]] = {}
    for row in rows:
        found.setdefault(row["camera_id"], []).append(
            Span(
                state=row["state"],
                detail=row["detail"],
                from_us=micros(row["from_at"]),
                to_us=micros(row["to_at"]),
            )
        )
    return found


async def accounts(db: db_utils.Database) -> dict[int, Account]:
    """How far each camera is accounted for."""
    rows = await db.fetch("SELECT camera_id, until_at, last_at, missed_at FROM camera_accounts")
    return {
        row["camera_id"]: Account(
            camera_id=row["camera_id"],
            until=micros(row["until_at"]),
            last=micros(row["last_at"]),
            missed=micros(row["missed_at"]) if row["missed_at"] else None,
        )
        for row in rows
    }


async def cursor(db: db_utils.Database) -> tuple[int, int]:
    """The frame up to which all are counted, and the number of passes so far."""
    row = await db.fetchrow("SELECT frame_id, passes FROM camera_account_cursor")
    assert row is not None  # noqa: S101 - the migration wrote it
    return row["frame_id"], row["passes"]


async def frames_after(db: db_utils.Database, frame_id: int) -> list[Any]:
    """Rows (id, camera_id, taken_at, received_at) of the frames behind this one, in their order."""
    return await db.fetch(
        """
        SELECT id, camera_id, taken_at, received_at FROM frames
        WHERE id > $1 ORDER BY id LIMIT $2
        """,
        frame_id,
        BATCH,
    )


async def taken_between(
    db: db_utils.Database, camera_id: int, from_at: datetime, to_at: datetime
) -> list[int]:
    """When frames of a camera were taken, in order."""
    rows = await db.fetch(
        """
        SELECT taken_at FROM frames
        WHERE camera_id = $1 AND taken_at >= $2 AND taken_at < $3 ORDER BY taken_at
        """,
        camera_id,
        from_at,
        to_at,
    )
    return [micros(row["taken_at"]) for row in rows]


async def open_gaps(db: db_utils.Database) -> dict[int, Gap]:
    """The gap of each camera from which no frame came since."""
    rows = await db.fetch("SELECT * FROM camera_gaps WHERE is_open ORDER BY from_at")
    return {row["camera_id"]: _gap(row) for row in rows}


async def gaps(
    db: db_utils.Database,
    camera_id: int,
    *,
    from_at: datetime | None = None,
    to_at: datetime | None = None,
    before: tuple[datetime, int] | None = None,
    limit: int = 1000,
) -> list[Gap]:
    """Gaps of a camera that lie at least partly in a span of time, the latest first.

    ``before``: (to_at, id) of the last one of the page before this one.
    """
    rows = await db.fetch(
        """
        SELECT * FROM camera_gaps
        WHERE camera_id = $1
          AND to_at > coalesce($2, '-infinity'::timestamptz)
          AND from_at < coalesce($3, 'infinity'::timestamptz)
          AND (to_at, id) < (coalesce($4, 'infinity'::timestamptz), coalesce($5, 0))
        ORDER BY to_at DESC, id DESC LIMIT $6
        """,
        camera_id,
        from_at,
        to_at,
        before[0] if before else None,
        before[1] if before else None,
        limit,
    )
    return [_gap(row) for row in rows]


async def days(
    db: db_utils.Database, camera_id: int, first: date | None, last: date | None
) -> list[Day]:
    """The numbers of a camera's days, in order; days of which nothing is known are left out."""
    rows = await db.fetch(
        """
        SELECT * FROM camera_days
        WHERE camera_id = $1 AND day >= coalesce($2, '-infinity'::date)
          AND day <= coalesce($3, 'infinity'::date)
        ORDER BY day
        """,
        camera_id,
        first,
        last,
    )
    return [
        Day(
            day=row["day"],
            planned=row["planned"],
            left_out=row["left_out"],
            frames=row["frames"],
            missed={reason: row[reason] for reason in REASONS if row[reason]},
        )
        for row in rows
    ]


async def gaps_in_each(
    db: db_utils.Database, camera_id: int, times: Sequence[tuple[datetime, datetime]]
) -> list[int]:
    """How many gaps of a camera lie at least partly in each of these spans of time."""
    rows = await db.fetch(
        """
        SELECT count(g.id) AS number
        FROM unnest($2::timestamptz[], $3::timestamptz[]) WITH ORDINALITY AS s (from_at, to_at, n)
        LEFT JOIN camera_gaps g
          ON g.camera_id = $1 AND g.to_at > s.from_at AND g.from_at < s.to_at
        GROUP BY s.n ORDER BY s.n
        """,
        camera_id,
        [span[0] for span in times],
        [span[1] for span in times],
    )
    return [row["number"] for row in rows]


async def missing(db: db_utils.Database) -> dict[tuple[str, str], int]:
    """How many frames are missing altogether: (camera's name, reason) → number."""
    rows = await db.fetch(
        """
        SELECT c.name, r.reason, sum(r.number)::bigint AS number
        FROM camera_days d JOIN cameras c ON c.id = d.camera_id
        CROSS JOIN LATERAL (VALUES
            ('source', d.source), ('network', d.network), ('refused', d.refused),
            ('down', d.down), ('disk_full', d.disk_full), ('unchanged', d.unchanged)
        ) AS r (reason, number)
        GROUP BY 1, 2 HAVING sum(r.number) > 0 ORDER BY 1, 2
        """
    )
    return {(row["name"], row["reason"]): row["number"] for row in rows}


async def kept_since(db: db_utils.Database, camera_id: int) -> datetime | None:
    """When the oldest frame was taken that is there and not kept for ever; ``None``: no such."""
    found: datetime | None = await db.fetchval(
        """
        SELECT taken_at FROM frames WHERE camera_id = $1 AND NOT kept AND deleting_at IS NULL
        ORDER BY taken_at, sha256 LIMIT 1
        """,
        camera_id,
    )
    return found


async def prune(db: db_utils.Database, spans_before: datetime, gaps_before: datetime) -> None:
    """Forget spans and gaps that ended before then."""
    await db.execute("DELETE FROM camera_spans WHERE to_at < $1", spans_before)
    await db.execute("DELETE FROM camera_gaps WHERE to_at < $1 AND NOT is_open", gaps_before)


def _gap(row: Any) -> Gap:
    return Gap(
        id=row["id"],
        camera_id=row["camera_id"],
        from_us=micros(row["from_at"]),
        to_us=micros(row["to_at"]),
        reason=row["reason"],
        detail=row["detail"],
        missed=row["missed"],
        is_open=row["is_open"],
    )
