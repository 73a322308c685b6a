"""When a picture was taken, where several ways to know it disagree or are missing.

In this order: what whoever brings the picture says, EXIF, the file's name, the time of arrival or
of the file's last change. EXIF and names mostly name no zone: then it is the scene's. A time that
comes twice in autumn is the first of the two, one that spring skips is moved on by the hour.

A camera's option ``time`` narrows this down to one way (``exif``, ``name`` or ``arrival``), and
``clock_offset_s`` takes off what a camera's clock is known to be ahead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from vigil.cameras import exif, names

Way = Literal["said", "exif", "name", "arrival"]


@dataclass(frozen=True, slots=True)
class Stamp:
    """When a picture was taken, and how that is known."""

    taken_at: datetime
    """UTC."""
    way: Way


def stamp(
    data: bytes,
    *,
    name: str,
    said: datetime | None,
    arrived_at: datetime,
    zone: ZoneInfo,
    options: Mapping[str, Any],
) -> Stamp:
    """When a picture was taken.

    Args:
        data: its bytes, or as many of the first as hold its EXIF.
        name: of its file; empty when it has none.
        said: what whoever brings it says; without a zone it is the scene's.
        arrived_at: by our clock, or when its file was last changed.
        zone: the scene's.
        options: the camera's.
    """
    only = options.get("time")
    offset = timedelta(seconds=float(options.get("clock_offset_s") or 0))
    ways: tuple[tuple[Way, datetime | None], ...] = (
        ("said", said),
        ("exif", exif.taken_at(data) if only in (None, "exif") else None),
        ("name", names.taken_at(name) if only in (None, "name") else None),
    )
    for way, found in ways:
        if found is not None:
            aware = found if found.tzinfo else found.replace(tzinfo=zone)
            return Stamp(aware.astimezone(UTC) - offset, way)
    return Stamp(arrived_at, "arrival")
