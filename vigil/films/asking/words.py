"""Times, spans, boxes and days as people write them; raises Wrong, naming the field."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta, tzinfo
from math import isfinite

from vigil.errors import Invalid

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}
_UNIT = r"(s|sec|seconds?|m|min|minutes?|h|hours?|d|days?|w|weeks?|y|years?)"
_PART = rf"(\d{{1,9}}(?:\.\d{{1,6}})?)\s*{_UNIT}(?![a-z])"
_SPAN = rf"\s*(?:{_PART}\s*)+"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ON = ("on", "1", "true", "yes")
OFF = ("", "off", "0", "false", "no", "none")


class Wrong(Invalid):
    """A field of an order cannot be as it is."""

    def __init__(self, field: str, message: str, *, hint: str | None = None) -> None:
        super().__init__(f'"{field}" {message}', hint=hint)
        self.field = field
        """Its flat name, as forms have it."""


def flag(text: str, what: str) -> bool:
    """On or off."""
    word = text.strip().lower()
    if word not in ON and word not in OFF:
        raise Wrong(what, f"is not a choice: {text[:40]}", hint='"on", or leave it out')
    return word in ON


def number(text: str | float, what: str, least: float, most: float) -> float:
    """A number within bounds."""
    try:
        found = float(text)
    except (ValueError, OverflowError):
        raise Wrong(what, f"is not a number: {str(text)[:40]}") from None
    if not least <= found <= most:
        raise Wrong(what, f"must be between {least:g} and {most:g}")
    return found


def span(text: str | float, what: str, hint: str = 'such as "60s", "1:30", "24h", "30d"') -> float:
    """Seconds of a span of time: ``90``, ``60s``, ``1:30``, ``1h 30m``, ``2 weeks``."""
    found = float(text) if isinstance(text, int | float) else _seconds(text.strip().lower())
    if not (isfinite(found) and 0 < found <= 1e10):
        raise Wrong(what, f"is not a length of time: {str(text)[:40]}", hint=hint)
    return found


def _seconds(text: str) -> float:
    if match := re.fullmatch(r"(?:(\d{1,4}):)?(\d{1,4}):(\d{2}(?:\.\d{1,3})?)", text):
        return int(match[1] or 0) * 3600 + int(match[2]) * 60 + float(match[3])
    if re.fullmatch(r"\d{1,9}(?:\.\d{1,6})?", text):
        return float(text)
    if not re.fullmatch(_SPAN, text):
        return 0.0
    return sum(float(value) * _UNITS[unit[0]] for value, unit in re.findall(_PART, text))


def spelled(seconds: float) -> str:
    """A span as a person says it: 24 hours, 30 days."""
    for size, unit in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= size * (2 if size == 86_400 else 1) and seconds % size == 0:
            count = round(seconds / size)
            return unit.removesuffix("s") if count == 1 else f"{count} {unit}"
    return "second" if seconds == 1 else f"{seconds:g} seconds"


def moment(text: str, now: datetime, what: str, zone: tzinfo = UTC) -> datetime:
    """A moment: ``now``, ``today``, ``yesterday``, ISO 8601, or a span: ``30m`` ago, ``+2h`` ahead.

    What names no zone is meant in ``zone``.
    """
    text = text.strip()
    word = text.lower()
    if word == "now":
        return now
    if word in ("today", "yesterday"):
        day = now.astimezone(zone).date() - timedelta(days=word == "yesterday")
        return datetime.combine(day, time(0), zone).astimezone(UTC)
    try:
        if re.fullmatch(rf"[+-]?{_SPAN}", word):
            away = timedelta(seconds=_seconds(word.lstrip("+-")))
            return _near(now + away if word[0] == "+" else now - away, what)
        found = datetime.fromisoformat(text)
        found = (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        raise Wrong(what, "is too far away") from None
    except ValueError:
        raise Wrong(
            what,
            f"is not a moment: {text[:40]}",
            hint='such as "2026-03-01T06:00", "yesterday", "2h" (ago) or "+1h"',
        ) from None
    return _near(found, what)


def _near(found: datetime, what: str) -> datetime:
    if not 1971 <= found.year <= 9000:
        raise Wrong(what, "is too far away")
    return found


def clock(text: str, what: str) -> str:
    """A time of day: ``6``, ``6:30``, ``06:30``, ``24:00``."""
    match = re.fullmatch(r"\s*(\d{1,2})(?::(\d{2}))?\s*", text)
    hour, minute = (int(match[1]), int(match[2] or 0)) if match else (99, 0)
    if hour > 24 or minute > 59 or (hour == 24 and minute):
        raise Wrong(what, f"is not a time of day: {text[:40]}", hint='such as "06:30"')
    return f"{hour:02}:{minute:02}"


def hours(text: str) -> list[tuple[str, str]]:
    """Spans of the day: ``06:00-20:00, 22-2``."""
    found = []
    for part in filter(None, re.split(r"[,;]\s*", text.strip())):
        ends = re.split(r"\s*[-–]\s*", part)
        if len(ends) != 2:
            raise Wrong(
                "hours", f"is not a span of the day: {part[:40]}", hint='such as "06:00-20:00"'
            )
        found.append((clock(ends[0], "hours"), clock(ends[1], "hours")))
    return found


def weekdays(values: Sequence[str]) -> list[int]:
    """Days of the week: ``0`` or ``mon`` is Monday; ``mon-fri``; several by commas."""
    found: set[int] = set()
    for part in filter(None, re.split(r"[,;\s]+", ",".join(values))):
        ends = [_weekday(word) for word in part.split("-")]
        if len(ends) > 2:
            raise Wrong("weekdays", f"are not days: {part[:40]}", hint='such as "mon-fri" or "sat"')
        first, last = ends[0], ends[-1]
        found |= {day % 7 for day in range(first, (last if last >= first else last + 7) + 1)}
    return sorted(found)


def _weekday(word: str) -> int:
    if re.fullmatch("[0-6]", word):
        return int(word)
    if word[:3].lower() in DAYS:
        return DAYS.index(word[:3].lower())
    raise Wrong(
        "weekdays", f"has no day {word[:20]}", hint='there are "mon", "tue", …, or 0 (Monday) to 6'
    )


def size(text: str) -> tuple[int, int]:
    """Width and height: ``1280x720``."""
    match = re.fullmatch(r"\s*(\d{2,5})\s*[x×]\s*(\d{2,5})\s*", text)
    if not match:
        raise Wrong("size", f"is not a size: {text[:20]}", hint='such as "1280x720"')
    return int(match[1]), int(match[2])


def box(text: str, what: str) -> tuple[float, float, float, float]:
    """Left, top, right, bottom in percent, ``10, 0, 90, 100``, as shares."""
    parts = [part for part in re.split(r"[,;\s]+", text.strip()) if part]
    if len(parts) != 4:
        raise Wrong(
            what,
            "is four edges",
            hint='left, top, right and bottom in percent, such as "10,0,90,100"',
        )
    left, top, right, bottom = (round(number(part, what, 0, 100) / 100, 4) for part in parts)
    return checked_box((left, top, right, bottom), what)


def checked_box(
    edges: tuple[float, float, float, float], what: str
) -> tuple[float, float, float, float]:
    """The same box when there is something in it."""
    left, top, right, bottom = edges
    if right - left < 0.02 or bottom - top < 0.02:
        raise Wrong(what, "is too small", hint="right of left and below the top, by 2% at least")
    return edges
