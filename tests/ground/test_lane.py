from __future__ import annotations

import asyncio
import gc
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from tests.conftest import Site
from vigil import lane
from vigil.limits import Limiter
from vigil.streams import store
from vigil.streams.model import SeenStream

HOST = b"Host: x.example\r\n\r\n"


class Wire:
    """A connection on which every byte is seen."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def send(self, *segments: bytes) -> None:
        for segment in segments:
            self._writer.write(segment)
            await self._writer.drain()
            await asyncio.sleep(0.02)

    async def answer(self) -> tuple[bytes, dict[bytes, bytes], bytes]:
        """Status line, headers, body."""
        head = await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), 5)
        status, *lines = head.rstrip().split(b"\r\n")
        headers = dict(line.split(b": ", 1) for line in lines if b": " in line)
        headers.pop(b"alt-svc", None)
        return status, headers, await self._reader.readexactly(int(headers[b"content-length"]))

    async def line(self) -> bytes:
        """The status line of an answer that is looked at no further."""
        return await asyncio.wait_for(self._reader.readline(), 5)

    async def rest(self) -> bytes:
        """All that comes until nothing does for a moment."""
        found = b""
        while True:
            try:
                piece = await asyncio.wait_for(self._reader.read(65536), 0.5)
            except TimeoutError:
                return found
            if not piece:
                return found
            found += piece

    def close(self) -> None:
        self._writer.close()


@asynccontextmanager
async def connected(site: Site) -> AsyncIterator[Wire]:
    """A connection that Sanic has begun with."""
    where = urlsplit(site.url)
    wire = Wire(*await asyncio.open_connection(where.hostname, where.port))
    await wire.send(b"GET /stream?count=0 HTTP/1.1\r\n" + HOST)
    assert (await wire.answer())[2] == b"[]"
    yield wire
    wire.close()


class Counted:
    """What is quick, and how often that was asked and knew something."""

    def __init__(self, quick: Any) -> None:
        self._quick = quick
        self.answered = 0
        self.end = quick.end

    def begin(self, target: bytes, client: str) -> Any:
        self.answered += 1
        found = self._quick.begin(target, client)
        self.answered -= found is None
        return found


@pytest.fixture
def quick(site: Site) -> Counted:
    site.app.ctx.quick = Counted(site.app.ctx.quick)
    counted: Counted = site.app.ctx.quick
    return counted


async def show(site: Site, count: int = 1) -> None:
    source_id = await site.context.pool.fetchval(
        "INSERT INTO sources (name, kind) VALUES ('s', 'twitch') RETURNING id"
    )
    streams = [
        SeenStream(
            external_id=str(n),
            title="Ärger",
            viewers=0,
            page_url="https://x.example",
            player="embed",
            player_url="https://x.example",
        )
        for n in range(count)
    ]
    await store.write_batch(site.context.pool, source_id, streams, site.context.clock.now(), 600)


async def test_both_ways_give_the_same_answer(site: Site, quick: Counted) -> None:
    await show(site)
    failed = 0
    for target, status in {
        b"/stream": 200,
        b"/stream?": 200,
        b"/stream?count=64&include=%C3%84RGER": 200,
        b"/stream?include=nothing": 200,
        b"/stream?count=0": 200,
        b"/stream/s:0": 200,
        b"/stream/0": 200,
        b"/stream/s:1": 410,
        b"/stream?count=65": 413,
        b"/stream?include=a%00": 400,
        b"/stream?include=%ff": 400,
    }.items():
        request = b"GET " + target + b" HTTP/1.1\r\nAccept: */*\r\n" + HOST
        async with connected(site) as wire:
            before = quick.answered
            await wire.send(request)
            short = await wire.answer()
            assert quick.answered == before + 1, target
            await wire.send(request[:20], request[20:])
            assert await wire.answer() == short, target
            assert quick.answered == before + 1, target
        assert short[0].startswith(b"HTTP/1.1 %d " % status), target
        failed += 2 * (status != 200)
    assert site.app.ctx.errors.total() == failed


async def test_what_is_not_plain_is_sanics(site: Site, quick: Counted) -> None:
    usual = b"GET /stream?count=0 HTTP/1.1"
    for request_line, header, status in (
        (b"HEAD /stream?count=0 HTTP/1.1", b"", 405),
        (b"GET /stream?count=0 HTTP/1.0", b"", 200),
        (b"GET /stream/%41 HTTP/1.1", b"", 410),
        (b"GET /stream/a/b HTTP/1.1", b"", 410),
        (b"GET /streams HTTP/1.1", b"", 404),
        (b"GET /stream?count=0#x HTTP/1.1", b"", 200),
        (usual, b"Connection: close\r\n", 200),
        (usual, b"Connection:\tclose\r\n", 200),
        (usual, b"Connection: keep-alive, close\r\n", 200),
        (usual, b"X-Forwarded-For: a\r\nX-Forwarded-For: b\r\n", 200),
        (usual, b"no colon\r\n", 400),
        (usual, b"X: " + b"a" * lane.LONGEST + b"\r\n", 200),
    ):
        async with connected(site) as wire:
            before = quick.answered
            await wire.send(request_line + b"\r\n" + header + HOST)
            assert (await wire.line()).startswith(b"HTTP/1.1 %d " % status), (request_line, header)
            assert quick.answered == before, (request_line, header)


async def test_keep_alive_said_aloud_is_plain(site: Site, quick: Counted) -> None:
    async with connected(site) as wire:
        before = quick.answered
        await wire.send(b"GET /stream?count=0 HTTP/1.1\r\nConnection: Keep-Alive\r\n" + HOST)
        assert (await wire.answer())[1][b"connection"] == b"keep-alive"
        assert quick.answered == before + 1


@pytest.mark.parametrize("length", [b"Content-Length: 50", b"Transfer-Encoding: chunked"])
async def test_a_body_that_looks_like_a_request_is_not_one(
    site: Site, quick: Counted, length: bytes
) -> None:
    async with connected(site) as wire:
        before = quick.answered
        inner = b"GET /stream?count=0 HTTP/1.1\r\n" + HOST
        await wire.send(b"POST /stream HTTP/1.1\r\n" + length + b"\r\n" + HOST, inner)
        assert (await wire.rest()).count(b"HTTP/1.1") == 1
        assert quick.answered == before


async def test_answers_come_in_the_order_of_the_requests(site: Site, quick: Counted) -> None:
    await show(site, 100)
    asked = [b"/stream/s:%d" % n for n in range(100)]
    requests = [b"GET " + target + b" HTTP/1.1\r\n" + HOST for target in asked]
    for together in (1, 3, 100):
        async with connected(site) as wire:
            for first in range(0, 100, together):
                wire._writer.write(b"".join(requests[first : first + together]))
                await asyncio.sleep(0)
            for n in range(100):
                assert b'{"id":"%d",' % n in (await wire.answer())[2]
    assert quick.answered


async def test_what_comes_while_an_answer_is_awaited_waits(
    site: Site, quick: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    slow: asyncio.Future[bytes] = loop.create_future()
    one = site.app.ctx.draws.one
    monkeypatch.setattr(site.app.ctx.draws, "one", lambda key: slow if key == "slow" else one(key))
    async with connected(site) as wire:
        await wire.send(b"GET /stream/slow HTTP/1.1\r\n" + HOST)
        await wire.send(b"GET /stream?count=0 HT", b"TP/1.1\r\n" + HOST)
        assert await wire.rest() == b""
        slow.set_result(b"{}")
        assert (await wire.answer())[2] == b"{}"
        assert (await wire.answer())[2] == b"[]"


async def test_a_failure_is_answered_by_sanic(
    site: Site, quick: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(keys: Any) -> dict[str, bytes]:
        raise asyncpg.CannotConnectNowError

    monkeypatch.setattr(site.app.ctx.draws._one, "_ask", fail)
    async with connected(site) as wire:
        await wire.send(b"GET /stream/1 HTTP/1.1\r\n" + HOST)
        status, headers, body = await wire.answer()
        assert status.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after" in headers
        assert b'"unavailable"' in body
        await wire.send(b"GET /stream?count=0 HTTP/1.1\r\n" + HOST)
        assert (await wire.answer())[2] == b"[]"


async def test_whoever_leaves_is_not_waited_for(
    site: Site, quick: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is told of a failure of which nobody is left to hear; others are served as ever."""
    running, complaints = asyncio.get_running_loop(), list[dict[str, Any]]()
    running.set_exception_handler(lambda _loop, complaint: complaints.append(complaint))
    slow: asyncio.Future[bytes] = running.create_future()
    asked = [slow]
    monkeypatch.setattr(site.app.ctx.draws, "one", lambda key: asked.pop())
    async with connected(site) as wire:
        await wire.send(b"GET /stream/slow HTTP/1.1\r\n" + HOST)
        while asked:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    slow.set_exception(ConnectionResetError())
    await asyncio.sleep(0.05)
    monkeypatch.undo()
    del slow
    gc.collect()  # what failed and was not looked at says so when it goes
    async with connected(site) as wire:
        await wire.send(b"GET /stream/1 HTTP/1.1\r\n" + HOST)
        assert (await wire.answer())[0].startswith(b"HTTP/1.1 410 ")
    assert complaints == []
    assert site.app.ctx.errors.total() == 1  # which is that 410


async def test_requests_on_the_lane_count(site: Site, quick: Counted) -> None:
    site.app.ctx.limiter = Limiter(10, proxied=True, monotonic=site.context.clock.monotonic)
    request = b"GET /stream?count=0 HTTP/1.1\r\nX-Forwarded-For: %b\r\n" + HOST
    async with connected(site) as wire:  # which is one request of 127.0.0.1
        found = []
        for _ in range(12):
            await wire.send(request % b"203.0.113.1, 203.0.113.7")
            status, headers, body = await wire.answer()
            found.append(re.split(rb"[ /]", status)[2])
        assert found == [b"200"] * 10 + [b"429"] * 2
        assert b"retry-after" in headers
        assert b'"too_many_requests"' in body
        await wire.send(request % b"203.0.113.8")
        assert (await wire.answer())[0] == b"HTTP/1.1 200 OK"


def test_which_headers_are_plain() -> None:
    assert lane.forwarded_for(b"\r\n") == ""
    assert lane.forwarded_for(b"Host: a\r\nX-Forwarded-For:  192.0.2.1\r\n\r\n") == "192.0.2.1"
    for bad in (
        b"",
        b"Host: a\r\n",
        b"Host: a\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        b"Host: a\r\n folded\r\n\r\n",
        b"Host : a\r\n\r\n",
        b"Host: a\nb: c\r\n\r\n",
        b"Host: a\0\r\n\r\n",
        b"content-length: 0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n",
        b"Upgrade: websocket\r\n\r\n",
        b"Expect: 100-continue\r\n\r\n",
    ):
        assert lane.forwarded_for(bad) is None, bad
