"""scan: frames are taken, trouble is written down, what is old goes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from tests.cameras.helpers import add_camera, add_frame, at, blobs, count, health, until
from tests.servers.pictures import jpeg
from vigil import loop
from vigil.cameras import scan, store
from vigil.cameras.builtin import register_testcard
from vigil.cameras.frames import store as frames
from vigil.cameras.model import Camera, CameraKind, RawFrame
from vigil.clock import FakeClock
from vigil.context import Context
from vigil.errors import SourceError
from vigil.sources.kinds import CAMERAS

Step = bytes | Exception | None


class Scripted:
    """A kind of camera that plays a list: pictures, ``None``, errors; each error ends a turn."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.steps = list(steps)
        self.turns = 0
        self.closed = 0

    def kind(self) -> CameraKind:
        return CameraKind(
            name="scripted", title="Scripted", frames=self.frames, accepts=lambda _: False
        )

    async def frames(
        self, context: Context, _camera: Camera
    ) -> AsyncGenerator[RawFrame | None, None]:
        self.turns += 1
        try:
            while self.steps:
                step = self.steps.pop(0)
                if isinstance(step, Exception):
                    raise step
                yield RawFrame(data=step, taken_at=context.clock.now()) if step else None
        finally:
            self.closed += 1


@pytest.fixture
async def camera(context: Context) -> Camera:
    made = await add_camera(context)
    await context.pool.execute("UPDATE cameras SET kind = 'scripted'")
    found = await store.by_id(context.pool, made.id)
    assert found is not None
    return found


def play(monkeypatch: pytest.MonkeyPatch, *steps: Step) -> Scripted:
    scripted = Scripted(steps)
    monkeypatch.setitem(CAMERAS, "scripted", scripted.kind())
    return scripted


async def test_pictures_become_frames_and_a_break_is_written_down(
    context: Context, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted = play(monkeypatch, jpeg(1), b"no picture", jpeg(2), SourceError("gone", hint="look"))
    assert await scan.watch(context, camera) == scan.RETRY_MIN_S
    state = await health(context, camera)
    assert (state.frames, state.refused, state.failures) == (2, 1, 1)
    assert (state.connected, state.error, state.hint) == (False, "gone", "look")
    assert state.failed_at is not None
    assert state.next_at == state.failed_at + timedelta(seconds=scan.RETRY_MIN_S)
    assert scripted.closed == 1


async def test_who_delivers_nothing_is_tried_less_and_less(
    context: Context, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(monkeypatch, b"<html>", SourceError("gone"))
    with pytest.raises(SourceError):  # so that the loop backs off
        await scan.watch(context, camera)


async def test_an_answer_without_a_new_picture_is_no_trouble(
    context: Context, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = context.clock.now()
    await add_frame(context, camera, jpeg(1))
    await store.note_failure(context.pool, camera.id, error="x", hint=None, at=now, next_at=now)
    answered = asyncio.Event()

    class Asks(Scripted):
        async def frames(
            self, context: Context, _camera: Camera
        ) -> AsyncGenerator[RawFrame | None, None]:
            yield None
            answered.set()
            raise SourceError("gone")

    monkeypatch.setitem(CAMERAS, "scripted", Asks([]).kind())
    states = []
    real = scan.record_failure

    async def spy(*args: object) -> None:
        states.append(await health(context, camera))
        await real(*args)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(scan, "record_failure", spy)
    assert await scan.watch(context, camera) == scan.RETRY_MIN_S
    assert states[0].connected
    assert states[0].error is None
    assert states[0].frames == 1


async def test_an_end_without_an_error_is_one(
    context: Context, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(monkeypatch, jpeg(1))
    await scan.watch(context, camera)
    assert (await health(context, camera)).error == "the camera ended its stream"


async def test_the_camera_may_ask_for_patience(
    context: Context, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(monkeypatch, jpeg(1), SourceError("busy", retry_after=17))
    assert await scan.watch(context, camera) == 17


async def test_addresses_stay_out_of_what_visitors_read(context: Context) -> None:
    camera = await add_camera(context, url="http://joe:secret@10.1.2.3/hidden?key=1")
    error = SourceError("http://10.1.2.3/hidden answered 401 Unauthorized", hint="look")
    await scan.record_failure(context, camera, error, 5)
    state = await health(context, camera)
    assert state.error == "the camera answered 401 Unauthorized"
    await scan.record_failure(context, camera, ValueError("http://joe:secret@10.1.2.3"), 5)
    state = await health(context, camera)
    assert "secret" not in f"{state.error} {state.hint}"
    assert state.failures == 2


async def test_a_real_fetch_error_says_nothing_secret(context: Context) -> None:
    camera = await add_camera(context, url="http://joe:secret@127.0.0.1:9/hidden?key=1")
    target = next(t for t in await scan.targets(context) if t.key == f"camera:{camera.id}")
    repeating = asyncio.create_task(loop.repeat(target, context.clock))
    await until(lambda: failures(context, camera))
    repeating.cancel()
    with suppress(asyncio.CancelledError):
        await repeating
    state = await health(context, camera)
    told = f"{state.error} {state.hint}"
    for secret in ("joe", "secret", "127.0.0.1", "hidden", "key"):
        assert secret not in told
    assert state.next_at is not None


async def failures(context: Context, camera: Camera) -> int:
    return (await health(context, camera)).failures


async def test_targets_follow_the_table(context: Context) -> None:
    camera = await add_camera(context)
    off = await add_camera(context, "off")
    await context.pool.execute("UPDATE cameras SET enabled = false WHERE id = $1", off.id)
    found = {target.key: target for target in await scan.targets(context)}
    assert set(found) == {f"camera:{camera.id}", "cameras:retention"}
    assert found[f"camera:{camera.id}"].retry_max_s == 30
    await context.pool.execute("UPDATE cameras SET interval_s = 3 WHERE id = $1", camera.id)
    again = {target.key: target for target in await scan.targets(context)}
    assert again[f"camera:{camera.id}"].version != found[f"camera:{camera.id}"].version
    assert again["cameras:retention"].version == found["cameras:retention"].version
    await store.begin_removal(context.pool, camera.id)
    last = {target.key: target for target in await scan.targets(context)}
    assert set(last) == {"cameras:retention"}
    assert last["cameras:retention"].version != found["cameras:retention"].version


async def test_writing_state_does_not_restart_a_camera(context: Context) -> None:
    camera = await add_camera(context)
    before = [(t.key, t.version) for t in await scan.targets(context)]
    await add_frame(context, camera, jpeg(1))
    await scan.record_failure(context, camera, SourceError("gone"), 5)
    assert [(t.key, t.version) for t in await scan.targets(context)] == before


async def test_an_unknown_kind_is_said(context: Context) -> None:
    camera = await add_camera(context)
    await context.pool.execute("UPDATE cameras SET kind = 'hologram'")
    camera_now = await store.by_id(context.pool, camera.id)
    assert camera_now is not None
    with pytest.raises(SourceError, match="hologram") as caught:
        await scan.watch(context, camera_now)
    assert caught.value.permanent


async def test_frames_go_when_their_time_is_over(context: Context) -> None:
    clock = FakeClock(datetime(2026, 3, 1, tzinfo=UTC))
    context = at(context, clock=clock)
    short = await add_camera(context, "short", retention_s=60)
    long = await add_camera(context, "long", retention_s=3600)
    for n in range(10):
        await add_frame(context, short, jpeg(n))
        await add_frame(context, long, jpeg(n))
        await clock.advance(10)
    assert await scan.expire(context) == 0.1  # there may be more
    assert await scan.expire(context) == scan.EXPIRE_EACH_S
    left = await frames.page(context.pool, short.id)
    assert [frame.taken_at for frame in left] == [
        clock.now() - timedelta(seconds=10 * n) for n in range(1, 7)
    ]
    assert len(await frames.page(context.pool, long.id)) == 10
    assert await count(context) == len(await blobs(context)) == 16


async def test_small_steps(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "EXPIRE_BATCH", 3)
    clock = FakeClock(datetime(2026, 3, 1, tzinfo=UTC))
    context = at(context, clock=clock)
    camera = await add_camera(context, retention_s=60)
    for n in range(7):
        await add_frame(context, camera, jpeg(n))
    clock.jump(61)
    left = []
    while await scan.expire(context) < 1:
        left.append(await count(context))
    assert left == [4, 1, 0]


async def test_what_a_kill_left_half_removed_is_finished(context: Context) -> None:
    """Marked and the blob still there; marked and the blob gone already."""
    camera = await add_camera(context)
    first = await add_frame(context, camera, jpeg(1))
    second = await add_frame(context, camera, jpeg(2))
    kept = await add_frame(context, camera, jpeg(3))
    await context.pool.execute(
        "UPDATE frames SET deleting_at = now() WHERE id = ANY($1::bigint[])", [first.id, second.id]
    )
    await context.storage.delete(first.blob)
    assert [f.id for f in await frames.page(context.pool, camera.id)] == [kept.id]
    await scan.expire(context)
    assert await count(context) == 1
    assert await blobs(context) == {kept.blob}


async def test_row_marked_then_blob_then_row(context: Context) -> None:
    """At the moment a blob is deleted, its row is marked and still there."""
    camera = await add_camera(context, retention_s=60)
    frame = await add_frame(context, camera, jpeg(1), context.clock.now() - timedelta(seconds=59.9))
    await asyncio.sleep(0.2)
    moments = []

    class Watched(type(context.storage)):  # type: ignore[misc]  # the class of the fixture's store
        async def delete(self, key: str) -> None:
            row = await context.pool.fetchrow("SELECT * FROM frames WHERE blob = $1", key)
            moments.append(row is not None and row["deleting_at"] is not None)
            await super().delete(key)

    await scan.expire(at(context, storage=Watched.open(context.settings.blobs_url)))
    assert moments == [True]
    assert await count(context) == 0
    assert await context.storage.head(frame.blob) is None


async def test_a_camera_goes_after_its_frames(context: Context) -> None:
    camera = await add_camera(context)
    other = await add_camera(context, "other")
    for n in range(3):
        await add_frame(context, camera, jpeg(n))
    kept = await add_frame(context, other, jpeg(9))
    await store.begin_removal(context.pool, camera.id)
    await scan.expire(context)
    assert await store.by_id(context.pool, camera.id) is None
    assert await blobs(context) == {kept.blob}
    assert await health(context, camera) == await health(context, camera)
    assert await store.by_name(context.pool, "other") is not None


async def test_the_whole_way_with_a_spinner(context: Context) -> None:
    """A camera that is added starts by itself; one that is removed is gone soon after."""
    stop = asyncio.Event()
    spinner = loop.Spinner(context, "scanner", [scan.targets])
    spinning = asyncio.create_task(spinner.run(stop))
    try:
        camera = await add_camera(context, "card", url="testcard", interval_s=0.2)
        await until(lambda: enough(context, camera, 3), "three frames")
        assert (await health(context, camera)).connected
        await store.begin_removal(context.pool, camera.id)
        await until(lambda: gone(context, camera), "the camera is gone")
        assert await blobs(context) == set()
    finally:
        stop.set()
        await spinning


async def enough(context: Context, camera: Camera, number: int) -> bool:
    return (await health(context, camera)).frames >= number


async def gone(context: Context, camera: Camera) -> bool:
    return await store.by_id(context.pool, camera.id) is None


async def test_the_test_card_is_planted_once(context: Context) -> None:
    await asyncio.gather(*(register_testcard(context) for _ in range(5)))
    (camera,) = await store.all_cameras(context.pool)
    assert (camera.name, camera.kind, camera.interval_s) == ("testcard", "testcard", 1)
    assert camera.retention_s == 86_400
    await store.begin_removal(context.pool, camera.id)
    await store.finish_removal(context.pool)
    await register_testcard(context)
    assert await store.all_cameras(context.pool) == []  # a person removed it: it stays away
