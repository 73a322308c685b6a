"""retention: what is past its age, number or bytes goes, what somebody needs stays."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from tests.cameras.corpus import drawn
from tests.cameras.helpers import add_camera, add_frame, all_blobs, at, blobs, count, health
from tests.servers.pictures import jpeg
from vigil.cameras import retention, store
from vigil.cameras.check import check
from vigil.cameras.frames import store as frames
from vigil.cameras.frames.model import thumbnails_key
from vigil.cameras.keeping import store as keeping
from vigil.cameras.model import Camera, Frame
from vigil.clock import FakeClock
from vigil.context import Context


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime(2026, 3, 1, tzinfo=UTC))


async def take(context: Context, camera: Camera, number: int) -> list[Frame]:
    """So many frames, one each ten seconds."""
    taken = []
    for n in range(number):
        taken.append(await add_frame(context, camera, jpeg(n)))
        context.clock.jump(10)  # type: ignore[attr-defined]  # a FakeClock in this file
    return taken


async def left(context: Context, camera: Camera) -> list[int]:
    """Numbers of the frames that are left, the oldest first."""
    return sorted(frame.id for frame in await frames.page(context.pool, camera.id, limit=1000))


async def limit(context: Context, camera: Camera, column: str, value: int) -> None:
    await context.pool.execute(f"UPDATE cameras SET {column} = $1 WHERE id = $2", value, camera.id)


async def counted(context: Context, camera: Camera) -> tuple[int, int, int, int]:
    row = await context.pool.fetchrow(
        """
        SELECT passing_frames, passing_bytes, expired_frames, expired_bytes FROM camera_state
        WHERE camera_id = $1
        """,
        camera.id,
    )
    assert row is not None
    return tuple(row)


async def test_frames_go_when_their_time_is_over(context: Context, clock: FakeClock) -> None:
    context = at(context, clock=clock)
    short = await add_camera(context, "short", retention_s=60)
    long = await add_camera(context, "long", retention_s=3600)
    for n in range(10):
        await add_frame(context, short, jpeg(n))
        await add_frame(context, long, jpeg(n))
        await clock.advance(10)
    assert await retention.expire(context) == retention.EACH_S
    found = await frames.page(context.pool, short.id)
    assert [frame.taken_at for frame in found] == [
        clock.now() - timedelta(seconds=10 * n) for n in range(1, 7)
    ]
    assert len(await frames.page(context.pool, long.id)) == 10
    assert await count(context) == len(await blobs(context)) == 16
    assert len(await blobs(context, "thumbnails")) == 16
    assert await check(context, mend=False) == []


async def test_the_oldest_go_when_there_are_too_many(context: Context, clock: FakeClock) -> None:
    context = at(context, clock=clock)
    camera, other = await add_camera(context), await add_camera(context, "other")
    taken = await take(context, camera, 8)
    await take(context, other, 8)
    await limit(context, camera, "retention_frames", 5)
    await retention.expire(context)
    assert await left(context, camera) == [frame.id for frame in taken[3:]]
    assert len(await left(context, other)) == 8
    passing, _, expired, freed = await counted(context, camera)
    assert (passing, expired) == (5, 3)
    assert freed == sum(f.bytes + sum(f.thumbnails or ()) for f in taken[:3])
    assert await check(context, mend=False) == []


async def test_a_late_frame_is_the_oldest(context: Context, clock: FakeClock) -> None:
    """By time taken, not by time of arrival; and not before it has been there for a moment."""
    context = at(context, clock=clock)
    camera = await add_camera(context)
    taken = await take(context, camera, 3)
    await limit(context, camera, "retention_frames", 3)
    late = await add_frame(context, camera, jpeg(9), clock.now() - timedelta(hours=1))
    await retention.expire(context)
    assert len(await left(context, camera)) == 3  # the one after it went
    assert late.id in await left(context, camera)
    await add_frame(context, camera, jpeg(10))
    clock.jump(11)
    await retention.expire(context)
    assert late.id not in await left(context, camera)
    assert taken[2].id in await left(context, camera)


async def test_the_oldest_go_when_it_is_too_much(context: Context, clock: FakeClock) -> None:
    context = at(context, clock=clock)
    camera = await add_camera(context)
    taken = [*await take(context, camera, 4), await add_frame(context, camera, drawn("PNG"))]
    sizes = [f.bytes + (f.picture_bytes or 0) + sum(f.thumbnails or ()) for f in taken]
    clock.jump(11)
    _, much, _, _ = await counted(context, camera)
    assert much == sum(sizes)
    stored = sum([len(await context.storage.get(key)) for key in await all_blobs(context)])
    assert stored == much
    await limit(context, camera, "retention_bytes", sum(sizes[2:]) + 1)
    await retention.expire(context)
    assert await left(context, camera) == [frame.id for frame in taken[2:]]
    await limit(context, camera, "retention_bytes", sum(sizes[2:]) - 1)
    await retention.expire(context)
    assert await left(context, camera) == [frame.id for frame in taken[3:]]
    await limit(context, camera, "retention_bytes", 1)
    await retention.expire(context)
    assert await all_blobs(context) == set()
    assert (await counted(context, camera))[:2] == (0, 0)


async def test_what_is_kept_for_ever_stays_and_does_not_count(
    context: Context, clock: FakeClock
) -> None:
    context = at(context, clock=clock)
    camera = await add_camera(context, retention_s=3600)
    taken = await take(context, camera, 6)
    ids = [frame.id for frame in taken]
    assert await keeping.keep(context.pool, True, ids=ids[:2]) == 2
    assert await keeping.keep(context.pool, True, ids=ids[:2]) == 0
    assert await check(context, mend=False) == []
    await limit(context, camera, "retention_frames", 3)
    await retention.expire(context)
    assert await left(context, camera) == [*ids[:2], *ids[3:]]
    clock.jump(7200)
    await retention.expire(context)
    assert await left(context, camera) == ids[:2]
    assert await keeping.keep(context.pool, False, camera_id=camera.id) == 2
    assert await check(context, mend=False) == []
    await retention.expire(context)
    assert await left(context, camera) == []


async def test_a_range_is_kept(context: Context, clock: FakeClock) -> None:
    context = at(context, clock=clock)
    camera = await add_camera(context)
    taken = await take(context, camera, 5)
    changed = await keeping.keep(
        context.pool,
        True,
        scene_id=taken[0].scene_id,
        from_at=taken[1].taken_at,
        to_at=taken[3].taken_at,
    )
    assert changed == 2
    kept = [frame.id for frame in await frames.page(context.pool, camera.id) if frame.kept]
    assert sorted(kept) == [taken[1].id, taken[2].id]
    assert await keeping.keep(context.pool, True, from_at=taken[0].taken_at) == 0  # of nobody


async def test_what_was_kept_after_it_was_chosen_stays(context: Context, clock: FakeClock) -> None:
    context = at(context, clock=clock)
    camera = await add_camera(context)
    (frame,) = await take(context, camera, 1)
    await keeping.keep(context.pool, True, ids=[frame.id])
    assert await keeping.mark(context.pool, [frame.id], clock.now()) == (0, 0)
    assert await left(context, camera) == [frame.id]


@pytest.mark.parametrize("state", ["waiting", "rendering"])
async def test_what_a_film_in_the_making_needs_stays(
    context: Context, clock: FakeClock, state: str
) -> None:
    context = at(context, clock=clock)
    camera = await add_camera(context, retention_s=3600)
    taken = await take(context, camera, 8)
    film = await context.pool.fetchval(
        """
        INSERT INTO films
            (title, scenes, from_at, to_at, speed, fps, width, height, window_s, state)
        VALUES ('x', ARRAY[$1::integer], $2, $3, 100, 10, 320, 240, 50, $4) RETURNING id
        """,
        taken[0].scene_id,
        taken[2].taken_at,
        taken[4].taken_at,
        state,
    )
    await limit(context, camera, "retention_frames", 3)
    await retention.expire(context)
    assert await left(context, camera) == [taken[n].id for n in (2, 3, 7)]
    clock.jump(7200)
    await retention.expire(context)
    assert await left(context, camera) == [taken[n].id for n in (2, 3)]
    await context.pool.execute("UPDATE films SET state = 'done' WHERE id = $1", film)
    await retention.expire(context)
    assert await left(context, camera) == []


async def test_a_film_that_grows_for_ever_gives_up_what_is_old(
    context: Context, clock: FakeClock
) -> None:
    context = at(context, clock=clock)
    camera = await add_camera(context, retention_s=3600)
    taken = await take(context, camera, 3)
    await context.pool.execute(
        """
        INSERT INTO films (title, scenes, from_at, speed, fps, width, height, window_s, state)
        VALUES ('x', ARRAY[$1::integer], $2, 100, 10, 320, 240, 50, 'rendering')
        """,
        taken[0].scene_id,
        taken[0].taken_at,
    )
    await limit(context, camera, "retention_frames", 1)
    await retention.expire(context)
    assert len(await left(context, camera)) == 3
    clock.jump(7200)
    await retention.expire(context)
    assert await left(context, camera) == []


async def test_small_steps(
    context: Context, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 3)
    context = at(context, clock=clock)
    camera = await add_camera(context, retention_s=60)
    await take(context, camera, 7)
    clock.jump(120)
    found = []
    while (await retention.step(context))[2]:
        found.append(await count(context))
    assert found == [4, 1, 0]


async def test_intake_goes_on_meanwhile(context: Context, clock: FakeClock) -> None:
    """A removal that hangs in the blob store holds no lock that a new frame waits for."""
    real = context
    context = at(context, clock=clock)
    camera = await add_camera(context, retention_s=60)
    await take(context, camera, 3)
    clock.jump(120)
    waiting, release = asyncio.Event(), asyncio.Event()

    class Slow(type(context.storage)):  # type: ignore[misc]  # the class of the fixture's store
        async def delete(self, key: str) -> None:
            waiting.set()
            await release.wait()
            await super().delete(key)

    slow = at(context, storage=Slow.open(real.settings.blobs_url))
    removing = asyncio.create_task(retention.expire(slow))
    try:
        await asyncio.wait_for(waiting.wait(), 10)
        frame = await asyncio.wait_for(add_frame(context, camera, jpeg(9)), 10)
        assert await left(context, camera) == [frame.id]
    finally:
        release.set()
        await removing
    assert await count(context) == 1


async def test_what_a_kill_left_half_removed_is_finished(context: Context) -> None:
    """Marked and the blobs still there; marked and some of them gone already."""
    camera = await add_camera(context)
    first = await add_frame(context, camera, jpeg(1))
    second = await add_frame(context, camera, drawn("PNG"))
    kept = await add_frame(context, camera, jpeg(3))
    await keeping.mark(context.pool, [first.id, second.id], context.clock.now())
    await context.storage.delete(first.blob)
    assert [f.id for f in await frames.page(context.pool, camera.id)] == [kept.id]
    await retention.expire(context)
    assert await count(context) == 1
    assert await all_blobs(context) == {kept.blob, thumbnails_key(kept.blob)}
    assert await check(context, mend=False) == []


async def test_row_marked_then_blobs_then_row(context: Context, clock: FakeClock) -> None:
    """At the moment a blob is deleted, its row is marked and still there."""
    real = context
    context = at(context, clock=clock)
    camera = await add_camera(context, retention_s=60)
    frame = await add_frame(context, camera, drawn("HEIF"))
    clock.jump(61)
    moments = []

    class Watched(type(context.storage)):  # type: ignore[misc]  # the class of the fixture's store
        async def delete(self, key: str) -> None:
            deleting_at = await context.pool.fetchval("SELECT deleting_at FROM frames")
            moments.append(deleting_at is not None)
            await super().delete(key)

    await retention.expire(at(context, storage=Watched.open(real.settings.blobs_url)))
    assert moments == [True] * 3  # the blob, the picture, the thumbnails
    assert await count(context) == 0
    assert await all_blobs(context) == set()
    assert await context.storage.head(frame.blob) is None


async def test_a_camera_goes_after_its_frames(context: Context) -> None:
    """All of them: also what was kept for ever."""
    camera = await add_camera(context)
    other = await add_camera(context, "other")
    gone = [await add_frame(context, camera, jpeg(n)) for n in range(3)]
    await keeping.keep(context.pool, True, ids=[gone[0].id])
    kept = await add_frame(context, other, jpeg(9))
    await store.begin_removal(context.pool, camera.id)
    await retention.expire(context)
    assert await store.by_id(context.pool, camera.id) is None
    assert await all_blobs(context) == {kept.blob, thumbnails_key(kept.blob)}
    assert await health(context, camera) == await health(context, camera)
    assert await store.by_name(context.pool, "other") is not None
