"""peertube: every page of a search, and a video as every room sees a stream."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.servers.peertube import Live, PeerTube
from tests.sources.looking import Pass, look_through, make_source
from vigil.context import Context
from vigil.errors import SourceError
from vigil.sources import peertube
from vigil.streams.model import SeenStream


async def look(context: Context, server: PeerTube) -> Pass:
    return await look_through(context, make_source("peertube", server.url))


async def test_what_a_video_becomes(outside: Context) -> None:
    live = Live(7, name="En direct\x00 !", host="Tube.Example", viewers=2)
    async with PeerTube([live]) as server:
        seen = await look(outside, server)
    origin = "https://Tube.Example"
    assert seen.streams == [
        SeenStream(
            external_id=f"tube.example/{live.uuid}",
            title="En direct !",
            viewers=2,
            page_url=f"{origin}/videos/watch/{live.uuid}",
            player="embed",
            player_url=f"{origin}/videos/embed/{live.uuid}",
            category_id="7",
            category="Gaming",
            tags=("live", "tube"),
            language="fr",
            channel_id="chan@Tube.Example",
            channel_login="chan",
            channel_name="The Channel",
            thumbnail_url=f"{origin}/lazy-static/previews/7.jpg",
            started_at=datetime(2026, 1, 1, 12, tzinfo=UTC),
        )
    ]


async def test_every_page(outside: Context) -> None:
    async with PeerTube(250) as server:
        seen = await look(outside, server)
    assert [page.found for page in seen.pages] == [100, 100, 50]
    assert len({stream.external_id for stream in seen.streams}) == 250


async def test_a_full_last_page_needs_no_further_request(outside: Context) -> None:
    async with PeerTube(200) as server:
        await look(outside, server)
        assert len(server.requests) == 2


async def test_repeated_items_across_pages(outside: Context) -> None:
    async with PeerTube(250) as server:
        server.faults.repeats = 5
        seen = await look(outside, server)
    assert len({stream.external_id for stream in seen.streams}) >= 245


async def test_nothing_is_live(outside: Context) -> None:
    async with PeerTube(0) as server:
        seen = await look(outside, server)
    assert (seen.found, len(seen.pages)) == (0, 1)


async def test_a_total_that_is_a_little_too_high_is_an_estimate(outside: Context) -> None:
    async with PeerTube(250) as server:
        server.faults.promise = 20
        assert (await look(outside, server)).found == 250


async def test_a_total_that_is_much_too_high_is_a_pass_that_did_not_see_all(
    outside: Context,
) -> None:
    async with PeerTube(250) as server:
        server.faults.promise = 200
        with pytest.raises(SourceError, match="promised 450 streams and showed 250"):
            await look(outside, server)


async def test_paths_belong_to_the_videos_own_host(outside: Context) -> None:
    async with PeerTube(1) as server:
        server.faults.paths = True
        stream = (await look(outside, server)).streams[0]
    assert stream.player_url.startswith("https://tube.example/videos/embed/")
    assert stream.thumbnail_url == "https://tube.example/lazy-static/previews/0.jpg"


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"isLive": False}, "not live"),
        ({"state": {"id": 5, "label": "Ended"}}, "not live"),
        ({"state": {"id": 4, "label": "Waiting"}}, "not live"),
        ({"nsfw": True}, "for adults"),
        ({"nsfw": None}, "malformed: Expected `bool`, got `null` - at `$.nsfw`"),
        ({"url": "javascript:alert(1)"}, "no proper address"),
        ({"url": "https://user:pass@x.example/"}, "no proper address"),
        ({"uuid": "../x"}, None),
    ],
)
async def test_what_is_not_kept(outside: Context, more: dict[str, Any], reason: str | None) -> None:
    async with PeerTube([Live(1, more=more), Live(2)]) as server:
        seen = await look(outside, server)
    assert len(seen.streams) == 1
    assert seen.refused.total() == 1
    assert reason is None or seen.refused == {reason: 1}


@pytest.mark.parametrize(
    "more",
    [
        {"viewers": None},
        {"state": {"id": 1, "label": "Published"}},
        {"channel": None},
        {"channel": {}},
        {
            "language": {"id": None, "label": "Unknown"},
            "category": {"id": None, "label": "Unknown"},
        },
        {"tags": None},
        {"embedUrl": "javascript:alert(1)"},
        {"previewUrl": "//[", "thumbnailUrl": None},
        {"publishedAt": "not a time"},
        {"name": None},
    ],
)
async def test_what_may_be_missing_or_strange(outside: Context, more: dict[str, Any]) -> None:
    async with PeerTube([Live(1, viewers=None, more=more)]) as server:
        seen = await look(outside, server)
    (stream,) = seen.streams
    assert stream.viewers == 0
    assert stream.title
    assert stream.player_url.startswith("https://tube.example/videos/embed/")
    assert stream.channel_name
    assert stream.category in ("Gaming", "")


async def test_more_pages_than_can_be(outside: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peertube, "MAX_PAGES", 2)
    async with PeerTube(250) as server:
        with pytest.raises(SourceError, match="more than 2 pages"):
            await look(outside, server)


async def test_the_test_of_a_source(outside: Context) -> None:
    async with PeerTube(12) as server:
        said = await peertube.KIND.test(outside, make_source("peertube", server.url))
    assert said == "PeerTube's search answers; 12 streams are live"
