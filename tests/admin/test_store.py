"""Links, sessions and tokens in the database."""

from __future__ import annotations

from datetime import timedelta

import pytest

import db_utils
from vigil import auth
from vigil.admin import cli, scan, store
from vigil.context import Context
from vigil.errors import Conflict, Invalid


async def age(pool: db_utils.Pool, table: str, interval: str) -> None:
    statements = {
        "admin_links": "UPDATE admin_links SET expires_at = expires_at - $1::text::interval",
        "sessions": "UPDATE sessions SET expires_at = expires_at - $1::text::interval",
        "tokens": "UPDATE tokens SET last_used_at = last_used_at - $1::text::interval",
    }
    await pool.execute(statements[table], interval)


async def test_a_link_opens_one_session(pool: db_utils.Pool) -> None:
    link, first, second = b"l" * 32, b"1" * 32, b"2" * 32
    await store.add_link(pool, link)
    assert not await store.enter(pool, b"x" * 32, first)
    assert await store.enter(pool, link, first)
    assert not await store.enter(pool, link, second)
    assert await store.session_role(pool, first) == "admin"
    assert await store.session_role(pool, second) is None


async def test_a_link_expires_and_is_then_used_up_all_the_same(pool: db_utils.Pool) -> None:
    await store.add_link(pool, b"l" * 32, timedelta(hours=1))
    await age(pool, "admin_links", "2 hours")
    assert not await store.enter(pool, b"l" * 32, b"1" * 32)
    assert await store.sessions(pool) == []


async def test_a_session_expires(pool: db_utils.Pool) -> None:
    await store.add_link(pool, b"l" * 32)
    await store.enter(pool, b"l" * 32, b"1" * 32)
    assert [session.id for session in await store.sessions(pool)] == ["31" * 8]
    await age(pool, "sessions", "31 days")
    assert await store.session_role(pool, b"1" * 32) is None
    assert await store.sessions(pool) == []


async def test_tokens(pool: db_utils.Pool) -> None:
    made = await store.add_token(pool, " backup script ", b"t" * 32)
    assert (made.name, made.last_used_at) == ("backup script", None)
    with pytest.raises(Conflict):
        await store.add_token(pool, "backup script", b"u" * 32)
    for bad in ("", "  ", "x" * 101, "two\nlines"):
        with pytest.raises(Invalid):
            await store.add_token(pool, bad, b"v" * 32)
    assert await store.use_token(pool, b"t" * 32) == ("backup script", "admin")
    assert await store.use_token(pool, b"u" * 32) is None
    assert await store.revoke_token(pool) is None
    assert await store.revoke_token(pool, name="backup script") == "backup script"
    assert await store.revoke_token(pool, id=made.id) is None
    assert await store.use_token(pool, b"t" * 32) is None
    assert [token.revoked_at is not None for token in await store.tokens(pool)] == [True]


async def test_last_used_is_written_once_a_minute(pool: db_utils.Pool) -> None:
    await store.add_token(pool, "backup", b"t" * 32)

    async def version() -> str:
        found: str = await pool.fetchval("SELECT xmin::text FROM tokens")
        return found

    unused = await version()
    await store.use_token(pool, b"t" * 32)
    used = await version()
    assert used != unused
    last = (await store.tokens(pool))[0].last_used_at
    assert last is not None
    assert (last.second, last.microsecond) == (0, 0)
    await pool.execute("UPDATE tokens SET last_used_at = now()")
    used = await version()
    await store.use_token(pool, b"t" * 32)
    assert await version() == used
    await age(pool, "tokens", "61 seconds")
    used = await version()
    await store.use_token(pool, b"t" * 32)
    assert await version() != used


async def test_the_first_link(context: Context) -> None:
    link = await cli.first_link(context)
    assert link is not None
    assert link.startswith(f"{context.settings.site_url}/admin/enter?key=enter_")
    assert await cli.first_link(context) is None  # that one is still good
    await age(context.pool, "admin_links", "25 hours")
    assert await cli.first_link(context) is not None
    secret = link.partition("key=")[2]
    await context.pool.execute("DELETE FROM admin_links")
    await store.add_link(context.pool, auth.hash_secret(secret))
    await store.enter(context.pool, auth.hash_secret(secret), b"1" * 32)
    assert await cli.first_link(context) is None  # somebody is signed in
    await age(context.pool, "sessions", "31 days")
    await store.add_token(context.pool, "backup", b"t" * 32)
    assert await cli.first_link(context) is None  # a program can come in
    await store.revoke_token(context.pool, name="backup")
    assert await cli.first_link(context) is not None


async def test_prune(context: Context) -> None:
    pool = context.pool
    await store.add_link(pool, b"a" * 32)
    await store.enter(pool, b"a" * 32, b"1" * 32)
    await store.add_link(pool, b"b" * 32)
    await store.add_token(pool, "old", b"t" * 32)
    await store.revoke_token(pool, name="old")
    (target,) = await scan.targets(context)
    assert await target.run_once() > 60
    assert len(await store.sessions(pool)) == 1
    await age(pool, "admin_links", "25 hours")
    await age(pool, "sessions", "31 days")
    await pool.execute("UPDATE tokens SET revoked_at = now() - interval '367 days'")
    assert await store.prune(pool) == 3
    assert await pool.fetchval("SELECT count(*) FROM tokens") == 0
