"""``vigil token`` and ``vigil admin``, as a person types them."""

from __future__ import annotations

import json
import re

from tests.jobs.test_cli import vigil
from vigil import auth
from vigil.admin import store
from vigil.admin.model import LINK
from vigil.context import Context


async def test_tokens(context: Context) -> None:
    status, out, errors = await vigil(context, "token", "add", "backup")
    assert status == 0
    assert "Bearer" in errors
    assert await store.use_token(context.pool, auth.hash_secret(out.strip())) == (
        "backup",
        "admin",
    )
    status, again, _ = await vigil(context, "token", "list")
    assert "backup" in again
    assert out.strip() not in again
    status, _, errors = await vigil(context, "token", "add", "backup")
    assert status == 1
    assert "already a token" in errors
    status, listed, _ = await vigil(context, "token", "list", "--json")
    assert [one["name"] for one in json.loads(listed)] == ["backup"]
    status, _, _ = await vigil(context, "token", "revoke", "backup")
    assert status == 0
    assert await store.use_token(context.pool, auth.hash_secret(out.strip())) is None
    status, _, errors = await vigil(context, "token", "revoke", "backup")
    assert status == 1
    assert "no good token" in errors


async def test_a_link(context: Context) -> None:
    status, out, _ = await vigil(context, "admin", "link")
    assert status == 0
    match = re.fullmatch(rf"http://\S+/admin/enter\?key=({LINK}_\S{{43}})\n", out)
    assert match
    assert await store.enter(context.pool, auth.hash_secret(match[1]), b"1" * 32)


async def test_the_message_of_the_day(context: Context) -> None:
    assert (await vigil(context, "admin", "message"))[1] == "there is none\n"
    assert (await vigil(context, "admin", "message", "Hello\nall"))[0] == 0
    assert (await vigil(context, "admin", "message"))[1] == "Hello\nall\n"
    assert (await vigil(context, "admin", "message", ""))[1] == "there is none any more\n"
