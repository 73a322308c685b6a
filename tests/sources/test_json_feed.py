"""json_feed: an API that nobody knew, read by its description; and one that leads nowhere."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.servers.json_api import PAGED, JsonApi, station
from tests.servers.loopback import Loopback
from tests.sources.looking import Pass, look_through, make_source
from vigil.context import Context
from vigil.errors import Invalid, SourceError
from vigil.sources import headers, json_feed
from vigil.sources.model import Source
from vigil.streams.model import SeenStream


def source_of(server: JsonApi, **more: Any) -> Source:
    return make_source("json_feed", server.address, **{**server.options, **more})


async def look(context: Context, server: JsonApi, **more: Any) -> Pass:
    return await look_through(context, source_of(server, **more))


async def test_what_an_item_becomes(outside: Context) -> None:
    async with JsonApi([station(1, tags="a, b", name=" Radio\u202e One ")]) as server:
        seen = await look(outside, server)
        assert seen.streams == [
            SeenStream(
                external_id="s00001",
                title="Show 1",
                viewers=1,
                page_url="https://stations.example/1",
                player="hls",
                player_url=f"{server.url}/live/1.m3u8",
                category="Jazz",
                tags=("a", "b"),
                language="de",
                channel_name="Radio One",
                thumbnail_url=f"{server.url}/art/1.jpg",
                started_at=datetime(2026, 1, 1, 12, tzinfo=UTC),
            )
        ]


@pytest.mark.parametrize("way", PAGED)
async def test_every_page_is_read_once(outside: Context, way: str) -> None:
    async with JsonApi(95, way=way) as server:
        seen = await look(outside, server)
        requests = len(server.requests)
    assert [stream.external_id for stream in seen.streams] == [f"s{n:05}" for n in range(95)]
    pages = {"none": 1, "page": 11, "offset": 11}.get(
        way, 10
    )  # counted pages end with an empty one
    assert requests == pages
    assert sum(page.answers for page in seen.pages) == pages
    assert (seen.pages[0].budget_remaining, seen.pages[0].budget_limit) == (99, 100)


@pytest.mark.parametrize("way", ["page", "offset"])
async def test_a_total_spares_the_last_request(outside: Context, way: str) -> None:
    async with JsonApi(95, way=way) as server:
        assert len((await look(outside, server, total="meta.total")).streams) == 95
        assert len(server.requests) == 10
        server.faults.promise = 5  # an estimate
        assert len((await look(outside, server, total="meta.total")).streams) == 95
        server.faults.promise = 50
        with pytest.raises(SourceError, match="promised 145 items and showed 95"):
            await look(outside, server, total="meta.total")


@pytest.mark.parametrize("way", PAGED)
async def test_nothing_is_live(outside: Context, way: str) -> None:
    async with JsonApi(0, way=way) as server:
        seen = await look(outside, server)
    assert (seen.found, len(seen.pages), seen.streams) == (0, 1, [])


async def test_size_parameter_and_headers_are_sent(outside: Context) -> None:
    async with JsonApi(5, way="cursor") as server:
        await look(
            outside, server, page_size=50, size_parameter="limit", headers="Accept-Language: de"
        )
        (request,) = server.requests
    assert request.query.get("limit") == "50"
    assert request.query.get("on_air") == "yes"
    assert request.headers["accept-language"] == "de"
    assert request.headers["accept"] == "application/json"


@pytest.mark.parametrize("way", ["cursor", "next", "link"])
async def test_a_circle_is_stopped(outside: Context, way: str) -> None:
    async with JsonApi(30, way=way) as server:
        server.faults.circle = True
        with pytest.raises(SourceError, match="in a circle"):
            await look(outside, server)
        assert len(server.requests) < 10


@pytest.mark.parametrize("way", ["page", "offset"])
async def test_a_server_that_ignores_the_page_is_stopped(outside: Context, way: str) -> None:
    async with JsonApi(30, way=way) as server:
        server.faults.ignores_pages = True
        with pytest.raises(SourceError, match="in a circle"):
            await look(outside, server)
        assert len(server.requests) < 5


@pytest.mark.parametrize("way", ["cursor", "next", "link"])
async def test_empty_pages_for_ever_are_stopped(outside: Context, way: str) -> None:
    async with JsonApi(30, way=way) as server:
        server.faults.empty_for_ever = True
        with pytest.raises(SourceError, match="pages in a row were empty"):
            await look(outside, server)


@pytest.mark.parametrize("way", ["next", "link"])
async def test_the_next_page_cannot_send_us_elsewhere(outside: Context, way: str) -> None:
    async with JsonApi(30, way=way) as server:
        server.faults.elsewhere = True
        with pytest.raises(SourceError, match=r"another server, elsewhere\.example"):
            await look(outside, server)


async def test_too_many_pages_and_too_many_items(outside: Context) -> None:
    async with JsonApi(100, way="cursor") as server:
        with pytest.raises(SourceError, match="more than 4 pages"):
            await look(outside, server, most_pages=4)
        with pytest.raises(SourceError, match="more than 50 items"):
            await look(outside, server, most_items="50")
        assert len((await look(outside, server, most_items=100, most_pages=10)).streams) == 100


async def test_a_million_items_in_one_answer(outside: Context) -> None:
    body = b'{"stations": [' + b"{}," * 1_000_000 + b"{}]}"

    async def answer(_: Any) -> Any:
        from aiohttp import web

        return web.Response(body=body, content_type="application/json")

    async with Loopback(answer) as server:
        source = make_source("json_feed", server.url, items="stations")
        with pytest.raises(SourceError, match=r"more than 200,000 items"):
            await look_through(outside, source)


async def test_two_gigabytes(outside: Context) -> None:
    async with JsonApi(5) as server:
        server.faults.two_gigabytes = -1
        with pytest.raises(SourceError, match=r"sent more than 16\.8 MB"):
            await look(outside, server)


async def test_a_large_answer_is_one_answer_in_several_batches(outside: Context) -> None:
    async with JsonApi(2500) as server:
        seen = await look(outside, server)
    assert [page.answers for page in seen.pages] == [1, 0, 0]
    assert len({stream.external_id for stream in seen.streams}) == seen.found == 2500


async def test_no_list_where_it_should_be(outside: Context) -> None:
    async with JsonApi(5) as server:
        with pytest.raises(SourceError, match="items leads to no list"):
            await look(outside, server, items="stations[0]")
        with pytest.raises(SourceError, match=r"length\(\) cannot take null"):
            await look(outside, server, items="length(shows)")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": "nothing"}, "no id"),
        ({"player_url": "site2"}, "no proper player"),
        ({"player": "name"}, "no known kind of player"),
        ({"viewers": "length(listeners)"}, "viewers: length() cannot take number"),
        ({"max_viewers": "0"}, "more than 0 viewers"),
        ({"languages": "fr"}, "another language"),
        ({"categories": "Talk, Folk"}, "another category"),
    ],
)
async def test_why_an_item_is_refused(
    outside: Context, change: dict[str, str], reason: str
) -> None:
    async with JsonApi([station(1)]) as server:
        seen = await look(outside, server, **change)
    assert (seen.streams, seen.refused) == ([], {reason: 1})


async def test_what_meets_the_criteria_is_kept(outside: Context) -> None:
    stations = [station(1, listeners=3), station(3, lang="de-AT"), station(5, listeners="9")]
    async with JsonApi(stations) as server:
        seen = await look(outside, server, languages="de", categories=["JAZZ "], max_viewers=3)
    assert [stream.external_id for stream in seen.streams] == ["s00001", "s00003"]


async def test_players(outside: Context) -> None:
    stations = [
        {"uuid": 1, "kind": "HLS", "where": "https://a.example/1.m3u8"},
        {"uuid": 2, "kind": "embed", "where": "https://a.example/2"},
        {"uuid": 3, "kind": "twitch", "where": "somebody"},
        {"uuid": 4, "kind": "twitch", "where": "https://www.twitch.tv/somebody"},
    ]
    async with JsonApi(stations) as server:
        seen = await look(outside, server, player="kind", player_url="where", page="")
    assert [(s.player, s.player_url, s.page_url) for s in seen.streams] == [
        ("hls", "https://a.example/1.m3u8", "https://a.example/1.m3u8"),
        ("embed", "https://a.example/2", "https://a.example/2"),
        ("twitch", "somebody", "https://www.twitch.tv/somebody"),
    ]
    assert seen.refused == {"no proper player": 1}


async def test_secrets_go_along_and_nowhere_else(outside: Context) -> None:
    from dataclasses import replace

    async with JsonApi(5, way="cursor", key="s3cret") as server:
        source = source_of(server)
        with pytest.raises(SourceError, match="answered 401"):
            await look_through(outside, source)
        source = replace(source, secrets={"X-Api-Key": "s3cret"})
        assert len((await look_through(outside, source)).streams) == 5
        assert "s3cret" not in repr(source)
        said = await json_feed.KIND.test(outside, source)
    assert said == "the feed answers; its first 5 items are 5 streams"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"item": "x"}, "no option 'item'"),
        ({"items": 5}, "items is a JMESPath"),
        ({"viewers": "a["}, "option viewers ends too early"),
        ({"viewers": "'\x00'"}, "cannot be seen"),
        ({"viewers": "'\ud800'"}, "cannot be seen"),
        ({"paging": "scroll"}, "paging is unknown"),
        ({"paging": "cursor"}, "need the option cursor"),
        ({"parameter": "a b"}, "parameter's name"),
        ({"page_size": "0"}, "page_size must be a number from 1"),
        ({"most_items": 10**9}, "most_items must be a number from 1 to 500000"),
        ({"headers": "no colon"}, "Name: value"),
        ({"headers": {"Host": "x"}}, "not yours to set"),
        ({"headers": {"Authorization": "x"}}, "looks like a secret"),
        ({"headers": {"X-Api-Key": "x"}}, "looks like a secret"),
        ({"headers": {"X": "a\r\nb: c"}}, "cannot be sent"),
        ({"headers": {"X y": "a"}}, "cannot be a header's name"),
        ({"headers": {"X": "a", "x": "b"}}, "there twice"),
        ({"headers": 5}, "at most 20 names"),
        ({"categories": 5}, "categories must be a list"),
        ({"categories": ["\x00"]}, "categories"),
        ({"languages": ["klingon!"]}, "languages"),
    ],
)
def test_options_that_cannot_be_used(given: dict[str, Any], told: str) -> None:
    with pytest.raises(Invalid) as caught:
        json_feed.check_options(given)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("given", "budget"),
    [
        ({}, (None, None)),
        ({"x-ratelimit-limit": "60", "x-ratelimit-remaining": "7"}, (7, 60)),
        ({"ratelimit-limit": "100, 100;w=60", "ratelimit-remaining": "50"}, (50, 100)),
        ({"x-rate-limit-limit": "9"}, (None, 9)),
        ({"ratelimit-limit": "lots"}, (None, None)),
    ],
)
def test_a_rate_limit_is_read(given: dict[str, str], budget: tuple[int, int]) -> None:
    assert headers.budget(given) == budget
