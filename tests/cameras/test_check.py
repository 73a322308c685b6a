"""check: what a crash left between frames and their blobs is found and mended."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cameras.helpers import add_camera, add_frame, blobs, count
from tests.servers.pictures import jpeg
from vigil.cameras import check as module
from vigil.cameras import intake, store
from vigil.cameras.check import check
from vigil.context import Context


def on_disk(context: Context, key: str) -> Path:
    return context.settings.data_dir / "blobs" / key


def age(context: Context, key: str, seconds: float) -> None:
    os.utime(on_disk(context, key), (time.time() - seconds,) * 2)


async def test_nothing_is_wrong(context: Context) -> None:
    assert await check(context, mend=True) == []
    camera = await add_camera(context)
    frames = [await add_frame(context, camera, jpeg(n)) for n in range(3)]
    for frame in frames:
        age(context, frame.blob, 3600)
    assert await check(context, mend=True) == []
    assert await count(context) == len(await blobs(context)) == 3


@pytest.mark.parametrize("mend", [False, True])
async def test_a_frame_without_its_blob(context: Context, mend: bool) -> None:
    camera = await add_camera(context)
    lost = await add_frame(context, camera, jpeg(1))
    kept = await add_frame(context, camera, jpeg(2))
    on_disk(context, lost.blob).unlink()
    (line,) = await check(context, mend)
    assert f"frame {lost.id} " in line
    assert len(await check(context, mend=False)) == (0 if mend else 1)
    assert await count(context) == (1 if mend else 2)
    if mend:  # lost was the latest before kept; the page still has one
        assert (await store.health(context.pool))[camera.id].last == kept


@pytest.mark.parametrize("mend", [False, True])
async def test_a_blob_without_a_frame(context: Context, mend: bool) -> None:
    camera = await add_camera(context)
    kept = await add_frame(context, camera, jpeg(1))
    moment = context.clock.now() - timedelta(hours=1)
    stray = intake.blob_key(camera.id, moment, b"\x01" * 32)
    other = intake.blob_key(camera.id + 7, moment, b"\x01" * 32)  # of a camera that is gone
    twin = kept.blob.replace(kept.sha256.hex()[:16], "f" * 16)  # same time, other bytes
    odd = "frames/readme.txt"
    fresh = intake.blob_key(camera.id, moment, b"\x02" * 32)
    for key in (stray, other, twin, odd, fresh):
        await context.storage.put(key, b"x")
        age(context, key, 30 if key == fresh else 90)
    age(context, kept.blob, 90)
    found = await check(context, mend)
    assert len(found) == 4
    assert fresh not in str(found)
    left = {kept.blob, fresh}
    assert await blobs(context) == (left if mend else left | {stray, other, twin, odd})
    assert len(await check(context, mend=False)) == (0 if mend else 4)


async def test_a_removal_that_got_stuck(context: Context) -> None:
    camera = await add_camera(context)
    stuck = await add_frame(context, camera, jpeg(1))
    going = await add_frame(context, camera, jpeg(2))
    half = await add_frame(context, camera, jpeg(3))
    await context.pool.execute(
        "UPDATE frames SET deleting_at = now() - interval '11 minutes' WHERE id IN ($1, $2)",
        stuck.id,
        half.id,
    )
    await context.pool.execute("UPDATE frames SET deleting_at = now() WHERE id = $1", going.id)
    await context.storage.delete(half.blob)
    assert len(await check(context, mend=False)) == 2
    assert len(await check(context, mend=True)) == 2
    assert await check(context, mend=True) == []
    assert await count(context) == 1
    assert await blobs(context) == {going.blob}


async def test_files_of_cut_writes(context: Context) -> None:
    await context.storage.put("frames/1/x", b"x")
    await context.storage.delete("frames/1/x")
    leftover = on_disk(context, "frames/1/2026-01-01/a.jpg#1")
    leftover.parent.mkdir(parents=True)
    leftover.write_bytes(b"half")
    os.utime(leftover, (time.time() - 7200,) * 2)
    assert await check(context, mend=False) == []  # nobody sees it, it does no harm
    (line,) = await check(context, mend=True)
    assert "cut short" in line
    assert not leftover.exists()


async def test_many(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than a batch, over several days."""
    monkeypatch.setattr(module, "BATCH", 4)
    camera = await add_camera(context)
    now = context.clock.now()
    frames = [
        await add_frame(context, camera, jpeg(n), now - timedelta(hours=9 * n)) for n in range(11)
    ]
    for frame in frames:
        age(context, frame.blob, 90)
    assert await check(context, mend=False) == []
    for frame in frames[::3]:
        on_disk(context, frame.blob).unlink()
    assert len(await check(context, mend=True)) == 4
    assert await check(context, mend=True) == []
