from __future__ import annotations

import asyncio
import math
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import msgspec
import pytest

import db_utils
from vigil.streams import store
from vigil.streams.dealing import store as dealing
from vigil.streams.draws import end_of
from vigil.streams.model import Filter, SeenStream

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVERYTHING = Filter()


def stream(number: int, **changed: Any) -> SeenStream:
    made = SeenStream(
        external_id=str(number),
        title=f"Title {number}",
        viewers=0,
        page_url=f"https://www.twitch.tv/login{number}",
        player="twitch",
        player_url=f"login{number}",
        category_id="7",
        category="Chess",
        tags=("English", "Chill"),
        language="en",
        channel_id=f"c{number}",
        channel_login=f"login{number}",
        channel_name=f"Login{number}",
        thumbnail_url=f"https://x.example/{number}-{{width}}x{{height}}.jpg",
        started_at=NOW - timedelta(hours=1),
    )
    return replace(made, **changed)


async def make_source(pool: db_utils.Pool, name: str = "tw") -> int:
    source_id: int = await pool.fetchval(
        "INSERT INTO sources (name, kind) VALUES ($1, 'twitch') RETURNING id", name
    )
    return source_id


async def found(pool: db_utils.Pool, wanted: Filter = EVERYTHING, now: datetime = NOW) -> list[str]:
    rows = await dealing.draw(pool, wanted, 1000, now, 0.5)
    return sorted(msgspec.json.decode(row.body)["id"] for row in rows)


async def test_a_stream_is_stored_as_it_was_seen(pool: db_utils.Pool) -> None:
    source = await make_source(pool)
    assert await store.write_batch(pool, source, [stream(1, viewers=3)], NOW, 600) == 1
    body = await store.by_id(pool, "tw:1", NOW)
    assert body is not None
    assert msgspec.json.decode(body) == {
        "id": "1",
        "user_id": "c1",
        "user_login": "login1",
        "user_name": "Login1",
        "game_id": "7",
        "game_name": "Chess",
        "type": "live",
        "title": "Title 1",
        "viewer_count": 3,
        "started_at": "2026-03-01T11:00:00Z",
        "language": "en",
        "thumbnail_url": "https://x.example/1-{width}x{height}.jpg",
        "tags": ["English", "Chill"],
        "is_mature": False,
        "source": "tw",
        "url": "https://www.twitch.tv/login1",
        "player": "twitch",
        "player_url": "login1",
        "seen_at": "2026-03-01T12:00:00Z",
        "actions": {},
    }


async def test_what_is_not_known_stays_unknown(pool: db_utils.Pool) -> None:
    source = await make_source(pool)
    bare = SeenStream(
        external_id="a:b/c?d",
        title='"<b>\\ 🎈',
        viewers=0,
        page_url="http://x.example",
        player="hls",
        player_url="http://x.example/hls/stream.m3u8",
    )
    await store.write_batch(pool, source, [bare], NOW, 600)
    body = await store.by_id(pool, "a:b/c?d", NOW)
    assert body is not None
    shown = msgspec.json.decode(body)
    assert shown["title"] == '"<b>\\ 🎈'
    assert shown["tags"] == []
    assert shown["started_at"] is None
    assert shown["thumbnail_url"] is None


async def test_a_description_is_rewritten_only_when_it_changed(pool: db_utils.Pool) -> None:
    source = await make_source(pool)
    await store.write_batch(pool, source, [stream(1), stream(2), stream(3, tags=())], NOW, 600)
    before = {row["external_id"]: row for row in await pool.fetch("SELECT *, xmin FROM streams")}
    later = NOW + timedelta(seconds=30)
    changed = [stream(1, viewers=5), stream(2, title="Another"), stream(3, tags=(), viewers=1)]
    await store.write_batch(pool, source, changed, later, 600)

    after = {row["external_id"]: row for row in await pool.fetch("SELECT *, xmin FROM streams")}
    assert after["1"] == before["1"]
    assert after["3"] == before["3"]
    assert after["2"]["title"] == "Another"
    assert after["2"]["search_text"].startswith("another\n")
    assert after["2"]["changed_at"] == later
    assert after["2"]["first_seen_at"] == NOW
    assert after["2"]["id"] == before["2"]["id"]
    live = await pool.fetch("SELECT viewers, seen_at, expires_at FROM stream_liveness ORDER BY 1")
    assert [tuple(row) for row in live] == [
        (viewers, later, later + timedelta(seconds=600)) for viewers in (0, 1, 5)
    ]


@pytest.mark.parametrize(
    "changed",
    [
        {"title": "x"},
        {"category": "x"},
        {"tags": ("English",)},
        {"tags": ()},
        {"language": "de"},
        {"mature": True},
        {"thumbnail_url": None},
        {"player": "hls"},
        {"player_url": "x"},
        {"started_at": None},
        {"channel_name": "x"},
        {"page_url": "https://x.example"},
    ],
)
async def test_every_change_of_a_description_is_noticed(
    pool: db_utils.Pool, changed: dict[str, Any]
) -> None:
    source = await make_source(pool)
    await store.write_batch(pool, source, [stream(1)], NOW, 600)
    await store.write_batch(pool, source, [stream(1, **changed)], NOW, 600)
    row = await pool.fetchrow("SELECT * FROM streams")
    assert row is not None
    for name, value in changed.items():
        assert row[name] == (list(value) if name == "tags" else value)


async def test_refreshing_stays_in_the_page(pool: db_utils.Pool) -> None:
    source = await make_source(pool)
    streams = [stream(n) for n in range(2000)]
    await store.write_batch(pool, source, streams, NOW, 600)
    size = "SELECT pg_relation_size('stream_liveness') + pg_relation_size('stream_liveness_pkey')"
    fresh = await pool.fetchval(size)
    for n in range(1, 4):
        watched = [replace(one, viewers=n) for one in streams]
        await store.write_batch(pool, source, watched, NOW + timedelta(seconds=n), 600)
        await pool.execute("VACUUM stream_liveness")
    assert await pool.fetchval(size) <= 1.1 * fresh
    async with pool.acquire() as connection:
        await connection.execute("SELECT pg_stat_force_next_flush()")
        await connection.fetchval("SELECT 1")
    hot, updates = await _updates(pool)
    assert updates >= 6000
    assert hot >= 0.95 * updates


async def _updates(pool: db_utils.Pool) -> tuple[int, int]:
    hot = updates = 0
    for _ in range(50):  # what a backend counted becomes visible a little later
        row = await pool.fetchrow(
            "SELECT n_tup_hot_upd AS hot, n_tup_upd AS updates FROM pg_stat_user_tables"
            " WHERE relname = 'stream_liveness'"
        )
        assert row is not None
        hot, updates = row["hot"], row["updates"]
        if updates >= 6000:
            break
        await asyncio.sleep(0.1)
    return hot, updates


async def test_a_batch_with_repetitions_keeps_the_last(pool: db_utils.Pool) -> None:
    source = await make_source(pool)
    batch = [stream(1), stream(2), stream(1, viewers=9, title="Later")]
    assert await store.write_batch(pool, source, batch, NOW, 600) == 2
    body = await store.by_id(pool, "tw:1", NOW)
    assert body is not None
    shown = msgspec.json.decode(body)
    assert (shown["viewer_count"], shown["title"]) == (9, "Later")
    assert await store.write_batch(pool, source, [], NOW, 600) == 0


async def test_a_batch_is_written_whole_or_not_at_all(pool: db_utils.Pool) -> None:
    source = await make_source(pool)
    batch = [stream(n) for n in range(1500)] + [stream(9999, title="NUL \x00")]
    with pytest.raises(asyncpg.PostgresError):
        await store.write_batch(pool, source, batch, NOW, 600)
    assert await pool.fetchval("SELECT count(*) FROM streams") == 0
    assert await pool.fetchval("SELECT count(*) FROM stream_liveness") == 0


async def test_the_same_id_at_two_sources_is_two_streams(pool: db_utils.Pool) -> None:
    one, two = await make_source(pool, "one"), await make_source(pool, "two")
    await store.write_batch(pool, one, [stream(1, title="of one")], NOW, 600)
    await store.write_batch(pool, two, [stream(1, title="of two")], NOW, 600)
    assert await found(pool) == ["1", "1"]
    for key, title in (("one:1", "of one"), ("two:1", "of two"), ("1", "of one")):
        body = await store.by_id(pool, key, NOW)
        assert body is not None
        assert msgspec.json.decode(body)["title"] == title


async def test_retire_removes_what_its_source_did_not_show_again(pool: db_utils.Pool) -> None:
    one, two = await make_source(pool, "one"), await make_source(pool, "two")
    await store.write_batch(pool, one, [stream(1), stream(2)], NOW, 600)
    await store.write_batch(pool, two, [stream(3)], NOW, 600)
    later = NOW + timedelta(seconds=60)
    await store.write_batch(pool, one, [stream(2)], later, 600)
    assert await store.pass_counts(pool, one, later, NOW, later) == (1, 1)
    assert await store.pass_counts(pool, one, later, later, later) == (1, 0)
    assert await store.pass_counts(pool, one, later, NOW, NOW + timedelta(hours=1)) == (1, 0)
    assert await store.retire(pool, one, later) == 1
    assert await found(pool) == ["2", "3"]
    assert await pool.fetchval("SELECT count(*) FROM stream_liveness") == 2


async def test_expired_streams_are_not_shown_and_then_pruned(pool: db_utils.Pool) -> None:
    source = await make_source(pool)
    await store.write_batch(pool, source, [stream(1)], NOW, 60)
    await store.write_batch(pool, source, [stream(2)], NOW, 600)
    over = NOW + timedelta(seconds=60)
    assert await found(pool, now=over - timedelta(microseconds=1)) == ["1", "2"]
    assert await found(pool, now=over) == ["2"]
    assert await store.by_id(pool, "tw:1", over) is None
    assert await store.latest(pool, EVERYTHING, 2**62, 10, over) != []
    assert [n for _, _, n in await store.counts(pool, over, 9)] == [1]
    assert [row["count"] for row in await store.games(pool, over)] == [1]
    assert {row["count"] for row in await store.tags(pool, over)} == {1}
    assert await store.prune(pool, over) == 1
    assert await pool.fetchval("SELECT count(*) FROM streams") == 1


async def test_prune_leaves_what_is_being_refreshed(pool: db_utils.Pool) -> None:
    source = await make_source(pool)
    await store.write_batch(pool, source, [stream(1), stream(2)], NOW, 60)
    later = NOW + timedelta(hours=1)
    async with pool.acquire() as connection:
        writing = connection.transaction()
        await writing.start()
        await store.write_batch(connection, source, [stream(1)], later, 60)
        assert await store.prune(pool, later) == 1  # does not wait for the other either
        await writing.commit()
    assert await found(pool, now=later) == ["1"]


async def test_filters(pool: db_utils.Pool) -> None:
    source = await make_source(pool)
    await store.write_batch(
        pool,
        source,
        [
            stream(1, title="Super Mario", tags=("Speedrun",)),
            stream(2, title="mario kart", viewers=1, category="Racing"),
            stream(3, title="100% of it", started_at=NOW - timedelta(minutes=5)),
            stream(4, title="snake_case", started_at=None),
            stream(5, title="back\\slash", viewers=20),
            stream(6, title="100x of it", channel_name="Ünï"),
        ],
        NOW,
        600,
    )

    async def ids(**asked: Any) -> list[str]:
        return await found(pool, Filter(**asked))

    assert await ids() == ["1", "2", "3", "4", "5", "6"]
    assert await ids(include=("mario",)) == ["1", "2"]
    assert await ids(include=("mario", "speedrun")) == ["1"]
    assert await ids(include=("racing", "speedrun"), any=True) == ["1", "2"]
    assert await ids(include=(), any=True) == ["1", "2", "3", "4", "5", "6"]
    assert await ids(include=("mario",), exclude=("kart",)) == ["1"]
    assert await ids(exclude=("mario", "of it", "slash")) == ["4"]
    assert await ids(include=("mario", "u", "p", "e", "r", "run")) == ["1"]
    assert await ids(include=("mario", "u", "p", "e", "r", "q")) == []
    assert await ids(include=("0%",)) == ["3"]
    assert await ids(include=("e_c",)) == ["4"]
    assert await ids(include=("k\\s",)) == ["5"]
    assert await ids(include=("%",), any=True) == ["3"]
    assert await ids(exclude=("%", "_", "\\")) == ["1", "2", "6"]
    assert await ids(include=("ünï",)) == ["6"]
    assert await ids(max_viewers=0) == ["1", "3", "4", "6"]
    assert await ids(max_viewers=1) == ["1", "2", "3", "4", "6"]
    assert await ids(min_age_minutes=10) == ["1", "2", "5", "6"]
    assert await ids(min_age_minutes=5) == ["1", "2", "3", "5", "6"]
    assert await ids(min_age_minutes=10 * 365 * 24 * 60) == []


async def test_random_gives_as_many_as_there_are_none_twice(pool: db_utils.Pool) -> None:
    source = await make_source(pool)
    await store.write_batch(pool, source, [stream(n) for n in range(200)], NOW, 600)
    for start in (0.0, 0.3, 0.999999):
        for count, got in ((0, 0), (1, 1), (64, 64), (200, 200), (1000, 200)):
            rows = await dealing.draw(pool, EVERYTHING, count, NOW, start)
            assert len({row.body for row in rows}) == got


async def test_random_reaches_every_stream_about_equally_often(pool: db_utils.Pool) -> None:
    source = await make_source(pool)
    streams = 300
    await store.write_batch(pool, source, [stream(n) for n in range(streams)], NOW, 600)
    drawn: Counter[bytes] = Counter()
    draws = 6000
    starts = [(n + 0.5) / draws for n in range(draws)]
    async with pool.acquire() as connection:
        for start in starts:
            rows = await dealing.draw(connection, EVERYTHING, 1, NOW, start)
            drawn.update(row.body for row in rows)
    mean = draws / streams
    chi_squared = sum((drawn[row] - mean) ** 2 / mean for row in drawn) / (streams - 1)
    assert len(drawn) == streams
    assert chi_squared < 1.8  # a walk from the key alone: about 20


async def test_walks_that_go_on_where_the_last_ended_miss_nothing(pool: db_utils.Pool) -> None:
    source = await make_source(pool)
    await store.write_batch(pool, source, [stream(n) for n in range(100)], NOW, 600)
    drawn: list[bytes] = []
    start = 0.7
    for _ in range(10):
        cards = await dealing.draw(pool, EVERYTHING, 10, NOW, start, neighbours=0, texts=True)
        assert all(card.text.startswith(b"title ") for card in cards)
        drawn += [card.body for card in cards]
        end = end_of(cards, start)
        assert end is not None
        start = math.nextafter(end, 2)
    assert len(set(drawn)) == 100
    assert end_of([], 0.5) is None


async def test_many_are_looked_up_as_one(pool: db_utils.Pool) -> None:
    one, two = await make_source(pool, "one"), await make_source(pool, "two")
    await store.write_batch(pool, one, [stream(1), stream(2), stream(3, external_id="a:b")], NOW, 9)
    await store.write_batch(pool, two, [stream(1, title="Other"), stream(4)], NOW, 600)
    keys = ["1", "one:1", "two:1", "2", "one:4", "4", "a:b", "one:a:b", "", ":", "one:", "two:2"]
    for now in (NOW, NOW + timedelta(seconds=10)):
        found = await dealing.look_up(pool, keys, now)
        for key in keys:
            assert found.get(key) == await store.by_id(pool, key, now), key
    assert set(found) == {"1", "two:1", "4"}


async def test_rare_words_are_looked_for_as_one(pool: db_utils.Pool) -> None:
    source = await make_source(pool)
    streams = [stream(n, viewers=n % 3) for n in range(100)] + [stream(500, title="100% zebra_s")]
    await store.write_batch(pool, source, streams, NOW, 600)
    asked = [
        (Filter(include=("title 7",)), 20),
        (Filter(include=("title 7",)), 2),
        (Filter(include=("title 7",), max_viewers=0), 20),
        (Filter(include=("login9",), min_age_minutes=60), 20),
        (Filter(include=("login9",), min_age_minutes=61), 20),
        (Filter(include=("0% zeb",)), 1),
        (Filter(include=("0_ zeb",)), 1),
    ]
    found = await dealing.rare(pool, asked, NOW)
    ids = [sorted(int(msgspec.json.decode(row)["id"]) for row in found[one]) for one in asked]
    sevens = [7, *range(70, 80)]
    assert ids[0] == sevens
    assert len(set(ids[1])) == 2
    assert set(ids[1]) < set(sevens)
    assert ids[2] == [n for n in sevens if n % 3 == 0]
    assert ids[3] == [9, *range(90, 100)]
    assert ids[4:] == [[], [500], []]
    over = NOW + timedelta(seconds=600)
    assert await dealing.rare(pool, asked, over) == {one: [] for one in asked}


async def test_latest_pages_through_everything_once(pool: db_utils.Pool) -> None:
    source = await make_source(pool)
    await store.write_batch(pool, source, [stream(n) for n in range(25)], NOW, 600)
    seen: list[int] = []
    before = 2**63 - 1
    while rows := await store.latest(pool, EVERYTHING, before, 10, NOW):
        seen += [number for number, _ in rows]
        before = seen[-1]
    assert len(seen) == 25
    assert seen == sorted(seen, reverse=True)


async def test_statistics(pool: db_utils.Pool) -> None:
    one, two = await make_source(pool, "one"), await make_source(pool, "two")
    await store.write_batch(
        pool, one, [stream(1), stream(2, viewers=1), stream(3, viewers=700, tags=())], NOW, 600
    )
    await store.write_batch(
        pool, two, [stream(1, viewers=8), stream(4, category="Go", category_id="8")], NOW, 600
    )
    await store.write_batch(pool, two, [stream(5, category="", tags=("Chill",))], NOW, 600)
    assert await store.counts(pool, NOW, 5) == [
        ("one", 0, 1), ("one", 1, 1), ("one", 6, 1), ("two", 0, 2), ("two", 6, 1),
    ]  # fmt: skip
    assert await store.games(pool, NOW) == [
        {"name": "Chess", "count": 4, "zero_viewer": 1, "one_viewer": 1},
        {"name": "Go", "count": 1, "zero_viewer": 1, "one_viewer": 0},
    ]
    assert await store.count_games(pool, NOW) == 2
    assert await store.tags(pool, NOW) == [
        {"name": "Chill", "count": 5, "zero_viewer": 3, "one_viewer": 1},
        {"name": "English", "count": 4, "zero_viewer": 2, "one_viewer": 1},
    ]
