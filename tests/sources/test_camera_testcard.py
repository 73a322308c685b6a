"""camera_testcard: a picture on each beat, that shows the time."""

from __future__ import annotations

import asyncio
import io
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from PIL import Image, ImageChops

from tests.cameras.helpers import see
from vigil.cameras import jpeg
from vigil.cameras.model import Camera
from vigil.clock import FakeClock
from vigil.context import Context
from vigil.sources import camera_testcard

NOON = datetime(2026, 5, 1, 12, 0, 0, 300_000, tzinfo=UTC)
CAMERA = Camera(
    id=1, name="testcard", title="", kind="testcard", url=None, options={}, interval_s=1,
    retention_s=86400, enabled=True, deleting_at=None, created_at=NOON, changed_at=NOON,
)  # fmt: skip


def test_it_is_a_whole_picture_of_a_camera() -> None:
    data = camera_testcard.picture(NOON, 42)
    shape = jpeg.measure(data)
    assert (shape.width, shape.height, shape.end) == (1280, 720, len(data))
    assert 40 < see(data).look.luma < 200
    assert not see(data).doubtful


def test_the_same_moment_is_the_same_picture() -> None:
    assert camera_testcard.picture(NOON, 42) == camera_testcard.picture(NOON, 42)


def test_the_clock_and_the_hand_move_and_the_bars_do_not() -> None:
    one = Image.open(io.BytesIO(camera_testcard.picture(NOON, 42)))
    two = Image.open(io.BytesIO(camera_testcard.picture(NOON + timedelta(seconds=15), 43)))
    changed = ImageChops.difference(one.convert("L"), two.convert("L")).point(
        lambda level: 255 if level > 60 else 0
    )
    assert changed.crop((390, 80, 890, 580)).getbbox() is not None  # the dial
    assert changed.crop((440, 580, 840, 720)).getbbox() is not None  # the digits
    assert changed.crop((900, 600, 1280, 720)).getbbox() is not None  # the number
    assert changed.crop((0, 0, 380, 560)).getbbox() is None
    assert changed.crop((900, 0, 1280, 560)).getbbox() is None


def test_midnight_and_leap_seconds_of_digits() -> None:
    for moment in (
        datetime(2024, 2, 29, 0, 0, 0, tzinfo=UTC),
        datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    ):
        assert jpeg.measure(camera_testcard.picture(moment, 864_000)).width == 1280


async def test_a_picture_on_each_beat(context: Context) -> None:
    clock = FakeClock(NOON)
    found = []

    async def watch() -> None:
        async with aclosing(
            camera_testcard.frames(replace(context, clock=clock), CAMERA)
        ) as frames:
            async for raw in frames:
                assert raw is not None
                found.append(raw.taken_at)

    watching = asyncio.create_task(watch())
    while len(found) < 5:
        await asyncio.sleep(0.01)
        await clock.advance(0.25)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    assert found[0] == NOON
    beats = [moment.replace(microsecond=0) for moment in found[1:]]
    assert [moment - NOON.replace(microsecond=0) for moment in beats] == [
        timedelta(seconds=n) for n in range(1, len(found))
    ]


def test_its_address() -> None:
    assert camera_testcard.accepts("testcard")
    assert not camera_testcard.accepts("http://testcard")
