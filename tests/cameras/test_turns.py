"""turns: a camera is connected only while its plan asks for frames."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncGenerator, Awaitable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest

from tests.cameras.helpers import add_camera, at, health
from tests.servers.pictures import jpeg
from vigil.cameras import scan, shown
from vigil.cameras import store as cameras
from vigil.cameras.accounts import store as accounts
from vigil.cameras.model import Camera, CameraKind, RawFrame
from vigil.cameras.turns import LOOK_AGAIN_S, is_our_network
from vigil.clock import FakeClock
from vigil.context import Context
from vigil.errors import SourceError
from vigil.sources.kinds import CAMERAS

T = TypeVar("T")
FIVE = datetime(2026, 5, 1, 5, tzinfo=UTC)


class Steady:
    """A kind of camera that gives a picture each interval, or says that there is no new one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, same: bool = False) -> None:
        self.turns = self.open = self.taken = 0
        self.busy = True
        self.same = same
        kind = CameraKind(
            name="steady", title="Steady", frames=self.frames, accepts=lambda _: False
        )
        monkeypatch.setitem(CAMERAS, "steady", kind)

    async def frames(
        self, context: Context, camera: Camera
    ) -> AsyncGenerator[RawFrame | None, None]:
        self.turns += 1
        self.open += 1
        try:
            while True:
                self.taken += 1
                data = jpeg(self.taken)
                yield None if self.same else RawFrame(data=data, taken_at=context.clock.now())
                self.busy = False
                await context.clock.sleep(camera.interval_s)
                self.busy = True
        finally:
            self.open -= 1


async def planned(context: Context, interval_s: float, **plan: Any) -> Camera:
    made = await add_camera(context, interval_s=interval_s)
    await context.pool.execute("UPDATE cameras SET kind = 'steady', plan = $1", plan)
    found = await cameras.by_id(context.pool, made.id)
    assert found is not None
    return found


async def as_time_passes(clock: FakeClock, steady: Steady, what: Awaitable[T]) -> T:
    """The result of something while the clock goes on, second by second while the camera waits."""
    task = asyncio.ensure_future(what)
    async with asyncio.timeout(60):
        while not task.done():
            await asyncio.sleep(0.01)  # for the database
            if not steady.busy:
                await clock.advance(1)
    return task.result()


async def test_a_camera_whose_plan_says_not_now_rests(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock(FIVE)
    context, steady = at(context, clock=clock), Steady(monkeypatch)
    camera = await planned(context, 10, hours=[["06:00", "06:01"]])
    assert await scan.watch(context, camera) == LOOK_AGAIN_S
    assert steady.turns == 0
    state = await health(context, camera)
    assert (state.connected, state.error) == (False, None)
    assert state.next_at == FIVE + timedelta(hours=1)
    assert shown.state(camera, state, clock.now()) == "resting"
    clock.jump(3590)
    assert await scan.watch(context, camera) == 10


async def test_the_connection_ends_when_the_plan_says_so(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock(FIVE + timedelta(hours=1))
    context, steady = at(context, clock=clock), Steady(monkeypatch)
    camera = await planned(context, 10, hours=[["06:00", "06:01"]])
    delay = await as_time_passes(clock, steady, scan.watch(context, camera))
    assert delay == LOOK_AGAIN_S
    assert (steady.turns, steady.open, steady.taken) == (1, 0, 6)
    state = await health(context, camera)
    assert state.frames == 6
    assert state.error is None
    assert state.next_at == FIVE + timedelta(days=1, hours=1)


async def test_frames_far_apart_are_a_connection_each(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock(FIVE)
    context, steady = at(context, clock=clock), Steady(monkeypatch)
    camera = await planned(context, 10, per_day=4)  # at 3, 9, 15 and 21
    assert await scan.watch(context, camera) == LOOK_AGAIN_S  # the one of 3 o'clock, late
    assert (steady.turns, steady.open, steady.taken) == (1, 0, 1)
    assert await scan.watch(context, camera) == LOOK_AGAIN_S
    assert steady.turns == 1
    assert (await health(context, camera)).next_at == FIVE + timedelta(hours=4)
    clock.jump(4 * 3600 - 5)
    assert await scan.watch(context, camera) == 5
    clock.jump(5)
    await scan.watch(context, camera)
    assert (steady.turns, steady.taken) == (2, 2)


async def test_an_hour_between_frames_is_no_rest_to_speak_of(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock(FIVE)
    context, steady = at(context, clock=clock), Steady(monkeypatch)
    camera = await planned(context, 3600)
    for _ in range(2):
        assert await scan.watch(context, camera) == LOOK_AGAIN_S
    assert steady.taken == 1
    state = await health(context, camera)
    assert state.connected
    assert state.next_at == FIVE + timedelta(hours=1)
    assert shown.state(camera, state, clock.now()) == "connected"


async def test_the_same_picture_again_is_noted(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock(FIVE)
    context, steady = at(context, clock=clock), Steady(monkeypatch, same=True)
    camera = await planned(context, 2, hours=[["05:00", "05:01"]])
    await as_time_passes(clock, steady, scan.watch(context, camera))
    assert steady.taken == 30
    [span] = (await accounts.spans(context.pool, [camera.id], FIVE))[camera.id]
    assert span.state == "unchanged"
    assert 50 < (span.to_us - span.from_us) / 1e6 < 65


async def test_failures_are_noted_with_whose_they_are(context: Context) -> None:
    clock = FakeClock(FIVE)
    context = at(context, clock=clock)
    camera = await add_camera(context)
    for _ in range(3):
        await scan.record_failure(context, camera, SourceError("it refuses"), 30)
        clock.jump(30)
    lost = SourceError("no way")
    lost.__cause__ = OSError(errno.ENETUNREACH, "Network is unreachable")
    await scan.record_failure(context, camera, lost, 30)
    spans = (await accounts.spans(context.pool, [camera.id], FIVE))[camera.id]
    assert [(s.state, s.detail, (s.to_us - s.from_us) / 1e6) for s in spans] == [
        ("source", "it refuses", 90), ("network", "no way", 30),
    ]  # fmt: skip


def test_what_is_our_network() -> None:
    error = SourceError("x")
    assert not is_our_network(error)
    error.__cause__ = ConnectionRefusedError(errno.ECONNREFUSED, "refused")
    assert not is_our_network(error)
    error.__cause__ = socket.gaierror(-3, "Temporary failure in name resolution")
    assert is_our_network(error)
