"""The SQL of admin. Whatever opens something comes in as a hash: the database never sees a secret.

Looking a hash up takes a time that depends on the hash, but nobody can choose a hash: whoever
measures learns nothing about the secret.
"""

from __future__ import annotations

from datetime import timedelta

import asyncpg

import db_utils
from vigil.admin.model import Session, Token
from vigil.errors import Conflict, Invalid

SESSION_LIFETIME = timedelta(days=30)
LINK_LIFETIME = timedelta(hours=24)
LONGEST_NAME = 100


async def add_token(db: db_utils.Database, name: str, token_hash: bytes) -> Token:
    """Keep a new token; raises Invalid or Conflict for its name."""
    name = name.strip()
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise Invalid(
            "a token needs a name", hint=f"say what it is for in at most {LONGEST_NAME} characters"
        )
    try:
        row = await db.fetchrow(
            """
            INSERT INTO tokens (name, role, token_hash) VALUES ($1, 'admin', $2)
            RETURNING id, name, role, created_at, last_used_at, revoked_at
            """,
            name,
            token_hash,
        )
    except asyncpg.UniqueViolationError:
        raise Conflict(
            f"there is already a token named {name!r}", hint="take another name"
        ) from None
    assert row is not None  # noqa: S101 — an INSERT returns its row
    return Token(**row)


async def tokens(db: db_utils.Database) -> list[Token]:
    """All tokens, the good ones first."""
    rows = await db.fetch(
        """
        SELECT id, name, role, created_at, last_used_at, revoked_at FROM tokens
        ORDER BY revoked_at IS NOT NULL, name
        """
    )
    return [Token(**row) for row in rows]


async def revoke_token(
    db: db_utils.Database, *, id: int | None = None, name: str | None = None
) -> str | None:
    """Make a token worthless for ever; its name, or ``None`` when there is no such good one."""
    found: str | None = await db.fetchval(
        """
        UPDATE tokens SET revoked_at = now()
        WHERE revoked_at IS NULL AND ($1::integer IS NULL OR id = $1)
            AND ($2::text IS NULL OR name = $2)
            AND ($1::integer IS NOT NULL OR $2::text IS NOT NULL)
        RETURNING name
        """,
        id,
        name,
    )
    return found


async def use_token(db: db_utils.Database, token_hash: bytes) -> tuple[str, str] | None:
    """Name and role of a good token; notes that it was used, once a minute at most."""
    row = await db.fetchrow(
        """
        WITH found AS (
            SELECT id, name, role, last_used_at FROM tokens
            WHERE token_hash = $1 AND revoked_at IS NULL
        ), noted AS (
            UPDATE tokens SET last_used_at = date_trunc('minute', now())
            FROM found WHERE tokens.id = found.id AND (found.last_used_at IS NULL
                OR found.last_used_at <= now() - interval '1 minute')
        )
        SELECT name, role FROM found
        """,
        token_hash,
    )
    return None if row is None else (row["name"], row["role"])


async def add_link(
    db: db_utils.Database, link_hash: bytes, lifetime: timedelta = LINK_LIFETIME
) -> None:
    """Keep a one-time link."""
    await db.execute(
        "INSERT INTO admin_links (link_hash, expires_at) VALUES ($1, now() + $2::interval)",
        link_hash,
        lifetime,
    )


async def add_first_link(db: db_utils.Database, link_hash: bytes) -> bool:
    """Keep a one-time link if nobody can come in yet; ``False`` when somebody can."""
    found = await db.fetchval(
        """
        INSERT INTO admin_links (link_hash, expires_at) SELECT $1, now() + $2::interval
        WHERE NOT EXISTS (SELECT FROM sessions WHERE expires_at > now())
            AND NOT EXISTS (SELECT FROM tokens WHERE revoked_at IS NULL)
            AND NOT EXISTS (SELECT FROM admin_links WHERE expires_at > now())
        RETURNING true
        """,
        link_hash,
        LINK_LIFETIME,
    )
    return found is not None


async def enter(db: db_utils.Database, link_hash: bytes, session_hash: bytes) -> bool:
    """Use up a link and open a session; ``False`` when the link opens nothing (any more)."""
    found = await db.fetchval(
        """
        WITH used AS (
            DELETE FROM admin_links WHERE link_hash = $1 RETURNING expires_at
        )
        INSERT INTO sessions (session_hash, role, expires_at)
        SELECT $2, 'admin', now() + $3::interval FROM used WHERE used.expires_at > now()
        RETURNING true
        """,
        link_hash,
        session_hash,
        SESSION_LIFETIME,
    )
    return found is not None


async def session_role(db: db_utils.Database, session_hash: bytes) -> str | None:
    """What the holder of a session may do; ``None`` when it has ended."""
    role: str | None = await db.fetchval(
        "SELECT role FROM sessions WHERE session_hash = $1 AND expires_at > now()", session_hash
    )
    return role


async def sessions(db: db_utils.Database) -> list[Session]:
    """Browsers that are signed in, the newest first."""
    rows = await db.fetch(
        """
        SELECT left(encode(session_hash, 'hex'), 16) AS id, role, created_at, expires_at
        FROM sessions WHERE expires_at > now() ORDER BY created_at DESC
        """
    )
    return [Session(**row) for row in rows]


async def end_session(db: db_utils.Database, session_id: str) -> bool:
    """Sign a browser out by the id of its session; ``False`` when there is none."""
    found = await db.fetchval(
        """
        DELETE FROM sessions WHERE left(encode(session_hash, 'hex'), 16) = $1 RETURNING true
        """,
        session_id,
    )
    return found is not None


async def prune(db: db_utils.Database) -> int:
    """Forget links and sessions that have expired, and tokens revoked a year ago."""
    gone: int = await db.fetchval(
        """
        WITH links AS (DELETE FROM admin_links WHERE expires_at <= now() RETURNING 1),
            ended AS (DELETE FROM sessions WHERE expires_at <= now() RETURNING 1),
            old AS (DELETE FROM tokens WHERE revoked_at < now() - interval '1 year' RETURNING 1)
        SELECT (SELECT count(*) FROM links) + (SELECT count(*) FROM ended)
            + (SELECT count(*) FROM old)
        """
    )
    return gone
