"""check: what a crash left between frames and their blobs is found and mended."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cameras.corpus import drawn
from tests.cameras.helpers import add_camera, add_frame, all_blobs, blobs, count
from tests.servers.pictures import jpeg
from vigil.cameras import check as module
from vigil.cameras import store
from vigil.cameras.check import check
from vigil.cameras.frames import store as frames
from vigil.cameras.frames.model import blob_key, thumbnails_key
from vigil.cameras.keeping import store as keeping
from vigil.context import Context


def on_disk(context: Context, key: str) -> Path:
    return context.settings.data_dir / "blobs" / key


def age(context: Context, key: str, seconds: float) -> None:
    os.utime(on_disk(context, key), (time.time() - seconds,) * 2)


async def test_nothing_is_wrong(context: Context) -> None:
    assert await check(context, mend=True) == []
    camera = await add_camera(context)
    three = [await add_frame(context, camera, jpeg(n)) for n in range(3)]
    for frame in three:
        age(context, frame.blob, 3600)
        age(context, thumbnails_key(frame.blob), 3600)
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
    stray = blob_key(camera.id, moment, b"\x01" * 32)
    other = blob_key(camera.id + 7, moment, b"\x01" * 32)  # of a camera that is gone
    twin = kept.blob.replace(kept.sha256.hex()[:16], "f" * 16)  # same time, other bytes
    odd = "frames/readme.txt"
    fresh = blob_key(camera.id, moment, b"\x02" * 32)
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
    await keeping.recount(context.pool, camera.name)  # as marking would have done
    await context.storage.delete(half.blob)
    assert len(await check(context, mend=False)) == 2
    assert len(await check(context, mend=True)) == 2
    assert await check(context, mend=True) == []
    assert await count(context) == 1
    assert await all_blobs(context) == {going.blob, thumbnails_key(going.blob)}


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
    eleven = [
        await add_frame(context, camera, jpeg(n), now - timedelta(hours=9 * n)) for n in range(11)
    ]
    for frame in eleven:
        age(context, frame.blob, 90)
    assert await check(context, mend=False) == []
    for frame in eleven[::3]:
        on_disk(context, frame.blob).unlink()
    assert len(await check(context, mend=True)) == 4
    assert await check(context, mend=True) == []


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "HEIF"])
@pytest.mark.parametrize("damage", ["gone", "short"])
async def test_thumbnails_and_pictures_are_made_again(
    context: Context, kind: str, damage: str
) -> None:
    camera = await add_camera(context)
    frame = await add_frame(context, camera, drawn(kind))
    await add_frame(context, camera, jpeg(2))
    before = {key: await context.storage.get(key) for key in await all_blobs(context)}
    lost = thumbnails_key(frame.blob)
    on_disk(context, lost).unlink()
    if damage == "short":
        await context.storage.put(lost, b"x")
    elif frame.picture is not None:
        on_disk(context, frame.picture).unlink()
    (line,) = await check(context, mend=False)
    assert f"frame {frame.id} had lost " in line
    assert lost in line
    assert len(await check(context, mend=True)) == 1
    assert await check(context, mend=False) == []
    assert await all_blobs(context) == set(before)
    now = await frames.by_id(context.pool, camera.id, frame.id)
    assert now is not None
    assert now.picture == frame.picture
    if damage == "gone" or kind == "JPEG":
        assert now == frame
        assert {key: await context.storage.get(key) for key in before} == before


async def test_thumbnails_of_a_damaged_picture(context: Context) -> None:
    """The blob is there and is no picture any more: the frame stays, without thumbnails."""
    camera = await add_camera(context)
    frame = await add_frame(context, camera, jpeg(1))
    on_disk(context, frame.blob).write_bytes(b"<html>")
    on_disk(context, thumbnails_key(frame.blob)).unlink()
    assert len(await check(context, mend=True)) == 1
    assert await check(context, mend=False) == []
    now = await frames.by_id(context.pool, camera.id, frame.id)
    assert now is not None
    assert now.thumbnails is None


async def test_strays_of_every_sort(context: Context) -> None:
    camera = await add_camera(context)
    frame = await add_frame(context, camera, drawn("WEBP"))
    assert frame.picture is not None
    strays = {
        frame.picture.replace(".jpg", "").rpartition("-")[0] + f"-{'0' * 16}.jpg",
        thumbnails_key(frame.blob).replace(frame.sha256.hex()[:16], "1" * 16),
    }
    for key in strays:
        await context.storage.put(key, b"x")
    for key in await all_blobs(context):
        age(context, key, 90)
    assert len(await check(context, mend=True)) == 2
    assert strays.isdisjoint(await all_blobs(context))
    assert await check(context, mend=False) == []


async def test_what_was_miscounted_is_counted_again(context: Context) -> None:
    camera = await add_camera(context)
    await add_frame(context, camera, jpeg(1))
    await context.pool.execute("UPDATE camera_state SET passing_frames = 9")
    assert await check(context, mend=False) == ["the frames of camera garden were miscounted"]
    await check(context, mend=True)
    assert await check(context, mend=False) == []
