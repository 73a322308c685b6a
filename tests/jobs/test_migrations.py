"""Migrations that change rows of jobs, on a database as it was before them."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

import db_utils
from tests.conftest import Server
from vigil.jobs.listing import store as listing
from vigil.settings import Settings


@pytest.fixture
async def before(server: Server, tmp_path: Path) -> AsyncIterator[Settings]:
    """A database as it was when migration 33 was the last."""
    name = "before_" + hashlib.sha256(str(tmp_path).encode()).hexdigest()[:16]
    connection = await asyncpg.connect(server.dsn)
    await connection.execute(f"CREATE DATABASE {name}")
    settings = Settings(database_url=server.database(name), data_dir=tmp_path)
    folder = tmp_path / "migrations"
    folder.mkdir()
    for path in sorted(db_utils.MIGRATIONS.glob("*.sql"))[:33]:
        shutil.copy(path, folder)
    await db_utils.migrate(settings, folder)
    yield settings
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


async def test_34_knows_parts_among_the_jobs_that_there_are(before: Settings) -> None:
    """Jobs of segments are parts of their film, whatever became of them; nothing else is."""
    jobs = [
        ("films.plan", "succeeded", "film:1"),
        ("films.segment", "succeeded", "film:1"),
        ("films.segment", "failed", "film:1"),
        ("films.segment", "todo", "film:1"),
        ("films.join", "todo", "film:1"),
        ("films.plan", "todo", "film:2"),
        ("cameras.import", "cancelled", "import:1"),
    ]
    connection = await asyncpg.connect(db_utils.dsn(before))
    ids = []
    for task, status, subject in jobs:
        job_id = await connection.fetchval(
            """
            INSERT INTO procrastinate_jobs (queue_name, task_name, args, status)
            VALUES ('default', $1, '{}', $2::procrastinate_job_status) RETURNING id
            """,
            task,
            status,
        )
        await connection.execute(
            """
            INSERT INTO job_progress (job_id, subject, title, done, total, error)
            VALUES ($1, $2, 'a job', 3, 7, CASE WHEN $3 = 'failed' THEN 'why' END)
            """,
            job_id,
            subject,
            status,
        )
        ids.append(job_id)
    kept = "SELECT job_id, subject, title, done, total, error FROM job_progress ORDER BY job_id"
    as_they_were = await connection.fetch(kept)
    applied = await db_utils.migrate(before)
    assert applied[0] == "0034 job_parts"
    assert await connection.fetch(kept) == as_they_were
    await connection.close()
    pool = await db_utils.create_pool(before, "test", size=1)
    try:
        every = await listing.page(pool, parts=True)
        assert [job.id for job in every] == ids[::-1]
        assert {job.id for job in every if job.part} == set(ids[1:4])
        assert {(job.host, job.pid) for job in every} == {(None, None)}
        assert [job.id for job in await listing.page(pool)] == [
            id
            for id, (task, _, _) in zip(ids[::-1], jobs[::-1], strict=True)
            if task != "films.segment"
        ]
        assert await listing.count_parts(pool, "film:1") == {"waiting": 1, "failed": 1}
        assert await listing.count_parts(pool, "film:2") == {}
    finally:
        await pool.close()
