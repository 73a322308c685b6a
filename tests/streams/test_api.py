"""The API below /api/v1: lists in three modes, one stream, statistics, limits, bad input."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
import pytest

from app import create_app
from tests.conftest import Site
from tests.streams.test_views import get, show, stream
from vigil.serving import serving


async def listed(site: Site, **parameters: object) -> list[str]:
    status, answer = await get(site, f"/api/v1/streams?{urlencode(parameters)}")
    assert status == 200, answer
    return [one["id"] for one in answer["items"]]


async def test_modes(site: Site) -> None:
    await show(site, *(stream(n) for n in range(30)))
    latest = await listed(site, limit=30)
    assert sorted(latest) == sorted(str(n) for n in range(30))
    assert await listed(site, mode="latest", limit=5) == latest[:5]
    assert (
        await listed(site, mode="search", include="mario", limit=5)
        == [name for name in latest if int(name) % 4 in (1, 2)][:5]
    )
    drawn = [tuple(await listed(site, mode="random", limit=10)) for _ in range(5)]
    assert all(len(set(one)) == 10 for one in drawn)
    assert len(set(drawn)) > 1
    for query in ("mode=search", "mode=search&include=", "mode=random&cursor=00", "mode=best"):
        status, answer = await get(site, f"/api/v1/streams?{query}")
        assert (status, answer["error"]["code"]) == (400, "invalid"), query


async def test_a_search_pages_through_everything(site: Site) -> None:
    await show(site, *(stream(n) for n in range(41)))
    everything = await listed(site, include="mario", limit=100)
    seen, cursor = [], ""
    while True:
        path = f"/api/v1/streams?mode=search&include=mario&limit=5&cursor={cursor}"
        status, answer = await get(site, path)
        assert status == 200
        seen += [one["id"] for one in answer["items"]]
        if answer["next"] is None:
            break
        cursor = answer["next"]
    assert seen == everything
    assert len(seen) == 20  # also where the last page is full


async def test_filters(site: Site) -> None:
    old = datetime.now(UTC) - timedelta(hours=5)
    await show(site, stream(1, language="en", tags=("Cosy", "English"), category="Art"))
    await show(site, stream(2, language="de", tags=("Speedrun",), category="Super Mario 64"))
    await show(site, stream(3, language="fr", viewers=9, started_at=old), source="other")
    assert await listed(site, languages="de") == ["2"]
    assert sorted(await listed(site, languages="de,FR")) == ["2", "3"]
    assert await listed(site, tags="cosy") == ["1"]
    assert await listed(site, category="super mario 64") == ["2"]
    assert await listed(site, sources="other") == ["3"]
    assert await listed(site, max_viewers=0, languages="fr") == []
    assert await listed(site, min_age=120) == ["3"]
    assert await listed(site, include="speedrun cosy") == []
    assert sorted(await listed(site, include="speedrun cosy", search_operator="any")) == ["1", "2"]
    assert sorted(await listed(site, exclude="speedrun")) == ["1", "3"]
    status, answer = await get(site, "/api/v1/streams?languages=de&languages=fr")
    assert (status, len(answer["items"])) == (200, 2)  # as forms send a list


async def test_one_stream(site: Site) -> None:
    await show(site, stream(1, external_id="host.example:ab/c d"), stream(2))
    await show(site, stream(2, title="another"), source="other")
    status, answer = await get(site, "/api/v1/streams/other/2")
    assert (status, answer["source"], answer["title"]) == (200, "other", "another")
    strange = quote("host.example:ab/c d", safe="")
    for key in (strange, "host.example:ab/c%20d"):
        status, answer = await get(site, f"/api/v1/streams/tw/{key}")
        assert (status, answer["id"]) == (200, "host.example:ab/c d"), key
    for path in ("tw/3", "nobody/2", "other/tw:2", "host.example/ab/c%20d", "tw/%00", "%00/2"):
        status, answer = await get(site, f"/api/v1/streams/{path}")
        assert (status, answer["error"]["code"]) == (410, "gone"), path
    for path in ("tw/%ff", "%ed%a0%80/2"):
        assert (await get(site, f"/api/v1/streams/{path}"))[0] == 400


async def test_statistics(site: Site) -> None:
    await show(site, *(stream(n, language="en") for n in range(5)), stream(5, viewers=1))
    await show(site, stream(1, category="Go", tags=("a",), language="de"), source="other")
    expected = {
        "games": [("Art", 6, 5, 1), ("Go", 1, 1, 0)],
        "tags": [("English", 6, 5, 1), ("a", 1, 1, 0)],
        "languages": [("en", 5, 5, 0), ("de", 1, 1, 0)],
        "sources": [("tw", 6, 5, 1), ("other", 1, 1, 0)],
    }
    for name, rows in expected.items():
        status, answer = await get(site, f"/api/v1/stats/{name}")
        assert status == 200
        assert [tuple(row.values()) for row in answer["items"]] == rows, name
        assert answer["next"] is None
    assert (await get(site, "/api/v1/stats/counts"))[1]["streams"] == 7
    assert (await get(site, "/api/v1/stats/counts"))[1]["sources"] == {"tw": 6, "other": 1}


async def test_what_a_client_has_is_not_sent_again(site: Site) -> None:
    await show(site, *(stream(n, category=f"Category {n:03}") for n in range(50)))
    for path in (
        "/api/v1/streams",
        "/api/v1/streams/tw/1",
        "/api/v1/stats/games",
        "/feeds/streams.rss",
    ):
        async with site.client.get(path) as response:
            assert response.status == 200
            etag, body = response.headers["etag"], await response.read()
            packed = response.headers.get("content-encoding")
        assert packed == ("gzip" if path == "/api/v1/stats/games" else None)
        async with site.client.get(path, headers={"if-none-match": etag}) as response:
            assert (response.status, await response.read()) == (304, b"")
        async with site.client.get(path, headers={"if-none-match": '"x"'}) as response:
            assert await response.read() == body
        async with site.client.head(path) as response:
            assert (response.status, await response.read()) == (200, b"")
            assert response.headers["etag"] == etag
    await show(site, stream(60, category="Yet another"))
    async with site.client.get("/api/v1/streams", headers={"if-none-match": etag}) as response:
        assert response.status == 200


BAD = [
    ("foo=1", 400),
    ("limit=10&foo=1&%3Cb%3E=2", 400),
    ("limit=0", 400),
    ("limit=101", 400),
    ("limit=" + "9" * 400, 400),
    ("limit=ten", 400),
    ("limit=5&limit=6", 400),
    ("max_viewers=-1", 400),
    ("max_viewers=" + "9" * 30, 400),
    ("min_age=-1", 400),
    ("min_age=nan", 400),
    ("search_operator=most", 400),
    ("include=" + "a" * 65, 413),
    ("include=" + "a" * 7000, 413),
    ("include=" + "a" * 10_000, 413),
    ("category=" + "a" * 201, 413),
    ("tags=" + "a," * 150, 413),
    ("languages=" + "a" * 201, 413),
    ("include=a%00b", 400),
    ("include=%ff%fe", 400),
    ("include=%ed%a0%80", 400),
    ("%ff=1", 400),
    ("%00=1", 400),
    ("cursor=zz", 400),
    ("cursor=" + b"[1.5]".hex(), 400),
    ("cursor=" + "0" * 3000, 400),
    ("&".join(f"p{n}=1" for n in range(500)), 400),
]


@pytest.mark.parametrize("path", ["/api/v1/streams", "/feeds/streams.json"])
async def test_what_cannot_be_used_is_refused_and_named(site: Site, path: str) -> None:
    for query, expected in BAD:
        if "limit" in query or "cursor" in query:
            path = "/api/v1/streams"
        async with site.client.get(f"{path}?{query}") as response:
            answer = await response.json(content_type="application/json")
        assert response.status == expected, (query[:60], answer)
        assert len(answer["error"]["message"]) < 400
    _, answer = await get(site, "/api/v1/streams?limit=3&colour=red&size=2")
    assert answer["error"]["message"] == "unknown parameter 'colour', 'size'"
    assert "include" in answer["error"]["hint"]
    for query, told in (
        ("limit=ten", "limit: expected int"),
        ("limit=0", "limit: expected int >= 1"),
        ("mode=best", "mode: invalid enum value 'best'"),
        ("limit=1&limit=2", "'limit' is given twice"),
    ):
        _, answer = await get(site, f"/api/v1/streams?{query}")
        assert answer["error"]["message"] == told


@pytest.mark.parametrize(
    "word", ["%", "_", "\\", "a_%b", "'; DROP TABLE streams; --", "\u202e", "ß"]
)
async def test_strange_words_are_only_words(site: Site, word: str) -> None:
    await show(site, stream(1, title=f"x {word.split()[0]} y"), stream(2), stream(3, category=word))
    part = word.split()[0]
    assert set(await listed(site, include=part)) == {"1", "3"}
    assert await listed(site, category=word) == ["3"]
    assert await listed(site, tags=word, languages=word, sources=word) == []


async def raw(site: Site, line: bytes) -> bytes:
    """The answer to a request line that no client library would send."""
    host, port = site.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(line + b"\r\nhost: x\r\nconnection: close\r\n\r\n")
        return await asyncio.wait_for(reader.read(2000), 5)
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize(
    "line",
    [
        b"GET /api/v1/streams?include=\xff\xfe HTTP/1.1",
        b"GET /api/v1/streams/\xff/1 HTTP/1.1",
        b"GET /stream/\xed\xa0\x80 HTTP/1.1",
        b"GET /stream?include=\xc3\x28 HTTP/1.1",
        b"GET /api/v1/streams?" + b"a=1&" * 1900 + b" HTTP/1.1",
        b"GET /api/v1/streams?include=%zz%1 HTTP/1.1",
        b"GET /api/v1/streams?include=\x00 HTTP/1.1",
        b"GET /stream/\x00 HTTP/1.1",
        b"GET \x01\x7f HTTP/1.1",
    ],
)
async def test_bytes_that_are_no_text(site: Site, line: bytes) -> None:
    answer = await raw(site, line)
    status = int(answer.split(b" ", 2)[1])
    assert status in (200, 400, 413, 414), answer
    assert status == 200 or b'"error"' in answer


async def test_who_asks_too_often_waits(site: Site, unused_tcp_port_factory: Any) -> None:
    port = unused_tcp_port_factory()
    context = replace(
        site.context, settings=replace(site.context.settings, rate_limit=20, port=port)
    )
    app = create_app(context, name="limited")
    async with serving(app), aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client:
        statuses = []
        for n in range(30):
            path = ("/stream", "/stats/counts", "/api/v1/streams", "/api/v1/jobs")[n % 4]
            async with client.get(path) as response:
                statuses.append(response.status)
                answer = await response.json()
        assert statuses == [200] * 20 + [429] * 10
        assert 1 <= int(response.headers["retry-after"]) <= 60
        assert response.headers["access-control-allow-origin"] == "*"
        assert answer["error"]["code"] == "too_many_requests"
        for free in ("/healthz", "/", "/health", "/metrics"):
            async with client.get(free) as response:
                assert response.status in (200, 503), free
                assert response.status == 200 or free == "/healthz"


async def test_nothing_is_slow(site: Site) -> None:
    """Not a benchmark: what a visitor can ask for is answered long before the statement timeout."""
    await show(site, *(stream(n, language="en") for n in range(2000)))
    began = time.monotonic()
    for query in (
        "include=a+e+i+o",
        "exclude=q+w+z",
        "tags=nobody",
        "include=%25%25%25",
        "languages=xx",
    ):
        await get(site, f"/api/v1/streams?{query}")
    assert time.monotonic() - began < 10
