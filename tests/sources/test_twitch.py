"""twitch: tokens, cursors, the rate limit and the criteria, against a peer that speaks Helix."""

from __future__ import annotations

import asyncio
import time
import tracemalloc
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

import msgspec
import pytest
import pytest_asyncio
from aiohttp import web

from tests.servers.helix import Channel, Cursors, Helix, channel
from tests.sources.looking import Pass, look_through, make_source
from vigil.clock import FakeClock
from vigil.context import Context
from vigil.errors import SourceError
from vigil.fetch import Fetcher
from vigil.sources import bucket, helix, turning, twitch
from vigil.sources.model import Split
from vigil.streams.model import SeenStream


def pointed_at(context: Context, server: Helix) -> Context:
    """The context with the settings of this peer."""
    settings = replace(
        context.settings,
        twitch_api_url=server.api_url,
        twitch_auth_url=server.auth_url,
        twitch_client_id=server.client_id,
        twitch_client_secret=server.client_secret,
    )
    return replace(context, settings=settings)


async def look(context: Context, server: Helix, memory: str = "", **options: object) -> Pass:
    source = replace(make_source("twitch", None, **options), memory=memory)
    return await look_through(pointed_at(context, server), source)


def under_way(server: Helix, language: str = "en") -> list[int]:
    """A list that grows: how many requests for a language are under way, at each of them."""
    told, handle, count = [0], server.handle, 0

    async def counting(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal count
        mine = request.query.getall("language", []) == [language]
        count += mine
        told.append(count)
        try:
            return await handle(request)
        finally:
            count -= mine

    server.handle = counting  # type: ignore[method-assign]  # as a subclass would, of this one server
    return told


def remembered(seen: Pass) -> turning.Memory:
    """What the next pass will know."""
    return msgspec.json.decode(seen.memory, type=twitch._Notes).memory


class Waits(FakeClock):
    """A clock that stands still, and knows who waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []
        self.waiting = 0

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.waiting += 1
        try:
            await super().sleep(seconds)
        finally:
            self.waiting -= 1


@pytest_asyncio.fixture
async def fake(outside: Context) -> AsyncIterator[tuple[Context, Waits]]:
    """The context on a clock that stands still."""
    clock = Waits()
    async with Fetcher(clock=clock) as fetcher:
        yield replace(outside, clock=clock, fetcher=fetcher), clock


async def pass_time(task: asyncio.Task[Pass], clock: Waits, *others: FakeClock) -> Pass:
    """See a pass to its end: time goes by only while it waits for it."""
    while not task.done():
        await asyncio.sleep(0.001)  # real time, for the loopback
        if clock.waiting:
            for one in (clock, *others):
                await one.advance(1)
    return await task


async def test_what_a_stream_becomes(outside: Context) -> None:
    sent = Channel(
        id="40944725612",
        user_id="459331509",
        user_login="auronplay",
        user_name="AuronPlay",
        game_id="1435206302",
        game_name="Little Nightmares",
        title="hablamos y le damos\x00 a\nLittle Nightmares",
        viewer_count=3,
        started_at="2021-03-10T15:04:21Z",
        language="ES",
        thumbnail_url="https://static-cdn.jtvnw.net/live_user_auronplay-{width}x{height}.jpg",
        tags=("Español", "", "Español"),
        is_mature=True,
    )
    async with Helix([sent]) as server:
        seen = await look(outside, server)
    assert seen.streams == [
        SeenStream(
            external_id="40944725612",
            title="hablamos y le damos a Little Nightmares",
            viewers=3,
            page_url="https://www.twitch.tv/auronplay",
            player="twitch",
            player_url="auronplay",
            category_id="1435206302",
            category="Little Nightmares",
            tags=("Español",),
            language="es",
            mature=True,
            channel_id="459331509",
            channel_login="auronplay",
            channel_name="AuronPlay",
            thumbnail_url="https://static-cdn.jtvnw.net/live_user_auronplay-{width}x{height}.jpg",
            started_at=datetime(2021, 3, 10, 15, 4, 21, tzinfo=UTC),
        )
    ]


async def test_every_page_to_the_last_stream_that_nobody_watches(
    fake: tuple[Context, Waits],
) -> None:
    context, clock = fake
    async with Helix(950, points=800, clock=clock) as server:
        seen = await look(context, server)
        assert server.pages == len(seen.pages) == 10
        assert {s.external_id for s in seen.streams} == {c.id for c in server.live}
        assert seen.streams[-1].viewers == 0
    assert [page.found for page in seen.pages] == [100] * 9 + [50]
    assert [page.budget_remaining for page in seen.pages] == list(range(799, 789, -1))
    assert {page.budget_limit for page in seen.pages} == {800}


async def test_nothing_is_live(outside: Context) -> None:
    async with Helix(0) as server:
        seen = await look(outside, server)
    assert (seen.found, len(seen.pages)) == (0, 1)


async def test_null_tags(outside: Context) -> None:
    async with Helix(5) as server:
        server.faults.null_tags = True
        seen = await look(outside, server)
    assert [stream.tags for stream in seen.streams] == [()] * 5


async def test_repeated_items_and_churn_end_well(outside: Context) -> None:
    async with Helix(1000) as server:
        server.faults.repeats, server.faults.churn = 7, 3
        seen = await look(outside, server)
    assert seen.found == 1000 + 9 * 7
    assert len({stream.external_id for stream in seen.streams}) > 950


class TestSplits:
    async def test_every_language_is_seen_also_those_that_nobody_listed(
        self, outside: Context
    ) -> None:
        made = list(Helix(3000).live)
        made += [replace(channel(5000 + n, 0), language="ka") for n in range(3)]  # further
        made += [replace(channel(6000 + n, 9**6), language="x-elvish") for n in range(150)]
        async with Helix(made) as server:
            seen = await look(outside, server)
            assert {s.external_id for s in seen.streams} == {c.id for c in server.live}
            assert Split(("ka",)) not in seen.whole
            assert any("ka" in part.languages for part in seen.whole)
            asked = [one for one in server.requests if one.path == "/helix/streams"]
            assert len(asked) < 31 + twitch.OPENING + len(twitch.LANGUAGES) + 4

    async def test_chosen_languages_are_the_splits(self, outside: Context) -> None:
        async with Helix(8000) as server:
            seen = await look(outside, server, languages=["de", "en"])
            expected = {one.id for one in server.live if one.language in ("de", "en")}
        assert {stream.external_id for stream in seen.streams} == expected

    async def test_categories_are_the_splits_of_one_language(self, outside: Context) -> None:
        async with Helix(8000) as server:
            games = sorted({one.game_id for one in server.live})[:30]
            seen = await look(outside, server, languages=["en"], categories=games)
            expected = {
                one.id for one in server.live if one.language == "en" and one.game_id in games
            }
        assert {stream.external_id for stream in seen.streams} == expected

    async def test_many_requests_are_under_way_at_once_and_none_is_refused(
        self, outside: Context
    ) -> None:
        """Answers take 0.2 s; one cursor alone would need 30 s."""
        async with Helix(15_000, points=800) as server:
            server.faults.slow_s = 0.2
            began = time.perf_counter()
            seen = await look(outside, server)
            took = time.perf_counter() - began
            assert len({stream.external_id for stream in seen.streams}) == 15_000
            assert server.refused == 0
            pages_of_longest = sum(one.language == "en" for one in server.live) / 100
        assert took < (twitch.OPENING + pages_of_longest) * 0.2 + 8

    @pytest.mark.parametrize("cursors", ["score", "offset", "bound"])
    async def test_the_second_pass_turns_long_parts_in_stretches(
        self, outside: Context, cursors: Cursors
    ) -> None:
        async with Helix(12_000, cursors=cursors) as server:
            seen = await look(outside, server)
            assert {s.external_id for s in seen.streams} == {c.id for c in server.live}
            pages = server.pages
            for _ in range(3):
                seen = await look(outside, server, seen.memory)
                assert {s.external_id for s in seen.streams} == {c.id for c in server.live}
                # The part of each of eleven languages ends in a page that is not full.
                assert server.pages - pages <= 120 + 11 + twitch.GLANCE + 1
                pages = server.pages
            length, marks = remembered(seen).lengths["en"], remembered(seen).marks["en"]
            assert length // turning.GRAIN - 1 <= len(marks) <= length // turning.GRAIN
            at_once = under_way(server)
            server.faults.slow_s = 0.1
            for _ in range(2):  # in the first one it learns how slow they are
                seen = await look(outside, server, seen.memory)
            assert max(at_once) >= 3

    def test_stretches_are_as_long_as_the_rate_limit_allows(self) -> None:
        memory = turning.Memory()
        for _ in range(9):
            memory.learn(waited=True)
        assert memory.stride == turning.STRIDE_MOST
        for _ in range(9):
            memory.learn(waited=False)
        assert memory.stride == turning.GRAIN

    @pytest.mark.parametrize("cursors", ["score", "offset"])
    async def test_stretches_hold_while_the_directory_changes(
        self, outside: Context, cursors: Cursors
    ) -> None:
        async with Helix(8_000, cursors=cursors) as server:
            seen = await look(outside, server)
            for ended, begun in ((500, 500), (3000, 0), (0, 4000), (1000, 1000)):
                server.churn(ended, begun, 500)
                pages = server.pages
                seen = await look(outside, server, seen.memory)
                assert {s.external_id for s in seen.streams} == {c.id for c in server.live}
                assert server.pages - pages < len(server.live) / 100 * 1.2 + 15, (ended, begun)

    async def test_one_that_changes_places_meanwhile_ends_no_stretch(
        self, outside: Context
    ) -> None:
        """Between two stretches stands one from the first page of the second."""
        async with Helix(9_000, cursors="score", languages=("en",)) as server:
            seen = await look(outside, server)
            turner = server.handle

            async def handle(request: web.BaseRequest) -> web.StreamResponse:
                answer = await turner(request)
                if request.query.get("after"):
                    for _ in range(3):  # people come to those whom nobody watched
                        one = server.live[-1 - server.pages]
                        server.stop(one.id)
                        server.start(replace(one, viewer_count=5))
                return answer

            server.handle = handle  # type: ignore[method-assign]  # as a subclass would, of this one server
            seen = await look(outside, server, seen.memory)
            missed = {c.id for c in server.live} - {s.external_id for s in seen.streams}
            assert len(missed) < 300

    async def test_cursors_that_are_not_taken_any_more_cost_nothing_but_time(
        self, outside: Context
    ) -> None:
        async with Helix(6_000) as server:
            seen = await look(outside, server)
            for _ in range(3):
                server.faults.epoch += 1
                seen = await look(outside, server, seen.memory)
                assert {s.external_id for s in seen.streams} == {c.id for c in server.live}

    @pytest.mark.parametrize(
        "memory", ["", "null", "{", '{"criteria": "x"}', '{"criteria": 7}', '{"memory": {}}']
    )
    async def test_what_is_remembered_may_be_anything(self, outside: Context, memory: str) -> None:
        async with Helix(150) as server:
            assert (await look(outside, server, memory)).found == 150

    @pytest.mark.parametrize("cursors", ["score", "offset", "bound"])
    async def test_the_first_pass_borrows_cursors_for_the_biggest_language(
        self, outside: Context, cursors: Cursors
    ) -> None:
        async with Helix(12_000, cursors=cursors, languages=("en",) * 9 + ("cs",)) as server:
            server.faults.slow_s, at_once = 0.03, under_way(server)
            seen = await look(outside, server)
            assert {s.external_id for s in seen.streams} == {c.id for c in server.live}
            assert server.pages < 120 + twitch.OPENING + len(twitch.LANGUAGES) + 20
            assert max(at_once) >= 4 or cursors != "score"

    @pytest.mark.parametrize("count", [0, 50, 450, 3000])
    async def test_a_last_cursor_that_leads_back_is_the_end(
        self, outside: Context, count: int
    ) -> None:
        async with Helix(count) as server:
            server.faults.circle = True
            seen = await look(outside, server)
            seen = await look(outside, server, seen.memory)
            assert {s.external_id for s in seen.streams} == {c.id for c in server.live}
            assert server.pages < 250

    async def test_a_part_that_fails_fails_the_pass_but_not_the_others(
        self, outside: Context
    ) -> None:
        async with Helix(3000) as server:
            server.faults.broken_language = "de"
            turned: set[str] = set()

            whole: list[Split] = []

            async def turn() -> None:
                source = make_source("twitch", None)
                async for page in twitch.pages(pointed_at(outside, server), source):
                    turned.update(stream.external_id for stream in page.streams)
                    whole.extend([page.whole] if page.whole else [])

            with pytest.raises(SourceError, match=r"1 of \d+ parts failed, first de"):
                await turn()
            expected = {one.id for one in server.live if one.language != "de"}
        assert turned >= expected
        assert {language for part in whole for language in part.languages} == {
            *twitch.LANGUAGES,
            *twitch.FURTHER_LANGUAGES,
        } - {"de"}

    async def test_one_who_stops_listening_leaves_nothing_running(self, outside: Context) -> None:
        async with Helix(5000) as server:
            server.faults.slow_s = 0.05
            before = len(asyncio.all_tasks())
            turning = twitch.pages(pointed_at(outside, server), make_source("twitch", None))
            for _ in range(twitch.OPENING + 5):
                await anext(turning)
            await cast("AsyncGenerator[object, None]", turning).aclose()
            await asyncio.sleep(0.3)
            assert len([t for t in asyncio.all_tasks() if "turn" in repr(t)]) == 0
            assert len(asyncio.all_tasks()) <= before + 70  # the peer's connections

    async def test_the_memory_of_a_pass_does_not_grow_with_the_directory(
        self, outside: Context, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What it holds is the requests under way and the pages that wait to be written."""
        monkeypatch.setattr(helix, "AT_ONCE", 8)
        monkeypatch.setattr(twitch, "AHEAD", 8)

        async def most(count: int) -> int:
            async with Helix(count, points=5000) as server:
                await look(outside, server)  # now the peer holds all its answers
                tracemalloc.start()
                source = make_source("twitch", None)
                async for _ in twitch.pages(pointed_at(outside, server), source):
                    server.requests.clear()
                peak = tracemalloc.get_traced_memory()[1]
                tracemalloc.stop()
                return peak

        assert await most(16_000) < 1.5 * await most(4_000)


@pytest.mark.parametrize("silent", [1, 2])
async def test_one_request_without_an_answer_is_made_again(
    outside: Context, monkeypatch: pytest.MonkeyPatch, silent: int
) -> None:
    monkeypatch.setattr(helix, "TIMEOUT_S", 0.3)
    async with Helix(150) as server:
        handle, left = server.handle, silent

        async def one_sleeps(request: web.BaseRequest) -> web.StreamResponse:
            nonlocal left
            if "after" in request.query and left:
                left -= 1
                await asyncio.sleep(1)
            return await handle(request)

        server.handle = one_sleeps  # type: ignore[method-assign]  # as a subclass would, of this one server
        if silent == 1:
            assert (await look(outside, server)).found == 150
        else:
            with pytest.raises(SourceError, match="did not answer"):
                await look(outside, server)


async def test_who_was_missed_is_asked_for_by_name(outside: Context) -> None:
    async with Helix(300) as server:
        context = pointed_at(outside, server)
        one, other = server.live[0], server.live[-1]
        names = [one.user_id, "999999999", other.user_id]
        page = await twitch.confirm(context, make_source("twitch", None), names)
        assert {stream.external_id for stream in page.streams} == {one.id, other.id}
        few = make_source("twitch", None, max_viewers=other.viewer_count)
        page = await twitch.confirm(context, few, names)
        assert {stream.external_id for stream in page.streams} == {other.id}


async def test_a_page_that_is_none_stops_the_pass(outside: Context) -> None:
    async with Helix(300) as server:
        server.faults.too_many_items = True
        with pytest.raises(SourceError, match="10000 items in a page of 100"):
            await look(outside, server)


async def test_the_reasons_of_malformed_items_are_told_apart(outside: Context) -> None:
    async with Helix(150) as server:
        server.faults.bad_items = 9
        seen = await look(outside, server)
    assert len(seen.streams) == 150
    assert seen.refused.total() == 18
    assert seen.refused["malformed: Object missing required field `viewer_count`"] == 2
    assert len(seen.refused) >= 5


class TestTokens:
    async def test_one_token_for_many_passes(self, outside: Context) -> None:
        async with Helix(300) as server:
            await look(outside, server)
            await look(outside, server)
            assert server.tokens_given == 1

    async def test_a_void_token_is_renewed_once_and_the_pass_goes_on(
        self, outside: Context
    ) -> None:
        async with Helix(300) as server:
            await look(outside, server)
            server.faults.unauthorized = 1
            assert (await look(outside, server)).found == 300
            assert server.tokens_given == 2

    async def test_refused_again_is_an_error(self, outside: Context) -> None:
        async with Helix(300) as server:
            server.faults.unauthorized = -1
            with pytest.raises(SourceError, match="refuses our token"):
                await look(outside, server)
            assert server.tokens_given == 2

    async def test_an_old_token_is_renewed_before_it_expires(
        self, fake: tuple[Context, Waits]
    ) -> None:
        context, clock = fake
        async with Helix(1, clock=clock) as server:
            await look(context, server)
            await clock.advance(5_011_271)
            await look(context, server)
            assert server.tokens_given == 2

    async def test_wrong_credentials(self, outside: Context) -> None:
        async with Helix(1) as server:
            context = pointed_at(outside, server)
            secret = "wr0ng-secret"
            settings = replace(context.settings, twitch_client_secret=secret)
            with pytest.raises(SourceError, match="refuses our client id or secret") as caught:
                await look_through(replace(context, settings=settings), make_source("twitch", None))
        assert secret not in str(caught.value)

    async def test_no_credentials(self, outside: Context) -> None:
        with pytest.raises(SourceError, match="needs a client id") as caught:
            await look_through(outside, make_source("twitch", None))
        assert "VIGIL_TWITCH_CLIENT_ID" in (caught.value.hint or "")
        assert caught.value.permanent

    async def test_the_token_endpoint_fails(self, outside: Context) -> None:
        async with Helix(1) as server:
            server.faults.token_error = 1
            with pytest.raises(SourceError, match="answered 500"):
                await look(outside, server)
            assert (await look(outside, server)).found == 1


class TestRateLimit:
    async def test_never_faster_than_the_bucket_and_never_refused(
        self, fake: tuple[Context, Waits]
    ) -> None:
        context, clock = fake
        async with Helix(5000, points=20, window_s=60, clock=clock) as server:
            began = clock.monotonic()
            seen = await pass_time(asyncio.create_task(look(context, server)), clock)
            assert len({stream.external_id for stream in seen.streams}) == 5000
            assert server.refused == 0
            asked = sum(one.path == "/helix/streams" for one in server.requests)
        # 20 at once; then 20 a minute: what the limit dictates, and no more.
        floor = (asked - 20) * 3
        assert floor <= clock.monotonic() - began <= floor * 1.05 + 5

    async def test_429_waits_a_little_and_then_goes_at_the_rate_of_the_limit(
        self, fake: tuple[Context, Waits]
    ) -> None:
        context, clock = fake
        async with Helix(300, points=60, window_s=60, clock=clock) as server:
            server.faults.too_many = 1
            seen = await pass_time(asyncio.create_task(look(context, server)), clock)
            assert seen.found == 300
            assert server.refused <= 2
        assert clock.monotonic() <= 7

    async def test_a_bucket_that_is_filled_at_once_is_waited_for(
        self, fake: tuple[Context, Waits]
    ) -> None:
        """Not a point comes back before the reset."""
        context, clock = fake
        async with Helix(900, points=5, window_s=60, clock=clock, at_once=True) as server:
            seen = await pass_time(asyncio.create_task(look(context, server)), clock)
            assert seen.found == 900
            assert server.refused < 10
        assert 60 <= clock.monotonic() <= 190

    async def test_429_for_ever_gives_up(self, fake: tuple[Context, Waits]) -> None:
        context, clock = fake
        async with Helix(300, clock=clock) as server:
            server.faults.too_many = -1
            with pytest.raises(SourceError, match="rate limit stays exhausted") as caught:
                await pass_time(asyncio.create_task(look(context, server)), clock)
            assert server.refused == helix.MAX_WAITS + 1
        assert caught.value.retry_after == 60

    @pytest.mark.parametrize("skew_s", [-86_400, 86_400])
    async def test_a_clock_that_is_wrong_does_not_hang_a_pass(
        self, fake: tuple[Context, Waits], skew_s: float
    ) -> None:
        context, clock = fake
        theirs = FakeClock()
        theirs.jump(skew_s)
        async with Helix(300, points=3, window_s=1, clock=theirs) as server:
            server.faults.too_many = 1
            seen = await pass_time(asyncio.create_task(look(context, server)), clock, theirs)
        assert seen.found == 300
        assert max(clock.waits) <= bucket.WAIT_MOST_S
        assert len(clock.waits) < 10


class TestCursors:
    async def test_a_cursor_that_repeats(self, outside: Context) -> None:
        async with Helix(1000) as server:
            server.faults.repeat_cursor = True
            with pytest.raises(SourceError, match="circle"):
                await look(outside, server)
            assert server.pages < 5

    async def test_pages_without_items_for_ever(self, outside: Context) -> None:
        async with Helix(1000) as server:
            server.faults.empty_pages = True
            with pytest.raises(SourceError, match="circle"):
                await look(outside, server)
            assert server.pages < 10

    async def test_more_pages_than_can_be(
        self, outside: Context, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(twitch, "MAX_PAGES", 3)
        async with Helix(1000) as server:
            with pytest.raises(SourceError, match="more than 3 pages"):
                await look(outside, server)
            assert server.pages == 3


class TestCriteria:
    async def test_languages_are_asked_for(self, outside: Context) -> None:
        async with Helix(1000) as server:
            seen = await look(outside, server, languages=["de", "ja"])
            expected = {one.id for one in server.live if one.language in ("de", "ja")}
        assert {stream.external_id for stream in seen.streams} == expected
        assert seen.found == len(expected)

    async def test_categories_are_asked_for(self, outside: Context) -> None:
        async with Helix(1000) as server:
            wanted = server.live[0].game_id
            seen = await look(outside, server, categories=[wanted])
        assert {stream.category_id for stream in seen.streams} == {wanted}

    async def test_max_viewers(self, outside: Context) -> None:
        made = [channel(number, number) for number in range(20)]
        async with Helix(made) as server:
            seen = await look(outside, server, max_viewers=2)
        assert sorted(stream.viewers for stream in seen.streams) == [0, 1, 2]
        assert seen.refused == {"more than 2 viewers": 17}

    async def test_what_is_not_live(self, outside: Context) -> None:
        async with Helix([replace(channel(1, 0), type=""), channel(2, 0)]) as server:
            seen = await look(outside, server)
        assert seen.refused == {"not live": 1}
        assert len(seen.streams) == 1


async def test_the_test_of_a_source(outside: Context) -> None:
    async with Helix(3) as server:
        said = await twitch.KIND.test(pointed_at(outside, server), make_source("twitch", None))
        assert said == "Twitch answers; 799 of 800 requests are left"
        assert len(server.requests) == 2  # the token and one stream


async def test_twenty_thousand_in_a_moment(outside: Context) -> None:
    async with Helix(20_000, points=5000) as server:
        began = time.perf_counter()
        seen = await look(outside, server)
        took = time.perf_counter() - began
    assert len({stream.external_id for stream in seen.streams}) == 20_000
    assert took < 20
