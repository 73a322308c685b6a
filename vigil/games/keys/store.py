"""SQL of the keys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import db_utils
from vigil.games.keys.model import Key


async def of_game(db: db_utils.Database, game_id: int, state: str | None = None) -> list[Key]:
    """The keys of a game, those in one state or all, the oldest first."""
    rows = await db.fetch(
        """
        SELECT * FROM game_keys WHERE game_id = $1 AND ($2::text IS NULL OR state = $2)
        ORDER BY id
        """,
        game_id,
        state,
    )
    return [Key(**row) for row in rows]


async def counts(db: db_utils.Database, game_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """For each game that has keys: how many are valid, and how many were refused."""
    rows = await db.fetch(
        """
        SELECT game_id, count(*) FILTER (WHERE state = 'ok') AS valid,
            count(*) FILTER (WHERE state = 'refused') AS refused
        FROM game_keys WHERE game_id = ANY ($1::bigint[]) GROUP BY game_id
        """,
        list(game_ids),
    )
    return {row["game_id"]: (row["valid"], row["refused"]) for row in rows}


async def put(
    db: db_utils.Database,
    game_id: int,
    *,
    sealed: bytes,
    fingerprints: Sequence[bytes],
    player_uid: int | None,
    now: datetime,
) -> bool:
    """Keep a key that just proved itself; it takes the place of the others of the same player.

    Returns whether it is a new one. ``fingerprints`` are those under all sealing keys, the one to
    be kept first.
    """
    async with db_utils.transaction(db) as connection:
        await connection.execute(
            """
            DELETE FROM game_keys
            WHERE game_id = $1 AND fingerprint <> ALL ($3::bytea[])
                AND (player_uid = $2 OR (state = 'refused' AND player_uid IS NULL))
            """,
            game_id,
            player_uid,
            list(fingerprints),
        )
        known = await connection.fetchval(
            """
            UPDATE game_keys SET sealed = $2, fingerprint = $4, state = 'ok', answered_at = $5,
                player_uid = coalesce($6, player_uid)
            WHERE id = (SELECT min(id) FROM game_keys
                        WHERE game_id = $1 AND fingerprint = ANY ($3::bytea[]))
            RETURNING id
            """,
            game_id,
            sealed,
            list(fingerprints),
            fingerprints[0],
            now,
            player_uid,
        )
        if known is None:
            await connection.execute(
                """
                INSERT INTO game_keys
                    (game_id, sealed, fingerprint, player_uid, created_at, answered_at)
                VALUES ($1, $2, $3, $4, $5, $5)
                """,
                game_id,
                sealed,
                fingerprints[0],
                player_uid,
                now,
            )
    return known is None


async def note(
    db: db_utils.Database,
    *,
    answered: Sequence[tuple[int, int | None]],
    refused: Sequence[int],
    now: datetime,
) -> list[int]:
    """Write down which keys (and whose they are) brought an answer and which were refused.

    Returns those that were not refused before.
    """
    async with db_utils.transaction(db) as connection:
        await connection.execute(
            """
            UPDATE game_keys AS key SET answered_at = $3,
                player_uid = coalesce(seen.player_uid, key.player_uid)
            FROM unnest($1::bigint[], $2::integer[]) AS seen (id, player_uid)
            WHERE key.id = seen.id
            """,
            [key_id for key_id, _ in answered],
            [uid for _, uid in answered],
            now,
        )
        rows = await connection.fetch(
            """
            UPDATE game_keys SET state = 'refused'
            WHERE id = ANY ($1::bigint[]) AND state = 'ok' RETURNING id
            """,
            list(refused),
        )
    return [row["id"] for row in rows]


async def reseal(db: db_utils.Database, key_id: int, sealed: bytes, fingerprint: bytes) -> None:
    """Keep a key as it was sealed anew."""
    await db.execute(
        "UPDATE game_keys SET sealed = $2, fingerprint = $3 WHERE id = $1",
        key_id,
        sealed,
        fingerprint,
    )


async def forget(db: db_utils.Database, game_id: int) -> None:
    """Forget all keys of a game: it is asked for no more."""
    await db.execute("DELETE FROM game_keys WHERE game_id = $1", game_id)
