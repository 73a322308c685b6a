"""exif: when a picture was taken, as far as its camera can be believed."""

# ruff: noqa: DTZ001  # naive times: the camera's own
from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta, timezone

import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.ExifTags import IFD, Base

from tests.servers.pictures import jpeg
from vigil.cameras import exif
from vigil.cameras.pictures import decoding


def picture(kind: str = "JPEG", **tags: object) -> bytes:
    """A picture with these EXIF tags, by Pillow's names of them."""
    written = Image.Exif()
    inner = written.get_ifd(IFD.Exif)
    for name, value in tags.items():
        where = written if name in ("DateTime", "Orientation", "Make") else inner
        where[Base[name]] = value
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), (9, 99, 9)).save(buffer, kind, exif=written.tobytes())
    return buffer.getvalue()


pillow_heif.register_heif_opener()  # writes them, too
NOON = datetime(2026, 5, 1, 12, 0, 0)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_every_format(kind: str) -> None:
    data = picture(kind, DateTimeOriginal="2026:05:01 12:00:00")
    assert exif.taken_at(data) == NOON
    assert exif.taken_at(picture(kind)) is None


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"DateTime": "2026:05:01 12:00:00"}, NOON),
        ({"DateTimeDigitized": "2026:05:01 12:00:00", "DateTime": "2001:01:01 00:00:00"}, NOON),
        ({"DateTimeOriginal": "2026-05-01 12:00:00"}, NOON),
        ({"DateTimeOriginal": "2026-05-01T12:00:00"}, NOON),
        (
            {"DateTimeOriginal": "2026:05:01 12:00:00", "SubsecTimeOriginal": "25"},
            NOON.replace(microsecond=250_000),
        ),
        (
            {"DateTimeOriginal": "2026:05:01 12:00:00", "SubsecTimeOriginal": "123456789"},
            NOON.replace(microsecond=123_456),
        ),
        ({"DateTimeOriginal": "2026:05:01 12:00:00", "SubsecTimeOriginal": "soon"}, NOON),
        (
            {"DateTimeOriginal": "2026:05:01 12:00:00", "OffsetTimeOriginal": "+02:00"},
            NOON.replace(tzinfo=timezone(timedelta(hours=2))),
        ),
        (
            {"DateTimeOriginal": "2026:05:01 12:00:00", "OffsetTimeOriginal": "-09:30"},
            NOON.replace(tzinfo=timezone(-timedelta(hours=9, minutes=30))),
        ),
        (
            {"DateTimeOriginal": "2026:05:01 12:00:00", "OffsetTimeOriginal": "Z"},
            NOON.replace(tzinfo=UTC),
        ),
        ({"DateTimeOriginal": "2026:05:01 12:00:00", "OffsetTimeOriginal": "+99:00"}, NOON),
        ({"DateTimeOriginal": "2026:05:01 12:00:00", "OffsetTimeOriginal": "here"}, NOON),
        ({"DateTimeOriginal": "0000:00:00 00:00:00", "DateTime": "2026:05:01 12:00:00"}, NOON),
        ({"DateTimeOriginal": "    :  :     :  :  "}, None),
        ({"DateTimeOriginal": "2026:02:29 12:00:00"}, None),
        ({"DateTimeOriginal": "9999:12:31 30:00:00"}, None),
        ({"DateTimeOriginal": "yesterday"}, None),
        ({"DateTimeOriginal": ""}, None),
        ({"DateTimeOriginal": "2028:02:29 23:59:60"}, datetime(2028, 2, 29, 23, 59, 59)),
    ],
)
def test_what_is_said(tags: dict[str, str], expected: datetime | None) -> None:
    assert exif.taken_at(picture(**tags)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026:05:01 24:00:00", datetime(2026, 5, 2)),
        ("2026:05:01 25:10:11", datetime(2026, 5, 2, 1, 10, 11)),
        ("2026:12:31 49:00:00", datetime(2027, 1, 2, 1)),
    ],
)
def test_hours_past_midnight_are_carried_and_said(text: str, expected: datetime) -> None:
    found = exif.taken(picture(DateTimeOriginal=text))
    assert found == exif.Taken(expected, mended=True)
    assert exif.parse("2026:05:01 23:59:59") == exif.Taken(
        datetime(2026, 5, 1, 23, 59, 59), mended=False
    )


@pytest.mark.parametrize("value", [*range(1, 9), 0, 9, 200])
def test_orientation(value: int) -> None:
    with decoding.opened(picture(Orientation=value), "jpeg") as image:
        assert exif.orientation(image) == (value if 1 <= value <= 8 else 1)


@pytest.mark.parametrize("data", [b"", b"\xff", b"<html>", b"GIF89a", b"\xff\xd8\xff\xd9", b"RIFF"])
def test_what_is_no_picture_says_nothing(data: bytes) -> None:
    assert exif.taken_at(data) is None


@given(data=st.data())
@settings(max_examples=300, deadline=None, derandomize=True)
def test_broken_metadata_never_raises(data: st.DataObject) -> None:
    whole = picture(
        data.draw(st.sampled_from(["JPEG", "PNG", "WEBP"])),
        DateTimeOriginal="2026:05:01 12:00:00",
        OffsetTimeOriginal="+02:00",
        Make="A camera",
        Orientation=6,
    )
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 12))):
        damaged[data.draw(st.integers(0, min(len(damaged), 400) - 1))] = data.draw(
            st.integers(0, 255)
        )
    found = exif.taken_at(bytes(damaged))
    assert found is None or isinstance(found, datetime)


def test_a_picture_without_metadata() -> None:
    assert exif.taken_at(jpeg()) is None
