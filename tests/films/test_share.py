"""The part of a time that hours, days of the week and the sun leave, and films as long as that."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.films import asked
from vigil.films.asking.model import Place, Span
from vigil.films.asking.orders import parse
from vigil.films.asking.share import share

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
WEEK = Span(from_at=MONDAY, to_at=MONDAY + timedelta(days=7))


def part(place: Place, span: Span = WEEK, **choice: Any) -> float:
    return share(parse({"camera": "garden", "choice": choice}).choice, span, place)


def test_what_is_left_of_a_week() -> None:
    here = asked.place(sun=True)
    assert part(here) == 1
    assert part(here, hours=[["06:00", "18:00"]]) == pytest.approx(1 / 2, abs=0.001)
    assert part(here, hours=[["22:00", "04:00"]]) == pytest.approx(1 / 4, abs=0.001)
    assert part(here, weekdays=[0, 6]) == pytest.approx(2 / 7, abs=0.001)
    assert part(here, sun_from=0) == pytest.approx(11 / 24, abs=0.005), "early March, 52° north"
    assert part(here, sun_to=0) == pytest.approx(1 - part(here, sun_from=0), abs=0.001)


def test_hours_are_those_of_the_scene() -> None:
    day = Span(from_at=MONDAY, to_at=MONDAY + timedelta(hours=6))
    assert part(asked.place(zone="Asia/Tokyo"), day, hours=[["09:00", "12:00"]]) == 0.5
    assert part(asked.place(), day, hours=[["09:00", "12:00"]]) == 1, "nothing to go by"


def test_a_time_that_rolls_is_the_one_before() -> None:
    rolling = Span(from_at=MONDAY, to_at=None, rolling_s=86_400.0)
    assert part(asked.place(), rolling, weekdays=[6]) == 1
    assert part(asked.place(), rolling, hours=[["00:00", "06:00"]]) == 0.25
    assert part(asked.place(), Span(from_at=MONDAY, to_at=None), weekdays=[6]) == 1


def test_of_one_frame_a_day_only_the_days_count() -> None:
    noon = {"clock": "12:00"}
    assert part(asked.place(), daily=noon, hours=[["11:00", "13:00"]]) == 1
    assert part(asked.place(), daily=noon, weekdays=[0]) == pytest.approx(1 / 7, abs=0.001)


def test_a_film_that_has_not_ended_is_as_long_as_asked_for() -> None:
    """A day of which six hours go in fills its minute with these six hours."""
    day: dict[str, Any] = {"from": "now", "to": "+24h"}
    film, pace = asked.ask(**day, length="60s", choice={"hours": [["06:00", "12:00"]]})
    assert film.speed == pytest.approx(6 * 3600 / 60, rel=0.001)
    assert not pace.notes
    film, _ = asked.ask(rolling="24h", length="60s", choice={"hours": [["06:00", "12:00"]]})
    assert film.speed == pytest.approx(6 * 3600 / 60, rel=0.001)
    film, _ = asked.ask(**day, length="60s", choice={"hours": [["06:00", "12:00"]], "every": True})
    assert film.fps == pytest.approx(6 * 360 / 60, rel=0.001)
