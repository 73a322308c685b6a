"""When the picture of a file was taken, and how that is known: EXIF, its name, its last change."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from vigil.cameras import exif, names
from vigil.cameras.exif import Taken
from vigil.cameras.importing.model import File, Rule, Way
from vigil.cameras.pictures import reading
from vigil.cameras.pictures.shape import BadPicture

FOLDERS = 4
"""Folders above a file whose names may hold its date: 2026/05/01/120000.jpg."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """How the times of an import are known."""

    rule: Rule
    zone: ZoneInfo
    """Of times that name none."""
    ahead: timedelta
    """How much the camera's clock was; taken off what it wrote."""


@dataclass(frozen=True, slots=True)
class Looked:
    """A file's picture, before intake has seen it."""

    digest: bytes
    """SHA-256 of the picture alone, as intake will find it."""
    size: int
    """Bytes of the picture alone."""
    taken_at: datetime
    """UTC."""
    way: Way
    mended: bool
    """Whether it said hour 24 or more."""


def look(data: bytes, file: File, ruling: Ruling) -> Looked:
    """What a file holds and when it was taken; raises BadPicture. Blocks for some milliseconds."""
    shape = reading.measure(data)
    data = data[: shape.end]
    taken_at, way, mended = timed(data, file, ruling)
    return Looked(hashlib.sha256(data).digest(), len(data), taken_at, way, mended)


def timed(data: bytes, file: File, ruling: Ruling) -> tuple[datetime, Way, bool]:
    """When, how that is known, and whether it was mended; raises BadPicture where nobody says."""
    if ruling.rule in ("auto", "exif"):
        found = exif.taken(data)
        if found is not None:
            return _utc(found, ruling), "exif", found.mended
    if ruling.rule in ("auto", "name"):
        found = named(file.path)
        if found is not None:
            return _utc(found, ruling), "name", found.mended
    if ruling.rule in ("auto", "mtime"):
        return file.modified.astimezone(UTC), "mtime", False
    where = "its EXIF" if ruling.rule == "exif" else "its name"
    raise BadPicture("no_time", f"a picture without a time in {where}")


def named(path: str) -> Taken | None:
    """The time in a file's name, or in that and those of the folders that it lies in."""
    found = names.taken(path)
    if found is None and "/" in path:
        found = names.taken("-".join(path.split("/")[-FOLDERS - 1 :]))
    return found


def _utc(found: Taken, ruling: Ruling) -> datetime:
    at = found.at if found.at.tzinfo else found.at.replace(tzinfo=ruling.zone)
    try:
        return at.astimezone(UTC) - ruling.ahead
    except OverflowError:
        raise BadPicture("no_time", "a picture from beyond the calendar") from None
