"""SQL that writes a pass of the accounts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import db_utils
from vigil.cameras.accounts.model import REASONS, Account, Gap
from vigil.cameras.plan import at


@dataclass(kw_only=True)
class Changes:
    """What a pass writes."""

    passes: int
    """Of the cursor as it was read."""
    frame_id: int
    accounts: list[Account] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    days: dict[tuple[int, date], Counter[str]] = field(default_factory=dict)


async def write(db: db_utils.Database, changes: Changes) -> bool:
    """Write a pass, all or nothing; False when another pass was written meanwhile."""
    async with db_utils.transaction(db) as connection:
        done = await connection.execute(
            """
            UPDATE camera_account_cursor SET frame_id = $1, passes = passes + 1 WHERE passes = $2
            """,
            changes.frame_id,
            changes.passes,
        )
        if done != "UPDATE 1":
            return False
        await _write_accounts(connection, changes.accounts)
        if changes.gone:
            await connection.execute(
                "DELETE FROM camera_gaps WHERE id = ANY ($1::bigint[])", changes.gone
            )
        if changes.gaps:
            await _write_gaps(connection, changes.gaps)
        if changes.days:
            await _write_days(connection, changes.days)
    return True


async def _write_accounts(connection: db_utils.Connection, accounts: Sequence[Account]) -> None:
    await connection.execute(
        """
        INSERT INTO camera_accounts AS a (camera_id, until_at, last_at, missed_at)
        SELECT n.camera_id, n.until_at, n.last_at, n.missed_at
        FROM unnest($1::integer[], $2::timestamptz[], $3::timestamptz[], $4::timestamptz[])
            AS n (camera_id, until_at, last_at, missed_at)
        JOIN cameras ON cameras.id = n.camera_id
        ON CONFLICT (camera_id) DO UPDATE SET
            until_at = excluded.until_at, last_at = excluded.last_at,
            missed_at = excluded.missed_at
        """,
        [account.camera_id for account in accounts],
        [at(account.until) for account in accounts],
        [at(account.last) for account in accounts],
        [None if account.missed is None else at(account.missed) for account in accounts],
    )


async def _write_gaps(connection: db_utils.Connection, gaps: Sequence[Gap]) -> None:
    await connection.executemany(
        """
        UPDATE camera_gaps SET to_at = $2, detail = $3, missed = $4, is_open = $5 WHERE id = $1
        """,
        [(g.id, at(g.to_us), g.detail, g.missed, g.is_open) for g in gaps if g.id is not None],
    )
    await connection.executemany(
        """
        INSERT INTO camera_gaps (camera_id, from_at, to_at, reason, detail, missed, is_open)
        SELECT id, $2, $3, $4, $5, $6, $7 FROM cameras WHERE id = $1
        """,
        [
            (g.camera_id, at(g.from_us), at(g.to_us), g.reason, g.detail, g.missed, g.is_open)
            for g in gaps
            if g.id is None
        ],
    )


async def _write_days(
    connection: db_utils.Connection, numbers: Mapping[tuple[int, date], Counter[str]]
) -> None:
    await connection.executemany(
        """
        INSERT INTO camera_days AS d (camera_id, day, planned, left_out, frames, source, network,
                                      refused, down, disk_full, unchanged)
        SELECT id, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 FROM cameras WHERE id = $1
        ON CONFLICT (camera_id, day) DO UPDATE SET
            planned = d.planned + excluded.planned, left_out = d.left_out + excluded.left_out,
            frames = d.frames + excluded.frames, source = d.source + excluded.source,
            network = d.network + excluded.network, refused = d.refused + excluded.refused,
            down = d.down + excluded.down, disk_full = d.disk_full + excluded.disk_full,
            unchanged = d.unchanged + excluded.unchanged
        """,
        [
            (camera_id, day, *(counted[name] for name in ("planned", "left_out", "frames")),
             *(counted[reason] for reason in REASONS))
            for (camera_id, day), counted in numbers.items()
        ],
    )  # fmt: skip
