"""owncast: both lists of the directory joined, and what the instances say of themselves."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.servers.owncast import Instance, Owncast
from tests.sources.looking import Pass, look_through, make_source
from vigil.context import Context
from vigil.errors import SourceError
from vigil.fetch import Fetcher
from vigil.sources import owncast
from vigil.streams.model import SeenStream


async def look(context: Context, server: Owncast) -> Pass:
    return await look_through(context, make_source("owncast", server.url))


async def test_what_an_instance_becomes(outside: Context) -> None:
    async with Owncast(
        [Instance("radio", title="Late\nshow, live", tags=("music", "talk"), viewers=4)]
    ) as server:
        seen = await look(outside, server)
        place = f"127.0.0.1:{server.port}/radio"
        assert seen.streams == [
            SeenStream(
                external_id=place,
                title="Late show, live",
                viewers=4,
                page_url=f"{server.url}/radio",
                player="hls",
                player_url=f"{server.url}/radio/hls/stream.m3u8",
                tags=("music", "talk"),
                channel_id="0",
                channel_login=place,
                channel_name="radio",
                thumbnail_url=f"{server.url}/radio/thumbnail.jpg",
                started_at=datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC),
            )
        ]


async def test_what_is_for_adults_or_not_rated_is_not_kept(outside: Context) -> None:
    instances = [
        Instance("fine"),
        Instance("adult", nsfw=True),
        Instance("unrated", nsfw=None),
        Instance("unlisted", listed=False),
        Instance("gone", live=False),
    ]
    async with Owncast(instances) as server:
        seen = await look(outside, server)
    assert [stream.channel_name for stream in seen.streams] == ["fine"]
    assert seen.refused == {"for adults": 1, "not rated": 2}
    assert seen.found == 4


async def test_listed_twice_with_two_ratings_the_stricter_one_counts(outside: Context) -> None:
    for first in (True, False):
        instances = [Instance("same", nsfw=first), Instance("same", nsfw=not first)]
        async with Owncast(instances) as server:
            seen = await look(outside, server)
        assert not seen.streams
        assert seen.refused == {"for adults": 2}


async def test_what_says_itself_that_it_is_offline(outside: Context) -> None:
    async with Owncast([Instance("off", online=False), Instance("on", viewers=None)]) as server:
        seen = await look(outside, server)
    assert [(s.channel_name, s.viewers) for s in seen.streams] == [("on", 0)]
    assert seen.refused == {"offline by its own word": 1}


async def test_instances_that_do_not_answer_are_kept_without_viewers(outside: Context) -> None:
    async with Owncast([Instance("a", viewers=5), Instance("b", viewers=5)]) as server:
        server.faults.silent_instances = True
        seen = await look(outside, server)
    assert [(s.viewers, s.started_at) for s in seen.streams] == [(0, None)] * 2


async def test_a_directory_cannot_send_us_into_our_own_network(outside: Context) -> None:
    """The directory's address is an admin's word; those in its answer are a stranger's."""
    async with Fetcher(clock=outside.clock) as guarded, Owncast() as server:
        seen = await look(replace(outside, fetcher=guarded), server)
        assert len(seen.streams) == 2
        assert {request.path for request in server.requests} == {"/api/iptv", "/api/home"}


async def test_many_instances_come_in_batches_and_slow_ones_do_not_hold_a_pass(
    outside: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Owncast([Instance(f"i{number}", viewers=number) for number in range(120)]) as server:
        quick = await look(outside, server)
        assert [len(page.streams) for page in quick.pages] == [50, 50, 20]
        assert [page.found for page in quick.pages] == [120, 0, 0]
        assert sorted(stream.viewers for stream in quick.streams) == list(range(120))
        monkeypatch.setattr(owncast, "STATUS_TIMEOUT_S", 0.3)
        server.faults.slow_s = 0.5  # slower than an instance may be, not than the directory
        began = time.monotonic()
        slow = await look(outside, server)
        assert time.monotonic() - began < 20
    assert [stream.viewers for stream in slow.streams] == [0] * 120


async def test_a_directory_cannot_have_us_ask_any_number_of_hosts(
    outside: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owncast, "MOST_INSTANCES", 3)
    async with Owncast([Instance(f"i{number}") for number in range(5)]) as server:
        seen = await look(outside, server)
    assert len(seen.streams) == 3
    assert seen.refused == {"beyond the first 3": 2}


async def test_nothing_is_live(outside: Context) -> None:
    async with Owncast([]) as server:
        seen = await look(outside, server)
    assert (seen.found, len(seen.pages), seen.streams) == (0, 1, [])


async def test_no_playlist(outside: Context) -> None:
    async with Owncast() as server:
        server.faults.no_playlist = True
        with pytest.raises(SourceError, match="Owncast directory sent something that is no M3U"):
            await look(outside, server)


async def test_the_test_of_a_source(outside: Context) -> None:
    async with Owncast() as server:
        said = await owncast.KIND.test(outside, make_source("owncast", server.url))
    assert said == "the Owncast directory answers; 2 instances are live"
