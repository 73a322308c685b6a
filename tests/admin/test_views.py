"""Signing in and out through the site."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import eliot
import pytest
import pytest_asyncio

from tests.conftest import Site
from vigil import auth, limits
from vigil.admin import guesses, store
from vigil.admin.model import LINK, TOKEN
from vigil.clock import FakeClock
from vigil.errors import TooManyRequests
from vigil.site.store import message_of_the_day

HTML = {"accept": "text/html"}


async def link(site: Site) -> str:
    secret = auth.new_secret(LINK)
    await store.add_link(site.context.pool, auth.hash_secret(secret))
    return secret


async def sign_in(site: Site) -> str:
    """Sign the client in; returns the CSRF token of its forms."""
    key = await link(site)
    async with site.client.post("/admin/enter", data={"key": key}, headers=HTML) as answer:
        assert answer.status == 200, await answer.text()
        return csrf(await answer.text())


def csrf(text: str) -> str:
    match = re.search(r'name="csrf" value="([0-9a-f]{64})"', text)
    assert match
    return match[1]


def cookie_of(site: Site) -> str | None:
    return next((one.value for one in site.client.cookie_jar if one.key == auth.COOKIE), None)


@pytest_asyncio.fixture
async def site(site: Site) -> AsyncIterator[Site]:
    """The site, with a client that keeps the cookies of a bare IP address, too."""
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(site.url, cookie_jar=jar) as client:
        yield replace(site, client=client)


async def test_nobody_is_told_more_than_how_to_sign_in(site: Site) -> None:
    async with site.client.get("/admin", headers=HTML) as answer:
        text = await answer.text()
    assert answer.status == 200
    assert "bin/vigil admin link" in text
    assert "/admin/tokens" not in text
    for path in ("/admin/tokens", "/admin/links", "/admin/sign-out", "/admin/tokens/1/revoke"):
        async with site.client.post(path, data={"name": "mine"}) as answer:
            assert answer.status == 401
            assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_link_is_not_used_up_by_looking(site: Site) -> None:
    key = await link(site)
    for _ in range(3):
        async with site.client.get(f"/admin/enter?key={key}", headers=HTML) as answer:
            text = await answer.text()
            assert answer.status == 200
            assert auth.COOKIE not in answer.cookies
    assert f'value="{key}"' in text
    async with site.client.post("/admin/enter", data={"key": key}, headers=HTML) as answer:
        assert answer.status == 200
        assert str(answer.url) == f"{site.url}/admin"
        assert "this one" in await answer.text()


async def test_a_link_works_once(site: Site) -> None:
    key = await link(site)
    statuses = []
    for _ in range(2):
        async with site.client.post(
            "/admin/enter", data={"key": key}, headers=HTML, allow_redirects=False
        ) as answer:
            statuses.append(answer.status)
            text = await answer.text()
    assert statuses == [303, 403]
    assert "bin/vigil admin link" in text
    assert len(await store.sessions(site.context.pool)) == 1


async def test_flags_of_the_cookie(site: Site) -> None:
    key = await link(site)
    async with site.client.post("/admin/enter", data={"key": key}, allow_redirects=False) as answer:
        cookie = answer.cookies[auth.COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"
    assert cookie["max-age"] == str(30 * 24 * 3600)
    assert not cookie["secure"]  # this site is plain http


async def test_behind_https_the_cookie_is_secure(site: Site) -> None:
    settings = replace(site.context.settings, public_url="https://vigil.example")
    site.app.ctx.vigil = replace(site.context, settings=settings)
    async with site.client.post(
        "/admin/enter", data={"key": await link(site)}, allow_redirects=False
    ) as answer:
        assert answer.cookies[auth.COOKIE]["secure"]


async def test_only_hashes_are_kept(site: Site) -> None:
    await sign_in(site)
    secret = cookie_of(site)
    assert secret is not None
    (kept,) = await site.context.pool.fetch("SELECT session_hash FROM sessions")
    assert kept["session_hash"] == auth.hash_secret(secret)


async def test_a_form_needs_the_sessions_own_token(site: Site) -> None:
    token = await sign_in(site)
    for data, status in [
        ({"name": "a"}, 403),
        ({"name": "a", "csrf": ""}, 403),
        ({"name": "a", "csrf": "0" * 64}, 403),
        ({"name": "a", "csrf": token}, 200),
    ]:
        async with site.client.post("/admin/tokens", data=data) as answer:
            assert answer.status == status
    async with site.client.post(
        "/admin/tokens", data={"name": "b"}, headers={"x-csrf-token": token}
    ) as answer:
        assert answer.status == 200
    names = {one.name for one in await store.tokens(site.context.pool)}
    assert names == {"test", "a", "b"}


async def test_a_token_is_shown_once_opens_and_is_revoked(site: Site) -> None:
    token = await sign_in(site)
    async with site.client.post(
        "/admin/tokens", data={"name": "backup", "csrf": token}, headers=HTML
    ) as answer:
        assert answer.headers["cache-control"] == "no-store"
        match = re.search(rf"{TOKEN}_[A-Za-z0-9_-]{{43}}", await answer.text())
    assert match
    async with site.client.get("/admin", headers=HTML) as answer:
        text = await answer.text()
    assert "backup" in text
    assert match[0] not in text
    bearer = {"authorization": f"Bearer {match[0]}"}
    async with aiohttp.ClientSession(site.url) as program:
        async with program.post("/admin/links", headers=bearer) as answer:
            assert answer.status == 200
        made = {one.name: one.id for one in await store.tokens(site.context.pool)}
        async with site.client.post(
            f"/admin/tokens/{made['backup']}/revoke", data={"csrf": token}
        ) as answer:
            assert answer.status == 200
        async with program.post("/admin/links", headers=bearer) as answer:
            assert answer.status == 401


async def test_signing_out(site: Site) -> None:
    token = await sign_in(site)
    secret = cookie_of(site)
    async with site.client.post("/admin/sign-out") as answer:
        assert answer.status == 403
    async with site.client.post("/admin/sign-out", data={"csrf": token}) as answer:
        assert answer.status == 200
    assert cookie_of(site) is None
    assert await store.sessions(site.context.pool) == []
    async with site.client.post(
        "/admin/links", data={"csrf": token}, cookies={auth.COOKIE: secret or ""}
    ) as answer:
        assert answer.status == 401


async def test_another_browser_is_signed_out(site: Site) -> None:
    token = await sign_in(site)
    async with aiohttp.ClientSession(site.url, cookie_jar=aiohttp.CookieJar(unsafe=True)) as other:
        await other.post("/admin/enter", data={"key": await link(site)})
        first, second = await store.sessions(site.context.pool)
        async with site.client.post(
            f"/admin/sessions/{first.id}/revoke", data={"csrf": token}
        ) as answer:
            assert answer.status == 200
        async with other.get("/admin", headers=HTML) as answer:
            assert "this one" not in await answer.text()
    assert [one.id for one in await store.sessions(site.context.pool)] == [second.id]


async def test_a_link_made_in_the_browser_lets_another_one_in(site: Site) -> None:
    token = await sign_in(site)
    async with site.client.post("/admin/links", data={"csrf": token}, headers=HTML) as answer:
        match = re.search(rf"/admin/enter\?key=({LINK}_[A-Za-z0-9_-]{{43}})", await answer.text())
    assert match
    async with (
        aiohttp.ClientSession(site.url) as other,
        other.post("/admin/enter", data={"key": match[1]}, allow_redirects=False) as answer,
    ):
        assert answer.status == 303


async def test_guessing_is_slowed_and_the_right_key_of_another_kind_still_works(
    site: Site,
) -> None:
    statuses = []
    for _ in range(guesses.MOST + 2):
        async with site.client.post("/admin/enter", data={"key": auth.new_secret(LINK)}) as answer:
            statuses.append(answer.status)
    assert statuses == [403] * guesses.MOST + [429] * 2
    assert 0 < int(answer.headers["retry-after"]) <= 60
    async with site.client.post(  # whoever comes through the same proxy is not locked out
        "/admin/enter",
        data={"key": await link(site)},
        headers={"x-forwarded-for": "203.0.113.9"},
        allow_redirects=False,
    ) as answer:
        assert answer.status == 303
    async with site.client.post("/admin/links", headers=site.admin_headers) as answer:
        assert answer.status == 200
    for _ in range(guesses.MOST + 1):
        async with site.client.get(
            "/api/v1/jobs", headers={"authorization": f"Bearer {auth.new_secret(TOKEN)}"}
        ) as answer:
            status = answer.status
    assert status == 429


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer x", "Basic dTpw", "bearer vigil_", "Bearer " + "vigil_" + "é" * 43]
)
async def test_nonsense_is_nobody(site: Site, header: str) -> None:
    async with site.client.get("/admin", headers=HTML | {"authorization": header}) as answer:
        assert answer.status == 200
        assert "bin/vigil admin link" in await answer.text()


def test_guesses_are_forgotten_after_a_while_and_kept_apart() -> None:
    clock = FakeClock()
    seen = guesses.Guesses(clock)
    for _ in range(guesses.MOST):
        seen.check("a", "2001:db8::1")
        seen.wrong("a", "2001:db8::1")
    with pytest.raises(TooManyRequests) as refused:
        seen.check("a", "2001:db8::2")  # the same /64
    assert refused.value.retry_after == pytest.approx(60)
    seen.check("a", "2001:db8:1::1")
    seen.check("b", "2001:db8::1")
    seen.check("a", "192.0.2.1")
    clock._move(60)
    seen.check("a", "2001:db8::1")
    seen.wrong("a", "2001:db8::1")
    seen.check("a", "2001:db8::1")


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("192.0.2.1", None, "192.0.2.1"),
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.7", "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        ("::1", "2001:db8::5", "2001:db8::5"),
        ("8.8.8.8", "203.0.113.9", "8.8.8.8"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("", "203.0.113.9", "203.0.113.9"),
    ],
)
def test_whom_a_proxy_speaks_for(peer: str, forwarded: str | None, found: str) -> None:
    assert limits.sender(peer, forwarded) == found


def test_guesses_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guesses, "REMEMBERED", 5)
    seen = guesses.Guesses(FakeClock())
    for number in range(100):
        seen.wrong("a", f"192.0.2.{number}")
    assert len(seen._seen) == 5


async def test_no_secret_reaches_the_log(
    site: Site, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    messages: list[dict[str, Any]] = []
    eliot.add_destinations(messages.append)
    try:
        key = await link(site)
        async with site.client.get(f"/admin/enter?key={key}", headers=HTML) as answer:
            assert answer.status == 200
        async with site.client.post("/admin/enter", data={"key": key}, headers=HTML) as answer:
            token = csrf(await answer.text())
        async with site.client.post("/admin/enter", data={"key": key}) as answer:
            assert answer.status == 403
        async with site.client.post("/admin/tokens", data={"name": "x", "csrf": token}) as answer:
            found = re.search(rf"{TOKEN}_[A-Za-z0-9_-]{{43}}", await answer.text())
        assert found
        # and when the database fails in the middle of it
        await site.context.pool.execute("ALTER TABLE tokens RENAME TO elsewhere")
        bearer = {"authorization": f"Bearer {found[0]}"}
        async with site.client.post("/admin/links", headers=bearer) as answer:
            assert answer.status == 500
            assert found[0] not in await answer.text()
    finally:
        eliot.remove_destination(messages.append)
    assert messages  # the failure was logged
    out, errors = capfd.readouterr()
    told = out + errors + repr(messages)
    for secret in (key, token, cookie_of(site), found[0]):
        assert secret is not None
        assert secret not in told


async def test_the_message_of_the_day(site: Site) -> None:
    pool = site.context.pool
    text = "Down <b>tonight</b>\r\nfrom 22:00\x00"
    async with site.client.post("/admin/message", data={"text": text}) as response:
        assert response.status in (401, 403)
    admin = site.admin_headers
    async with site.client.post("/admin/message", data={"text": text}, headers=admin) as response:
        assert "Down &lt;b&gt;tonight" in await response.text()
    assert await message_of_the_day(pool) == "Down <b>tonight</b>\nfrom 22:00"
    long = {"text": "x" * 1001}
    async with site.client.post("/admin/message", data=long, headers=admin) as response:
        assert response.status == 400
    async with site.client.post("/admin/message", data={"text": " "}, headers=admin) as response:
        assert response.status == 200
    assert await message_of_the_day(pool) is None
