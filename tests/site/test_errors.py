"""Every failure of a request has one shape, the right status, and tells no secrets."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import asyncpg
import pytest
from sanic import HTTPResponse, Request

from tests.servers.small_site import Handler, small_site
from vigil import auth, errors, log, responses
from vigil.context import Context
from vigil.site.errors import database_is_away

HTML = {"accept": "text/html,application/xhtml+xml"}
SECRET = "hunter2"


def raising(make: Any) -> Handler:
    async def handler(_request: Request) -> HTTPResponse:
        raise make()

    return handler


async def fails(_request: Request) -> HTTPResponse:
    raise ZeroDivisionError(f"about {SECRET}")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.Invalid("no", hint="try that"), 400),
        (errors.Unauthorized("who are you"), 401),
        (errors.Forbidden("not you"), 403),
        (errors.NotFound("there is no such camera"), 404),
        (errors.Conflict("not now"), 409),
        (errors.Gone("it was here"), 410),
        (errors.TooLarge("too much"), 413),
        (errors.SourceError("no answer"), 502),
        (errors.Unavailable("later", retry_after=7.4), 503),
    ],
)
async def test_our_own_errors_keep_their_words(
    context: Context, error: errors.VigilError, status: int
) -> None:
    async with small_site(context, {"/x": raising(lambda: error)}) as site:
        async with site.client.get("/x") as response:
            assert response.status == status
            told = await response.json()
            assert told == {
                "error": {"code": error.code, "message": error.message, "hint": error.hint}
            }
            assert ("retry-after" in response.headers) == (status == 503)
            assert ("www-authenticate" in response.headers) == (status == 401)
        async with site.client.get("/x", headers=HTML) as response:
            assert response.status == status
            assert response.content_type == "text/html"
            assert f"{error.message}." in (await response.text()).lower()
            assert "nonce-" in response.headers["content-security-policy"]
            if status == 503:
                assert response.headers.getall("retry-after") == ["7"]


async def test_addresses_and_methods_that_do_not_exist(context: Context) -> None:
    async with small_site(context) as site:
        async with site.client.get("/nothing") as response:
            assert response.status == 404
            assert (await response.json())["error"]["code"] == "not_found"
        async with site.client.get("/nothing/<script>alert(1)</script>", headers=HTML) as response:
            assert response.status == 404
            text = await response.text()
            assert "There is no such page." in text
            assert "<script>alert" not in text
        async with site.client.delete("/healthz") as response:
            assert response.status == 405
            assert (await response.json())["error"]["code"] == "method_not_allowed"
            assert "GET" in response.headers["allow"]
        async with site.client.head("/nothing") as response:
            assert response.status == 404
        async with site.client.get("/healthz/") as response:
            assert response.status == 200


async def test_a_body_too_large_and_a_request_that_is_none(context: Context) -> None:
    async with small_site(context, {"/x": fails}) as site:
        async with site.client.post("/x", data=b"x" * 200_000) as response:
            assert response.status == 413
            assert (await response.json())["error"]["code"] == "too_large"
        host, port = site.url.removeprefix("http://").split(":")
        for garbage in (b"\x16\x03\x01\x02\x00\x01\xfc\r\n\r\n", b"GET / HTTP/9\r\n\r\n"):
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(garbage)
            answer = await asyncio.wait_for(reader.read(), 10)
            writer.close()
            assert answer.startswith(b"HTTP/1.1 4") or answer == b""
            assert b"Traceback" not in answer
        async with site.client.get("/healthz") as response:
            assert response.status == 200


async def test_a_fault_of_ours_tells_a_number_and_nothing_else(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: list[tuple[str, BaseException | None]] = []
    monkeypatch.setattr(
        log, "error", lambda room, text, exc=None, **fields: logged.append((text, exc))
    )
    async with small_site(context, {"/x": fails}) as site:
        for headers in ({}, HTML):
            async with site.client.get("/x?token=" + SECRET, headers=headers) as response:
                assert response.status == 500
                text = await response.text()
            assert SECRET not in text
            assert "ZeroDivision" not in text
            found = re.search(r"[Tt]he log knows it as ([0-9a-f]{12})", text)
            assert found
            line, exc = logged.pop()
            assert found[1] in line
            assert SECRET not in line
            assert isinstance(exc, ZeroDivisionError)


async def test_a_database_that_went_away_is_503_and_comes_back(context: Context) -> None:
    async def reads(request: Request) -> HTTPResponse:
        return responses.json(await responses.context(request).pool.fetchval("SELECT 1"))

    async def cut(request: Request) -> HTTPResponse:
        async with responses.context(request).pool.acquire() as connection:
            return responses.json(
                await connection.fetchval("SELECT pg_terminate_backend(pg_backend_pid())")
            )

    async with small_site(context, {"/reads": reads, "/cut": cut}) as site:
        async with site.client.get("/cut") as response:
            assert response.status == 503
            assert response.headers["retry-after"] == "5"
            assert (await response.json())["error"]["code"] == "unavailable"
        async with site.client.get("/reads") as response:
            assert response.status == 200


async def test_who_asks_cannot_be_looked_up_and_still_there_is_a_page(context: Context) -> None:
    async def identify(request: Request) -> auth.Identity | None:
        await responses.context(request).pool.fetchval("SELECT 1")
        return None

    async def page(request: Request) -> HTTPResponse:
        return await responses.page(request, "error.html", error=errors.Gone("x"), title="x")

    async with small_site(context, {"/page": page}, identify=identify) as site:
        await context.pool.close()
        async with site.client.get("/page", headers=HTML) as response:
            assert response.status == 503
            assert "The database cannot be reached." in await response.text()
        async with site.client.get("/nothing", headers=HTML) as response:
            assert response.status == 404
            assert "There is no such page." in await response.text()


async def test_what_counts_as_a_database_that_is_away(context: Context) -> None:
    assert database_is_away(asyncpg.ConnectionDoesNotExistError("gone"))
    assert database_is_away(asyncpg.TooManyConnectionsError("full"))
    assert not database_is_away(asyncpg.UniqueViolationError("twice"))
    assert not database_is_away(FileNotFoundError("some other file"))
    with pytest.raises(asyncpg.DataError) as wrong:
        await context.pool.fetchval("SELECT $1::int", "no number")
    assert not database_is_away(wrong.value)
    with pytest.raises(OSError) as refused:
        await asyncpg.connect("postgresql://x@127.0.0.1:1/x", timeout=5)
    assert database_is_away(refused.value)
    with pytest.raises(OSError) as no_socket:
        await asyncpg.connect(f"postgresql://x@/x?host={context.settings.data_dir}", timeout=5)
    assert database_is_away(no_socket.value)
