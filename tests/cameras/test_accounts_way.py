"""The accounts as they are kept by a real scanner, of a real server that goes and comes back."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from tests.cameras.helpers import add_camera, at, health, until
from tests.cameras.test_kill import scanner
from tests.servers.snapshot import Snapshot
from vigil.cameras.accounts import scan, store
from vigil.cameras.accounts.model import Gap
from vigil.cameras.model import Camera
from vigil.cameras.plan import at as moment_of
from vigil.clock import SystemClock
from vigil.context import Context

pytestmark = pytest.mark.slow


class Later(SystemClock):
    """The clock some seconds from now: what happened until now is old enough to be counted."""

    def now(self) -> datetime:
        return super().now() + scan.LAG


async def accounted(context: Context, camera: Camera) -> Sequence[Gap]:
    """The camera's gaps between its frames, as they will be told in a moment, but for single frames
    that a busy machine lost; the scanner's start and its end are no part of it."""
    while await scan.account(at(context, clock=Later()), scan.Schedules()):
        pass
    row = await context.pool.fetchrow("SELECT min(taken_at), max(taken_at) FROM frames")
    assert row is not None
    first, last = row
    gaps = await store.gaps(context.pool, camera.id, from_at=first, to_at=last)
    return [gap for gap in gaps if gap.missed > 3 and moment_of(gap.from_us) > first]


async def more(context: Context, camera: Camera, number: int) -> None:
    before = (await health(context, camera)).frames

    async def came() -> bool:
        return (await health(context, camera)).frames >= before + number

    await until(came, "more frames", 60)


@pytest.mark.timeout(240)
async def test_a_minute_without_its_server_is_one_gap(context: Context) -> None:
    server = Snapshot()
    async with contextlib.AsyncExitStack() as stack:
        async with server:
            camera = await add_camera(context, url=server.url, interval_s=1)
            stack.enter_context(scanner(context))
            await more(context, camera, 5)
        gone = context.clock.now()
        await asyncio.sleep(60)
        async with server:
            back = context.clock.now()
            await more(context, camera, 5)
            again = context.clock.now()
    [gap] = await accounted(context, camera)
    assert gap.reason == "source"
    assert gap.detail
    assert not gap.is_open
    assert abs(moment_of(gap.from_us) - gone) < timedelta(seconds=3)
    assert back - timedelta(seconds=3) < moment_of(gap.to_us) < again
    assert gap.missed == pytest.approx((gap.to_us - gap.from_us) / 1e6, abs=2)
    assert "127.0.0.1" not in gap.detail


@pytest.mark.timeout(240)
async def test_a_killed_scanner_is_one_gap_of_ours(context: Context) -> None:
    async with Snapshot() as server:
        camera = await add_camera(context, url=server.url, interval_s=1)
        with scanner(context) as process:
            await more(context, camera, 12)
            process.send_signal(signal.SIGKILL)
            process.wait()
            killed = context.clock.now()
        await asyncio.sleep(15)
        with scanner(context):
            await more(context, camera, 12)
    [gap] = await accounted(context, camera)
    assert gap.reason == "down"
    assert abs(moment_of(gap.from_us) - killed) < timedelta(seconds=3)
    assert gap.missed >= 14
