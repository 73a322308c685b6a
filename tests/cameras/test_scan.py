"""scan: frames are taken, trouble is written down, what is old goes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from datetime import timedelta

import pytest

from tests.cameras.helpers import add_camera, add_frame, blobs, health, until
from tests.servers.pictures import jpeg
from vigil import loop
from vigil.cameras import scan, store
from vigil.cameras.builtin import register_testcard
from vigil.cameras.model import Camera, CameraKind, RawFrame
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
