"""Queries that must stay fast keep using their indexes: EXPLAIN, on a directory of some size."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest_asyncio

import db_utils
from vigil.context import Context
from vigil.streams import store
from vigil.streams.dealing import store as dealing
from vigil.streams.draws import open_batches, open_pool
from vigil.streams.model import Filter, SeenStream
from vigil.streams.writing import store as writing

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
STREAMS = 20_000
WORDS = ("chess", "music", "garden", "night", "retro", "ranked", "learning", "talk")


def stream(number: int) -> SeenStream:
    words = [WORDS[number // 8**n % 8] for n in range(4)]
    rare = " zebra" if number % 3000 == 0 else ""
    return SeenStream(
        external_id=str(number),
        title=f"{' '.join(words)}{rare} and something more to read {number}",
        viewers=0 if number % 5 < 3 else number % 50,
        page_url=f"https://www.twitch.tv/login{number}",
        player="twitch",
        player_url=f"login{number}",
        category=f"Game {number % 100}",
        tags=("English", words[0].title(), "Chill"),
        channel_login=f"login{number}",
        channel_name=f"Login{number}",
        started_at=NOW,
    )


@pytest_asyncio.fixture
async def directory(context: Context) -> AsyncIterator[db_utils.Pool]:
    """The visitors' connections to a database with many streams."""
    source_id = await context.pool.fetchval(
        "INSERT INTO sources (name, kind) VALUES ('tw', 'twitch') RETURNING id"
    )
    await store.write_batch(context.pool, source_id, [stream(n) for n in range(STREAMS)], NOW, 600)
    await store.tidy_search(context.pool)
    await context.pool.execute("VACUUM ANALYZE streams")
    await context.pool.execute("VACUUM ANALYZE stream_liveness")
    pool = await open_pool(context.settings)
    yield pool
    await pool.close()


class Plan:
    """What PostgreSQL did."""

    def __init__(self, explained: list[dict[str, Any]]) -> None:
        self.nodes = list(walk(explained[0]["Plan"]))
        self.pages: int = self.nodes[0]["Shared Hit Blocks"] + self.nodes[0]["Shared Read Blocks"]

    @property
    def indexes(self) -> set[str]:
        return {n["Index Name"] for n in self.nodes if "Index Name" in n and ran(n)}

    @property
    def scanned(self) -> set[str]:
        """Tables that were read from end to end."""
        return {n["Relation Name"] for n in self.nodes if n["Node Type"] == "Seq Scan" and ran(n)}


def walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for inner in node.get("Plans", ()):
        yield from walk(inner)


def ran(node: dict[str, Any]) -> bool:
    return bool(node["Actual Loops"])


async def explain(db: db_utils.Database, statement: str, *arguments: object) -> Plan:
    text = await db.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", *arguments)
    return Plan(msgspec.json.decode(text))


async def test_plans(directory: db_utils.Pool, context: Context) -> None:
    async def random(wanted: Filter, count: int) -> Plan:
        asked = (*store._matches(wanted, NOW), 0.4, count + store.NEIGHBOURS, count, False)
        return await explain(directory, dealing._DRAW, *asked)

    for count, pages in ((1, 800), (64, 1500)):
        plan = await random(Filter(max_viewers=0), count)
        assert {"streams_random", "stream_liveness_pkey"} <= plan.indexes
        assert not plan.scanned - {"sources"}
        assert plan.pages < pages

    rare = await random(Filter(include=("zebra",)), 1)
    assert "streams_search" in rare.indexes
    assert not rare.scanned - {"sources"}
    assert rare.pages < 500
    absent = await random(Filter(include=("xylophone",)), 64)
    assert "streams_search" in absent.indexes
    assert absent.pages < 100
    several = await random(Filter(include=("zebra", "chess", "game", "e", "a")), 1)
    assert "streams_search" in several.indexes
    either = await random(Filter(include=("zebra", "xylophone"), any=True), 1)
    assert "streams_search" in either.indexes
    assert not either.scanned - {"sources"}

    for whole in (Filter(category="no such game"), Filter(tags=("no such tag", "nor this"))):
        plan = await random(whole, 1)
        assert "streams_search" in plan.indexes, whole
        assert plan.pages < 200, whole
    for common in (
        Filter(category="game 7"),
        Filter(tags=("chess", "music")),
        Filter(languages=("",)),
        Filter(sources=("tw",)),
    ):
        plan = await random(common, 1)
        assert not plan.scanned - {"sources"}, common
        assert plan.pages < 4000, common
    for common in (Filter(include=("en",)), Filter(include=("english",)), Filter(exclude=("ug",))):
        plan = await random(common, 1)
        assert not plan.scanned - {"sources"}, common
        assert plan.pages < 3000, common

    one = await explain(directory, store._BY_ID, NOW, "tw:77", "tw", "77")
    assert "streams_source_id_external_id_key" in one.indexes
    assert not one.scanned - {"sources"}
    assert one.pages < 40

    latest = await explain(directory, store._LATEST, *store._matches(Filter(), NOW), 2**63 - 1, 100)
    assert "streams_pkey" in latest.indexes
    assert latest.pages < 1500


async def test_a_small_source_among_large_ones_is_found_by_index(
    directory: db_utils.Pool, context: Context
) -> None:
    pool = context.pool
    source_id = await pool.fetchval(
        "INSERT INTO sources (name, kind) VALUES ('small', 'owncast') RETURNING id"
    )
    await store.write_batch(pool, source_id, [stream(n) for n in range(0, 100, 5)], NOW, 600)
    await pool.execute("ANALYZE streams")
    for sources in (("small",), ("nowhere",), ("nowhere", "small")):
        wanted = Filter(sources=sources, max_viewers=0)
        asked = (*store._matches(wanted, NOW), 0.4, 1 + store.NEIGHBOURS, 1, False)
        plan = await explain(directory, dealing._DRAW, *asked)
        assert "streams_source_id_external_id_key" in plan.indexes
        assert "streams_random" not in plan.indexes
        assert plan.pages < 200
        found = await dealing.draw(directory, wanted, 64, NOW, 0.4)
        assert len(found) == (20 if "small" in sources else 0)
    await pool.execute("DELETE FROM sources WHERE name = 'small'")
    assert not await dealing.draw(directory, Filter(sources=("small",)), 64, NOW, 0.4)
    await pool.execute("INSERT INTO sources (name, kind) VALUES ('later', 'owncast')")
    again = "UPDATE streams SET source_id = (SELECT id FROM sources WHERE name = 'later')"
    await pool.execute(f"{again} WHERE external_id = '7'")
    assert len(await dealing.draw(directory, Filter(sources=("later",)), 64, NOW, 0.4)) == 1


async def test_refresh_finds_its_rows_by_index(directory: db_utils.Pool, context: Context) -> None:
    source_id = await context.pool.fetchval("SELECT id FROM sources")
    for seen in ([stream(n) for n in range(5000, 5100)], [stream(n) for n in range(writing.CHUNK)]):
        async with context.pool.acquire() as connection, connection.transaction():
            await connection.execute(writing._HOW)
            until = NOW + timedelta(seconds=600)
            keys = writing._keys(seen)
            plan = await explain(connection, writing._REFRESH, source_id, NOW, until, *keys)
        assert plan.indexes == {"stream_liveness_source_id_external_id_key"}
        assert not plan.scanned
        assert plan.pages < 20 * len(seen)
        (update,) = (node for node in plan.nodes if node["Node Type"] == "ModifyTable")
        assert update["Actual Rows"] == len(seen)


async def test_batches_find_their_rows_by_index_whatever_the_planner_knows(
    context: Context,
) -> None:
    """A connection keeps its plans while a table grows, and statistics know no new source."""
    for name in ("old", "tw"):
        source_id = await context.pool.fetchval(
            "INSERT INTO sources (name, kind) VALUES ($1, 'twitch') RETURNING id", name
        )
        await grow(context, source_id)
        await context.pool.execute("ANALYZE streams, stream_liveness")


async def grow(context: Context, source_id: int) -> None:
    reads = """
        SELECT seq_tup_read, idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = $1
    """
    written = 0
    async with context.pool.acquire() as connection, connection.transaction():
        for first in range(0, 10_000, 2000):
            seen = [stream(n) for n in range(first, first + 2000)]
            for _ in range(2):
                written += await store.write_batch(connection, source_id, seen, NOW, 600)
        for table in ("streams", "stream_liveness"):
            row = await connection.fetchrow(reads, table)
            assert row is not None
            assert row["seq_tup_read"] == 0
            assert row["idx_tup_fetch"] <= 1.6 * written


async def test_visitors_queries_are_planned_for_their_very_words(
    directory: db_utils.Pool,
) -> None:
    async with directory.acquire() as connection:
        for n in range(12):
            await dealing.draw(connection, Filter(include=(f"zebra{n}",)), 1, NOW, 0.5)
        kept = await connection.fetch(
            "SELECT generic_plans, custom_plans FROM pg_prepared_statements"
            " WHERE statement LIKE $1",
            "%WITH walk%",
        )
    assert [(row["generic_plans"], row["custom_plans"]) for row in kept] == [(0, 12)]


async def test_questions_of_many_have_one_plan_by_the_indexes(
    directory: db_utils.Pool, context: Context
) -> None:
    batches = await open_batches(context.settings)
    ids = [str(n) for n in range(0, STREAMS, 1000)]
    keys = [f"tw:{one}" for one in ids]
    looked_up = await explain(batches, dealing._LOOK_UP, NOW, keys, ["tw"] * len(ids), ids)
    assert "stream_liveness_source_id_external_id_key" in looked_up.indexes
    assert "streams_pkey" in looked_up.indexes
    assert not looked_up.scanned - {"sources"}
    assert looked_up.pages < 25 * len(ids)

    words = ["%zebra%", "%number 77%", "%xylophone%", "%login1234%"]
    numbers = [0] * len(words)
    rare = await explain(batches, dealing._RARE, NOW, words, numbers, numbers, [1] * len(words))
    assert "streams_search" in rare.indexes
    assert not rare.scanned - {"sources"}
    assert rare.pages < 1000

    for n in range(12):
        await dealing.look_up(batches, keys[n:], NOW)
    async with batches.acquire() as connection:
        custom = await connection.fetchval(
            "SELECT sum(custom_plans) FROM pg_prepared_statements WHERE statement LIKE $1",
            "%asked.source%",
        )
        assert custom == 0
    await batches.close()
