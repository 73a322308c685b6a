"""Answers: JSON, pages and their policy, redirects, files with ranges, events."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st
from sanic import HTTPResponse, Request

from tests.servers.small_site import Handler, small_site
from vigil import auth, events, responses
from vigil.context import Context
from vigil.errors import Gone, Invalid

DATA = bytes(range(256)) * 3000  # 768,000 bytes: three chunks of the answer
KEY = "films/1/segment.mp4"


# ── ranges ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("header", "span"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=0-", (0, 10)),
        ("bytes=3-5", (3, 6)),
        ("bytes=3-99", (3, 10)),
        ("bytes=-3", (7, 10)),
        ("bytes=-99", (0, 10)),
        (" bytes = 3 - 5 ", (3, 6)),
        ("bytes=10-", None),
        ("bytes=99-100", None),
        ("bytes=-0", None),
        ("bytes=5-3", (0, 10)),
        ("bytes=0-1,3-4", (0, 10)),
        ("bytes=-", (0, 10)),
        ("lines=1-2", (0, 10)),
        ("bytes=a-b", (0, 10)),
        ("", (0, 10)),
        ("bytes=" + "9" * 5000 + "-", (0, 10)),
    ],
)
def test_ranges(header: str, span: tuple[int, int] | None) -> None:
    assert responses.parse_range(header, 10) == span


@settings(deadline=None)
@given(st.text(max_size=40) | st.from_regex(r"bytes=[0-9]*-[0-9]*"), st.integers(0, 10**15))
def test_no_header_leads_outside_of_the_file(header: str, size: int) -> None:
    span = responses.parse_range(header, size)
    if span is not None:
        assert 0 <= span[0] <= span[1] <= size


async def serve_blob(request: Request) -> HTTPResponse | None:
    return await responses.blob(
        request,
        KEY,
        immutable=request.args.get("immutable") == "1",
        download=request.args.get("download"),
    )


async def test_a_file_is_sent_whole_in_parts_and_not_again(context: Context) -> None:
    await context.storage.put(KEY, DATA)
    async with small_site(context, {"/blob": serve_blob}) as site:

        async def get(**headers: str) -> tuple[aiohttp.ClientResponse, bytes]:
            sent = {k.replace("_", "-"): v for k, v in headers.items()}
            async with site.client.get("/blob", headers=sent) as response:
                return response, await response.read()

        response, body = await get()
        assert (response.status, body) == (200, DATA)
        assert response.content_type == "video/mp4"
        assert response.headers["accept-ranges"] == "bytes"
        assert response.headers["x-content-type-options"] == "nosniff"
        etag = response.headers["etag"]

        response, body = await get(range="bytes=1000-600999")
        assert (response.status, body) == (206, DATA[1000:601_000])
        assert response.headers["content-range"] == f"bytes 1000-600999/{len(DATA)}"

        response, body = await get(range="bytes=-5")
        assert (response.status, body) == (206, DATA[-5:])

        response, body = await get(range=f"bytes={len(DATA)}-")
        assert response.status == 416
        assert response.headers["content-range"] == f"bytes */{len(DATA)}"

        response, body = await get(range="bytes=0-9", if_range='"another"')
        assert (response.status, body) == (200, DATA)
        response, body = await get(range="bytes=0-9", if_range=etag)
        assert (response.status, body) == (206, DATA[:10])

        for tag in (etag, f'"other", W/{etag}', "*"):
            response, body = await get(if_none_match=tag)
            assert (response.status, body) == (304, b"")
        response, body = await get(if_none_match='"other"')
        assert response.status == 200

        async with site.client.head("/blob") as response:
            assert response.status == 200
            assert int(response.headers["content-length"]) == len(DATA)
            assert await response.read() == b""
        async with site.client.head("/blob", headers={"range": "bytes=0-9"}) as response:
            assert response.status == 206
            assert response.headers["content-length"] == "10"


async def test_how_long_a_file_may_be_kept_and_what_it_is_called(context: Context) -> None:
    await context.storage.put(KEY, b"x")
    async with small_site(context, {"/blob": serve_blob}) as site:
        async with site.client.get("/blob?immutable=1") as response:
            assert "immutable" in response.headers["cache-control"]
        async with site.client.get("/blob") as response:
            assert response.headers["cache-control"] == "no-cache"
        name = 'Gärten "am See"\r\nx: y/..mp4'
        async with site.client.get("/blob", params={"download": name}) as response:
            assert response.status == 200
            assert "x" not in response.headers
            told = response.headers["content-disposition"]
            assert told.startswith('attachment; filename="G-rten -am See-x- y-..mp4"')
            assert "filename*=UTF-8''G%C3%A4rten%20%22am" in told


async def test_a_file_that_is_gone_is_not_found(context: Context) -> None:
    async with (
        small_site(context, {"/blob": serve_blob}) as site,
        site.client.get("/blob") as response,
    ):
        assert response.status == 404
        assert (await response.json())["error"]["code"] == "not_found"


async def test_an_empty_file(context: Context) -> None:
    await context.storage.put(KEY, b"")
    async with small_site(context, {"/blob": serve_blob}) as site:
        async with site.client.get("/blob") as response:
            assert (response.status, await response.read()) == (200, b"")
        async with site.client.get("/blob", headers={"range": "bytes=0-"}) as response:
            assert response.status == 416


# ── pages ───────────────────────────────────────────────────────────────────


async def some_page(request: Request) -> HTTPResponse:
    return await responses.page(
        request, "error.html", title="<b>& more</b>", error=Gone("x", hint="<script>")
    )


async def test_a_page_escapes_and_carries_a_policy_with_a_fresh_nonce(context: Context) -> None:
    nonces = set()
    async with small_site(context, {"/page": some_page}) as site:
        for _ in range(3):
            async with site.client.get("/page") as response:
                text = await response.text()
                policy = response.headers["content-security-policy"]
            assert "&lt;b&gt;&amp; more" in text
            assert "<script>\n" not in text.replace("<script nonce", "")
            [nonce] = set(re.findall(r"'nonce-([^']+)'", policy))
            nonces.add(nonce)
            scripts = re.findall(r"<script\b([^>]*)>", text)
            assert len(scripts) >= 2
            assert all(f'nonce="{nonce}"' in script for script in scripts)
            assert "unsafe" not in policy
            assert "default-src 'none'" in policy
            assert not re.search(r"\s(style|on[a-z]+)=", text)
    assert len(nonces) == 3


async def test_a_site_behind_https_loads_nothing_over_http(context: Context) -> None:
    settings = replace(context.settings, public_url="https://example.org")
    async with (
        small_site(replace(context, settings=settings), {"/page": some_page}) as site,
        site.client.get("/page") as response,
    ):
        assert "http:" not in response.headers["content-security-policy"]


async def test_a_page_of_somebody_signed_in_is_not_stored(context: Context) -> None:
    async def identify(request: Request) -> auth.Identity | None:
        who = request.headers.get("x-who")
        return auth.Identity(name=who, role="admin", csrf="c" * 64) if who else None

    async with small_site(context, {"/page": some_page}, identify=identify) as site:
        async with site.client.get("/page") as response:
            assert response.headers["cache-control"] == "no-cache"
            assert "Sign out" not in await response.text()
        async with site.client.get("/page", headers={"x-who": "ann"}) as response:
            assert response.headers["cache-control"] == "no-store"
            text = await response.text()
            assert "Sign out" in text
            assert f'name="csrf" value="{"c" * 64}"' in text


async def test_every_module_is_in_the_import_map(context: Context) -> None:
    async with small_site(context, {"/page": some_page}) as site:
        async with site.client.get("/page") as response:
            text = await response.text()
        found = re.search(r'<script type="importmap"[^>]*>(.*?)</script>', text)
        assert found
        for path in (responses.STATIC / "js").glob("*.js"):
            assert f'"/static/js/{path.name}":"/static/js/{path.name}?v=' in found[1]


@pytest.mark.parametrize("path", ["/", "/films/3", "/sources?x=//evil.example"])
def test_a_redirect_leads_to_a_page_of_ours(path: str) -> None:
    response = responses.redirect(path)
    assert (response.status, response.headers["location"]) == (303, path)


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/x\r\nset-cookie: a=b",
        "films",
        "",
        "javascript:alert(1)",
        " /films",
    ],
)
def test_a_redirect_leads_nowhere_else(path: str) -> None:
    with pytest.raises(Invalid):
        responses.redirect(path)


@pytest.mark.parametrize(
    ("path", "accept", "json"),
    [
        ("/films", "text/html", False),
        ("/films", "*/*", True),
        ("/films", "", True),
        ("/api/v1/films", "text/html", True),
        ("/stream", "text/html", True),
        ("/stats/counts", "text/html", True),
        ("/healthz", "text/html", True),
    ],
)
async def test_who_gets_errors_as_json(
    context: Context, path: str, accept: str, json: bool
) -> None:
    async def tell(request: Request) -> HTTPResponse:
        return responses.json(responses.wants_json(request))

    routes: dict[str, Handler] = {} if path == "/healthz" else {path: tell}
    async with (
        small_site(context, routes) as site,
        site.client.get(path, headers={"accept": accept}) as response,
    ):
        found = await response.json()
        assert found is json if path != "/healthz" else found["status"]


# ── words and values ────────────────────────────────────────────────────────


def shown(template: str, **values: Any) -> str:
    return responses.environment().from_string(template).render(**values)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (None, ""),
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (99_949, "99.9 kB"),
        (99_951, "100 kB"),
        (999_499, "999 kB"),
        (999_960, "1.0 MB"),
        (1_500_000_000, "1.5 GB"),
        (5e15, "5000 TB"),
    ],
)
def test_sizes(size: float | None, text: str) -> None:
    assert shown("{{ size|bytes }}", size=size) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (-5, "0 s"),
        (89.4, "89 s"),
        (600, "10 min"),
        (2 * 3600, "2 h"),
        (12_000, "3 h 20 min"),
        (5 * 86_400, "5 d"),
    ],
)
def test_lengths_of_time(seconds: float | None, text: str) -> None:
    assert shown("{{ seconds|span }}", seconds=seconds) == text


@pytest.mark.parametrize(
    ("words", "sentence"),
    [(None, ""), ("", ""), ("no such page", "No such page."), ("Is it on?", "Is it on?")],
)
def test_errors_become_sentences(words: str | None, sentence: str) -> None:
    assert shown("{{ words|sentence }}", words=words) == sentence


def test_times_are_utc_whatever_their_zone() -> None:
    east = timezone(timedelta(hours=2))
    moment = datetime(2026, 5, 1, 12, 0, 0, 123_456, tzinfo=east)
    assert shown("{{ moment|iso }}", moment=moment) == "2026-05-01T10:00:00.123+00:00"
    assert b'"2026-05-01T12:00:00.123456+02:00"' in (responses.json(moment).body or b"")


async def test_a_list_has_items_and_a_cursor(context: Context) -> None:
    assert responses.items([1, 2]).body == b'{"items":[1,2],"next":null}'
    moment = datetime(2026, 5, 1, tzinfo=UTC)
    cursor = responses.cursor_encode(moment, 7)
    assert responses.cursor_decode(cursor, datetime, int) == (moment, 7)


@settings(deadline=None)
@given(st.text(max_size=60))
def test_a_strange_cursor_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        responses.cursor_decode(text, datetime, int)


def test_macros() -> None:
    start = "{% from 'macros.html' import time, ago, progress, empty, badge, action %}"
    moment = datetime(2026, 5, 1, 10, tzinfo=UTC)
    assert 'datetime="2026-05-01T10:00:00.000+00:00"' in shown(start + "{{ time(m) }}", m=moment)
    assert "data-ago" in shown(start + "{{ ago(m) }}", m=moment)
    assert "never" in shown(start + "{{ ago(none) }}")
    assert 'max="7" value="3"' in shown(start + "{{ progress(3, 7, 'frames') }}")
    unknown = shown(start + "{{ progress(3, none, 'frames') }}")
    assert "max=" not in unknown
    assert "3 frames" in unknown
    assert "nothing here" in shown(start + "{{ empty('nothing here', 'add one') }}")
    assert 'class="badge bad"' in shown(start + "{{ badge('failed') }}")
    me = auth.Identity(name="ann", role="admin", csrf="token")
    usable = shown(start + "{{ action('Stop', '/x', me, confirm='Sure?') }}", me=me)
    assert 'name="csrf" value="token"' in usable
    assert 'data-confirm="Sure?"' in usable
    assert "disabled" not in usable
    refused = shown(start + "{{ action('Stop', '/x', me, reason='it is over') }}", me=me)
    assert "disabled" in refused
    assert "it is over" in refused


# ── events ──────────────────────────────────────────────────────────────────


async def news(request: Request) -> AsyncIterator[tuple[str, Any]]:
    listener = responses.context(request).listener
    async with listener.subscribe("camera:1") as queue:
        yield "hello", {"text": "a\nb"}
        while True:
            message = await queue.get()
            if message.get("end"):
                return
            if message.get("fail"):
                raise RuntimeError("broken")
            yield "frame", message


async def serve_events(request: Request) -> Any:
    return await responses.event_stream(request, news(request))


async def read_event(response: aiohttp.ClientResponse) -> list[str]:
    lines = []
    while True:
        line = (await asyncio.wait_for(response.content.readline(), 10)).decode()
        if line.strip():
            lines.append(line.strip())
        elif lines or not line:
            return lines


@pytest_asyncio.fixture
async def listening(context: Context) -> Context:
    """The context, once its listener really listens."""
    async with context.listener.subscribe("probe") as queue:
        for _ in range(100):
            await events.notify(context.pool, "probe")
            try:
                await asyncio.wait_for(queue.get(), 0.1)
            except TimeoutError:
                continue
            return context
    raise AssertionError("the listener does not listen")


def subscribers(context: Context) -> int:
    return len(context.listener._subscribers)


async def until_nobody_listens(context: Context) -> None:
    for _ in range(200):
        if subscribers(context) == 0:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("somebody still listens")


async def test_events_reach_the_browser_at_once(listening: Context) -> None:
    context = listening
    async with small_site(context, {"/events": serve_events}) as site:
        async with site.client.get("/events") as response:
            assert response.content_type == "text/event-stream"
            assert response.headers["x-accel-buffering"] == "no"
            assert await read_event(response) == ["retry: 2000"]
            assert await read_event(response) == ["event: hello", 'data: {"text":"a\\nb"}']
            await events.notify(context.pool, "camera:1", n=1)
            await events.notify(context.pool, "camera:2", n=2)
            await events.notify(context.pool, "camera:1", n=3)
            one = await read_event(response)
            two = await read_event(response)
            assert one[1] == 'data: {"topic":"camera:1","n":1}'
            assert two[1] == 'data: {"topic":"camera:1","n":3}'
        await until_nobody_listens(context)


@pytest.mark.parametrize("how", ["end", "fail"])
async def test_events_end_when_the_generator_does(listening: Context, how: str) -> None:
    context = listening
    async with small_site(context, {"/events": serve_events}) as site:
        async with site.client.get("/events") as response:
            await read_event(response)
            await read_event(response)
            await events.notify(context.pool, "camera:1", **{how: True})
            assert await read_event(response) == []
            assert response.content.at_eof()
        await until_nobody_listens(context)


async def test_events_end_when_the_process_stops(listening: Context) -> None:
    context = listening
    async with small_site(context, {"/events": serve_events}) as site:
        async with site.client.get("/events") as response:
            await read_event(response)
            await read_event(response)
            site.app.ctx.stopping.set()
            assert await read_event(response) == []
        await until_nobody_listens(context)


async def test_a_quiet_line_is_kept_open(
    listening: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = listening
    monkeypatch.setattr(responses, "KEEP_ALIVE_S", 0.1)
    async with small_site(context, {"/events": serve_events}) as site:
        async with site.client.get("/events") as response:
            await read_event(response)
            await read_event(response)
            assert await read_event(response) == [": still here"]
            assert await read_event(response) == [": still here"]
        await until_nobody_listens(context)
