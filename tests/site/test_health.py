"""/healthz, /health and /metrics: what is well, what is not, in which words."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.servers.small_site import small_site
from vigil.clock import FakeClock
from vigil.context import Context
from vigil.site import health, store
from vigil.site.health import Health

HTML = {"accept": "text/html"}


async def all_daemons(context: Context) -> None:
    for number, name in enumerate(health.DAEMONS):
        await store.beat(context.pool, name=name, host="h", pid=number, version="1", up_s=60)


async def add_source(context: Context, name: str, *, error: str | None = None) -> int:
    number: int = await context.pool.fetchval(
        "INSERT INTO sources (name, kind) VALUES ($1, 'owncast') RETURNING id", name
    )
    await context.pool.execute(
        """
        INSERT INTO source_state
            (source_id, started_at, finished_at, succeeded_at, next_at, found, kept, refused,
             failures, error, hint)
        VALUES ($1, now(), now(), now() - interval '90 s', now() + interval '30 s', 12, 10, 2,
             CASE WHEN $2::text IS NULL THEN 0 ELSE 3 END, $2, NULL)
        """,
        number,
        error,
    )
    return number


async def test_all_is_well(context: Context) -> None:
    await all_daemons(context)
    await add_source(context, "owncast")
    async with small_site(context) as site, site.client.get("/healthz") as response:
        assert response.status == 200
        told = await response.json()
    assert told["status"] == "ok"
    assert told["problems"] == []
    assert told["database"]["status"] == told["storage"]["status"] == "ok"
    assert told["database"]["latency_ms"] > 0
    assert {p["name"]: p["status"] for p in told["processes"]} == {
        "app": "ok",
        "scanner": "ok",
        "renderer": "ok",
    }
    [source] = told["sources"]
    assert source["status"] == "ok"
    assert 89 < source["age_s"] < 100


async def test_a_missing_or_silent_daemon_and_a_failing_source_degrade(context: Context) -> None:
    await store.beat(context.pool, name="app", host="h", pid=1, version="1", up_s=60)
    await store.beat(context.pool, name="scanner", host="h", pid=2, version="1", up_s=60)
    await context.pool.execute(
        "UPDATE processes SET seen_at = now() - interval '20 s' WHERE name = 'scanner'"
    )
    await add_source(context, "peertube", error="it answered with HTML")
    await context.pool.execute("INSERT INTO sources (name, kind) VALUES ('new', 'owncast')")
    await context.pool.execute(
        "INSERT INTO sources (name, kind, enabled) VALUES ('off', 'owncast', false)"
    )
    async with small_site(context) as site:
        async with site.client.get("/healthz") as response:
            assert response.status == 200
            told = await response.json()
        assert told["status"] == "degraded"
        assert any("no renderer is running" in p for p in told["problems"])
        assert any("scanner (process 2 on h) has been silent" in p for p in told["problems"])
        assert any("peertube: it answered with HTML" in p for p in told["problems"])
        assert {s["name"]: s["status"] for s in told["sources"]} == {
            "new": "waiting",
            "off": "disabled",
            "peertube": "failing",
        }
        async with site.client.get("/health", headers=HTML) as response:
            assert response.status == 200
            page = await response.text()
        assert "no renderer is running" in page
        assert "it answered with HTML" in page


async def test_what_is_outside_may_fail_and_all_is_well_here(context: Context) -> None:
    await all_daemons(context)
    await add_source(context, "owncast", error="no answer")
    async with small_site(context) as site, site.client.get("/healthz") as response:
        told = await response.json()
    assert told["status"] == "ok"
    assert told["problems"] == ["source owncast: no answer"]


async def test_a_killed_daemon_that_was_replaced_is_no_problem(context: Context) -> None:
    await all_daemons(context)
    for pid, host in ((100, "h"), (101, "elsewhere")):
        await store.beat(context.pool, name="scanner", host=host, pid=pid, version="1", up_s=9)
    await context.pool.execute(
        "UPDATE processes SET seen_at = now() - interval '30 s' WHERE pid IN (100, 101)"
    )
    report = await Health(context).report()
    assert report.problems == ["scanner (process 101 on elsewhere) has been silent for 30 s"]
    assert report.status == "degraded"


async def test_a_camera_that_fails_is_named_without_its_address(context: Context) -> None:
    await all_daemons(context)
    await context.pool.execute(
        """
        WITH camera AS (
            INSERT INTO cameras (name, kind, url)
            VALUES ('garden', 'http', 'http://user:secret@10.0.0.1/') RETURNING id
        )
        INSERT INTO camera_state (camera_id, error) SELECT id, 'it does not answer' FROM camera
        """
    )
    async with small_site(context) as site, site.client.get("/healthz") as response:
        text = await response.text()
    assert "camera garden: it does not answer" in text
    assert "secret" not in text
    assert "10.0.0.1" not in text


async def test_without_its_database_the_site_is_failing_and_still_answers(context: Context) -> None:
    await all_daemons(context)
    async with small_site(context) as site:
        await context.pool.close()
        async with site.client.get("/healthz") as response:
            assert response.status == 503
            told = await response.json()
        assert told["status"] == "failing"
        assert told["database"]["status"] == "failing"
        assert told["database"]["error"]
        assert told["storage"]["status"] == "ok"
        async with site.client.get("/health", headers=HTML) as response:
            assert response.status == 503
            assert "the database fails" in await response.text()
        async with site.client.get("/metrics") as response:
            assert response.status == 200
            assert "vigil_database_up 0.0" in await response.text()


async def test_a_database_that_hangs_is_not_waited_for(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "DATABASE_TIMEOUT_S", 0.3)
    async with context.pool.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE processes")
        part, snapshot = await asyncio.wait_for(Health(context).look(), 5)
    assert snapshot is None
    assert part.error is not None
    assert "no answer" in part.error


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
async def test_a_folder_that_cannot_be_written_is_failing(context: Context) -> None:
    await all_daemons(context)
    folder = context.settings.data_dir / "blobs"
    folder.chmod(0o500)
    try:
        report = await Health(context).report()
    finally:
        folder.chmod(0o700)
    assert report.status == "failing"


async def test_a_blob_store_that_is_no_folder_any_more_is_failing(context: Context) -> None:
    await all_daemons(context)
    folder = context.settings.data_dir / "blobs"
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()
    folder.write_text("a file in the way")
    async with small_site(context) as site, site.client.get("/healthz") as response:
        assert response.status == 503
        told = await response.json()
    assert told["storage"]["status"] == "failing"
    assert told["storage"]["error"]
    assert told["database"]["status"] == "ok"


async def test_the_blob_store_is_looked_at_once_in_ten_seconds(context: Context) -> None:
    clock = FakeClock()
    watched = Health(replace(context, clock=clock))
    first = (await asyncio.gather(*(watched.storage() for _ in range(5))))[0]
    await clock.advance(9)
    assert await watched.storage() is first
    await clock.advance(2)
    second = await watched.storage()
    assert second is not first
    assert second.checked_at > first.checked_at


async def test_metrics_are_what_the_database_says(context: Context) -> None:
    await all_daemons(context)
    number = await add_source(context, 'odd "name"'.replace(" ", "-").replace('"', "x"))
    await context.pool.execute(
        """
        WITH made AS (
            INSERT INTO streams
                (source_id, external_id, title, page_url, player, player_url, search_text)
            SELECT $1, n::text, 't', 'http://x/', 'hls', 'http://x/', 't'
            FROM generate_series(1, 5) n RETURNING id, external_id
        )
        INSERT INTO stream_liveness (
            stream_id, source_id, external_id, digest, viewers, seen_at, expires_at)
        SELECT id, $1, external_id, 0, 0, now(),
            now() + CASE WHEN external_id < '4' THEN interval '1 min' ELSE interval '-1 min' END
        FROM made
        """,
        number,
    )
    await context.pool.execute(
        """
        WITH camera AS (
            INSERT INTO cameras (name, kind) VALUES ('card', 'testcard') RETURNING id
        ), scene AS (
            INSERT INTO scenes (name) VALUES ('card') RETURNING id
        ), frame AS (
            INSERT INTO frames
                (camera_id, scene_id, taken_at, received_at, width, height, bytes,
                 sha256, luma, blob)
            SELECT camera.id, scene.id, to_timestamp(1700000000), now(), 1, 1, 1,
                decode(repeat('00', 32), 'hex'), 1, 'frames/x'
            FROM camera, scene RETURNING id, camera_id
        )
        INSERT INTO camera_state (camera_id, connected, last_frame_id, frames, refused)
        SELECT camera_id, true, id, 17, 3 FROM frame
        """
    )
    await context.pool.execute(
        """
        INSERT INTO films (title, from_at, speed, fps, width, height, window_s, state)
        VALUES ('a', now(), 1, 25, 64, 64, 60, 'done'), ('b', now(), 1, 25, 64, 64, 60, 'done')
        """
    )
    await context.pool.execute(
        "INSERT INTO camera_days (camera_id, day, source) SELECT id, now(), 4 FROM cameras"
    )
    await context.pool.execute(
        """
        INSERT INTO camera_findings (camera_id, kind, since_at, message)
        SELECT id, 'dark', now(), '' FROM cameras
        """
    )
    async with small_site(context) as site:
        await (await site.client.get("/no/such/page")).read()
        async with site.client.get("/metrics") as response:
            assert response.status == 200
            assert response.content_type == "text/plain"
            text = await response.text()
        accept = {"accept": "application/openmetrics-text; version=1.0.0"}
        async with site.client.get("/metrics", headers=accept) as response:
            assert response.content_type == "application/openmetrics-text"
            assert (await response.text()).endswith("# EOF\n")
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[(sample.name, *sample.labels.values())] = sample.value
    assert found[("vigil_database_up",)] == 1
    assert found[("vigil_storage_up",)] == 1
    assert found[("vigil_processes", "scanner")] == 1
    assert found[("vigil_streams_live", "odd-xnamex")] == 3
    assert found[("vigil_source_found", "odd-xnamex")] == 12
    assert found[("vigil_camera_frames_total", "card")] == 17
    assert found[("vigil_camera_refused_total", "card")] == 3
    assert found[("vigil_camera_last_frame_timestamp_seconds", "card")] == 1_700_000_000
    assert found[("vigil_camera_missing_frames", "card", "source")] == 4
    assert found[("vigil_camera_finding", "card", "dark")] == 1
    assert found[("vigil_films", "done")] == 2
    assert found[("vigil_errors_total", "not_found")] == 1
    assert found[("process_open_fds",)] > 3
