"""Scenes, and cameras that are moved from one to another."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.cameras.helpers import add_camera, add_frame
from tests.servers.pictures import jpeg
from vigil.cameras import store as cameras
from vigil.cameras.looking import forms
from vigil.cameras.looking import store as looking
from vigil.cameras.model import Camera
from vigil.cameras.scenes import store
from vigil.context import Context
from vigil.errors import Conflict
from vigil.films import order

PLACE: dict[str, Any] = {"notes": "", "latitude": None, "longitude": None, "time_zone": "UTC"}


async def scenes_of_frames(context: Context) -> list[str]:
    rows = await context.pool.fetch(
        "SELECT s.name FROM frames f JOIN scenes s ON s.id = scene_id ORDER BY taken_at"
    )
    return [row["name"] for row in rows]


async def days(context: Context) -> dict[str, int]:
    rows = await context.pool.fetch(
        "SELECT s.name, sum(frames) AS n FROM scene_days JOIN scenes s ON s.id = scene_id"
        " GROUP BY s.name"
    )
    return {row["name"]: row["n"] for row in rows}


async def five(context: Context) -> tuple[Camera, list[datetime]]:
    """A camera with five frames, an hour apart."""
    camera = await add_camera(context)
    now = datetime(2026, 5, 1, 12, tzinfo=UTC)
    await context.pool.execute("UPDATE cameras SET retention_s = 3e9")
    camera = (await cameras.all_cameras(context.pool))[0]
    times = [now + timedelta(hours=n) for n in range(5)]
    for n, moment in enumerate(times):
        await add_frame(context, camera, jpeg(n), moment)
    return camera, times


async def test_frames_follow_a_camera_that_is_moved(context: Context) -> None:
    camera, times = await five(context)
    yard = await store.add(context.pool, name="yard", title="Yard", **PLACE)
    assert await store.move(context.pool, camera.id, yard.id, times[2], most=10) == 3
    assert await scenes_of_frames(context) == ["garden"] * 2 + ["yard"] * 3
    assert await days(context) == {"garden": 2, "yard": 3}
    late = await add_frame(context, camera, jpeg(9), times[1] + timedelta(minutes=1))
    new = await add_frame(context, camera, jpeg(8), times[4] + timedelta(minutes=1))
    garden = await store.by_name(context.pool, "garden")
    assert garden is not None
    assert (late.scene_id, new.scene_id) == (garden.id, yard.id)
    assert await days(context) == {"garden": 3, "yard": 4}
    # Moved back from the fourth on; the move between them stays.
    assert await store.move(context.pool, camera.id, garden.id, times[3], most=10) == 3
    assert (await scenes_of_frames(context)).count("yard") == 1
    spans = await store.spans(context.pool, camera_id=camera.id)
    assert [(one.scene, one.from_at, one.to_at) for one in spans] == [
        ("garden", times[3], None), ("yard", times[2], times[3]), ("garden", None, times[2]),
    ]  # fmt: skip
    assert [one.camera for one in await store.spans(context.pool, scene_id=yard.id)] == ["garden"]
    # And forgotten.
    assert await store.unmove(context.pool, camera.id, times[2], most=10) == 1
    assert set(await scenes_of_frames(context)) == {"garden"}
    assert (await days(context))["garden"] == 7
    assert await store.unmove(context.pool, camera.id, times[2], most=10) is None


async def test_films_of_both_scenes_are_looked_at_again(context: Context) -> None:
    camera, times = await five(context)
    made, _ = await order.make(context, order.parse({"camera": "garden", "from": "2026-05-01"}))
    early = {"camera": "garden", "from": "2026-04-01", "to": "2026-04-02"}
    before = await order.make_in(context.pool, order.parse(early), context.clock.now())

    async def planned() -> list[int]:
        rows = await context.pool.fetch("SELECT planned_id FROM films ORDER BY id")
        return [row["planned_id"] for row in rows]

    assert made < before
    await context.pool.execute("UPDATE films SET planned_id = 3, state = 'growing'")
    now = context.clock.now()
    assert await forms.move(context.pool, camera, "yard", times[3], now=now) == 2
    assert await planned() == [0, 3]
    await context.pool.execute("UPDATE films SET planned_id = 3, state = 'growing'")
    assert await forms.unmove(context.pool, camera, times[3]) == 2
    assert await planned() == [0, 3]


async def test_too_many_frames_are_not_moved(context: Context) -> None:
    camera, times = await five(context)
    yard = await store.add(context.pool, name="yard", title="Yard", **PLACE)
    with pytest.raises(Conflict, match="more than 2 frames"):
        await store.move(context.pool, camera.id, yard.id, times[2], most=2)
    assert set(await scenes_of_frames(context)) == {"garden"}
    assert len(await store.spans(context.pool)) == 1
    await cameras.begin_removal(context.pool, camera.id)
    assert await store.move(context.pool, camera.id, yard.id, times[2], most=9) is None


async def test_a_frame_that_arrives_during_a_move_belongs_where_it_should(
    context: Context,
) -> None:
    camera, times = await five(context)
    yard = await store.add(context.pool, name="yard", title="Yard", **PLACE)
    async with context.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await store.move(connection, camera.id, yard.id, times[0], most=9)
        arriving = asyncio.create_task(
            add_frame(context, camera, jpeg(9), times[4] + timedelta(minutes=1))
        )
        # Asked outside: in a transaction pg_stat_activity stays what it was.
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        async with asyncio.timeout(15):
            while not await context.pool.fetchval(waiting):
                await asyncio.sleep(0.02)
        await transaction.commit()
    assert (await arriving).scene_id == yard.id
    assert set(await scenes_of_frames(context)) == {"yard"}


async def test_days_are_counted_where_the_scene_is(context: Context) -> None:
    camera, _ = await five(context)
    garden = await store.by_name(context.pool, "garden")
    assert garden is not None
    late = datetime(2026, 5, 1, 23, 30, tzinfo=UTC)
    frame = await add_frame(context, camera, jpeg(7), late)

    async def counted() -> list[tuple[str, int]]:
        found = await looking.days(
            context.pool, garden.id, late.date(), late.date() + timedelta(days=9)
        )
        return [(str(one.day), one.frames) for one in found]

    assert await counted() == [("2026-05-01", 6)]
    place = PLACE | {"time_zone": "Europe/Berlin"}
    await store.change(context.pool, garden.id, title="", **place)
    assert await counted() == [("2026-05-01", 5), ("2026-05-02", 1)]
    await context.pool.execute("UPDATE frames SET deleting_at = now() WHERE id = $1", frame.id)
    assert await counted() == [("2026-05-01", 5)]
    await context.pool.execute("DELETE FROM frames WHERE id = $1", frame.id)
    assert await counted() == [("2026-05-01", 5)]
    await context.pool.execute("DELETE FROM frames WHERE taken_at < '2026-05-01T14:00Z'")
    assert await counted() == [("2026-05-01", 3)]
    await context.pool.execute("UPDATE frames SET kept = true")
    assert await counted() == [("2026-05-01", 3)]


async def test_a_scene_goes_with_its_last_camera(context: Context) -> None:
    first, second = await add_camera(context), await add_camera(context, "street")
    empty = await store.add(context.pool, name="empty", title="", **PLACE)
    garden = await store.by_name(context.pool, "garden")
    assert garden is not None
    now = datetime(2026, 5, 1, tzinfo=UTC)
    assert await store.move(context.pool, second.id, garden.id, now, most=9) == 0

    async def left() -> list[str]:
        return [scene.name for scene in await store.all_scenes(context.pool)]

    await cameras.begin_removal(context.pool, first.id)
    assert await cameras.finish_removal(context.pool) == ["garden"]
    assert await left() == ["empty", "garden", "street"]  # the second shows garden, showed street
    await cameras.begin_removal(context.pool, second.id)
    assert await cameras.finish_removal(context.pool) == ["street"]
    assert await left() == [empty.name]
