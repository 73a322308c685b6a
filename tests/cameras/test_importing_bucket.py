"""Imports from a bucket: a server on loopback that speaks S3, read by obstore with credentials."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from tests.cameras.importing import begin, brought, done, get, picture, times
from tests.jobs.test_engine import rendering
from tests.servers.s3 import S3
from vigil.buckets import Bucket, check_url
from vigil.cameras.importing import previewing, starting, work
from vigil.cameras.importing.starting import Wanted
from vigil.clock import FakeClock
from vigil.context import Context
from vigil.errors import Invalid, NotFound, Unavailable
from vigil.jobs import store as jobs

NOW = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.fixture
def context(context: Context) -> Context:
    """Some summer's day."""
    return replace(context, clock=FakeClock(NOW))


@pytest_asyncio.fixture
async def bucket(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[S3]:
    """A bucket that obstore finds by its usual variables."""
    async with S3("cards") as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", server.key_id)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        monkeypatch.setenv("AWS_REGION", "eu-central-1")
        yield server


async def test_a_bucket_is_imported(context: Context, bucket: S3) -> None:
    for n in range(25):
        bucket.objects[f"garden/2026/06/10/12{n:02}00.jpg"] = picture(n)
    bucket.objects["garden/z räum & <x>.jpg"] = picture(99, "2026:06:20 12:00:00")
    bucket.objects["garden/list.txt"] = b"no picture"
    bucket.objects["street/20260610_120000.jpg"] = picture(50)
    bucket.page = 7
    wanted = Wanted(camera="garden", place="s3://cards/garden/", new=True)
    checked = await starting.check(context, wanted)
    told = await previewing.preview(context, checked)
    assert (told.files, told.other, told.counted, told.looked_at) == (26, 1, True, 26)
    assert told.ways == {"name": 25, "exif": 1}
    one = await brought(context, "s3://cards/garden", new=True)
    assert (one.files, one.added, one.refused) == (26, 26, 0)
    found = await times(context)
    assert (found[0], found[-1]) == (
        datetime(2026, 6, 10, 12, tzinfo=UTC),
        datetime(2026, 6, 20, 12, tzinfo=UTC),
    )
    again = await brought(context, "s3://cards/garden")
    assert (again.added, again.known) == (0, 26)


async def test_what_is_listed_begins_after_a_key(bucket: S3) -> None:
    bucket.objects = {f"a/{n}.jpg": b"x" for n in range(9)} | {"b.jpg": b"y"}
    bucket.page = 4
    found = Bucket.open("s3://cards")
    keys = [key for page in [one async for one in found.pages("a/3.jpg")] for key, *_ in page]
    assert keys == [*(f"a/{n}.jpg" for n in range(4, 9)), "b.jpg"]
    assert await found.get("b.jpg") == b"y"
    below = Bucket.open("s3://cards/a")
    keys = [key for page in [one async for one in below.pages("3.jpg")] for key, *_ in page]
    assert keys == [f"{n}.jpg" for n in range(4, 9)]
    with pytest.raises(NotFound):
        await below.get("nothing.jpg")


async def test_a_bucket_that_is_closed_or_fails(
    context: Context, bucket: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.objects["20260610_120000.jpg"] = picture(1)
    import_id = await begin(context, "s3://cards", new=True)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "SOMEBODYELSE")
    checked = await starting.check(context, Wanted(camera="garden", place="s3://cards"))
    with pytest.raises(Unavailable, match="cannot be listed"):
        await previewing.preview(context, checked)
    async with rendering(context, work.BRING):
        while True:
            one = await get(context, import_id)
            job = await jobs.get(context.pool, one.job_id or 0)
            assert job is not None
            if job.failures:
                break
    assert job.state == "waiting"
    assert "cannot be listed" in (job.error or "")
    assert "SECRET" not in (job.error or "").upper().replace("AWS_SECRET", "")
    assert "cards" not in str(job.public(admin=False)), "visitors see jobs, but no places"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", bucket.key_id)
    await context.pool.execute("UPDATE procrastinate_jobs SET scheduled_at = NULL")
    after = await done(context, import_id)
    assert after.added == 1


def test_addresses_of_buckets() -> None:
    assert check_url("s3://cards//garden/") == "s3://cards/garden"
    assert check_url("gs://cards") == "gs://cards"
    for url in ("s3://", "ftp://cards", "s3://a:b@cards", "s3://cards?x=1", "s3://cards/../x"):
        with pytest.raises(Invalid):
            check_url(url)
