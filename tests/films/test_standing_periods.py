"""Days, weeks and months of a zone: every moment is in exactly one of each."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.films.standing import periods
from vigil.films.standing.model import Every

ZONES = (
    *("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"),
    "Africa/Cairo",  # skips midnight in spring
    "America/Havana",  # shows it twice in autumn
    "America/St_Johns",  # until 2011 went back from one minute past midnight
    "Atlantic/Azores",
    "Pacific/Apia",  # left out the 30th of December 2011
)
EVERY: tuple[Every, ...] = ("daily", "weekly", "monthly")
HOUR = timedelta(hours=1)
YEAR_S = 31_556_952


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def lengths(every: Every, zone: str, moment: str, number: int) -> list[float]:
    found = periods.latest(every, ZoneInfo(zone), at(moment), number)
    assert all(one.to_at == after.from_at for one, after in itertools.pairwise(found))
    return [(one.to_at - one.from_at) / HOUR for one in found if one.to_at]


def test_days_around_daylight_saving() -> None:
    assert lengths("daily", "Europe/Berlin", "2026-03-30T10:00Z", 3) == [24, 23, 24]
    assert lengths("daily", "Europe/Berlin", "2026-10-26T10:00Z", 3) == [24, 25, 24]
    assert lengths("daily", "Australia/Lord_Howe", "2026-10-04T10:00Z", 2) == [24, 23.5]
    assert lengths("daily", "Africa/Cairo", "2026-04-24T10:00Z", 2) == [24, 23]
    assert lengths("daily", "America/Havana", "2026-11-01T20:00Z", 2) == [24, 25]
    assert lengths("weekly", "Europe/Berlin", "2026-03-30T10:00Z", 2) == [167, 168]
    assert lengths("monthly", "Europe/Berlin", "2026-10-05T10:00Z", 2) == [30 * 24, 31 * 24 + 1]
    assert lengths("daily", "Pacific/Apia", "2011-12-31T10:00Z", 3) == [24, 24, 24]


def test_a_day_begins_and_ends_at_midnight_there() -> None:
    zone = ZoneInfo("Europe/Berlin")
    day = periods.containing("daily", zone, at("2026-03-29T12:00Z"))
    assert day.from_at == at("2026-03-29T00:00+01:00")
    assert day.to_at == at("2026-03-30T00:00+02:00")
    week = periods.containing("weekly", zone, at("2026-03-29T21:59:59Z"))
    assert week.from_at == at("2026-03-23T00:00+01:00")
    assert periods.containing("weekly", zone, at("2026-03-29T22:00:00Z")).from_at == week.to_at


@pytest.mark.parametrize("every", EVERY)
@given(
    zone=st.sampled_from(ZONES),
    seconds=st.integers(5 * YEAR_S, 66 * YEAR_S),
    step=st.integers(0, 40),
)
def test_every_moment_is_in_exactly_one(every: Every, zone: str, seconds: int, step: int) -> None:
    place, now = ZoneInfo(zone), datetime.fromtimestamp(seconds, UTC)
    found = periods.containing(every, place, now)
    assert found.to_at is not None
    assert found.from_at <= now < found.to_at
    tick = timedelta(microseconds=1)
    for inside in (found.from_at, found.to_at - tick):
        assert periods.containing(every, place, inside) == found
    following = periods.containing(every, place, found.to_at)
    assert following.from_at == found.to_at
    assert periods.before(every, place, following) == found
    span = (found.to_at - found.from_at) / HOUR
    least, most = {"daily": (22, 26), "weekly": (143, 170), "monthly": (28 * 24 - 2, 745)}[every]
    assert least <= span <= most
    list_ = periods.latest(every, place, now, step + 1)
    assert len(list_) == step + 1
    assert list_[-1] == found
    assert len({periods.name(every, place, one) for one in list_}) == step + 1


def test_names() -> None:
    zone = ZoneInfo("Asia/Kathmandu")
    now = at("2026-03-04T12:00Z")
    names = [periods.name(every, zone, periods.containing(every, zone, now)) for every in EVERY]
    assert names == ["2026-03-04", "week 10 of 2026", "March 2026"]
