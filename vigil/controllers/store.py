"""The SQL of controllers and of tokens that push. The database sees hashes, never a secret."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import asyncpg

import db_utils
from vigil.controllers.model import Controller
from vigil.errors import Conflict

CODE_LIFETIME = timedelta(hours=1)


async def add_code(db: db_utils.Database, code_hash: bytes) -> None:
    """Keep a one-time registration code."""
    await db.execute(
        "INSERT INTO controller_codes (code_hash, expires_at) VALUES ($1, now() + $2::interval)",
        code_hash,
        CODE_LIFETIME,
    )


async def register(
    db: db_utils.Database, code_hash: bytes, name: str, token_hash: bytes
) -> int | None:
    """Use up a code and add a controller; its id, ``None`` when the code opens nothing.

    Raises Conflict, and leaves the code good, when the name is taken.
    """
    try:
        found: int | None = await db.fetchval(
            """
            WITH used AS (
                DELETE FROM controller_codes WHERE code_hash = $1 RETURNING expires_at
            )
            INSERT INTO controllers (name, token_hash)
            SELECT $2, $3 FROM used WHERE expires_at > now()
            RETURNING id
            """,
            code_hash,
            name,
            token_hash,
        )
    except asyncpg.UniqueViolationError:
        raise Conflict(
            f"there is a controller {name} already",
            hint="choose another name, or remove the old one at /controllers",
        ) from None
    return found


async def renew(db: db_utils.Database, code_hash: bytes, name: str, token_hash: bytes) -> bool:
    """Use up a code and give a known controller a new token; False when either is unknown."""
    found = await db.fetchval(
        """
        WITH used AS (
            DELETE FROM controller_codes WHERE code_hash = $1
                AND EXISTS (SELECT FROM controllers WHERE name = $2)
            RETURNING expires_at
        )
        UPDATE controllers SET token_hash = $3 FROM used
        WHERE name = $2 AND used.expires_at > now()
        RETURNING true
        """,
        code_hash,
        name,
        token_hash,
    )
    return found is not None


async def controllers(db: db_utils.Database) -> list[Controller]:
    """All of them, by name, with the names of their cameras."""
    rows = await db.fetch(
        """
        SELECT c.id, c.name, c.version, c.report, c.clock_offset_s, c.created_at, c.seen_at,
            array_remove(array_agg(cameras.name ORDER BY cameras.name), NULL) AS cameras
        FROM controllers c
        LEFT JOIN controller_cameras ON controller_cameras.controller_id = c.id
        LEFT JOIN cameras ON cameras.id = controller_cameras.camera_id
        GROUP BY c.id ORDER BY c.name
        """
    )
    return [Controller(**{**row, "cameras": tuple(row["cameras"])}) for row in rows]


async def by_name(db: db_utils.Database, name: str) -> Controller | None:
    """The controller of this name."""
    return next((one for one in await controllers(db) if one.name == name), None)


async def by_token(db: db_utils.Database, token_hash: bytes) -> tuple[int, str] | None:
    """Id and name of the controller with this token; notes that it was seen, to the minute."""
    row = await db.fetchrow(
        """
        WITH found AS (
            SELECT id, name, seen_at FROM controllers WHERE token_hash = $1
        ), noted AS (
            UPDATE controllers SET seen_at = date_trunc('minute', now()) FROM found
            WHERE controllers.id = found.id AND (found.seen_at IS NULL
                OR found.seen_at <= now() - interval '1 minute')
        )
        SELECT id, name FROM found
        """,
        token_hash,
    )
    return None if row is None else (row["id"], row["name"])


async def remove(db: db_utils.Database, name: str) -> bool:
    """Make a controller's token worthless for ever; its cameras and frames stay."""
    return await db.execute("DELETE FROM controllers WHERE name = $1", name) == "DELETE 1"


async def report(
    db: db_utils.Database,
    controller_id: int,
    *,
    version: str,
    report: Mapping[str, Any],
    clock_offset_s: float,
) -> None:
    """Keep what a controller says of itself."""
    await db.execute(
        """
        UPDATE controllers SET version = $2, report = $3, clock_offset_s = $4, seen_at = now()
        WHERE id = $1
        """,
        controller_id,
        version,
        dict(report),
        clock_offset_s,
    )


async def assign(db: db_utils.Database, camera_id: int, controller_id: int) -> bool:
    """Let a controller bring a camera's frames; False when another one does."""
    found: int | None = await db.fetchval(
        """
        INSERT INTO controller_cameras AS known (camera_id, controller_id) VALUES ($1, $2)
        ON CONFLICT (camera_id) DO UPDATE SET controller_id = excluded.controller_id
            WHERE known.controller_id = excluded.controller_id
        RETURNING controller_id
        """,
        camera_id,
        controller_id,
    )
    return found is not None


async def brings(db: db_utils.Database, controller_id: int, camera_id: int) -> bool:
    """Whether a controller may bring a camera's frames."""
    found: bool = await db.fetchval(
        """
        SELECT EXISTS (
            SELECT FROM controller_cameras WHERE camera_id = $1 AND controller_id = $2)
        """,
        camera_id,
        controller_id,
    )
    return found


async def cameras_of(db: db_utils.Database, controller_id: int) -> list[int]:
    """Ids of the cameras that a controller brings, by name; none that is being removed."""
    rows = await db.fetch(
        """
        SELECT cameras.id FROM controller_cameras JOIN cameras ON cameras.id = camera_id
        WHERE controller_id = $1 AND deleting_at IS NULL ORDER BY cameras.name
        """,
        controller_id,
    )
    return [row["id"] for row in rows]


async def set_push_token(db: db_utils.Database, camera_id: int, token_hash: bytes) -> None:
    """Give a camera a new token; the one it had is worthless from now on."""
    await db.execute(
        """
        INSERT INTO push_tokens (camera_id, token_hash) VALUES ($1, $2)
        ON CONFLICT (camera_id) DO UPDATE
            SET token_hash = excluded.token_hash, created_at = now(), used_at = NULL
        """,
        camera_id,
        token_hash,
    )


async def pushes(db: db_utils.Database, token_hash: bytes) -> int | None:
    """Id of the camera that a push token is for; notes its use, to the minute."""
    found: int | None = await db.fetchval(
        """
        WITH found AS (
            SELECT camera_id, used_at FROM push_tokens WHERE token_hash = $1
        ), noted AS (
            UPDATE push_tokens SET used_at = date_trunc('minute', now()) FROM found
            WHERE push_tokens.camera_id = found.camera_id AND (found.used_at IS NULL
                OR found.used_at <= now() - interval '1 minute')
        )
        SELECT camera_id FROM found
        """,
        token_hash,
    )
    return found


async def has_push_token(db: db_utils.Database, camera_id: int) -> bool:
    """Whether a camera has a token of its own."""
    found: bool = await db.fetchval(
        "SELECT EXISTS (SELECT FROM push_tokens WHERE camera_id = $1)", camera_id
    )
    return found


async def prune(db: db_utils.Database) -> int:
    """Forget codes that nobody used in time."""
    done = await db.execute("DELETE FROM controller_codes WHERE expires_at <= now()")
    return int(done.split()[-1])
