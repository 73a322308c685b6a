"""Times that stand in the names of picture files.

Cameras and phones write ``IMG_20260501_120000.jpg``, ``2026-05-01T12-00-00.123Z.jpg``,
``snap-2026-05-01_12.00.00.jpg``, ``1777636800123.jpg``. Some action cameras count hours on past
midnight (``20260501_253000`` is half past one of the next day).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from vigil.cameras.exif import Taken

_DATE = (
    r"(?P<year>(?:19|20)\d\d)(?P<a>[-._:]?)(?P<month>0[1-9]|1[0-2])(?P=a)"
    r"(?P<day>0[1-9]|[12]\d|3[01])"
)
_TIME = r"(?P<hour>\d\d)(?P<b>[-._:h]?)(?P<minute>[0-5]\d)(?P=b)(?P<second>[0-5]\d|60)"
_SHAPE = re.compile(
    rf"(?<!\d){_DATE}(?:[ T_-]|-at-| at )?{_TIME}(?:[.,_-]?(?P<fraction>\d{{1,6}}))?"
    r"(?P<zone>Z|[+-]\d\d:?\d\d)?(?!\d)"
)
_EPOCH = re.compile(r"(?<!\d)(?P<seconds>1[0-9]{9})(?P<fraction>\d{3}|\d{6})?(?!\d)")
MOST_HOURS = 48
"""Hours that are carried into the next day; more is no time."""


def taken_at(name: str) -> datetime | None:
    """The time in a file's name; without a zone unless the name has one; ``None``: it has none.

    A number of 10, 13 or 16 digits that begins with 1 is taken as seconds, milliseconds or
    microseconds since 1970.
    """
    found = taken(name)
    return found.at if found else None


def taken(name: str) -> Taken | None:
    """The same, and whether its hour was 24 or more and carried into the next day."""
    name = name.replace("\\", "/").rpartition("/")[2]
    match = _SHAPE.search(name)
    if match:
        return _of(match)
    match = _EPOCH.search(name)
    if match:
        fraction = int((match["fraction"] or "").ljust(6, "0"))
        at = datetime.fromtimestamp(int(match["seconds"]), UTC) + timedelta(microseconds=fraction)
        return Taken(at, False)
    return None


def _of(match: re.Match[str]) -> Taken | None:
    hour = int(match["hour"])
    if hour >= MOST_HOURS:
        return None
    try:
        day = datetime(int(match["year"]), int(match["month"]), int(match["day"]))  # noqa: DTZ001 - a zone may follow
    except ValueError:
        return None  # the 31st of April
    found = day + timedelta(
        hours=hour,
        minutes=int(match["minute"]),
        seconds=min(59, int(match["second"])),
        microseconds=int((match["fraction"] or "").ljust(6, "0")),
    )
    zone = match["zone"]
    if zone is not None:
        found = datetime.fromisoformat(f"{found.isoformat()}{zone.replace('Z', '+00:00')}")
    return Taken(found, hour >= 24)
