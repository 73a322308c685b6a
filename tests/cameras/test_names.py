"""Times in the names of files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from vigil.cameras.names import taken_at

NOON = datetime(2026, 5, 1, 12, 0, 0)  # noqa: DTZ001 - names mostly name no zone


@pytest.mark.parametrize(
    "name",
    [
        "IMG_20260501_120000.jpg",
        "20260501120000.jpg",
        "2026-05-01T12-00-00.jpg",
        "2026-05-01 12.00.00.jpeg",
        "snap-2026.05.01_12h00h00.JPG",
        "cam1_00_20260501120000_TIMING.jpg",
        "folder/20260401_000000/20260501-120000.jpg",
        "C:\\ftp\\20260501_120000.jpg",
        "Photo 2026-05-01 at 12.00.00.png",
    ],
)
def test_a_time_without_a_zone(name: str) -> None:
    assert taken_at(name) == NOON


@pytest.mark.parametrize(
    ("name", "moment"),
    [
        ("20260501_120000123.jpg", NOON + timedelta(milliseconds=123)),
        ("2026-05-01T12-00-00.5.jpg", NOON + timedelta(seconds=0.5)),
        ("20260501_253000.jpg", NOON + timedelta(hours=13, minutes=30)),
        ("20260228_240000.jpg", datetime(2026, 3, 1)),  # noqa: DTZ001 - no zone in the name
        ("20240229_235960.jpg", datetime(2024, 2, 29, 23, 59, 59)),  # noqa: DTZ001 - as above
    ],
)
def test_fractions_and_hours_past_midnight(name: str, moment: datetime) -> None:
    assert taken_at(name) == moment


@pytest.mark.parametrize(
    "name",
    [
        "2026-05-01T12:00:00Z.jpg",
        "20260501T140000+0200.jpg",
        "20260501T140000+02:00.jpg",
        "1777636800.jpg",
        "garden-1777636800000.jpg",
        "1777636800000000.jpg",
    ],
)
def test_a_time_with_a_zone(name: str) -> None:
    found = taken_at(name)
    assert found == NOON.replace(tzinfo=UTC)
    assert found is not None
    assert found.utcoffset() in (timedelta(0), timedelta(hours=2))


def test_microseconds_and_a_zone_of_half_an_hour() -> None:
    india = timezone(timedelta(hours=5, minutes=30))
    assert taken_at("2026-05-01T17-30-00.000001+0530.jpg") == datetime(
        2026, 5, 1, 17, 30, 0, 1, tzinfo=india
    )


@pytest.mark.parametrize(
    "name",
    ["", "image.jpg", "IMG_0042.jpg", "20260431_120000.jpg", "20260501_990000.jpg", "20261301.jpg",
     "20260501_126000.jpg", "9" * 200, "1" * 10_000, "20260501.jpg"],
)  # fmt: skip
def test_no_time(name: str) -> None:
    assert taken_at(name) is None
