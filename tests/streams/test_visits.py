"""A visitor's queries stay fast however much was seen: EXPLAIN, on a directory of some size."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

import db_utils
from tests.streams.test_plans import NOW, STREAMS, explain, stream
from vigil.context import Context
from vigil.streams import store
from vigil.streams.draws import open_pool
from vigil.streams.model import Filter
from vigil.streams.visits import store as visits_store


@pytest_asyncio.fixture
async def crowd(context: Context) -> AsyncIterator[db_utils.Pool]:
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


async def test_what_was_seen_costs_little(crowd: db_utils.Pool) -> None:
    for seen, pages in ((0, 1200), (5000, 3000)):
        keys = visits_store._keys([f"tw:{n}" for n in range(seen)])
        asked = (*store._matches(Filter(max_viewers=1), NOW), *keys, 0.4, 100, 36)
        plan = await explain(crowd, visits_store._UNSEEN, *asked)
        assert "streams_random" in plan.indexes
        assert not plan.scanned - {"sources"}
        assert plan.pages < pages


async def test_a_rare_language_is_found_by_its_index(
    crowd: db_utils.Pool, context: Context
) -> None:
    await context.pool.execute("UPDATE streams SET language = 'is' WHERE id % 2000 = 0")
    await context.pool.execute("ANALYZE streams")
    for languages in (("is",), ("xx",), ("is", "xx")):
        wanted = Filter(languages=languages)
        asked = (*store._matches(wanted, NOW), *visits_store._keys([]), 0.4, 100, 36)
        plan = await explain(crowd, visits_store._UNSEEN, *asked)
        assert "streams_language" in plan.indexes, languages
        assert plan.pages < 400, languages


async def test_unseen_is_exact_and_reaches_the_last_one(crowd: db_utils.Pool) -> None:
    wanted = Filter(include=("zebra",))
    zebras = [f"tw:{n}" for n in range(0, STREAMS, 3000)]
    found = await visits_store.unseen(crowd, wanted, zebras[1:], 36, NOW, 0.5)
    assert list(found) == zebras[:1]
    assert await visits_store.unseen(crowd, wanted, zebras, 36, NOW, 0.5) == {}
    assert sorted(await visits_store.matching(crowd, wanted, [*zebras, "tw:1"], NOW)) == sorted(
        zebras
    )
    assert await visits_store.count(crowd, wanted, 3, NOW) == 3
    assert await visits_store.count(crowd, wanted, 1000, NOW) == len(zebras)


async def test_counting_stops_where_it_is_enough(crowd: db_utils.Pool) -> None:
    asked = (*store._matches(Filter(max_viewers=0), NOW), 1000)
    plan = await explain(crowd, visits_store._COUNT, *asked)
    assert plan.nodes[0]["Plans"][0]["Actual Rows"] == 1000
    rare = await explain(
        crowd, visits_store._COUNT, *store._matches(Filter(include=("zebra",)), NOW), 1000
    )
    assert "streams_search" in rare.indexes
    assert rare.pages < 500
