"""The parts of choosing: clocks, the sun, slots, brightness; and frames in bulk."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.films.choosing import DAY, HOUR, MINUTE, SECOND, START, evened, slotted
from vigil.cameras import sun
from vigil.cameras.looking import days
from vigil.cameras.looking.model import DayCount
from vigil.context import Context
from vigil.films.model import FilmFrame, at_moment, moment_of
from vigil.films.options import Choice, Daily
from vigil.films.scene import clock, facts, spans, store, sunlight
from vigil.films.scene.choose import gains, slots
from vigil.films.scene.facts import Facts

MOMENTS = st.integers(moment_of(datetime(1990, 1, 1, tzinfo=UTC)), 4_000_000_000 * SECOND)
_NAMES = """Europe/Berlin Australia/Lord_Howe America/St_Johns Asia/Kathmandu UTC
    Africa/Casablanca Pacific/Apia America/Sao_Paulo"""
ZONES = st.sampled_from(_NAMES.split()).map(ZoneInfo)
PLACES = st.tuples(st.floats(-89, 89), st.floats(-180, 180))


@given(st.lists(MOMENTS, max_size=20), ZONES)
@settings(deadline=None)
def test_the_clock_is_that_of_the_zone(moments: list[int], zone: ZoneInfo) -> None:
    ordered = np.array(sorted(moments), np.int64)
    naive = [at_moment(m).astimezone(zone).replace(tzinfo=UTC) for m in sorted(moments)]
    assert clock.local(ordered, zone).tolist() == [moment_of(one) for one in naive]


@given(MOMENTS, st.integers(0, 500 * DAY), st.sampled_from(["02:30", "24:00", "12:05"]), ZONES)
@settings(deadline=None, max_examples=30)
def test_a_time_of_day_comes_once_a_day(since: int, length: int, at: str, zone: ZoneInfo) -> None:
    found = clock.daily(since, since + length, at, zone)
    hour, minute = map(int, at.split(":"))
    first = at_moment(since).astimezone(zone).date() - timedelta(days=1)
    last = at_moment(since + length).astimezone(zone).date() + timedelta(days=1)
    expected = []
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number + hour // 24)
        expected.append(moment_of(days.at(day, time(hour % 24, minute), zone)))
    assert found.tolist() == expected


@given(st.lists(MOMENTS, min_size=1, max_size=20), PLACES)
@settings(deadline=None)
def test_the_sun_stands_where_it_does_for_cameras(
    moments: list[int], place: tuple[float, float]
) -> None:
    found = sunlight.heights(np.array(moments, np.int64), place)
    expected = [sun.height_at(*place, moment / SECOND) for moment in moments]
    assert np.abs(found - expected).max() < 0.005


@given(MOMENTS, PLACES, st.sampled_from([-18.0, -0.8, 10.0, 45.0]), st.booleans())
@settings(deadline=None)
def test_the_sun_passes_a_height_once_a_day(
    since: int, place: tuple[float, float], degrees: float, rising: bool
) -> None:
    found = sunlight.crossings(since, since + 3 * DAY, degrees, place, rising=rising)
    assert np.all(np.diff(found) > 0)
    near = found[(found >= since - DAY) & (found <= since + 4 * DAY)]
    heights = sunlight.heights(near, place)
    earlier = sunlight.heights(near - 10 * MINUTE, place)
    steep = np.abs(heights - earlier) > 0.2  # not where it only just gets there
    assert np.all(np.abs(heights - degrees)[steep] < 0.05)
    assert np.all(((heights > earlier) == rising)[steep])
    every = since + np.arange(0, 3 * DAY, 10 * MINUTE)
    above = sunlight.heights(every, place) > degrees
    passes = np.flatnonzero(above[1:] & ~above[:-1] if rising else ~above[1:] & above[:-1])
    for begin in every[passes].tolist():
        if abs(np.diff(sunlight.heights(np.array([begin, begin + 10 * MINUTE]), place))[0]) > 0.5:
            assert np.any((found >= begin - MINUTE) & (found <= begin + 11 * MINUTE))


@given(
    st.lists(st.integers(-300, 300), max_size=60).map(sorted),
    st.integers(1, 40),
    st.integers(-200, 200),
    st.integers(0, 400),
)
def test_a_slot_takes_the_closest_frame(
    moments: list[int], slot: int, since: int, length: int
) -> None:
    numbers, places = slots(np.array(moments, np.int64), slot, since, since + length)
    expected = {
        number: place
        for number, place in slotted(moments, slot).items()
        if since <= number * slot < since + length
    }
    assert dict(zip(numbers.tolist(), places.tolist(), strict=True)) == expected
    assert np.all(np.diff(places) > 0), "a frame twice, or back in time"
    assert np.all(np.diff(numbers) > 0)


LUMA = st.one_of(st.floats(0, 255, width=32), st.just(float("nan")))


@given(st.lists(LUMA, max_size=60), st.sampled_from([1, 3, 5, 31]), st.data())
def test_brightness_is_that_of_the_neighbours(
    luma: list[float], window: int, data: st.DataObject
) -> None:
    apart = data.draw(st.lists(st.integers(0, 6), min_size=len(luma), max_size=len(luma)))
    steps = np.cumsum(np.array(apart, np.int64))
    found = gains(np.array(luma), window, steps)
    assert found.dtype == np.float32
    expected = evened(luma, window, steps.tolist())
    assert np.abs(found - np.array(expected)).max(initial=0) < 0.0021
    assert gains(np.array(luma), window).tolist() == pytest.approx(
        evened(luma, window, list(range(len(luma)))), abs=0.0021
    )


def test_flicker_goes_and_dusk_stays() -> None:
    random = np.random.default_rng(3)
    dusk = np.linspace(180, 20, 500)
    luma = dusk * random.uniform(0.9, 1.1, 500)
    even = luma * gains(luma, 31)
    assert np.abs(even / dusk - 1)[20:-20].mean() < 0.25 * np.abs(luma / dusk - 1).mean()
    still = gains(dusk, 31)
    assert np.all(np.abs(still - 1) <= 0.001)


def test_spans_join() -> None:
    assert spans.union([(5, 9), (1, 3), (2, 4), (9, 11), (20, None), (30, 40), (7, 7)]) == [
        (1, 4),
        (5, 11),
        (20, spans.FOREVER),
    ]


def test_what_is_lacking_is_said() -> None:
    here = Facts(tags=(("snow", 0, None),))
    assert facts.lacking(Choice(tags=("snow",)), here) is None
    assert facts.lacking(Choice(tags=("fog",)), here) == "the scene has no tag 'fog'"
    for choice in (Choice(sun_to=3), Choice(daily=Daily(sun=3))):
        assert "latitude" in (facts.lacking(choice, here) or "")
        assert facts.lacking(choice, Facts(place=(0, 0))) is None


def test_reading_goes_in_parts_however_frames_are_spread() -> None:
    counts = [(1, 39_000), (2, 900), (3, 200), (4, 200_000), (5, 10), (900, 10)]
    start = date(2024, 1, 1)
    listed = [
        DayCount(day=start + timedelta(days=day), frames=frames, bytes=0) for day, frames in counts
    ]
    found = store.edges(listed)
    assert found == sorted(found)
    assert found[0] == datetime(2024, 1, 4, tzinfo=UTC)
    assert len([edge for edge in found if edge.date() == date(2024, 1, 5)]) == 6


async def test_frames_come_in_bulk_as_they_are_in_the_database(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "AT_ONCE", 10)
    pool = context.pool
    camera = await pool.fetchval(
        "INSERT INTO cameras (name, kind) VALUES ('garden', 'testcard') RETURNING id"
    )
    scene = await pool.fetchval("INSERT INTO scenes (name) VALUES ('garden') RETURNING id")
    random = np.random.default_rng(5)
    for number, moment in enumerate(random.permutation(60).tolist()):
        measured = number % 3 > 0
        digest = hashlib.sha256(b"%d" % number).digest()
        await pool.execute(
            """
            INSERT INTO frames (camera_id, scene_id, taken_at, received_at, width, height, bytes,
                sha256, luma, blob, picture, picture_bytes, contrast, dark, bright, sharpness,
                perceptual_hash, sun_height, deleting_at)
            VALUES ($1, $2, $3, $3, 1, 1, 1, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
            """,
            camera,
            scene,
            at_moment(START + moment // 2 * 5 * HOUR + 7),
            digest,
            float(number),
            f"frames/1/2026-03-01/{number}.jpg",
            f"pictures/1/2026-03-01/{number}-{'ab' * 8}.jpg" if number % 4 == 0 else None,
            1 if number % 4 == 0 else None,
            *([0.5, 0.25, 0.75, 300.0, -(2**62) - number, -3.5] if measured else [None] * 6),
            at_moment(START) if number == 59 else None,
        )
    since, until = at_moment(START + 5 * HOUR + 7), at_moment(START + 29 * 5 * HOUR + 7)
    rows = await store.frames(pool, scene, since, until)
    kept = await pool.fetch(
        """
        SELECT * FROM frames
        WHERE taken_at >= $1 AND taken_at < $2 AND deleting_at IS NULL ORDER BY taken_at, id
        """,
        since,
        until,
    )
    assert rows["id"].tolist() == [row["id"] for row in kept]
    assert len(rows) in (55, 56)
    for row, expected in zip(rows, kept, strict=True):
        moment = moment_of(expected["taken_at"])
        assert row["moment"] == moment
        frame = FilmFrame(moment, expected["sha256"], expected["blob"], expected["picture"])
        assert row["digest"].tobytes() == frame.digest
        assert row["luma"] == expected["luma"]
        numbers = ("contrast", "dark", "bright", "sharpness", "sun_height")
        for name in numbers:
            value = row[name.removesuffix("_height")]
            assert np.isnan(value) if expected[name] is None else value == expected[name]
        assert row["has_look"] == (expected["perceptual_hash"] is not None)
        assert row["look"] == (expected["perceptual_hash"] or 0)
    assert len(await store.frames(pool, scene + 1, since, until)) == 0
