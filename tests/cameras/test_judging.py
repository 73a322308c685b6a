"""judging: an event when something begins, one when it is over, and none between."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.cameras.helpers import add_camera, at
from vigil.cameras.accounts import scan
from vigil.cameras.accounts import store as accounts
from vigil.cameras.health import store
from vigil.cameras.health.judging import Judge
from vigil.cameras.model import Camera
from vigil.clock import FakeClock
from vigil.context import Context
from vigil.notifications import store as notifications

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
S = timedelta(seconds=1)
USUAL: dict[str, Any] = {
    "luma": 100.0, "contrast": 50.0, "dark": 0.05, "bright": 0.02, "sharpness": 400.0,
    "perceptual_hash": 5, "sun_height": 40.0,
}  # fmt: skip


class World:
    """A camera that takes a frame each ten seconds."""

    def __init__(self, context: Context, camera: Camera, clock: FakeClock) -> None:
        self.context, self.camera, self.clock = context, camera, clock
        self.judge, self.schedules, self.number = Judge(context), scan.Schedules(), 0

    async def take(
        self, count: int, step_s: float = 10, offset_s: float = 0, **numbers: Any
    ) -> None:
        """Frames, one after another; the clock goes with them."""
        values = USUAL | numbers
        for _ in range(count):
            self.clock.jump(step_s)
            self.number += 1
            digest = values.get("sha256") or self.number.to_bytes(32, "big")
            luma = min(255.0, values["luma"] + self.number % 7)
            now = self.clock.now()
            await self.context.pool.execute(
                """
                INSERT INTO frames (camera_id, scene_id, taken_at, received_at, width, height,
                    bytes, sha256, blob, luma, contrast, dark, bright, sharpness, perceptual_hash,
                    sun_height)
                SELECT $1, scene_id, $2, $3, 640, 480, 1000, $4, $5, $6, $7, $8, $9, $10, $11, $12
                FROM camera_scenes WHERE camera_id = $1 LIMIT 1
                """,
                self.camera.id, now + offset_s * S, now, digest, f"frames/{self.number}", luma,
                *(values[name] for name in ("contrast", "dark", "bright", "sharpness",
                                            "perceptual_hash", "sun_height")),
            )  # fmt: skip

    async def look(self) -> None:
        await scan.account(self.context, self.schedules)
        await self.judge.look()

    async def events(self) -> list[str]:
        return [event.kind for event in await notifications.page(self.context.pool)][::-1]


async def world(context: Context) -> World:
    clock = FakeClock(NOON)
    context = at(context, clock=clock)
    camera = await add_camera(context, interval_s=10)
    await context.pool.execute("UPDATE cameras SET created_at = $1", NOON)
    await accounts.note_span(
        context.pool, camera.id, "watching", "", NOON, NOON + timedelta(days=30)
    )
    return World(context, camera, clock)


async def test_silence_begins_once_and_ends_once(context: Context) -> None:
    w = await world(context)
    await w.take(10)
    await w.look()
    assert await w.events() == []
    for _ in range(12):
        w.clock.jump(10)
        await w.look()
    assert await w.events() == ["camera.silent"]
    [event] = await notifications.page(context.pool)
    assert event.subject == "camera:garden"
    assert event.message == "garden: no picture comes"
    [finding] = (await store.findings(context.pool))[w.camera.id]
    assert (finding.kind, finding.since_at) == ("silent", NOON + 110 * S)
    for _ in range(6):
        await w.take(1)
        await w.look()
    assert await w.events() == ["camera.silent", "camera.silent.over"]
    assert await store.findings(context.pool) == {}


async def test_that_nobody_watched_is_no_silence(context: Context) -> None:
    w = await world(context)
    await context.pool.execute("DELETE FROM camera_spans")
    await w.take(10)
    w.clock.jump(3600)
    await w.look()
    assert await w.events() == []


async def test_the_same_picture_again_is_no_silence(context: Context) -> None:
    w = await world(context)
    await w.take(10)
    began = w.clock.now()
    await accounts.note_span(context.pool, w.camera.id, "unchanged", "", began, began + 600 * S)
    w.clock.jump(600)
    await w.look()
    assert await w.events() == []


async def test_of_a_camera_that_is_switched_off_nothing_is_said(context: Context) -> None:
    w = await world(context)
    await w.take(12)
    await w.take(6, dark=1.0)
    await w.look()
    assert len((await store.findings(context.pool))[w.camera.id]) == 1
    await context.pool.execute("UPDATE cameras SET enabled = false")
    await w.look()
    assert await store.findings(context.pool) == {}
    assert await w.events() == ["camera.dark"]


async def test_what_pictures_show(context: Context) -> None:
    w = await world(context)
    for numbers, kind in (
        ({"dark": 0.99}, "dark"), ({"bright": 0.9}, "blown_out"), ({"sharpness": 4.0}, "blurred"),
    ):  # fmt: skip
        before = len(await w.events())
        await w.take(12)
        await w.look()
        await w.take(6, **numbers)
        await w.look()
        await w.look()
        await w.take(6)
        await w.look()
        assert (await w.events())[before:] == [f"camera.{kind}", f"camera.{kind}.over"]


async def test_out_of_focus_against_the_days_before(context: Context) -> None:
    w = await world(context)
    for _ in range(5):
        await w.take(6)
        w.clock.jump(86_400 - 60)
    await w.take(6, sharpness=120.0)
    await w.judge.look()
    assert "camera.out_of_focus" in await w.events()
    await w.take(6, sharpness=390.0)
    await w.judge.look()
    assert "camera.out_of_focus.over" in await w.events()


async def test_a_picture_that_stands_still(context: Context) -> None:
    w = await world(context)
    await w.take(200, sha256=bytes(32))
    await w.look()
    assert await w.events() == ["camera.frozen"]
    [finding] = (await store.findings(context.pool))[w.camera.id]
    assert w.clock.now() - finding.since_at >= timedelta(minutes=30)
    await w.take(1)
    await w.look()
    assert await w.events() == ["camera.frozen", "camera.frozen.over"]


async def test_an_answer_that_never_changes_stands_still_too(context: Context) -> None:
    w = await world(context)
    await w.take(10)
    began = w.clock.now()
    w.clock.jump(1900)
    await accounts.note_span(context.pool, w.camera.id, "unchanged", "", began, w.clock.now())
    await w.judge.look()
    assert await w.events() == ["camera.frozen"]


async def test_a_clock_three_hours_behind(context: Context) -> None:
    w = await world(context)
    await w.take(8, offset_s=-10_800)
    await w.judge.look()
    assert await w.events() == ["camera.clock"]
    [event] = await notifications.page(context.pool)
    assert event.message == "garden: its clock is 3 hours behind"
    await w.take(8)
    await w.judge.look()
    assert (await w.events())[-1] == "camera.clock.over"
