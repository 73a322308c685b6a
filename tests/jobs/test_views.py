"""Pages and JSON of jobs, as everybody and as the admin sees them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.conftest import Site
from tests.jobs.test_engine import rendering, until
from tests.jobs.test_store import put, read, take
from vigil.context import Context
from vigil.jobs import store
from vigil.jobs.model import RunningJob, Task


async def get(site: Site, path: str, *, admin: bool = False) -> Any:
    async with site.client.get(path, headers=site.admin_headers if admin else {}) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def page(site: Site, path: str, *, admin: bool = False) -> str:
    headers = {"accept": "text/html"} | (site.admin_headers if admin else {})
    async with site.client.get(path, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.text()


async def post(site: Site, path: str, *, admin: bool = True) -> tuple[int, Any]:
    async with site.client.post(path, headers=site.admin_headers if admin else {}) as answer:
        return answer.status, await answer.json()


async def failed(site: Site, error: str) -> int:
    job_id = await put(site.context.pool)
    worker_id, taken = await take(site.context.pool)
    assert taken == job_id
    await store.finish(site.context.pool, job_id, worker_id, "failed", error)
    return job_id


async def test_everybody_sees_jobs_without_their_arguments(site: Site) -> None:
    job_id = await put(site.context.pool, arguments={"secret": "hidden-value"}, lock="hidden-lock")
    job = await read(site.context.pool, job_id)
    shown = await get(site, f"/api/v1/jobs/{job_id}")
    assert shown["state"] == "waiting"
    assert shown["waiting_for"] == "no renderer is running"
    assert shown["progress"] == {"done": 0, "total": None, "unit": "", "message": ""}
    assert shown["actions"] == {
        "cancel": "only an admin can cancel a job",
        "retry": "only a failed job can be tried again",
    }
    listed = await get(site, "/api/v1/jobs")
    assert listed == {"items": [shown], "next": None}
    for text in (json.dumps(shown), await page(site, "/jobs"), await page(site, f"/jobs/{job_id}")):
        for hidden in ("hidden-value", "hidden-lock", job.log_task or "?"):
            assert hidden not in text


async def test_an_admin_sees_more(site: Site) -> None:
    job_id = await put(site.context.pool, arguments={"thing": 7})
    job = await read(site.context.pool, job_id)
    shown = await get(site, f"/api/v1/jobs/{job_id}", admin=True)
    assert shown["arguments"] == {"thing": 7}
    assert shown["log_task"] == job.log_task
    assert shown["actions"]["cancel"] is None
    text = await page(site, f"/jobs/{job_id}", admin=True)
    assert job.log_task is not None
    assert job.log_task in text
    assert f'action="/jobs/{job_id}/cancel"' in text


async def test_cancel_and_retry(site: Site) -> None:
    job_id = await put(site.context.pool)
    status, answer = await post(site, f"/api/v1/jobs/{job_id}/cancel", admin=False)
    assert (status, answer["error"]["code"]) == (401, "unauthorized")
    assert (await read(site.context.pool, job_id)).state == "waiting"
    status, answer = await post(site, f"/api/v1/jobs/{job_id}/cancel")
    assert (status, answer["state"]) == (200, "cancelled")
    status, answer = await post(site, f"/api/v1/jobs/{job_id}/cancel")
    assert (status, answer["error"]["message"]) == (409, "it has already ended")
    status, answer = await post(site, f"/api/v1/jobs/{job_id}/retry")
    assert (status, answer["error"]["code"]) == (409, "conflict")
    job_id = await failed(site, "it broke")
    status, answer = await post(site, f"/api/v1/jobs/{job_id}/retry", admin=False)
    assert status == 401
    status, answer = await post(site, f"/api/v1/jobs/{job_id}/retry")
    assert (status, answer["state"], answer["error"]) == (200, "waiting", "it broke")
    status, answer = await post(site, "/api/v1/jobs/999/retry")
    assert (status, answer["error"]["code"]) == (404, "not_found")


async def test_forms(site: Site) -> None:
    job_id = await put(site.context.pool)
    async with site.client.post(f"/jobs/{job_id}/cancel", allow_redirects=False) as answer:
        assert answer.status == 401
    async with site.client.post(
        f"/jobs/{job_id}/cancel", headers=site.admin_headers, allow_redirects=False
    ) as answer:
        assert (answer.status, answer.headers["location"]) == (303, f"/jobs/{job_id}")
    assert (await read(site.context.pool, job_id)).state == "cancelled"


async def test_what_nobody_foresaw_is_for_the_admin(site: Site) -> None:
    plain = await failed(site, "the camera is gone")
    bug = await failed(site, "unexpected KeyError: '/srv/private/path'")
    assert (await get(site, f"/api/v1/jobs/{plain}"))["error"] == "the camera is gone"
    for path in (f"/api/v1/jobs/{bug}", "/api/v1/jobs"):
        assert "private" not in json.dumps(await get(site, path))
    for path in (f"/jobs/{bug}", "/jobs"):
        assert "private" not in await page(site, path)
    assert "private" in (await get(site, f"/api/v1/jobs/{bug}", admin=True))["error"]


async def test_pages_of_a_long_list(site: Site) -> None:
    ids = [await put(site.context.pool, subject=f"film:{n}") for n in range(5)]
    first = await get(site, "/api/v1/jobs?limit=3")
    assert [job["id"] for job in first["items"]] == [ids[4], ids[3], ids[2]]
    second = await get(site, f"/api/v1/jobs?limit=3&cursor={first['next']}")
    assert [job["id"] for job in second["items"]] == [ids[1], ids[0]]
    assert second["next"] is None
    only = await get(site, "/api/v1/jobs?subject=film:2")
    assert [job["id"] for job in only["items"]] == [ids[2]]
    assert 'href="/films/2"' in await page(site, f"/jobs/{ids[2]}")
    assert (await get(site, "/api/v1/jobs?state=running"))["items"] == []


@pytest.mark.parametrize("query", ["state=odd", "limit=-1", "limit=x", "cursor=zz", "limit=0"])
async def test_a_query_that_makes_no_sense(site: Site, query: str) -> None:
    async with site.client.get(f"/api/v1/jobs?{query}") as answer:
        assert answer.status == 400
        assert (await answer.json())["error"]["code"] == "invalid"


async def test_no_such_job(site: Site) -> None:
    for path in ("/api/v1/jobs/999", "/jobs/999"):
        async with site.client.get(path) as answer:
            assert answer.status == 404


async def events(answer: aiohttp.ClientResponse) -> AsyncIterator[Any]:
    async for line in answer.content:
        if line.startswith(b"data: "):
            yield json.loads(line[6:])


async def test_progress_reaches_a_page_that_is_open(site: Site, context: Context) -> None:
    async def work(_context: Context, job: RunningJob) -> None:
        for done in range(10):
            await job.progress(done + 1, 10, "frames", "encoding")
            await asyncio.sleep(0.1)

    async with (
        site.client.get("/jobs/events") as answer,
        rendering(context, Task("test.work", work)),
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        job_id = await put(context.pool, title="A job & its <title>")
        async with asyncio.timeout(15):
            seen = []
            async for event in events(answer):
                assert event["id"] == job_id
                assert event["html"].lstrip().startswith("<tr")
                assert "A job &amp; its &lt;title&gt;" in event["html"]
                seen.append(event["html"])
                if ">done<" in event["html"]:
                    break
    assert any("of 10 frames" in html for html in seen)
    assert all("<form" not in html for html in seen)  # nobody is signed in


async def test_the_events_of_one_job(site: Site, context: Context) -> None:
    async def work(_context: Context, job: RunningJob) -> None:
        await asyncio.sleep(0.3)

    job_id, other = await put(context.pool), await put(context.pool)
    async with site.client.get(f"/jobs/events?job={job_id}", headers=site.admin_headers) as answer:
        stream = events(answer)
        async with asyncio.timeout(15):
            first = await anext(stream)
            assert (first["id"], "no renderer is running" in first["html"].lower()) == (
                job_id,
                True,
            )
            async with rendering(context, Task("test.work", work)):
                await until(context.pool, other, lambda job: job.finished)
            while ">done<" not in (event := await anext(stream))["html"]:
                assert event["id"] == job_id
                assert f'action="/jobs/{job_id}/cancel"' in event["html"]
