"""The check that stands before every write."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import pytest
import pytest_asyncio
from sanic import HTTPResponse, Request, Sanic
from sanic.response import text

import vigil.site.errors
from vigil import auth
from vigil.auth import Identity
from vigil.errors import Forbidden
from vigil.serving import serving
from vigil.settings import Settings

SESSION = "session_" + "s" * 43
EVERYBODY = {
    "nobody": None,
    "program": Identity("backup", "admin", None),
    "person": Identity("admin", "admin", auth.csrf_token(SESSION)),
}


@pytest_asyncio.fixture
async def client(unused_tcp_port: int) -> AsyncIterator[aiohttp.ClientSession]:
    """An application that believes whoever one says to be, with one door."""
    app: Sanic[Any, Any] = Sanic(f"auth{unused_tcp_port}", configure_logging=False)

    async def identify(request: Request) -> Identity | None:
        request.ctx.looks = getattr(request.ctx, "looks", 0) + 1
        return EVERYBODY[request.headers["who"]]

    async def door(request: Request, name: str) -> HTTPResponse:
        """A door."""
        again = await auth.identify(request)
        assert again is not None
        assert request.ctx.looks == 1
        return text(f"{again.name} opened {name}")

    guarded: Any = auth.require_admin(door)
    assert guarded.__name__ == "door"
    app.add_route(guarded, "/api/door/<name>", methods=["GET", "HEAD", "POST", "PUT", "DELETE"])
    app.config.TOUCHUP = False
    app.ctx.identify = identify
    app.ctx.vigil = SimpleNamespace(settings=Settings(port=unused_tcp_port))
    app.ctx.stopping = asyncio.Event()
    vigil.site.errors.register(app)
    url = f"http://127.0.0.1:{unused_tcp_port}"
    async with serving(app), aiohttp.ClientSession(url) as session:
        yield session


async def ask(
    client: aiohttp.ClientSession, method: str, who: str, **given: Any
) -> tuple[int, str]:
    headers = {"who": who} | given.pop("headers", {})
    async with client.request(method, "/api/door/red", headers=headers, **given) as answer:
        return answer.status, await answer.text()


async def test_nobody_gets_through(client: aiohttp.ClientSession) -> None:
    for method in ("GET", "POST", "PUT", "DELETE"):
        status, body = await ask(client, method, "nobody")
        assert status == 401
        assert "bin/vigil admin link" in body


async def test_a_program_needs_no_csrf_token(client: aiohttp.ClientSession) -> None:
    for method in ("GET", "POST", "PUT", "DELETE"):
        assert await ask(client, method, "program") == (200, "backup opened red")


async def test_a_browser_reads_without_and_writes_with_its_csrf_token(
    client: aiohttp.ClientSession,
) -> None:
    token = auth.csrf_token(SESSION)
    assert (await ask(client, "GET", "person"))[0] == 200
    for method in ("POST", "PUT", "DELETE"):
        assert (await ask(client, method, "person"))[0] == 403
        assert (await ask(client, method, "person", data={"csrf": token[:-1] + "x"}))[0] == 403
        assert (await ask(client, method, "person", json={"csrf": token}))[0] == 403
        assert (await ask(client, method, "person", params={"csrf": token}))[0] == 403
        assert (await ask(client, method, "person", data={"csrf": token}))[0] == 200
        assert (await ask(client, method, "person", headers={"x-csrf-token": token}))[0] == 200


def test_secrets() -> None:
    made = {auth.new_secret("vigil") for _ in range(100)}
    assert len(made) == 100
    assert all(one.startswith("vigil_") and len(one) == len("vigil_") + 43 for one in made)
    assert len(auth.hash_secret("a")) == 32
    assert auth.hash_secret("a") != auth.hash_secret("b")


def test_csrf_tokens_belong_to_a_session_and_do_not_give_it_away() -> None:
    assert auth.csrf_token(SESSION) == auth.csrf_token(SESSION)
    assert auth.csrf_token(SESSION) != auth.csrf_token(SESSION + "x")
    assert auth.csrf_token(SESSION) != auth.hash_secret(SESSION).hex()
    assert SESSION not in auth.csrf_token(SESSION)


@pytest.mark.parametrize("given", ["", "é", "0" * 64])
def test_a_wrong_token_of_any_shape_is_refused(given: str) -> None:
    class Wrong:
        headers = {"x-csrf-token": given}  # noqa: RUF012 — a stand-in for one attribute
        form = None

    with pytest.raises(Forbidden):
        auth.check_csrf(cast("Request", Wrong()), auth.csrf_token(SESSION))
