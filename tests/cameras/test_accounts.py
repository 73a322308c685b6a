"""accounts: what was due and came, what did not and why; by a clock that runs weeks at once."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

import db_utils
from tests.cameras.helpers import add_camera, at
from vigil.cameras import store as cameras
from vigil.cameras.accounts import scan, store
from vigil.cameras.accounts.model import Day, Gap
from vigil.cameras.accounts.writing import store as writing
from vigil.cameras.model import Camera
from vigil.cameras.plan import at as moment_of
from vigil.cameras.plan import micros
from vigil.clock import FakeClock
from vigil.context import Context
from vigil.loop import lease_id

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
S = timedelta(seconds=1)
LAG = scan.LAG


class World:
    """A camera, a clock, and frames that come."""

    def __init__(self, context: Context, camera: Camera, clock: FakeClock) -> None:
        self.context, self.camera, self.clock = context, camera, clock
        self.schedules = scan.Schedules()
        self.number = 0

    async def take(self, moments: Iterable[datetime], received_at: datetime | None = None) -> None:
        rows = []
        for moment in moments:
            self.number += 1
            rows.append(
                (
                    self.camera.id,
                    moment,
                    received_at or moment,
                    self.number.to_bytes(32, "big"),
                    f"frames/{self.number}",
                )
            )
        await self.context.pool.executemany(
            """
            INSERT INTO frames (camera_id, scene_id, taken_at, received_at, width, height, bytes,
                                sha256, luma, blob)
            SELECT $1, scene_id, $2, $3, 640, 480, 1000, $4, 100, $5
            FROM camera_scenes WHERE camera_id = $1 LIMIT 1
            """,
            rows,
        )  # fmt: skip

    async def note(self, state: str, from_at: datetime, to_at: datetime, detail: str = "") -> None:
        await store.note_span(self.context.pool, self.camera.id, state, detail, from_at, to_at)

    async def account(self, now: datetime) -> None:
        self.clock.jump((now - self.clock.now()).total_seconds())
        while await scan.account(self.context, self.schedules):
            pass

    async def gaps(self) -> list[Gap]:
        """In order of time."""
        return (await store.gaps(self.context.pool, self.camera.id))[::-1]

    async def told(self) -> list[tuple[str, float, float, int]]:
        """Gaps as reason, seconds from START to their begin and end, frames missed."""
        return [
            (g.reason, (moment_of(g.from_us) - START) / S, (moment_of(g.to_us) - START) / S,
             g.missed)
            for g in await self.gaps()
        ]  # fmt: skip

    async def days(self) -> dict[date, Day]:
        return {
            one.day: one for one in await store.days(self.context.pool, self.camera.id, None, None)
        }


async def world(context: Context, interval_s: float = 10, zone: str = "UTC", **plan: Any) -> World:
    clock = FakeClock(START)
    context = at(context, clock=clock)
    made = await add_camera(context, interval_s=interval_s, retention_s=90 * 86_400)
    await context.pool.execute("UPDATE cameras SET created_at = $1, plan = $2", START, plan)
    await context.pool.execute("UPDATE scenes SET time_zone = $1", zone)
    camera = await cameras.by_id(context.pool, made.id)
    assert camera is not None
    return World(context, camera, clock)


def each(step_s: float, from_s: float, to_s: float, jitter_s: float = 0) -> list[datetime]:
    number = random.Random(1)
    count = int((to_s - from_s) / step_s)
    return [
        START + timedelta(seconds=from_s + n * step_s + number.uniform(-jitter_s, jitter_s))
        for n in range(count)
    ]


@pytest.mark.parametrize("phase", [0.0, 0.01, 4.9, 5.1, 9.99])
async def test_nothing_is_missing_when_nothing_is(context: Context, phase: float) -> None:
    """Whatever the distance between a frame and its moment, and with jitter."""
    w = await world(context)
    await w.note("watching", START, START + 700 * S)
    await w.take(each(10, phase, 700, 2.4))
    await w.account(START + 600 * S + LAG)
    assert await w.told() == []
    assert (await w.days())[START.date()].planned == 60


async def test_one_frame_that_is_missing_is_noticed(context: Context) -> None:
    w = await world(context)
    await w.note("watching", START, START + 700 * S)
    await w.take([*each(10, 3, 103), *each(10, 113, 700)])
    await w.account(START + 600 * S + LAG)
    assert await w.told() == [("source", 100, 110, 1)]
    day = (await w.days())[START.date()]
    assert (day.planned, day.missed) == (60, {"source": 1})


async def test_an_outage_is_one_gap_however_often_it_is_looked_at(context: Context) -> None:
    w = await world(context, 1)
    await w.note("watching", START, START + 400 * S)
    await w.take(each(1, 0.2, 100.2))
    await w.take(each(1, 160.2, 320.2))
    for second in range(101, 161, 7):
        await w.note("source", START + 101 * S, START + (second + 7) * S, "it refuses")
    for second in range(30, 330, 10):  # as it is done: what is younger is not looked at yet
        await w.account(START + second * S)
    [gap] = await w.gaps()
    assert (gap.reason, gap.missed, gap.is_open, gap.detail) == ("source", 60, False, "it refuses")
    assert await w.told() == [("source", 100, 160, 60)]


async def test_nobody_watched(context: Context) -> None:
    w = await world(context, 1)
    await w.take([*each(1, 0, 100), *each(1, 163, 300)])
    await w.note("watching", START, START + 95 * S)  # written each ten seconds, then killed
    await w.note("watching", START + 161 * S, START + 300 * S)
    await w.account(START + 280 * S)
    assert await w.told() == [("down", 100, 163, 63)]


async def test_a_gap_for_each_reason(context: Context) -> None:
    w = await world(context)
    await w.note("watching", START, START + 1000 * S)
    await w.take([*each(10, 0, 100), *each(10, 700, 1000)])
    await w.note("source", START + 102 * S, START + 300 * S, "silent")
    await w.note("refused", START + 300 * S, START + 400 * S, "truncated")
    await w.note("disk_full", START + 350 * S, START + 400 * S, "no room")
    await w.note("unchanged", START + 400 * S, START + 500 * S)
    await w.note("network", START + 500 * S, START + 700 * S, "no route")
    await w.account(START + 950 * S)
    assert await w.told() == [
        ("source", 100, 300, 20),
        ("refused", 300, 350, 5),
        ("disk_full", 350, 400, 5),
        ("unchanged", 400, 500, 10),
        ("network", 500, 700, 20),
    ]
    day = (await w.days())[START.date()]
    assert day.missed == {
        "source": 20, "network": 20, "refused": 5, "disk_full": 5, "unchanged": 10,
    }  # fmt: skip
    assert day.frames == 10 + 25  # the others are too young to be counted


async def test_a_late_frame_shrinks_parts_and_closes_a_gap(context: Context) -> None:
    w = await world(context)
    await w.note("watching", START, START + 2000 * S)
    await w.note("source", START + 100 * S, START + 200 * S, "off")
    await w.take([*each(10, 0, 100), *each(10, 200, 400)])
    await w.account(START + 400 * S)
    assert await w.told() == [("source", 100, 200, 10)]
    now = START + 402 * S
    await w.take(each(10, 100, 130), now)
    await w.account(now + 6 * S)
    assert await w.told() == [("source", 130, 200, 7)]
    await w.take([START + 161 * S], now + 7 * S)
    await w.account(now + 13 * S)
    assert await w.told() == [("source", 130, 160, 3), ("source", 170, 200, 3)]
    await w.take([*each(10, 130, 160), *each(10, 170, 200)], now + 14 * S)
    await w.account(now + 20 * S)
    assert await w.told() == []
    day = (await w.days())[START.date()]
    assert day.missed == {}
    assert day.frames == 40


async def test_what_was_spooled_for_a_week_comes_in_order(context: Context) -> None:
    w = await world(context, 600)
    await w.take(each(600, 0, 3600))
    await w.note("watching", START, START + timedelta(days=8))
    for day in range(1, 8):
        await w.account(START + timedelta(days=day))
    [gap] = await w.gaps()
    assert gap.is_open
    assert gap.reason == "source"
    assert gap.missed == pytest.approx(7 * 144 - 6, abs=1)
    week = each(600, 3600, 7 * 86_400)
    now = START + timedelta(days=7)
    for part in range(0, len(week), 200):
        now += 30 * S
        await w.take(week[part : part + 200], now)
        await w.account(now + 10 * S)
        [*gaps] = await w.gaps()
        assert len(gaps) <= 1
    assert await w.told() == []
    assert all(not one.missed for one in (await w.days()).values())
    await w.take([now + 30 * S], now + 30 * S)
    await w.account(now + 400 * S)
    assert await w.told() == []


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2028, 2, 29), 24)]
)
async def test_days_of_all_lengths(context: Context, day: date, hours: int) -> None:
    w = await world(context, 60, "Europe/Berlin")
    begins = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=4)
    await context.pool.execute("UPDATE cameras SET created_at = $1", begins)
    await w.note("watching", begins, begins + timedelta(days=3))
    await w.take([begins + timedelta(minutes=n) for n in range(40 * 60) if n % 60 < 30])
    await w.account(begins + timedelta(hours=40))
    found = (await w.days())[day]
    assert found.planned == hours * 60
    assert found.missed == {"source": hours * 30}
    assert found.frames == hours * 30


async def test_a_plan_leaves_out_and_gaps_run_over_the_night(context: Context) -> None:
    w = await world(context, 600, hours=[["06:00", "18:00"]])
    await w.note("watching", START, START + timedelta(days=4))
    tomorrow = START.replace(hour=6) + timedelta(days=1)
    day_after = tomorrow + timedelta(days=1)
    await w.take(START + n * 600 * S for n in range(30))  # until 17:00
    await w.take(tomorrow + n * 600 * S for n in range(6, 72))  # from 7:00
    await w.take(day_after + n * 600 * S for n in range(72))
    await w.account(day_after + timedelta(hours=14))
    [gap] = await w.gaps()
    assert moment_of(gap.from_us) == START.replace(hour=17)
    assert moment_of(gap.to_us) == tomorrow + timedelta(hours=1)
    assert gap.missed == 12
    days = await w.days()
    assert [days[d.date()].missed for d in (START, tomorrow)] == [{"source": 6}, {"source": 6}]
    assert (days[tomorrow.date()].planned, days[tomorrow.date()].left_out) == (72, 72)


async def test_weeks_at_once_say_the_same_as_bit_by_bit(context: Context) -> None:
    results = []
    for steps in (1, 29):
        w = await world(context, 60, "Europe/Berlin", hours=[["05:00", "22:30"]])
        await w.note("watching", START, START + timedelta(days=14))
        frames = [m for m in each(60, 0.5, 14 * 86_400) if m.hour != 9 and m.minute % 17]
        for n in range(steps):
            await w.note(
                "source", START + n * timedelta(hours=3), START + n * timedelta(hours=3) + 900 * S
            )
        done = 0
        for n in range(1, steps + 1):
            now = START + timedelta(days=14) * n / steps
            arrived = [m for m in frames[done:] if m < now]
            done += len(arrived)
            await w.take(arrived)
            await w.account(now + 30 * S)
        results.append((await w.days(), sum(g.missed for g in await w.gaps())))
        await context.pool.execute(
            "TRUNCATE camera_days, camera_gaps, camera_spans, camera_accounts"
        )
        await context.pool.execute("UPDATE camera_state SET last_frame_id = NULL")
        await context.pool.execute("DELETE FROM frames")
        await context.pool.execute("DELETE FROM cameras")
        await context.pool.execute("DELETE FROM scenes")
    (whole, missed), (pieces, missed_too) = results
    assert {d: (n.planned, n.frames, sum(n.missed.values())) for d, n in whole.items()} == {
        d: (n.planned, n.frames, sum(n.missed.values())) for d, n in pieces.items()
    }
    assert missed == missed_too > 1000


async def test_switched_off_is_no_gap(context: Context) -> None:
    w = await world(context)
    await w.note("watching", START, START + 100 * S)
    await w.take(each(10, 0, 100))
    await w.account(START + 100 * S)
    await context.pool.execute("UPDATE cameras SET enabled = false")
    await w.account(START + 500 * S)
    await context.pool.execute("UPDATE cameras SET enabled = true")
    await w.take(each(10, 480, 700))
    await w.account(START + 700 * S)
    assert await w.told() == []
    day = (await w.days())[START.date()]
    assert (day.planned, day.left_out) == (28, 40)


async def test_our_clock_jumps(context: Context) -> None:
    """Three hours ahead and back again: the hole that this made is filled as time goes on."""
    w = await world(context)
    three = timedelta(hours=3)
    await w.note("watching", START, START + 100 * S)
    await w.take(each(10, 0, 100))
    await w.account(START + 100 * S)
    await w.take([START + three + n * 10 * S for n in range(20)])
    await w.note("watching", START + three, START + three + 200 * S)
    await w.account(START + three + 150 * S)
    [gap] = await w.gaps()
    assert (gap.reason, gap.missed) == ("down", 1080 - 10)
    await w.note("watching", START + 100 * S, START + three)
    for hour in range(1, 4):  # set right
        await w.take(each(10, 100 if hour == 1 else (hour - 1) * 3600, hour * 3600))
        await w.account(START + timedelta(hours=hour) + 20 * S)
    assert await w.told() == []
    assert (await w.days())[START.date()].planned == 1080 + 13


async def test_a_camera_three_hours_behind(context: Context) -> None:
    """What it says of the time is believed: its frames lie where it says, in order, one gap now."""
    w = await world(context, 60)
    await w.note("watching", START, START + timedelta(days=1))
    late = timedelta(hours=3)
    for hour in range(4, 12):
        now = START + timedelta(hours=hour)
        for m in each(60, (hour - 1) * 3600, hour * 3600):
            await w.take([m - late], m)
        await w.account(now)
    [gap] = await w.gaps()
    assert gap.is_open
    assert gap.missed == pytest.approx(180, abs=2)
    assert moment_of(gap.from_us) == START + timedelta(hours=8)


async def test_a_pass_that_was_overtaken_writes_nothing(context: Context) -> None:
    w = await world(context)
    await w.take(each(10, 0, 100))
    await w.account(START + 100 * S)
    before = await w.days()
    frame_id, passes = await store.cursor(context.pool)
    again = writing.Changes(passes=passes - 1, frame_id=frame_id)
    assert not await writing.write(context.pool, again)
    assert await w.days() == before
    assert await store.cursor(context.pool) == (frame_id, passes)


async def test_frames_of_before_the_camera_count_and_are_not_due(context: Context) -> None:
    w = await world(context)
    await w.take(each(10, -86_400, -86_300), START)
    await w.account(START + 100 * S)
    found = (await w.days())[START.date() - timedelta(days=1)]
    assert (found.planned, found.frames) == (0, 10)


async def test_who_watches_is_read_from_the_leases(context: Context) -> None:
    w = await world(context)
    pushed = await add_camera(w.context, "pushed", url="push", kind="push")
    key = lease_id(f"camera:{w.camera.id}")

    async def spans_after(seconds: float) -> dict[int, list[tuple[float, float]]]:
        w.clock.jump(seconds)
        await scan.watched(w.context)
        found = await store.spans(context.pool, [w.camera.id, pushed.id], START)
        return {
            number: [((s.from_us - start) / 1e6, (s.to_us - start) / 1e6) for s in spans]
            for number, spans in found.items()
        }

    start = micros(START)
    assert await spans_after(0) == {pushed.id: [(0, 0)]}
    first = await db_utils.connect(context.settings, "first")
    await first.execute("SELECT pg_advisory_lock($1)", key)
    assert (await spans_after(10))[w.camera.id] == [(10, 10)]
    assert (await spans_after(10))[w.camera.id] == [(10, 20)]
    await first.close()
    second = await db_utils.connect(context.settings, "second")
    await second.execute("SELECT pg_advisory_lock($1)", key)
    assert (await spans_after(10))[w.camera.id] == [(10, 20), (30, 30)]  # another process
    found = await spans_after(60)  # nobody looked for a minute
    await second.close()
    assert found == {w.camera.id: [(10, 20), (30, 30), (90, 90)], pushed.id: [(0, 30), (90, 90)]}


async def test_a_camera_whose_clock_jumps_back_an_hour(context: Context) -> None:
    """Its frames lie where they say; the hour that it skips when it is set right is one gap."""
    w = await world(context, 60)
    await w.note("watching", START, START + timedelta(days=1))
    hour = timedelta(hours=1)
    told = []
    for number in range(6):
        wrong = hour if number in (2, 3) else timedelta()
        for m in each(60, number * 3600, (number + 1) * 3600):
            await w.take([m - wrong], m)
        await w.account(START + (number + 1) * hour + LAG)
        told.append([(g.missed, g.is_open) for g in await w.gaps()])
    assert told == [[], [], [(60, True)], [(60, True)], [(60, False)], [(60, False)]]
    [gap] = await w.gaps()
    assert moment_of(gap.from_us) == START + 3 * hour
    assert moment_of(gap.to_us) == START + 4 * hour
    day = (await w.days())[START.date()]
    assert (day.frames, day.missed) == (360, {"source": 60})
