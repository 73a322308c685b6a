"""What a plan wishes: its JSON read and checked, said in words; and arithmetic of moments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vigil.errors import Invalid

US = 1_000_000
Span = tuple[int, int]
"""From, and up to but not including; microseconds since 1970."""
HORIZON = -0.833
"""The sun's height at sunrise and sunset, refraction and its size included."""
MOST_PER_DAY = 86_400
LEAST_STEP_US = 100_000
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_CLOCK = re.compile(r"(?:([01]\d|2[0-3]):([0-5]\d)|24:00)")


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """A plan, read."""

    daylight: tuple[float, float] | None = None
    """Least height of the sun in the morning and in the evening, degrees."""
    hours: tuple[tuple[int, int], ...] = ()
    """Seconds of the clock from midnight: from, to; none: all."""
    weekdays: frozenset[int] | None = None
    """0 is Monday."""
    per_day: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether frames are due always."""
        return self == Wishes()


def read(plan: Mapping[str, Any]) -> Wishes:
    """Read a plan; raises Invalid and says what cannot be used."""
    unknown = set(plan) - {"daylight", "hours", "weekdays", "per_day"}
    if unknown:
        raise Invalid(
            f"a plan has no {min(unknown)[:40]!r}", hint="daylight, hours, weekdays, per_day"
        )
    return Wishes(
        daylight=_daylight(plan.get("daylight")),
        hours=_hours(plan.get("hours")),
        weekdays=_weekdays(plan.get("weekdays")),
        per_day=_per_day(plan.get("per_day")),
    )


def check(plan: Mapping[str, Any], *, has_place: bool) -> dict[str, Any]:
    """A plan as it is kept, without what says nothing; raises Invalid.

    Args:
        plan: as somebody wrote it.
        has_place: whether the scene has coordinates, without which nobody knows its daylight.
    """
    wishes = read(plan)
    if wishes.daylight and not has_place:
        raise Invalid(
            "daylight needs to know where the scene is",
            hint="give the scene its latitude and longitude first",
        )
    return {name: value for name, value in plan.items() if value not in (None, False, [])}


def _daylight(given: Any) -> tuple[float, float] | None:
    if given is None or given is False:
        return None
    if given is True:
        return HORIZON, HORIZON
    if not isinstance(given, Mapping) or set(given) != {"from", "to"}:
        raise Invalid("daylight is true, or two heights of the sun", hint='{"from": -6, "to": -6}')
    heights = given["from"], given["to"]
    for height in heights:
        if type(height) not in (int, float) or not -90 <= height <= 90:
            raise Invalid("the height of the sun is from -90 to 90 degrees")
    return float(heights[0]), float(heights[1])


def _hours(given: Any) -> tuple[tuple[int, int], ...]:
    if given is None:
        return ()
    if not isinstance(given, list) or len(given) > 24:
        raise Invalid("hours is a list of at most 24 pairs", hint='[["06:00", "20:00"]]')
    found = []
    for pair in given:
        if not (isinstance(pair, list | tuple) and len(pair) == 2):
            raise Invalid("hours come in pairs, from and to", hint='[["06:00", "20:00"]]')
        first, last = map(_clock, pair)
        if first == last or first == 86_400:
            raise Invalid(f"there is no time between {pair[0]} and {pair[1]}")
        if first < last:
            found.append((first, last))
        else:
            found += [(first, 86_400), (0, last)] if last else [(first, 86_400)]
    return tuple(sorted(found))


def _clock(text: Any) -> int:
    match = _CLOCK.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise Invalid(f"{str(text)[:20]!r} is no time of day", hint="write it like 06:30, or 24:00")
    return int(match[1]) * 3600 + int(match[2]) * 60 if match[1] else 86_400


def _weekdays(given: Any) -> frozenset[int] | None:
    if given is None or given == []:
        return None
    if not isinstance(given, list) or not all(type(d) is int and 0 <= d <= 6 for d in given):
        raise Invalid("weekdays is a list of numbers, 0 for Monday to 6 for Sunday")
    return frozenset(given)


def _per_day(given: Any) -> int | None:
    if given is None:
        return None
    if type(given) is not int or not 1 <= given <= MOST_PER_DAY:
        raise Invalid(f"per_day is a number from 1 to {MOST_PER_DAY}")
    return given


def in_words(interval_s: float, wishes: Wishes) -> str:
    """A plan for a person."""
    words = f"{wishes.per_day} a day" if wishes.per_day else f"every {_length(interval_s)}"
    if wishes.daylight == (HORIZON, HORIZON):
        words += " in daylight"
    elif wishes.daylight:
        up, down = (f"{height:g}°".replace("-", "−") for height in wishes.daylight)
        words += f" while the sun is above {up}"
        words += f" (evenings {down})" if up != down else ""
    parts = [words]
    if wishes.hours:
        spans = (f"{_shown(a)}–{_shown(b)}" for a, b in _unwrapped(wishes.hours))
        parts.append(" and ".join(spans))
    if wishes.weekdays is not None:
        parts.append(_weekdays_in_words(sorted(wishes.weekdays)))
    return ", ".join(parts)


def _weekdays_in_words(chosen: Sequence[int]) -> str:
    runs: list[list[int]] = []
    for day in chosen:
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ", ".join(
        f"{_DAYS[run[0]]}–{_DAYS[run[-1]]}"
        if len(run) > 2
        else ", ".join(_DAYS[day] for day in run)
        for run in runs
    )


def _unwrapped(hours: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Over midnight again, as a person said it."""
    if len(hours) > 1 and hours[0][0] == 0 and hours[-1][1] == 86_400:
        return [*hours[1:-1], (hours[-1][0], hours[0][1])]
    return list(hours)


def _shown(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds % 3600 // 60:02}"


def _length(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


def overlap(ours: Iterable[Span], theirs: Sequence[Span]) -> tuple[Span, ...]:
    """What is in both."""
    both = ((max(a, c), min(b, d)) for a, b in ours for c, d in theirs)
    return merged(span for span in both if span[0] < span[1])


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """In order, those that touch joined."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return tuple(found)


def each(spans: Sequence[Span], begins: int, interval: int) -> Iterator[range]:
    """One moment for each interval from ``begins`` on: the first that lies within the spans."""
    served = -1
    for start, end in spans:
        slot = (start - begins) // interval
        grid = begins + slot * interval
        if grid < start:
            if slot != served:
                yield range(start, start + 1, interval)
            grid += interval
        if grid < end:
            yield range(grid, end, interval)
        served = (end - 1 - begins) // interval


def spread(spans: Sequence[Span], number: int) -> Iterator[range]:
    """So many moments, each in the middle of its share of the spans' time."""
    total = sum(end - start for start, end in spans)
    step = max(LEAST_STEP_US, total // number)
    passed = 0
    for start, end in spans:
        skipped = max(0, -((step // 2 - passed) // step))
        first = start + step // 2 + skipped * step - passed
        last = min(end, start + number * step - passed)
        if first < last:
            yield range(first, last, step)
        passed += end - start
