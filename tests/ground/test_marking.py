"""The mark of the blob store: an unmounted disk costs nothing, and mends itself."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import obstore
import pytest

from tests.cameras.helpers import add_camera, add_frame, all_blobs, at, blobs, count, health
from tests.conftest import Site
from tests.jobs.test_cli import vigil
from tests.servers.pictures import jpeg
from tests.servers.s3 import S3
from vigil import marking
from vigil.cameras import retention, scan
from vigil.cameras.model import Camera
from vigil.clock import FakeClock
from vigil.context import Context, open_context
from vigil.errors import Conflict, StoreAway
from vigil.notifications import store as notifications
from vigil.settings import Settings
from vigil.site.health import Health
from vigil.site.scan import mind_store
from vigil.storage import MARK, Storage


@pytest.fixture
def folder(context: Context) -> Path:
    """Where the blobs are."""
    assert context.storage.place is not None
    return context.storage.place


@contextmanager
def unmounted(folder: Path) -> Iterator[None]:
    """The folder is an empty mount point for a while; what was put there is covered by the disk."""
    disk = folder.rename(folder.with_name("disk"))
    folder.mkdir()
    try:
        yield
    finally:
        assert [path for path in folder.rglob("*") if path.is_file()] == []
        shutil.rmtree(folder)
        disk.rename(folder)


def said(folder: Path) -> str:
    return (folder / MARK).read_text().splitlines()[0]


async def test_a_new_installation_is_marked_once(context: Context, folder: Path) -> None:
    known = await context.pool.fetchrow("SELECT * FROM blob_store")
    assert known is not None
    assert said(folder) == str(known["id"])
    assert known["marked_at"] is not None
    assert [info async for info in context.storage.list()] == [], "it is no blob"
    async with open_context(context.settings, "again"):
        assert await context.pool.fetchrow("SELECT * FROM blob_store") == known


async def as_before(context: Context, folder: Path) -> Camera:
    """An installation that was made when stores had no mark, with four frames."""
    camera = await add_camera(context)
    for number in range(4):
        await add_frame(context, camera, jpeg(number))
    (folder / MARK).unlink()
    await context.pool.execute("UPDATE blob_store SET marked_at = NULL")
    return camera


async def test_an_installation_from_before_is_marked(context: Context, folder: Path) -> None:
    await as_before(context, folder)
    async with open_context(context.settings, "updated") as updated:
        assert len(await blobs(updated)) == 4
    assert await context.pool.fetchval("SELECT marked_at FROM blob_store") is not None
    (folder / MARK).unlink()
    async with open_context(context.settings, "later") as later:
        with pytest.raises(StoreAway):
            await later.storage.put("probe/1", b"x")
    assert not (folder / MARK).exists(), "not a second time"


async def test_an_update_while_the_disk_is_away(context: Context, folder: Path) -> None:
    """What is empty is not marked; the chore does it when the disk is there."""
    await as_before(context, folder)
    with unmounted(folder):
        async with open_context(context.settings, "updated") as updated:
            await mind_store(updated)
            with pytest.raises(StoreAway):
                await updated.storage.put("probe/1", b"x")
            assert not (folder / MARK).exists()
    await mind_store(context)
    assert said(folder) == await context.pool.fetchval("SELECT id::text FROM blob_store")
    await context.storage.put("probe/1", b"x")


async def test_a_disk_that_was_written_past_before_the_update(
    context: Context, folder: Path
) -> None:
    """The folder has the newest frames only: the older ones are on the disk, which is elsewhere."""
    camera = await as_before(context, folder)
    shutil.rmtree(folder / "frames")
    past = at(context, storage=context.storage.unbound())
    await add_frame(past, camera, jpeg(9))
    async with open_context(context.settings, "updated"):
        assert not (folder / MARK).exists()


def attempts(storage: Storage, path: Path) -> list[Callable[[], Awaitable[object]]]:
    async def listed() -> list[str]:
        return [info.key async for info in storage.list("a")]

    return [
        lambda: storage.put("a/2", b"new"),
        lambda: storage.put_file("a/2", path),
        lambda: storage.get("a/1"),
        lambda: storage.get_each(["a/1"]),
        lambda: storage.get_range("a/1", 0, 2),
        lambda: storage.head("a/1"),
        lambda: storage.delete("a/1"),
        lambda: storage.sweep(),
        lambda: storage.check(),
        listed,
    ]


async def test_nothing_is_written_removed_or_missed(
    context: Context, folder: Path, tmp_path: Path
) -> None:
    storage = context.storage
    (tmp_path / "file").write_bytes(b"file")
    await storage.put("a/1", b"old")
    tries = attempts(storage, tmp_path / "file")
    with unmounted(folder):
        for attempt in tries:
            with pytest.raises(StoreAway, match="is its disk mounted"):
                await attempt()
        assert list(folder.iterdir()) == []
    for attempt in tries[:6]:
        await attempt()
    assert await storage.get("a/1") == b"old"
    assert await storage.get("a/2") == b"file"
    assert await storage.head("a/3") is None
    (folder / MARK).write_text("00000000-0000-0000-0000-000000000000\n")
    for attempt in (tries[0], tries[6], tries[8], tries[9]):
        with pytest.raises(StoreAway, match="another"):
            await attempt()
    assert (folder / "a/1").read_bytes() == b"old"


async def test_a_disk_that_goes_while_something_is_written(
    context: Context, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What went into the mount point is not acknowledged."""
    real = obstore.put_async

    async def late(*arguments: Any, **more: Any) -> Any:
        folder.rename(folder.with_name("disk"))
        folder.mkdir()
        return await real(*arguments, **more)

    monkeypatch.setattr(obstore, "put_async", late)
    with pytest.raises(StoreAway):
        await context.storage.put("a/1", b"new")


async def test_a_disk_that_is_really_unmounted(context: Context, folder: Path) -> None:
    disk = folder.with_name("disk")
    disk.mkdir()
    shutil.move(folder / MARK, disk / MARK)
    mount = ["mount", "--bind", str(disk), str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this machine does not let us mount anything")
    mounted = True
    try:
        await context.storage.put("a/1", b"on the disk")
        subprocess.run(["umount", str(folder)], check=True)
        mounted = False
        with pytest.raises(StoreAway):
            await context.storage.put("a/2", b"beside it")
        with pytest.raises(StoreAway):
            await context.storage.get("a/1")
        assert list(folder.iterdir()) == []
        subprocess.run(mount, check=True)
        mounted = True
        assert await context.storage.get("a/1") == b"on the disk"
    finally:
        if mounted:
            subprocess.run(["umount", str(folder)], check=True)


async def test_retention_waits_and_cameras_say_why(context: Context, folder: Path) -> None:
    clock = FakeClock()
    context = at(context, clock=clock)
    camera = await add_camera(context, url="testcard", retention_s=60, interval_s=1)
    await add_frame(context, camera, jpeg(1))
    before = await all_blobs(context)
    clock.jump(61)
    with unmounted(folder):
        with pytest.raises(StoreAway) as failed:
            await retention.expire(context)
        assert await count(context) == 1, "the row stays as long as the blob"
        with pytest.raises(StoreAway):
            await asyncio.wait_for(scan.watch(context, camera), 20)
        await scan.record_failure(context, camera, failed.value, 5)
        told = (await health(context, camera)).error
        assert told is not None
        assert "the blob store is not there" in told
        spans = await context.pool.fetch("SELECT state FROM camera_spans WHERE state <> 'watching'")
        assert [row["state"] for row in spans] == ["disk_full"]
    assert await all_blobs(context) == before
    await retention.expire(context)
    assert await count(context) == 0
    assert await all_blobs(context) == set()


async def test_it_is_told_when_it_goes_and_when_it_is_back(context: Context, folder: Path) -> None:
    async def kinds() -> list[str]:
        return [one.kind for one in await notifications.page(context.pool, subject="blob-store")]

    await mind_store(context)
    assert await kinds() == []
    with unmounted(folder):
        for _ in range(3):
            await mind_store(context)
        assert await kinds() == ["store.away"]
        report = await Health(context).report()
        assert report.status == "failing"
        assert any("the blob store is not there" in problem for problem in report.problems)
        assert report.storage.hint is not None
        assert "bin/vigil store show" in report.storage.hint
    await mind_store(context)
    assert await kinds() == ["store.away.over", "store.away"]
    assert (await Health(context).report()).storage.status == "ok"


async def test_a_picture_is_not_missing_but_away(site: Site, folder: Path) -> None:
    """A page that is open tries again; a cache is not told that it is gone."""
    camera = await add_camera(site.context)
    frame = await add_frame(site.context, camera, jpeg(1))
    path = f"/api/v1/cameras/{camera.name}/frames/{frame.id}.jpg"
    with unmounted(folder):
        async with site.client.get(path) as response:
            assert response.status == 503
            assert (await response.json())["error"]["code"] == "store_away"
        async with site.client.get("/health") as response:
            text = await response.text()
            assert "the blob store is not there" in text
            assert "bin/vigil store show" in text
    async with site.client.get(path) as response:
        assert response.status == 200


async def test_the_commands(context: Context, folder: Path) -> None:
    """A restored backup whose mark was not copied; a store of somebody else; an empty one."""
    camera = await as_before(context, folder)
    status, out, errors = await vigil(context, "store", "show", "--json")  # marks it
    assert (status, errors) == (0, "")
    assert json.loads(out)["mark"] == "ours"
    (folder / MARK).unlink()
    status, out, _ = await vigil(context, "store", "show")
    assert status == 1
    assert str(folder) in out
    assert "vigil store adopt" in out
    status, _, errors = await vigil(context, "check")
    assert status == 1
    assert "the blob store is not there" in errors
    assert "is its disk mounted" in errors
    assert await count(context) == 4
    status, out, _ = await vigil(context, "store", "adopt")
    assert (status, out) == (0, "adopted: 4 of 4 blobs looked for are there\n")
    status, out, _ = await vigil(context, "check")
    assert (status, out) == (0, "clean\n")
    (folder / MARK).write_text("another\n")
    status, _, errors = await vigil(context, "store", "adopt")
    assert status == 1
    assert "another database" in errors
    (folder / MARK).unlink()
    shutil.rmtree(folder / "frames")
    status, _, errors = await vigil(context, "store", "adopt")
    assert status == 1
    assert "of 4 blobs that the database knows 0 are there" in errors
    status, out, _ = await vigil(context, "store", "adopt", "--force")
    assert status == 0
    assert "bin/vigil check" in out
    await add_frame(context, camera, jpeg(7))


async def test_a_database_that_finds_the_store_of_another(context: Context, folder: Path) -> None:
    (folder / MARK).write_text("another\n")
    await context.pool.execute("UPDATE blob_store SET marked_at = NULL")
    async with open_context(context.settings, "new") as new:
        with pytest.raises(StoreAway, match="another"):
            await new.storage.put("a", b"x")
        with pytest.raises(Conflict):
            await marking.adopt(new.pool, new.storage)
        assert (folder / MARK).read_text() == "another\n"
        await marking.adopt(new.pool, new.storage, force=True)
        await new.storage.put("a", b"x")


async def test_a_bucket_has_a_mark_too(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another bucket, say by a slip in VIGIL_STORAGE_URL, is not taken for an empty one."""
    async with S3("bucket", takes=True) as bucket:
        for name, value in bucket.environment().items():
            monkeypatch.setenv(name, value)
        right = replace(settings, storage_url="s3://bucket/right")
        async with open_context(right, "test") as context:
            assert list(bucket.objects) == [f"right/{MARK}"]
            await context.storage.put("a", b"x")
            asked = len(bucket.requests)
            await context.storage.put("b", b"y")
            assert len(bucket.requests) == asked + 1, "its mark is not read each time"
        async with open_context(replace(settings, storage_url="s3://bucket/wrong"), "test") as lost:
            with pytest.raises(StoreAway):
                await lost.storage.put("c", b"z")
            with pytest.raises(StoreAway):
                await lost.storage.get("a")
        assert set(bucket.objects) == {f"right/{name}" for name in (MARK, "a", "b")}
        bucket.broken = True
        async with open_context(right, "test"):
            pass  # a bucket that does not answer keeps nobody from starting
