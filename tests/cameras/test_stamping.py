"""Which of the times that a picture comes with counts."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from PIL import Image

from vigil.cameras.stamping import Stamp, stamp

ARRIVED = datetime(2026, 5, 2, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def picture(taken: str | None = None) -> bytes:
    exif = Image.Exif()
    if taken:
        exif.get_ifd(0x8769)[0x9003] = taken
    written = io.BytesIO()
    Image.new("RGB", (32, 32), "green").save(written, "JPEG", exif=exif.tobytes())
    return written.getvalue()


def stamped(data: bytes = b"", **given: Any) -> Stamp:
    known: dict[str, Any] = {"name": "", "said": None, "arrived_at": ARRIVED, "zone": BERLIN}
    return stamp(data, **(known | {"options": {}} | given))


WITH_EXIF = picture("2026:05:01 14:00:00")
NAMED = "20260501_100000.jpg"
SAID = datetime(2026, 5, 1, 6, tzinfo=UTC)


def test_what_is_said_counts_before_exif_before_the_name_before_arrival() -> None:
    everything = {"name": NAMED, "said": SAID}
    assert stamped(WITH_EXIF, **everything) == Stamp(SAID, "said")
    noon = datetime(2026, 5, 1, 12, tzinfo=UTC)
    assert stamped(WITH_EXIF, name=NAMED) == Stamp(noon, "exif")
    assert stamped(picture(), name=NAMED) == Stamp(datetime(2026, 5, 1, 8, tzinfo=UTC), "name")
    assert stamped(picture(), name="image.jpg") == Stamp(ARRIVED, "arrival")


def test_a_camera_may_be_believed_in_one_way_only() -> None:
    assert stamped(WITH_EXIF, name=NAMED, options={"time": "name"}).way == "name"
    assert stamped(WITH_EXIF, name=NAMED, options={"time": "exif"}).way == "exif"
    assert stamped(WITH_EXIF, name=NAMED, options={"time": "arrival"}) == Stamp(ARRIVED, "arrival")
    assert stamped(WITH_EXIF, name="x", options={"time": "name"}).way == "arrival"


def test_a_clock_that_is_known_to_be_ahead() -> None:
    found = stamped(WITH_EXIF, options={"clock_offset_s": 3 * 3600})
    assert found == Stamp(datetime(2026, 5, 1, 9, tzinfo=UTC), "exif")
    assert stamped(picture(), options={"clock_offset_s": 3600}).taken_at == ARRIVED


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        ("20260329_013000", datetime(2026, 3, 29, 0, 30)),  # noqa: DTZ001 - UTC is put on below
        ("20260329_023000", datetime(2026, 3, 29, 1, 30)),  # noqa: DTZ001 - skipped by the clocks
        ("20260329_033000", datetime(2026, 3, 29, 1, 30)),  # noqa: DTZ001 - as above
        ("20261025_023000", datetime(2026, 10, 25, 0, 30)),  # noqa: DTZ001 - comes twice: the first
        ("20261025_033000", datetime(2026, 10, 25, 2, 30)),  # noqa: DTZ001 - as above
        ("20240229_120000", datetime(2024, 2, 29, 11)),  # noqa: DTZ001 - as above
    ],
)
def test_summer_time_and_leap_days(local: str, utc: datetime) -> None:
    assert stamped(name=f"{local}.jpg").taken_at == utc.replace(tzinfo=UTC)


def test_a_zone_that_is_named_is_believed() -> None:
    said = datetime(2026, 5, 1, 12, tzinfo=timezone(timedelta(hours=-7)))
    assert stamped(said=said).taken_at == datetime(2026, 5, 1, 19, tzinfo=UTC)
    assert stamped(name="20260501T120000Z.jpg").taken_at == datetime(2026, 5, 1, 12, tzinfo=UTC)
