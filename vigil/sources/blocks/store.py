"""SQL of the blocks. One who adds a block waits for the batch that is being written, and removes
what it wrote; a batch that begins later sees the block: nothing blocked slips through.
"""

from __future__ import annotations

import db_utils
from vigil.errors import Conflict
from vigil.sources.blocks.model import Block, BlockKind, Blocks

LOOKED_AT = 5000
"""Streams that hold a word somewhere, looked at closely at once."""


async def list_all(db: db_utils.Database) -> list[Block]:
    """Every block, channels first."""
    rows = await db.fetch("SELECT * FROM blocks ORDER BY kind, value")
    return [Block(**row) for row in rows]


async def held(connection: db_utils.Connection) -> Blocks:
    """What is blocked; until the transaction ends nothing is added to it."""
    await connection.execute("LOCK TABLE blocks IN SHARE MODE")
    return await current(connection)


async def current(db: db_utils.Database) -> Blocks:
    """What is blocked at this moment; the next may add to it."""
    rows = await db.fetch("SELECT kind, value FROM blocks")
    return Blocks(
        frozenset(row["value"] for row in rows if row["kind"] == "channel"),
        tuple(row["value"] for row in rows if row["kind"] == "word"),
    )


async def add(db: db_utils.Database, kind: BlockKind, value: str, by: str) -> tuple[Block, int]:
    """Block something and remove what is stored of it; returns the block and how many went.

    Raises Conflict when it is blocked already.
    """
    async with db_utils.transaction(db) as connection:
        row = await connection.fetchrow(
            """
            INSERT INTO blocks (kind, value, created_by) VALUES ($1, $2, $3)
            ON CONFLICT DO NOTHING RETURNING *
            """,
            kind,
            value,
            by,
        )
        if row is None:
            raise Conflict(f"the {kind} {value} is blocked already")
        block = Block(**row)
        if kind == "channel":
            return block, await _remove_channel(connection, value)
        return block, await _remove_word(connection, value)


async def _remove_channel(connection: db_utils.Connection, value: str) -> int:
    status = await connection.execute(
        """
        DELETE FROM streams
        WHERE lower(channel_login) = $1 OR lower(channel_id) = $1 OR lower(channel_name) = $1
        """,
        value,
    )
    return int(status.split()[-1])


async def _remove_word(connection: db_utils.Connection, word: str) -> int:
    """What a whole word is, is decided in one place: in the model."""
    blocks, gone = Blocks(frozenset(), (word,)), 0
    last: int | None = 0
    while last is not None:
        rows = await connection.fetch(
            """
            SELECT id, search_text FROM streams
            WHERE search_text LIKE '%' || regexp_replace($1, '([\\\\%_])', '\\\\\\1', 'g') || '%'
              AND id > $2
            ORDER BY id LIMIT $3
            """,
            word,
            last,
            LOOKED_AT,
        )
        last = rows[-1]["id"] if len(rows) == LOOKED_AT else None
        ids = [row["id"] for row in rows if blocks.in_text(row["search_text"])]
        await connection.execute("DELETE FROM streams WHERE id = ANY($1::bigint[])", ids)
        gone += len(ids)
    return gone


async def remove(db: db_utils.Database, kind: BlockKind, value: str) -> bool:
    """Block something no longer; False when it was not blocked."""
    return bool(
        await db.fetchval(
            "DELETE FROM blocks WHERE kind = $1 AND value = $2 RETURNING true", kind, value
        )
    )
