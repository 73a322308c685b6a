"""plan: what is due when, on odd days and in odd places; what a person may write."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from vigil.cameras import plan, planned
from vigil.cameras.looking import days
from vigil.cameras.model import Camera, Scene
from vigil.errors import Invalid

SOME = datetime(2026, 1, 1, tzinfo=UTC)
BERLIN = (52.52, 13.405)


def camera(interval_s: float, wishes: dict[str, Any] | None = None) -> Camera:
    return Camera(
        id=1,
        name="garden",
        title="",
        kind="http",
        url=None,
        options={},
        interval_s=interval_s,
        retention_s=86_400,
        plan=wishes or {},
        enabled=True,
        deleting_at=None,
        created_at=SOME,
        changed_at=SOME,
    )


def scene(time_zone: str = "UTC", place: tuple[float, float] | None = None) -> Scene:
    latitude, longitude = place or (None, None)
    return Scene(
        id=1,
        name="garden",
        title="",
        notes="",
        latitude=latitude,
        longitude=longitude,
        time_zone=time_zone,
        created_at=SOME,
        changed_at=SOME,
    )


def of_day(of: Camera, where: Scene, day: date) -> list[datetime]:
    """What is due on a day of the scene."""
    return list(plan.due(of, where, *days.bounds(day, days.zone(where.time_zone))))


def clocks(of: Camera, where: Scene, day: date) -> list[str]:
    """The same as the clocks there show it."""
    zone = days.zone(where.time_zone)
    return [f"{moment.astimezone(zone):%H:%M}" for moment in of_day(of, where, day)]


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2026, 3, 28), 24), (date(2026, 3, 29), 23), (date(2026, 10, 25), 25)],
)
def test_a_day_has_as_many_hours_as_it_has(day: date, hours: int) -> None:
    found = of_day(camera(600), scene("Europe/Berlin"), day)
    assert len(found) == hours * 6
    assert {b - a for a, b in pairwise(found)} == {timedelta(minutes=10)}
    assert found[0] == days.bounds(day, days.zone("Europe/Berlin"))[0]


def test_hours_that_spring_skips_and_autumn_repeats() -> None:
    of, where = camera(900, {"hours": [["01:30", "03:15"]]}), scene("Europe/Berlin")
    usual = ["01:30", "01:45", "02:00", "02:15", "02:30", "02:45", "03:00"]
    assert clocks(of, where, date(2026, 3, 28)) == usual
    assert clocks(of, where, date(2026, 3, 29)) == ["01:30", "01:45", "03:00"]
    assert clocks(of, where, date(2026, 10, 25)) == [*usual[:6], *usual[2:6], "03:00"]
    skipped = camera(900, {"hours": [["02:15", "02:45"]]})
    assert clocks(skipped, where, date(2026, 3, 29)) == []
    assert len(clocks(skipped, where, date(2026, 10, 25))) == 4


def test_half_an_hour_of_daylight_saving_and_odd_offsets() -> None:
    hourly = camera(3600)
    howe = scene("Australia/Lord_Howe")
    assert len(of_day(camera(1800), howe, date(2026, 4, 5))) == 49
    assert len(of_day(camera(1800), howe, date(2026, 10, 4))) == 47
    for name, minutes in (("Asia/Kathmandu", 15), ("Pacific/Chatham", 15), ("Asia/Kolkata", 30)):
        found = of_day(hourly, scene(name), date(2026, 7, 1))
        assert len(found) == 24
        assert {moment.minute for moment in found} == {minutes}
    assert of_day(hourly, scene("Pacific/Apia"), date(2011, 12, 30)) == []  # left out there
    assert len(of_day(hourly, scene("Pacific/Apia"), date(2011, 12, 31))) == 24
    # Cairo's midnight does not exist on this day: it begins at one
    assert clocks(hourly, scene("Africa/Cairo"), date(2026, 4, 24))[:2] == ["01:00", "02:00"]


def test_a_leap_day() -> None:
    of = camera(3600, {"weekdays": [1]})  # 29 February 2028 is a Tuesday
    assert len(of_day(of, scene("America/New_York"), date(2028, 2, 29))) == 24
    assert of_day(of, scene("America/New_York"), date(2028, 2, 28)) == []
    whole = list(
        plan.due(
            camera(86_400),
            scene(),
            datetime(2028, 2, 1, tzinfo=UTC),
            datetime(2028, 3, 1, tzinfo=UTC),
        )
    )
    assert len(whole) == 29


def test_daylight_follows_the_sun() -> None:
    of, where = camera(60, {"daylight": True}), scene("Europe/Berlin", BERLIN)
    summer = of_day(of, where, date(2026, 6, 21))
    winter = of_day(of, where, date(2026, 12, 21))
    assert f"{summer[0]:%H:%M}" == "02:43"  # UTC; sunrise as the almanac has it
    assert f"{summer[-1]:%H:%M}" == "19:33"
    assert len(summer) == pytest.approx(16 * 60 + 50, abs=3)
    assert len(winter) == pytest.approx(7 * 60 + 39, abs=3)
    assert (winter[0].second, winter[1].second) != (0, 1)  # the first as the sun rises
    assert winter[1].second == 0  # then on the grid


def test_dusk_may_last_longer_than_dawn() -> None:
    where = scene("UTC", BERLIN)
    usual = of_day(camera(60, {"daylight": {"from": 0, "to": 0}}), where, date(2026, 5, 1))
    late = of_day(camera(60, {"daylight": {"from": 0, "to": -12}}), where, date(2026, 5, 1))
    assert late[0] == usual[0]
    assert late[-1] > usual[-1] + timedelta(hours=1)


def test_polar_day_and_polar_night() -> None:
    of = camera(600, {"daylight": True})
    where = scene("Arctic/Longyearbyen", (78.22, 15.65))
    assert len(of_day(of, where, date(2026, 6, 21))) == 144
    assert of_day(of, where, date(2026, 12, 21)) == []
    after = plan.next_due(of, where, datetime(2026, 11, 20, tzinfo=UTC))
    assert after is not None
    assert date(2027, 2, 10) < after.date() < date(2027, 2, 20)  # its first sunrise
    assert not plan.is_due(of, where, datetime(2026, 12, 21, 12, tzinfo=UTC))
    # never that high
    assert plan.next_due(camera(600, {"daylight": {"from": 60, "to": 60}}), where, SOME) is None


def test_daylight_without_coordinates_is_always() -> None:
    assert len(of_day(camera(3600, {"daylight": True}), scene(), date(2026, 12, 21))) == 24


def test_so_many_a_day_are_spread_evenly() -> None:
    of, where = camera(10, {"per_day": 4}), scene("Europe/Berlin")
    assert clocks(of, where, date(2026, 5, 1)) == ["03:00", "09:00", "15:00", "21:00"]
    assert len(of_day(of, where, date(2026, 3, 29))) == 4
    split = camera(10, {"per_day": 5, "hours": [["06:00", "10:00"], ["20:00", "21:00"]]})
    assert clocks(split, where, date(2026, 5, 1)) == ["06:30", "07:30", "08:30", "09:30", "20:30"]
    for number in (1, 7, 100, 999):
        many = camera(10, {"per_day": number, "daylight": True, "weekdays": [4]})
        assert len(of_day(many, scene("UTC", BERLIN), date(2026, 5, 1))) == number


def test_over_midnight() -> None:
    of = camera(3600, {"hours": [["22:00", "02:00"]]})
    assert clocks(of, scene(), date(2026, 5, 1)) == ["00:00", "01:00", "22:00", "23:00"]
    assert clocks(camera(3600, {"hours": [["23:00", "24:00"]]}), scene(), SOME.date()) == ["23:00"]


def test_one_a_day_within_what_is_allowed() -> None:
    of = camera(86_400, {"hours": [["06:00", "20:00"]], "weekdays": [0, 1, 2, 3, 4]})
    found = list(
        plan.due(
            of,
            scene("Europe/Berlin"),
            datetime(2026, 5, 1, tzinfo=UTC),
            datetime(2026, 5, 15, tzinfo=UTC),
        )
    )
    assert [f"{moment:%d %H}" for moment in found] == [
        f"{day:02} 04" for day in (1, 4, 5, 6, 7, 8, 11, 12, 13, 14)
    ]
    weekly = camera(7 * 86_400, {"weekdays": [2]})
    found = list(plan.due(weekly, scene(), SOME, SOME + timedelta(days=70)))
    assert len(found) == 10
    assert {moment.weekday() for moment in found} == {2}


def test_counting_needs_no_listing() -> None:
    of = camera(7.3, {"daylight": True, "hours": [["05:00", "09:00"], ["12:00", "23:00"]]})
    where = scene("Europe/Berlin", BERLIN)
    schedule = plan.Schedule.of(of, where)
    listed = [plan.micros(m) for m in plan.due(of, where, SOME, SOME + timedelta(days=9))]
    assert listed == sorted(set(listed))
    first, last = plan.micros(SOME), plan.micros(SOME + timedelta(days=9))
    assert schedule.count(first, last) == len(listed)
    for number in (0, 1, 1000, len(listed) - 1):
        moment = listed[number]
        assert schedule.count(first, moment) == number
        assert schedule.last_until(moment) == (moment, 7_300_000)
        assert schedule.next_after(moment - 1) == moment
        assert schedule.allows(moment) is not None
    assert schedule.excluded(first, last) == 9 * 11_836 - len(listed)


def test_next_due_is_the_one_after() -> None:
    of, where = camera(10, {"hours": [["06:00", "20:00"]]}), scene("Asia/Kathmandu")
    evening = datetime(2026, 5, 1, 14, 14, 55, tzinfo=UTC)  # 19:59:55 there
    assert plan.is_due(of, where, evening)
    assert plan.next_due(of, where, evening) == datetime(2026, 5, 2, 0, 15, tzinfo=UTC)
    assert not plan.is_due(of, where, evening + timedelta(seconds=5))


@pytest.mark.parametrize(
    ("interval_s", "wishes", "words"),
    [
        (10, {}, "every 10 s"),
        (300, {"daylight": True, "weekdays": [0, 1, 2, 3, 4]},
         "every 5 min in daylight, Mon–Fri"),
        (3600, {"hours": [["06:00", "20:00"]]}, "every 1 h, 06:00–20:00"),
        (1, {"hours": [["22:00", "04:00"]], "weekdays": [5, 6]},
         "every 1 s, 22:00–04:00, Sat, Sun"),
        (10, {"per_day": 12, "daylight": {"from": -6, "to": -6}},
         "12 a day while the sun is above −6°"),
        (10, {"daylight": {"from": -6, "to": 2.5}},
         "every 10 s while the sun is above −6° (evenings 2.5°)"),
        (86_400, {"weekdays": [0, 2, 4]}, "every 1 d, Mon, Wed, Fri"),
    ],
)  # fmt: skip
def test_in_words(interval_s: float, wishes: dict[str, Any], words: str) -> None:
    assert plan.in_words(interval_s, wishes) == words


@pytest.mark.parametrize(
    "wishes",
    [
        {"moonlight": True},
        {"daylight": "yes"},
        {"daylight": {"from": -6}},
        {"daylight": {"from": -91, "to": 0}},
        {"daylight": {"from": True, "to": 0}},
        {"hours": "06:00-20:00"},
        {"hours": [["06:00"]]},
        {"hours": [["6", "20:00"]]},
        {"hours": [["06:00", "06:00"]]},
        {"hours": [["24:00", "06:00"]]},
        {"hours": [["06:00", "25:00"]]},
        {"hours": [["06:00", None]]},
        {"weekdays": [7]},
        {"weekdays": [True]},
        {"weekdays": "Monday"},
        {"per_day": 0},
        {"per_day": 1.5},
        {"per_day": 100_000},
    ],
)
def test_what_cannot_be_used_is_said(wishes: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as caught:
        planned.check(wishes, has_place=True)
    assert len(caught.value.message) > 15


def test_daylight_needs_a_place() -> None:
    with pytest.raises(Invalid, match="where the scene is"):
        planned.check({"daylight": True}, has_place=False)
    assert planned.check({"daylight": False, "hours": [], "per_day": 3}, has_place=False) == {
        "per_day": 3
    }
