"""sun: held against values that others published."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from vigil.cameras import sun


def test_the_example_of_the_spa_report() -> None:
    """Reda and Andreas, Solar Position Algorithm, NREL/TP-560-34302, table A4.1: 39.872046°,
    before refraction."""
    moment = datetime(2003, 10, 17, 12, 30, 30, tzinfo=timezone(timedelta(hours=-7)))
    assert sun.height(39.742476, -105.1786, moment) == pytest.approx(39.872, abs=0.01)


def test_the_declination_of_meeus() -> None:
    """Astronomical Algorithms, example 25.a: -7.78507° on 1992-10-13 at 0 h TD, 59 s before UTC.
    At the pole that is the height."""
    moment = datetime(1992, 10, 12, 23, 59, 1, tzinfo=UTC)
    assert sun.height(90, 0, moment) == pytest.approx(-7.785, abs=0.01)
    assert sun.height(-90, 123, moment) == pytest.approx(7.785, abs=0.01)


@pytest.mark.parametrize(
    ("moment", "declination"),
    [  # Astronomical Applications Department, US Naval Observatory: Earth's Seasons
        (datetime(2024, 3, 20, 3, 6, tzinfo=UTC), 0.0),
        (datetime(2024, 6, 20, 20, 51, tzinfo=UTC), 23.436),
        (datetime(2024, 9, 22, 12, 44, tzinfo=UTC), 0.0),
        (datetime(2024, 12, 21, 9, 20, tzinfo=UTC), -23.436),
    ],
)
def test_the_seasons(moment: datetime, declination: float) -> None:
    assert sun.height(90, 0, moment) == pytest.approx(declination, abs=0.01)


def test_sunrise_and_sunset() -> None:
    """Greenwich on 2024-06-20 as the almanac has it: 03:43 and 20:21 UTC."""
    rise = datetime(2024, 6, 20, 3, 43, tzinfo=UTC)
    set_ = datetime(2024, 6, 20, 20, 21, tzinfo=UTC)
    for moment in (rise, set_):
        assert sun.height(51.4779, 0, moment) == pytest.approx(-0.833, abs=0.2)
    assert sun.place(51.4779, 0, rise.timestamp())[1]
    assert not sun.place(51.4779, 0, set_.timestamp())[1]


def test_noon_is_the_highest() -> None:
    for longitude in (-179.9, -100, 0, 77.5, 179.9):
        some = datetime(2026, 11, 3, 7, tzinfo=UTC).timestamp()
        noon = sun.noon_at(longitude, some)
        assert abs(noon - some) <= 43_201
        heights = [sun.height_at(30, longitude, noon + s) for s in range(-3600, 3601, 60)]
        assert max(heights) == pytest.approx(heights[60], abs=0.01)


def test_where_the_sun_does_not_set_and_does_not_rise() -> None:
    summer = datetime(2026, 6, 21, tzinfo=UTC)
    winter = datetime(2026, 12, 21, tzinfo=UTC)
    for hour in range(24):
        assert sun.height(78.2, 15.6, summer + timedelta(hours=hour)) > 10
        assert sun.height(78.2, 15.6, winter + timedelta(hours=hour)) < -10
