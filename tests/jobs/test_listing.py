"""Lists of jobs: without parts of others unless asked for, and quick however many there are."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
import socket
from typing import Any

import pytest

import db_utils
from tests.conftest import Site
from tests.jobs.test_cli import vigil
from tests.jobs.test_engine import rendering, until
from tests.jobs.test_store import put, read, take
from tests.jobs.test_views import events, get, page
from vigil.context import Context
from vigil.jobs import store
from vigil.jobs.listing import store as listing
from vigil.jobs.model import RendererJson, RunningJob, Task


async def put_part(db: db_utils.Database, **changes: Any) -> int:
    return await put(
        db, **({"subject": "film:1", "title": "Segment of a film", "part": True} | changes)
    )


async def a_film(db: db_utils.Database) -> tuple[int, int, int]:
    """A film's plan, a part that has failed, and one that waits."""
    plan = await put(db, subject="film:1", title="A film")
    broken, waiting = await put_part(db, priority=9), await put_part(db)
    worker_id, taken = await take(db)
    assert taken == broken
    await store.finish(db, broken, worker_id, "failed", "it broke")
    return plan, broken, waiting


async def ids(db: db_utils.Database, **chosen: Any) -> list[int]:
    return [job.id for job in await listing.page(db, **chosen)]


async def test_parts_are_listed_when_asked_for(pool: db_utils.Pool) -> None:
    plan, broken, waiting = await a_film(pool)
    other = await put_part(pool, subject="film:2")
    assert await ids(pool) == [plan]
    assert await ids(pool, parts=True) == [other, waiting, broken, plan]
    assert await ids(pool, subject="film:1") == [plan]
    assert await ids(pool, subject="film:1", parts=True) == [waiting, broken, plan]
    assert await ids(pool, state="failed") == []
    assert await ids(pool, state="failed", parts=True) == [broken]
    assert await listing.count_parts(pool) == {"waiting": 2, "failed": 1}
    assert await listing.count_parts(pool, "film:2") == {"waiting": 1}
    every = {plan, broken, waiting, 999}
    assert [job.id for job in await listing.some(pool, every)] == [plan]
    assert [job.id for job in await listing.some(pool, every, parts=True)] == [
        plan,
        broken,
        waiting,
    ]


async def test_the_api_leaves_parts_out(site: Site) -> None:
    plan, broken, waiting = await a_film(site.context.pool)

    async def shown(query: str) -> list[int]:
        return [job["id"] for job in (await get(site, f"/api/v1/jobs{query}"))["items"]]

    assert await shown("") == await shown("?parts=0") == [plan]
    assert await shown("?parts=1") == [waiting, broken, plan]
    assert await shown("?parts=1&state=failed") == [broken]
    assert (await get(site, f"/api/v1/jobs/{broken}"))["part"] is True
    first = await get(site, "/api/v1/jobs?parts=1&limit=2")
    assert await shown(f"?parts=1&limit=2&cursor={first['next']}") == [plan]
    for query in ("parts=2", "parts=yes"):
        async with site.client.get(f"/api/v1/jobs?{query}") as answer:
            assert answer.status == 400


async def test_the_page_leads_to_parts(site: Site) -> None:
    plan, broken, waiting = await a_film(site.context.pool)

    def rows(text: str) -> list[int]:
        return [int(found) for found in re.findall(r'<tr data-job="(\d+)"', text)]

    text = await page(site, "/jobs")
    assert rows(text) == [plan]
    assert '<a href="/jobs?state=failed&amp;parts=1">1 failed</a>' in text
    assert rows(await page(site, "/jobs?parts=1&state=failed")) == [broken]
    text = await page(site, "/jobs?subject=film%3A1&parts=1")
    assert rows(text) == [waiting, broken, plan]
    assert '<a href="/jobs?subject=film%3A1">Without parts</a>' in text
    assert 'href="/jobs?state=done&amp;subject=film%3A1&amp;parts=1"' in text
    assert "/jobs?subject=film%3A1" in await page(site, f"/jobs/{broken}")


async def test_the_command_counts_parts(context: Context) -> None:
    plan, broken, waiting = await a_film(context.pool)
    status, out, errors = await vigil(context, "job", "list", "--json")
    assert (status, [job["id"] for job in json.loads(out)]) == (0, [plan])
    assert errors == "and parts of others, listed with --parts: 1 waiting, 1 failed\n"
    status, out, errors = await vigil(context, "job", "list", "--json", "--parts")
    assert [job["id"] for job in json.loads(out)] == [waiting, broken, plan]
    assert errors == ""


async def test_an_open_page_hears_of_what_it_lists(site: Site, context: Context) -> None:
    async with (
        site.client.get("/jobs/events") as without,
        site.client.get("/jobs/events?parts=1") as with_parts,
    ):
        heard, every = events(without), events(with_parts)
        async with asyncio.timeout(30):
            await put(context.pool)
            await anext(heard)  # both listen by now
            await anext(every)
            part, whole = await put_part(context.pool), await put(context.pool)
            while (await anext(every))["id"] != part:
                pass
            while (event := await anext(heard))["id"] != whole:
                assert event["id"] != part


async def test_parts_go_early(pool: db_utils.Pool) -> None:
    ends: tuple[tuple[str, bool], ...] = (
        ("succeeded", True),
        ("aborted", True),
        ("failed", True),
        ("succeeded", False),
        ("aborted", False),
    )
    made = []
    for status, part in ends:
        made.append(await put(pool, part=part, subject="film:1"))
        worker_id, _ = await take(pool)
        await store.finish(pool, made[-1], worker_id, status, None)
    assert await store.prune(pool) == 0
    await pool.execute("UPDATE job_progress SET updated_at = now() - interval '11 minutes'")
    assert await store.prune(pool) == 2
    assert await ids(pool, parts=True) == made[:1:-1]


async def test_parts_do_not_push_out_what_they_are_parts_of(pool: db_utils.Pool) -> None:
    for number in range(30):
        job_id = await put(pool, part=number > 0, subject="film:1")
        worker_id, _ = await take(pool)
        await store.finish(pool, job_id, worker_id, "succeeded", None)
    await pool.execute("UPDATE job_progress SET updated_at = now() - interval '11 minutes'")
    assert await store.prune(pool) == 29
    assert len(await ids(pool)) == 1


async def test_who_does_it(site: Site, context: Context) -> None:
    async def work(_context: Context, job: RunningJob) -> None:
        assert job.id

    job_id = await put(context.pool)
    assert (await get(site, f"/api/v1/jobs/{job_id}"))["renderer"] is None
    async with rendering(context, Task("test.work", work)):
        await until(context.pool, job_id, lambda job: job.finished)
    here = RendererJson(host=socket.gethostname(), pid=os.getpid())
    assert (await read(context.pool, job_id)).renderer == here
    assert (await get(site, f"/api/v1/jobs/{job_id}"))["renderer"] == here
    assert f"{here['host']}, process {here['pid']}" in await page(site, f"/jobs/{job_id}")


MANY = 100_000
FEW = MANY // 2
"""Rows that a page may look at, of all tables together: a walk through all takes two a job."""


async def fill(db: db_utils.Database) -> None:
    """Very many jobs of a hundred films: of each twelve that are whole and a thousand parts. Of
    both some have failed, and fewer wait."""
    await db.execute(
        """
        INSERT INTO procrastinate_jobs (queue_name, task_name, lock, status)
        SELECT 'default', 'test.work', 'thing:' || n, CASE
            WHEN n % 1000 IN (3, 4, 700) THEN 'failed' WHEN n % 2000 IN (5, 506) THEN 'todo'
            ELSE 'succeeded' END::procrastinate_job_status
        FROM generate_series(1, $1::integer) n
        """,
        MANY,
    )
    await db.execute(
        """
        INSERT INTO job_progress (job_id, subject, title, part)
        SELECT id, 'film:' || id / 1000, 'A job', id % 500 > 5 FROM procrastinate_jobs
        """
    )
    await db.execute("VACUUM ANALYZE procrastinate_jobs, job_progress")


def looked_at(plan: dict[str, Any]) -> int:
    """How many rows a plan took from tables."""
    children = sum(looked_at(one) for one in plan.get("Plans", ()))
    if "Scan" not in plan["Node Type"]:
        return children
    rows = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
    return children + int(rows * plan["Actual Loops"])


@pytest.mark.slow
async def test_no_list_looks_at_all_jobs(context: Context) -> None:
    """PostgreSQL itself says how many rows each list takes."""
    pool = context.pool
    await fill(pool)
    states = (None, "todo", "doing", "failed", "succeeded")
    within = ((None, None), (None, MANY // 2), ("film:7", None))
    for state, (subject, before), parts in itertools.product(states, within, (False, True)):
        arguments = ([state] if state else None, subject, before, None, parts, 50)
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute(listing.FEW_OF_MANY)
            explained = await connection.fetchval(
                "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) " + listing.PAGE, *arguments
            )
        (told,) = json.loads(explained)
        assert looked_at(told["Plan"]) < FEW, (arguments, explained)


@pytest.mark.slow
async def test_lists_of_very_many(context: Context) -> None:
    """They say what they should, time after time: a statement's plan changes with its use."""
    pool = context.pool
    await fill(pool)
    for _ in range(8):
        assert await ids(pool, limit=3) == [MANY, MANY - 495, MANY - 496]
        assert await ids(pool, state="failed", limit=2) == [MANY - 996, MANY - 997]
        assert await ids(pool, state="failed", parts=True, limit=1) == [MANY - 300]
        assert len(await ids(pool, subject="film:7", parts=True)) == 50
        assert len(await ids(pool, subject="film:7")) == 12
        assert await ids(pool, state="running", parts=True) == []
