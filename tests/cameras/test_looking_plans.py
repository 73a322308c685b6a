"""What people look for in a scene is found by index, however many frames there are."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest_asyncio

import db_utils
from tests.cameras.helpers import add_camera
from tests.streams.test_plans import Plan, explain
from vigil.cameras.looking import days, store
from vigil.context import Context

FRAMES = 100_000
FIRST = datetime(2026, 3, 1, tzinfo=UTC)
ROOM = 40
"""Pages of 8 kB that one look may touch, whatever the number of frames."""


@pytest_asyncio.fixture
async def scene_id(context: Context) -> int:
    """A scene with a frame every 20 seconds, beside another with as many."""
    garden = await add_camera(context)
    street = await add_camera(context, "street")
    for camera in (garden, street):
        await context.pool.execute(
            """
            INSERT INTO frames (camera_id, scene_id, taken_at, received_at, width, height, bytes,
                sha256, luma, blob)
            SELECT $1, scene_at($1, $2), $2 + n * interval '20 s', $2, 1, 1, 1,
                sha256(n::text::bytea), 1, n::text
            FROM generate_series(1, $3) n
            """,
            camera.id,
            FIRST,
            FRAMES,
        )
    await context.pool.execute(
        """
        INSERT INTO scene_days (scene_id, day, frames, bytes)
        SELECT scene_id, date '1990-01-01' + n, 1, 1
        FROM camera_scenes, generate_series(1, 5000) n
        """
    )
    await context.pool.execute("VACUUM ANALYZE frames")
    await context.pool.execute("VACUUM ANALYZE scene_days")
    found: int = await context.pool.fetchval("SELECT id FROM scenes WHERE name = 'garden'")
    return found


def check(plan: Plan, indexes: set[str], pages: int = ROOM) -> None:
    assert plan.indexes <= indexes, plan.indexes
    assert not plan.scanned
    assert plan.pages <= pages, plan.pages


async def test_looks_walk_indexes(context: Context, scene_id: int) -> None:
    pool: db_utils.Pool = context.pool
    day, utc = date(2026, 3, 9), days.zone("UTC")

    async def closest(wishes: list[days.Wish]) -> Plan:
        columns = [list(column) for column in zip(*wishes, strict=True)]
        return await explain(pool, store.CLOSEST, scene_id, *columns)

    moment = FIRST + timedelta(days=9, seconds=7)
    check(await closest([(moment, store.ALWAYS, store.FOREVER)]), {"frames_scene"})
    check(await closest(days.key_wishes(day, utc)), {"frames_scene"}, 5 * ROOM)
    month = days.month_of(day)
    covers = [days.cover_wish(one, utc) for week in month.weeks for one in week if one]
    check(await closest(covers), {"frames_scene"}, len(covers) * 12)
    check(await explain(pool, store.DAYS, scene_id, month.first, month.end), {"scene_days_pkey"})
    place = (moment, b"")
    for statement, end in ((store.AFTER, store.FOREVER), (store.BEFORE, store.ALWAYS)):
        check(await explain(pool, statement, scene_id, *place, end, 1), {"frames_scene"})


async def test_days_are_counted_as_frames_come(context: Context, scene_id: int) -> None:
    found = await store.days(context.pool, scene_id, date(2026, 3, 1), date(2026, 4, 1))
    assert sum(one.frames for one in found) == FRAMES
    assert found[1].frames == 86_400 // 20
