"""What streams remember: samples, peaks, titles, ends; thinned and forgotten with time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

import db_utils
from tests.conftest import Site
from tests.streams.test_views import get, show, stream
from vigil.clock import FakeClock
from vigil.context import Context, open_context
from vigil.settings import Settings
from vigil.sources import blocking
from vigil.streams.history import store
from vigil.streams.history.chart import GAP, HEIGHT, WIDTH, chart, even_top
from vigil.streams.history.model import ENDED, FINE, HOURLY, SAMPLE, Memory, Watched
from vigil.streams.history.scan import AT_ONCE, sample
from vigil.streams.model import SeenStream
from vigil.streams.scan import targets
from vigil.streams.writing import store as writing

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAY_S = 86_400.0


class Past:
    """A directory whose passes are played by hand on a clock that stands still."""

    def __init__(self, context: Context, clock: FakeClock, source_id: int) -> None:
        self.context, self.clock, self.source_id = context, clock, source_id
        self.pool = context.pool
        self.sampled: list[datetime] = []

    async def show(self, *streams: SeenStream) -> None:
        """A pass: these are live, others are not."""
        now = self.clock.now()
        await writing.write_batch(self.pool, self.source_id, streams, now, 600)
        await writing.retire(self.pool, self.source_id, now)

    async def later(self, seconds: float = SAMPLE.total_seconds()) -> None:
        """Time passes, a sample is taken, and a second passes."""
        await self.clock.advance(seconds)
        await sample(self.context)
        self.sampled.append(self.clock.now())
        await self.clock.advance(1)

    async def live(self, name: str) -> Memory:
        found = await store.live(self.pool, "tw", name, self.clock.now())
        assert found is not None
        return found


@pytest_asyncio.fixture
async def past(settings: Settings) -> AsyncIterator[Past]:
    clock = FakeClock(START)
    async with open_context(settings, "test", clock=clock) as context:
        source_id: int = await context.pool.fetchval(
            "INSERT INTO sources (name, kind) VALUES ('tw', 'twitch') RETURNING id"
        )
        yield Past(context, clock, source_id)


def numbers(points: Sequence[Watched]) -> list[int]:
    return [point.viewers for point in points]


async def test_a_stream_is_remembered_while_it_is_live(past: Past) -> None:
    await past.show(stream(1, viewers=2))
    fresh = await past.live("1")
    assert fresh.first_seen == START
    assert fresh.history == (fresh.peak,) == (Watched(at=START, viewers=2),)
    assert [title.title for title in fresh.titles] == ["Super Mario 64"]
    for viewers in (2, 7, 3):
        await past.show(stream(1, viewers=viewers), stream(2, viewers=0))
        await past.later()
    await past.show(stream(1, viewers=1), stream(2, viewers=0))
    found = await past.live("1")
    assert found.first_seen == START
    assert numbers(found.history) == [2, 7, 3, 1]
    assert [point.at for point in found.history] == [*past.sampled, past.clock.now()]
    assert found.peak == Watched(at=past.sampled[0] + timedelta(seconds=1), viewers=7)
    await past.show(stream(1, viewers=9), stream(2, viewers=0))
    assert (await past.live("1")).peak == Watched(at=past.clock.now(), viewers=9)
    assert numbers((await past.live("2")).history) == [0, 0, 0, 0]
    assert await store.live(past.pool, "tw", "3", past.clock.now()) is None
    assert await store.live(past.pool, "other", "1", past.clock.now()) is None
    assert await store.ended(past.pool, "tw", "1") is None


async def test_titles_are_remembered_when_they_change(past: Past) -> None:
    moments = []
    for number in range(3):
        await past.show(stream(1, title=f"Part {number}", viewers=number), stream(2))
        moments.append(past.clock.now())
        await past.later()
    await past.show(stream(1, title="Part 2", category="Music", viewers=1), stream(2))
    await past.later()  # another category is no other title
    await past.show(stream(1, title="Part 3"), stream(2))  # not sampled yet
    moments.append(past.clock.now())
    found = await past.live("1")
    assert [title.title for title in found.titles] == [f"Part {n}" for n in range(4)]
    assert [title.at for title in found.titles] == moments
    assert len((await past.live("2")).titles) == 1

    for number in range(store.MOST_TITLES + 5):
        await past.show(stream(1, title=f"Again {number}"))
        await past.later()
    titles = (await past.live("1")).titles
    assert len(titles) == store.MOST_TITLES
    assert titles[-1].title == f"Again {store.MOST_TITLES + 4}"
    assert titles == tuple(sorted(titles, key=lambda title: title.at))


async def test_a_stream_that_ended_is_remembered_for_some_days(past: Past) -> None:
    began = START - timedelta(hours=3)
    for viewers in (1, 5):
        await past.show(stream(1, viewers=viewers, started_at=began, title=f"At {viewers}"))
        await past.later()
    await past.show()
    await past.later()
    assert await store.live(past.pool, "tw", "1", past.clock.now()) is None
    found = await store.ended(past.pool, "tw", "1")
    assert found is not None
    assert found.ended_at == past.sampled[-2] + SAMPLE
    assert found.live_s == (found.ended_at - began).total_seconds()
    assert found.title == "At 5"
    assert (found.channel_login, found.channel_name) == ("login1", "Login1")
    assert found.page_url == "https://www.twitch.tv/login1"
    assert numbers(found.memory.history) == [1, 5]
    assert found.memory.peak.viewers == 5

    await past.show(stream(1, title="Back again"))  # another life
    await past.later()
    assert [title.title for title in (await past.live("1")).titles] == ["Back again"]
    await past.show()
    await past.later()
    found = await store.ended(past.pool, "tw", "1")
    assert found is not None
    assert found.title == "Back again"
    await past.later(ENDED.total_seconds() + 1)
    assert await store.ended(past.pool, "tw", "1") is None
    assert await past.pool.fetchval("SELECT count(*) FROM ended_streams") == 0


async def test_places_are_given_again_and_nobody_sees_the_viewers_of_another(past: Past) -> None:
    first = [stream(n, viewers=100 + n) for n in range(5)]
    await past.show(*first)
    await past.later()
    second = [*first[3:], *(stream(n, viewers=200 + n) for n in range(10, 14))]
    await past.show(*second)
    await past.later()
    await past.show(*second)
    slots = await past.pool.fetch("SELECT slot FROM stream_memories ORDER BY slot")
    assert [row["slot"] for row in slots] == list(range(6))
    for number in range(3):
        over = await store.ended(past.pool, "tw", str(number))
        assert over is not None
        assert numbers(over.memory.history) == [100 + number]
    for number in range(10, 14):
        assert set(numbers((await past.live(str(number))).history)) == {200 + number}
    assert set(numbers((await past.live("4")).history)) == {104}


async def test_more_streams_than_fit_in_a_row(past: Past) -> None:
    many = [stream(n, viewers=n % 5) for n in range(2500)]
    for _ in range(2):
        await past.show(*many)
        await past.later()
    assert await past.pool.fetchval("SELECT count(*) FROM stream_samples") == 6
    for number in (0, 1023, 1024, 2499):
        assert numbers((await past.live(str(number))).history) == [number % 5] * 2
    await past.show()
    await past.later()
    assert await past.pool.fetchval("SELECT count(*) FROM stream_samples") == 6
    assert AT_ONCE < 2500
    await past.later(ENDED.total_seconds() + 1)
    assert await past.pool.fetchval("SELECT count(*) FROM ended_streams") == 0


async def test_samples_are_thinned_and_expire(past: Past) -> None:
    one = stream(1)
    counts = []
    for number in range(int((HOURLY + timedelta(days=1)) / SAMPLE)):
        viewers = 77 if number == 5 else number % 3
        await past.show(replace(one, viewers=viewers))
        await past.later()
        counts.append(await past.pool.fetchval("SELECT count(*) FROM stream_samples"))
    day = int(FINE / SAMPLE)
    hours = int((HOURLY - FINE) / timedelta(hours=1))
    assert max(counts) <= day + hours + 2
    assert counts[-1] == counts[-13] >= day + hours - 2  # flat from the eighth day on
    found = await past.live("1")
    assert found.peak.viewers == 77  # which no sample holds any more
    gaps = {b.at - a.at for a, b in zip(found.history[:100], found.history[1:101], strict=True)}
    assert min(gaps) > timedelta(minutes=50)
    assert max(gaps) < timedelta(minutes=70)
    gaps = {
        b.at - a.at for a, b in zip(found.history[-101:-2], found.history[-100:-1], strict=True)
    }
    assert gaps == {SAMPLE + timedelta(seconds=1)}


async def test_one_process_takes_each_sample(past: Past) -> None:
    await past.show(stream(1))
    assert await sample(past.context) == pytest.approx(SAMPLE.total_seconds())
    await past.clock.advance(100)
    assert await sample(past.context) == pytest.approx(SAMPLE.total_seconds() - 100)
    assert await past.pool.fetchval("SELECT count(*) FROM stream_samples") == 1
    past.clock.jump(-DAY_S)  # a clock that was set back does not stop it
    await past.show(stream(1))
    await sample(past.context)
    assert await past.pool.fetchval("SELECT count(*) FROM stream_samples") == 2
    keys = [target.key for target in await targets(past.context)]
    assert keys.count("streams:history") == 1


async def test_what_ended_while_nobody_looked_ended_then(past: Past) -> None:
    await past.show(stream(1), stream(2))
    await past.later()
    last = past.sampled[-1]
    await past.clock.advance(DAY_S)
    await past.show(stream(2))
    await past.later()
    found = await store.ended(past.pool, "tw", "1")
    assert found is not None
    assert found.ended_at == last + SAMPLE
    drawn = chart((await past.live("2")).history)
    assert drawn is not None
    assert drawn.line.count("M") == 2  # no line where nobody looked


async def test_a_sample_is_whole_or_not_there(past: Past) -> None:
    """Its connection is killed with everything written but the sample itself."""
    await past.show(stream(1, viewers=1), stream(2))
    await past.later()
    await past.show(stream(1, viewers=8, title="other"), stream(3))
    before = await past.pool.fetch("SELECT * FROM stream_memories ORDER BY slot")
    await past.clock.advance(SAMPLE.total_seconds())
    async with db_utils.transaction(past.pool) as connection:
        await connection.execute("LOCK TABLE stream_samples IN SHARE MODE")
        sampling = asyncio.create_task(sample(past.context))
        killed = 0
        while not killed:
            await asyncio.sleep(0.05)
            killed = await connection.fetchval(
                """
                SELECT count(pg_terminate_backend(pid)) FROM pg_locks
                WHERE relation = 'stream_samples'::regclass AND NOT granted
                """
            )
        with pytest.raises(db_utils.GONE):
            await sampling
    assert await past.pool.fetch("SELECT * FROM stream_memories ORDER BY slot") == before
    assert await past.pool.fetchval("SELECT count(*) FROM ended_streams") == 0
    await sample(past.context)
    assert (await past.live("1")).titles[-1].title == "other"
    assert numbers((await past.live("1")).history)[0] == 1
    assert await store.ended(past.pool, "tw", "2") is not None


def at(minute: float, viewers: int) -> Watched:
    return Watched(at=START + timedelta(minutes=minute), viewers=viewers)


def test_the_chart() -> None:
    assert chart([]) is None
    assert chart([at(0, 1)]) is None
    assert chart([at(0, 1), at(0, 1)]) is None
    drawn = chart([at(0, 0), at(5, 3), at(10, 3), at(20, 4)])
    assert drawn is not None
    assert drawn.line == (f"M0.0 {HEIGHT}.0L{WIDTH / 4} 50.0L{WIDTH / 2} 50.0L{WIDTH}.0 0.0")
    assert drawn.area == f"M0.0 {HEIGHT}.0L{drawn.line[1:]}L{WIDTH}.0 {HEIGHT}.0Z"
    assert (drawn.top, drawn.least, drawn.most) == (4, 0, 4)
    assert drawn.middle == START + timedelta(minutes=10)
    assert drawn.changes == (at(20, 4), at(5, 3), at(0, 0))
    apart = chart([at(0, 0), at(5, 0), at(6 + GAP.total_seconds() / 60, 0)])
    assert apart is not None
    assert apart.line.count("M") == 2
    assert apart.top == 2


def test_the_upper_edge() -> None:
    for most in (*range(300), 2_147_483_647):
        top = even_top(most)
        assert top >= max(most, 2)
        assert top % 2 == 0
        assert top <= max(2, 2 * most)


async def page(site: Site, path: str, status: int = 200) -> str:
    async with site.client.get(path, headers={"accept": "text/html"}) as answer:
        text = await answer.text()
        assert answer.status == status, text
        assert answer.content_type == "text/html"
        return text


async def sampled(site: Site, source_id: int, *viewers: int) -> None:
    """Samples of stream 1, five minutes apart up to now, with so many viewers."""
    now = site.context.clock.now()
    last = None
    for number, watching in enumerate(viewers):
        at = now - SAMPLE * (len(viewers) - number)
        one = stream(1, viewers=watching, title=f"Part {number // 2}")
        await writing.write_batch(site.context.pool, source_id, [one], at, 86_400)
        await store.sample(site.context.pool, at, last)
        last = at


async def test_the_json_of_a_stream_says_what_is_remembered(site: Site) -> None:
    source_id = await show(site, stream(1, title="Part 0"))
    await sampled(site, source_id, 3, 9, 4)
    await show(site, stream(1, title="Part 1", viewers=6))
    status, answer = await get(site, "/api/v1/streams/tw/1")
    assert status == 200
    assert answer["viewer_count"] == 6
    assert [point["viewers"] for point in answer["history"]] == [3, 9, 4, 6]
    assert answer["history"][-1]["at"] == answer["seen_at"]
    assert answer["peak"]["viewers"] == 9
    assert [title["title"] for title in answer["titles"]] == ["Part 0", "Part 1"]
    assert datetime.fromisoformat(answer["first_seen"]) <= datetime.now(UTC)
    await blocking.block(site.context.pool, "word", "0", "me")
    _, answer = await get(site, "/api/v1/streams/tw/1")
    assert [title["title"] for title in answer["titles"]] == ["Part 1"]


async def test_the_page_of_a_stream(site: Site) -> None:
    source_id = await show(site, stream(1, title="Part 0", language="de"))
    text = await page(site, "/streams/tw/1")
    assert "Too new for a chart" in text
    assert "<svg" not in text
    await sampled(site, source_id, 3, 1234, 4)
    await show(site, stream(1, title="Part <b>1</b>", viewers=6, language="de"))
    text = await page(site, "/streams/tw/1?include=part&max_viewers=9")
    assert text.count("<svg") == 1
    assert "1,234 watching" in text
    assert "6 watching" in text
    assert "at least 3, at most 1,234, now 6" in text
    assert "German" in text
    assert "<b>1" not in text
    assert ' style="' not in text
    assert text.index("Part &lt;b&gt;1&lt;/b&gt;</bdi> <p") < text.index("Part 0</bdi> <p")
    assert 'href="/?include=part&amp;max_viewers=9" data-next' in text
    assert (
        f'property="og:url" content="{site.url}/streams/tw/1"'.replace("127.0.0.1", "localhost")
        in text
    )
    assert 'property="og:image" content="https://x.example/1-1280x720.jpg"' in text
    assert 'href="https://www.twitch.tv/login1"' in text
    async with site.client.head("/streams/tw/1") as answer:
        assert (answer.status, await answer.read()) == (200, b"")


async def test_the_page_of_a_stream_that_ended_or_never_was(site: Site) -> None:
    source_id = await show(site, stream(1))
    await sampled(site, source_id, 3, 5)
    pool, now = site.context.pool, site.context.clock.now()
    await pool.execute("DELETE FROM streams")
    text = await page(site, "/streams/tw/1", 404)  # over since the last sample
    assert "others are" in text.lower()
    await store.sample(pool, now, now - SAMPLE)
    text = await page(site, "/streams/tw/1?include=part", 410)
    assert "This stream ended" in text
    assert "at most <span" in text
    assert 'class="button" href="/?include=part"' in text
    assert 'content="noindex"' in text
    assert "<svg" in text
    assert (await get(site, "/api/v1/streams/tw/1"))[0] == 410
    for path in ("tw/2", "nobody/1", "tw/%00", "%00/1", "tw/1/2"):
        assert 'href="/"' in await page(site, f"/streams/{path}", 404)
    for path in ("tw/%ff", "tw/1?include=%ff"):
        await page(site, f"/streams/{path}", 400)
    await blocking.block(pool, "channel", "login1", "me")
    await page(site, "/streams/tw/1", 404)
    await blocking.unblock(pool, "channel", "login1")
    await page(site, "/streams/tw/1", 410)
    await blocking.block(pool, "word", "part", "me")
    await page(site, "/streams/tw/1", 404)


async def test_a_stream_with_a_strange_name_has_a_page(site: Site) -> None:
    await show(site, stream(1, external_id="host.example:ab/c d"))
    text = await page(site, "/streams/tw/host.example%3Aab%2Fc%20d")
    assert "/streams/tw/host.example%3Aab%2Fc%20d" in text
    assert 'href="/streams/tw/host.example%3Aab%2Fc%20d"' in await page(site, "/")
