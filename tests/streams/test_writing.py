"""Batches: many chunks, words that wait for the search index, a writer that is killed."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from datetime import UTC, datetime, timedelta, timezone

import pytest

import db_utils
from tests.streams.test_store import NOW, found, make_source, stream
from tests.streams.writer import batch
from vigil.context import Context
from vigil.settings import ROOT, Settings
from vigil.streams import scan
from vigil.streams.dealing import store as dealing
from vigil.streams.draws import open_batches, open_pool
from vigil.streams.model import Filter
from vigil.streams.writing import store


async def test_a_batch_of_many_chunks_new_changed_and_as_they_were(pool: db_utils.Pool) -> None:
    source, size = await make_source(pool), 2 * store.CHUNK + 700
    first = [stream(n, viewers=1) for n in range(size)]
    random.shuffle(first)
    assert await store.write_batch(pool, source, first, NOW, 600) == size
    versions = "SELECT external_id, xmin::text FROM streams"
    before = dict(map(tuple, await pool.fetch(versions)))

    then = NOW + timedelta(seconds=30)
    titles = {n: {"title": f"Other {n}"} for n in range(0, size, 3)}
    second = [stream(n, viewers=n % 7, **titles.get(n, {})) for n in range(100, size + 100)]
    random.shuffle(second)
    assert await store.write_batch(pool, source, second, then, 60) == size
    after = dict(map(tuple, await pool.fetch(versions)))
    rewritten = {key for key in before if after[key] != before[key]}
    assert rewritten == {str(n) for n in range(102, size, 3)}
    assert after.keys() - before.keys() == {str(n) for n in range(size, size + 100)}
    rows = await pool.fetch(
        """
        SELECT live.external_id, title, viewers, seen_at, expires_at, streams.external_id
        FROM streams JOIN stream_liveness AS live ON stream_id = id AND live.source_id = $1
        """,
        source,
    )
    wanted = {
        (one.external_id, one.title, one.viewers, then, then + timedelta(seconds=60))
        for one in second
    } | {(str(n), f"Title {n}", 1, NOW, NOW + timedelta(seconds=600)) for n in range(100)}
    assert {tuple(row)[:5] for row in rows} == wanted
    assert all(row[0] == row[5] for row in rows)


async def test_every_field_comes_back_as_it_was_seen(pool: db_utils.Pool) -> None:
    source = await make_source(pool)
    east = timezone(timedelta(hours=5, minutes=30))
    seen = stream(
        1,
        title='a\\b "c" {d,e} NULL \t\n é 木 🎈',
        tags=("x,y", "NULL", "\\", '"', "{}"),
        mature=True,
        thumbnail_url=None,
        started_at=datetime(2026, 3, 1, 11, 22, 33, 456789, tzinfo=east),
    )
    await store.write_batch(pool, source, [seen], NOW, 600)
    row = await pool.fetchrow("SELECT * FROM streams")
    assert row is not None
    kept = {name: row[name] for name in set(row.keys()) & set(seen.__slots__)}
    assert kept == {name: getattr(seen, name) for name in kept} | {"tags": list(seen.tags)}
    assert row["started_at"].tzinfo == UTC


@pytest.mark.parametrize("place", ["external_id", "title", "category", "channel_name"])
async def test_what_would_shift_the_fields_is_refused(pool: db_utils.Pool, place: str) -> None:
    source = await make_source(pool)
    for character in ("\x1e", "\x1f"):
        seen = [stream(1), stream(2, **{place: f"a{character}b"})]
        with pytest.raises(ValueError, match="control character"):
            await store.write_batch(pool, source, seen, NOW, 600)
    with pytest.raises(ValueError, match="control character"):
        await store.write_batch(pool, source, [stream(1, tags=("a\x1db",))], NOW, 600)
    assert await pool.fetchval("SELECT count(*) FROM streams") == 0


async def test_a_changed_title_is_found_before_the_search_index_was_tidied(
    pool: db_utils.Pool,
) -> None:
    source = await make_source(pool)
    streams = [stream(n) for n in range(3000)]
    await store.write_batch(pool, source, streams, NOW, 600)
    await store.tidy_search(pool)
    streams[700] = stream(700, title="A zebra")
    await store.write_batch(pool, source, streams, NOW, 600)
    for _ in ("waiting in the list", "in the index"):
        assert await found(pool, Filter(include=("zebra",))) == ["700"]
        assert await found(pool, Filter(include=("title 700",))) == []
        await store.tidy_search(pool)
    moved = await pool.fetchval("SELECT gin_clean_pending_list('streams_search')")
    assert moved == 0


async def test_the_chore_tidies_the_search_index_while_passes_are_under_way(
    context: Context,
) -> None:
    source = await make_source(context.pool)
    now = context.clock.now()
    await store.write_batch(context.pool, source, [stream(n) for n in range(300)], now, 600)
    await scan.prune(context)
    assert await context.pool.fetchval("SELECT gin_clean_pending_list('streams_search')") == 0
    assert await context.pool.fetchval("SELECT count(*) FROM streams") == 300


@pytest.mark.slow
async def test_searches_end_in_time_while_the_list_is_at_its_longest(context: Context) -> None:
    """A pass that changes 30% of 100,000 descriptions leaves them all in the list."""
    source, pool = await make_source(context.pool), context.pool
    words = [f"{n:05} and some more words of a title as long as many are" for n in range(30_000)]
    seen = [stream(n, title=title) for n, title in enumerate(words)]
    await store.write_batch(pool, source, seen, NOW, 600)
    visitors, batches = await open_pool(context.settings), await open_batches(context.settings)
    try:  # these have a statement timeout
        for word in ("00700", "title", "xylophone"):
            wanted = Filter(include=(word,))
            cards = await dealing.draw(visitors, wanted, 1, NOW, 0.5)
            assert len(cards) == (word != "xylophone")
        asked = [(Filter(include=(f"{n:05}",)), 1) for n in range(16)]
        rare = await dealing.rare(batches, asked, NOW)
        assert [len(rare[one]) for one in asked] == [1] * 16
    finally:
        await visitors.close()
        await batches.close()
    # None was put into the index while it was written: the list holds kilobytes of each.
    assert await pool.fetchval("SELECT gin_clean_pending_list('streams_search')") > 5000


async def test_the_search_index_is_tidied_beside_a_batch(pool: db_utils.Pool) -> None:
    source = await make_source(pool)
    async with pool.acquire() as connection, connection.transaction():
        await store.write_batch(connection, source, [stream(n) for n in range(500)], NOW, 600)
        async with asyncio.timeout(20):
            await store.tidy_search(pool)
        await store.write_batch(connection, source, [stream(n) for n in range(600)], NOW, 600)
    assert await found(pool, Filter(include=("title 599",))) == ["599"]
    assert await found(pool, Filter(include=("title 499",))) == ["499"]


async def test_what_was_rewritten_or_removed_is_known_to_the_vacuum_at_once(
    pool: db_utils.Pool,
) -> None:
    source = await make_source(pool)
    streams = [stream(n) for n in range(2000)]
    await store.write_batch(pool, source, streams, NOW, 600)
    assert not await store.vacuum(pool)
    later = NOW + timedelta(seconds=30)
    await store.write_batch(pool, source, streams, later, 600)
    assert await store.vacuum(pool)
    assert not await store.vacuum(pool)
    assert await store.retire(pool, source, later + timedelta(seconds=1)) == 2000
    assert await store.vacuum(pool)


async def test_a_writer_that_is_killed_leaves_whole_batches(
    context: Context, settings: Settings
) -> None:
    source, size = await make_source(context.pool), 4000
    done = 0
    for wait in (0.05, 0.2, 0.4, 0.6):
        writer = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.streams.writer"),
            *(settings.database_url or "", str(source), str(size)),
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=asyncio.subprocess.PIPE,
        )
        assert writer.stdout is not None
        async with asyncio.timeout(60):
            done = int(await writer.stdout.readline())
            await asyncio.sleep(wait)  # somewhere in one of the next batches
            writer.kill()
            for line in (await writer.stdout.read()).split():
                done = int(line)
            await writer.wait()
            while await context.pool.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'vigil-writer'"
            ):
                await asyncio.sleep(0.05)  # until PostgreSQL has noticed
        rows = await context.pool.fetch("SELECT DISTINCT viewers, seen_at FROM stream_liveness")
        assert len(rows) == 1
        number = rows[0]["viewers"]
        assert number in (done, done + 1)  # it may have been killed before it said so
        titles = await context.pool.fetch(
            "SELECT title, count(*) FROM streams WHERE title LIKE 'Batch %' GROUP BY title"
        )
        assert [tuple(row) for row in titles] == [(f"Batch {number}", len(range(0, size, 3)))]
        versions = "SELECT max(xmin::text::bigint) FROM streams"
        before = await context.pool.fetchval(versions)
        await store.write_batch(context.pool, source, batch(number, size), NOW, 600)
        assert await context.pool.fetchval(versions) == before  # digests are of what is there
        done = number
