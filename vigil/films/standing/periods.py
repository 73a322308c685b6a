"""Days, weeks and months of a zone's calendar, as spans of UTC.

A day begins at its local midnight; where clocks skip that, at the moment of the change, and where
they show it twice, at the first of both. So a day has 23 to 25 hours, and every moment is in
exactly one day, week and month.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from vigil.films.standing.model import Every, Period

_DAY = timedelta(days=1)
_AT_LEAST_NEXT: dict[Every, timedelta] = {
    "daily": _DAY,
    "weekly": 7 * _DAY,
    "monthly": 31 * _DAY,
}
"""Added to the first day of a period: a day of the next one."""


def zone(name: str) -> ZoneInfo:
    """The zone of this name; UTC where the machine does not know it any more."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The moment at which a day begins, in UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def containing(every: Every, zone: ZoneInfo, at: datetime) -> Period:
    """The period in which a moment is."""
    first = _first(every, at.astimezone(zone).date() + _DAY)
    while midnight(first, zone) > at:  # clocks may go back over midnight, or leave out a day
        first = _first(every, first - _DAY)
    return _from(every, zone, first)


def before(every: Every, zone: ZoneInfo, period: Period) -> Period:
    """The period before one."""
    return containing(every, zone, period.from_at - timedelta(microseconds=1))


def latest(every: Every, zone: ZoneInfo, at: datetime, number: int) -> list[Period]:
    """The last ``number`` periods up to the one in which a moment is, the earliest first."""
    found = [containing(every, zone, at)]
    while len(found) < number:
        found.append(before(every, zone, found[-1]))
    return found[::-1]


def name(every: Every, zone: ZoneInfo, period: Period) -> str:
    """A period in words: ``2026-03-01``, ``week 9 of 2026``, ``March 2026``."""
    local = (period.from_at + timedelta(hours=6)).astimezone(zone).date()
    if every == "weekly":
        year, week, _ = local.isocalendar()
        return f"week {week} of {year}"
    if every == "monthly":
        return f"{_MONTHS[local.month - 1]} {local.year}"
    return local.isoformat()


_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


def _first(every: Every, day: date) -> date:
    """The first day of the period in which a day is."""
    if every == "weekly":
        return day - day.weekday() * _DAY
    return day.replace(day=1) if every == "monthly" else day


def _from(every: Every, zone: ZoneInfo, first: date) -> Period:
    from_at, following = midnight(first, zone), first
    while (to_at := midnight(following, zone)) <= from_at:
        following = _first(every, following + _AT_LEAST_NEXT[every])
    return Period(from_at=from_at, to_at=to_at)
