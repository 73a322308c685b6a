"""A local day of a scene and the moments that are looked for in it.

A day lasts from midnight to midnight where the scene is: 23, 24 or 25 hours. A time of day that
daylight saving leaves out stands for the moment as far after the gap; one that comes twice for the
first (PEP 495, fold 0).
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from vigil.errors import Invalid

KEY_TIMES = (time(6), time(9), time(12, 30), time(15), time(18))
COVER_TIME = time(16)
WITHIN = timedelta(hours=1)
"""How far a key frame may be from its time."""
HALF_HOUR = timedelta(minutes=30)

Wish = tuple[datetime, datetime, datetime]
"""A moment, and the span in which a frame counts as close to it: from, to (not included)."""


def zone(name: str) -> ZoneInfo:
    """A time zone by its IANA name; UTC for one that this machine no longer knows."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


@lru_cache(maxsize=1)
def zones() -> Sequence[str]:
    """The names of all time zones a person would choose."""
    odd = ("Etc/", "SystemV/", "posix", "right", "localtime", "Factory")
    return sorted(name for name in available_timezones() if not name.startswith(odd))


def check_zone(name: str) -> str:
    """The name of a time zone as it is written; raises Invalid."""
    name = name.strip()
    if name not in available_timezones():
        raise Invalid(
            f"there is no time zone {name[:60]!r}", hint="IANA names such as Europe/Berlin, or UTC"
        )
    return name


def bounds(day: date, place: ZoneInfo) -> tuple[datetime, datetime]:
    """When a day begins and ends, in UTC."""
    return at(day, time(0), place), at(day + timedelta(days=1), time(0), place)


def at(day: date, moment: time, place: ZoneInfo) -> datetime:
    """A time of a day as a moment in UTC."""
    return datetime.combine(day, moment, place).astimezone(UTC)


def day_of(moment: datetime, place: ZoneInfo) -> date:
    """The day on which a moment lies there."""
    return moment.astimezone(place).date()


def key_wishes(day: date, place: ZoneInfo) -> list[Wish]:
    """The moments of a filmstrip, each with the hour before and after, within the day."""
    begin, end = bounds(day, place)
    moments = [at(day, moment, place) for moment in KEY_TIMES]
    return [(m, max(begin, m - WITHIN), min(end, m + WITHIN + _CLOSED)) for m in moments]


_CLOSED = timedelta(microseconds=1)


def cover_wish(day: date, place: ZoneInfo) -> Wish:
    """The moment of a day's cover; any frame of the day will do."""
    return (at(day, COVER_TIME, place), *bounds(day, place))


def hour_wishes(day: date, place: ZoneInfo) -> list[Wish]:
    """Each full hour of the day, with half an hour before and after."""
    begin, end = bounds(day, place)
    found = []
    moment = begin
    while moment < end:
        found.append((moment, max(begin, moment - HALF_HOUR), min(end, moment + HALF_HOUR)))
        moment += timedelta(hours=1)
    return found


@dataclass(frozen=True)
class Month:
    """A month as a calendar shows it."""

    year: int
    month: int

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, self.month, 1)

    @property
    def end(self) -> date:
        """The first day after it."""
        return self.next.first

    @property
    def next(self) -> Month:
        """The month after it."""
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    @property
    def previous(self) -> Month:
        """The month before it."""
        return Month(self.year - (self.month == 1), (self.month - 2) % 12 + 1)

    @property
    def name(self) -> str:
        """As a person says it: May 2026."""
        return f"{calendar.month_name[self.month]} {self.year}"

    @property
    def weeks(self) -> list[list[date | None]]:
        """Its weeks from Monday to Sunday; ``None`` where a day is another month's."""
        weeks = calendar.Calendar().monthdatescalendar(self.year, self.month)
        return [[day if day.month == self.month else None for day in week] for week in weeks]

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"


def month_of(day: date) -> Month:
    """The month of a day."""
    return Month(day.year, day.month)


def parse_month(text: str) -> Month:
    """A month such as 2026-05; raises Invalid."""
    match = re.fullmatch(r"(\d{4})-(\d\d)", text)
    if not match or not 1971 <= int(match[1]) <= 9000 or not 1 <= int(match[2]) <= 12:
        raise Invalid(f"{text[:20]!r} is no month", hint="write it like 2026-05")
    return Month(int(match[1]), int(match[2]))


def parse_day(text: str) -> date:
    """A day such as 2026-05-01; raises Invalid."""
    try:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            raise ValueError
        found = date.fromisoformat(text)
    except ValueError:
        found = date.min
    if not 1971 <= found.year <= 9000:
        raise Invalid(f"{text[:20]!r} is no day", hint="write it like 2026-05-01")
    return found


def parse_moment(text: str, place: ZoneInfo, what: str = "the time") -> datetime:
    """A moment in UTC; without a zone it is meant where the scene is. Raises Invalid."""
    try:
        found = datetime.fromisoformat(re.sub(r" (?=\d\d:?\d\d$)", "+", text.strip()))
        found = (found if found.tzinfo else found.replace(tzinfo=place)).astimezone(UTC)
    except (ValueError, OverflowError):
        found = datetime.min.replace(tzinfo=UTC)
    if not 1971 <= found.year <= 9000:
        raise Invalid(
            f"{what} {text[:40]!r} cannot be read",
            hint="write it like 2026-05-01T12:30, or with a zone: 2026-05-01T12:30:00+02:00",
        )
    return found
