"""What a camera writes about a picture beside it (Exif 3.0, CIPA DC-008): when, and which way up.

Only these two are ever read. Where the camera stands and which one it is stays in the original.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from PIL import Image
from PIL.ExifTags import IFD, Base

from vigil.cameras.pictures import decoding
from vigil.cameras.pictures.shape import BadPicture, Format, check_size

_TIMES = (  # time, fraction of its second, offset from UTC; the best first
    (Base.DateTimeOriginal, Base.SubsecTimeOriginal, Base.OffsetTimeOriginal),
    (Base.DateTimeDigitized, Base.SubsecTimeDigitized, Base.OffsetTimeDigitized),
    (Base.DateTime, Base.SubsecTime, Base.OffsetTime),
)
_TIME = re.compile(r"(\d{4})[:./-](\d\d)[:./-](\d\d)[ T](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?")
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)")


@dataclass(frozen=True, slots=True)
class Taken:
    """When a picture was taken, as its camera says."""

    at: datetime
    """Aware where the camera names its offset from UTC, else naive: its local time."""
    mended: bool
    """Whether it said hour 24 or more, which was carried into the next day."""


def taken_at(data: bytes) -> datetime | None:
    """When a picture was taken: aware where the offset is named, else naive.

    ``None`` when nothing is said, or nothing that is a time.
    """
    found = taken(data)
    return found.at if found else None


def taken(data: bytes) -> Taken | None:
    """The same, and whether an impossible hour was mended. Reads headers only; never raises."""
    for format in _formats(data):
        try:
            with decoding.opened(data, format) as image:
                check_size(*image.size)  # that of a PNG may stand behind its pixels
                return _taken(image.getexif())
        except BadPicture:
            pass
    return None


def orientation(image: Image.Image) -> int:
    """How the picture is to be turned, 1 (not at all) to 8; nonsense counts as 1."""
    try:
        value = image.getexif().get(Base.Orientation)
    except Exception:  # whatever is wrong there, the picture itself may be fine
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def parse(text: str) -> Taken | None:
    """A time as EXIF and action cameras write it: ``2026:05:01 24:10:00`` is ten past midnight."""
    match = _TIME.search(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(match[n]) for n in range(1, 7))
    try:
        at = datetime(year, month, day, 0, minute, min(second, 59)) + timedelta(hours=hour)  # noqa: DTZ001  # naive: the camera names no zone here
        at += timedelta(microseconds=int((match[7] or "0").ljust(6, "0")[:6]))
    except (ValueError, OverflowError):
        return None
    return Taken(at, hour >= 24)


def _formats(data: bytes) -> tuple[Format, ...]:
    if data[:2] == b"\xff\xd8":
        return ("jpeg",)
    if data[:4] == b"\x89PNG":
        return ("png",)
    if data[:4] == b"RIFF":
        return ("webp",)
    return ("heif",) if data[4:8] == b"ftyp" else ()


def _taken(exif: Image.Exif) -> Taken | None:
    said = {**exif, **exif.get_ifd(IFD.Exif)}
    for time, fraction, offset in _TIMES:
        found = parse(_text(said.get(time)))
        if found is None:
            continue
        digits = re.match(r"\d+", _text(said.get(fraction)))
        if digits and not found.at.microsecond:
            microseconds = int(digits[0].ljust(6, "0")[:6])
            found = Taken(found.at.replace(microsecond=microseconds), found.mended)
        zone = _zone(_text(said.get(offset)))
        return Taken(found.at.replace(tzinfo=zone), found.mended) if zone else found
    return None


def _zone(text: str) -> timezone | None:
    if text in ("Z", "UTC"):
        return UTC
    match = _OFFSET.fullmatch(text)
    if match is None:
        return None
    span = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return timezone(-span if match[1] == "-" else span) if span < timedelta(hours=15) else None


def _text(value: object) -> str:
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    return value.strip(" \0") if isinstance(value, str) else ""
