"""Frames, films and plain ways to choose, to hold ``vigil.films.scene.choose`` against."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from itertools import groupby
from statistics import median_low
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import strategies as st

from vigil.cameras import sun
from vigil.cameras.health import findings
from vigil.cameras.health.model import Look as Seen
from vigil.cameras.looking import days
from vigil.films.model import Film, at_moment, moment_of
from vigil.films.options import Choice, Daily, Look, Making, written
from vigil.films.scene import choose, faults, pacing, sunlight
from vigil.films.scene.facts import Facts
from vigil.films.scene.rows import FRAME, Rows

START = moment_of(datetime(2026, 3, 27, 4, tzinfo=UTC))
"""Two days before the clocks of Europe go forward."""
SECOND = 1_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND
BERLIN = Facts(
    place=(52.5, 13.4),
    time_zone="Europe/Berlin",
    tags=(
        ("snow", START + HOUR, START + 5 * HOUR),
        ("snow", START + 4 * HOUR, START + 9 * HOUR),
        ("fog", START + 2 * HOUR, START + 3 * HOUR),
        ("leaves", START + 2 * DAY, None),
    ),
)


def film(
    choice: Choice | None = None,
    look: Look | None = None,
    *,
    speed: float = 1500.0,
    fps: float = 25.0,
    since: int = START,
    until: int | None = None,
    **other: Any,
) -> Film:
    """A film of a scene; what does not matter here is ``None``."""
    values: dict[str, Any] = {field.name: None for field in fields(Film)}
    values |= {
        "kind": "scene",
        "scenes": (1,),
        "time_zone": BERLIN.time_zone,
        "options": written(Making(choice=choice or Choice(), look=look or Look())),
        "from_at": at_moment(since),
        "to_at": None if until is None else at_moment(until),
        "width": 160,
        "height": 90,
        "window_s": 100 * speed / fps,
        "speed": speed,
        "fps": fps,
    }
    return Film(**values | other)


def frames(moments: Any, **columns: Any) -> Rows:
    """Frames at these moments that look like an ordinary scene by day, but for what is said."""
    rows = np.zeros(len(moments), FRAME)
    rows["moment"] = moments
    rows["id"] = np.arange(len(moments)) + 1
    rows["luma"], rows["contrast"], rows["dark"], rows["bright"] = 100, 40, 0.01, 0.01
    rows["sharpness"], rows["sun"], rows["look"], rows["has_look"] = 300, 20, 0x5A5A, True
    for name, values in columns.items():
        rows[name] = values
    if "digest" not in columns:
        rows["digest"] = [sha256(b"%d" % number).digest() for number in rows["id"]]
    return rows


SPACINGS = (5 * SECOND, 30 * SECOND, 4 * MINUTE, 15 * MINUTE, 50 * MINUTE, 3 * HOUR, 26 * HOUR)
LOOKS = (0x5A5A, 0x5A5B, 0x5A58, 0x5A5F, 0x5A4A, -0x5A5B, 0x7FFF_0000_FFFF_0F0F)


@st.composite
def scenes(draw: st.DrawFn, most: int = 120) -> Rows:
    """Frames of a scene: stretches of even and uneven spacing in which little or much happens."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    size = draw(st.integers(0, most))
    spacings = draw(st.lists(st.sampled_from(SPACINGS), min_size=1, max_size=4))
    stretches = np.sort(random.integers(0, max(size, 1), 3))
    stretch = np.searchsorted(stretches, np.arange(size), side="right")
    apart = np.array(spacings)[stretch % len(spacings)]
    if draw(st.booleans()):
        apart = apart + random.integers(-SECOND, SECOND, size)
    moments = START + draw(st.integers(0, DAY)) + np.cumsum(apart)
    lively = random.random(size) < np.array([0.02, 0.5, 0.0, 0.9])[stretch]

    def some(usual: float, *others: float) -> Any:
        return np.where(lively, random.choice([usual, *others], size), usual)

    missing = float("nan")
    rows = frames(
        moments,
        luma=some(100, 100.04, 101, 104, 10, 150),
        contrast=some(40, 40.04, 20, 10, missing),
        dark=some(0.01, 0.5, 0.95, 0.99, missing),
        sharpness=some(300, 290, 100, 50, 10, missing),
        sun=random.choice([20, 10, 4, 1, -5, missing], size)
        if draw(st.booleans())
        else np.full(size, missing if draw(st.booleans()) else 20),
        look=np.where(lively, random.choice(LOOKS, size), LOOKS[0]),
        has_look=~lively | (random.random(size) < 0.9),
    )
    same = random.random(size) < 0.05
    rows["digest"][same] = bytes(32)
    return rows


CLOCKS = ("00:00", "06:30", "12:00", "22:15", "24:00", "02:30")
CHOICES = st.builds(
    Choice,
    tags=st.lists(st.sampled_from(["snow", "fog", "leaves", "no such tag"]), max_size=2).map(tuple),
    sun_from=st.none() | st.sampled_from([-6.0, 0.0, 15.0]),
    sun_to=st.none() | st.sampled_from([12.0, 30.0]),
    hours=st.lists(st.tuples(st.sampled_from(CLOCKS), st.sampled_from(CLOCKS)), max_size=2).map(
        tuple
    ),
    weekdays=st.lists(st.integers(0, 6), max_size=3).map(tuple),
    skip=st.lists(st.sampled_from(list(faults.FAULTS)), max_size=3).map(tuple),
    daily=st.none()
    | st.builds(
        Daily,
        clock=st.sampled_from(CLOCKS),
        within_s=st.sampled_from([60.0, 3600.0, 43_200.0]),
    )
    | st.builds(
        Daily,
        sun=st.sampled_from([-6.0, 0.0, 20.0, 60.0]),
        rising=st.booleans(),
        within_s=st.sampled_from([900.0, 3600.0, 43_200.0]),
    ),
    exclude=st.lists(
        st.tuples(st.integers(0, 3 * DAY), st.integers(0, HOUR)).map(
            lambda span: (START + span[0], START + span[0] + span[1])
        ),
        max_size=3,
    ).map(tuple),
    every=st.booleans(),
)
"""What may go in; every way to choose, alone and with others."""
SIMPLE = st.one_of(
    st.sampled_from(list(faults.FAULTS)).map(lambda fault: Choice(skip=(fault,))),
    CHOICES.map(lambda choice: Choice(daily=choice.daily)),
    CHOICES.map(lambda choice: Choice(every=choice.every)),
    CHOICES,
)
FILMS = st.builds(
    film,
    SIMPLE,
    st.builds(
        Look,
        calm=st.sampled_from([1, 1, 2, 5]),
        deflicker=st.none() | st.sampled_from([3, 9]),
    ),
    speed=st.sampled_from([25.0, 750.0, 9_000.0, 90_000.0]),
    since=st.sampled_from([0, 90 * MINUTE, DAY]).map(lambda after: START + after),
    until=st.none() | st.sampled_from([5 * HOUR, 3 * DAY]).map(lambda after: START + DAY + after),
)


def by_hand(rows: Rows, film: Film, facts: Facts) -> list[int]:
    """What ``choose.choose`` gives, frame by frame."""
    choice, calm = film.making.choice, film.making.look.calm
    found = [
        place
        for place, row in enumerate(rows)
        if _in_time(row, film, facts)
        and not any(BY_HAND[fault](rows, place) for fault in choice.skip)
    ]
    if choice.daily is not None:
        found = _daily(rows, found, choice.daily, facts)
    if calm > 1:
        each = choice.every or choice.daily is not None
        found = _paced(rows, found, calm, choose.step(film), each)
    return found


def _in_time(row: Any, film: Film, facts: Facts) -> bool:
    choice = film.making.choice
    at = at_moment(int(row["moment"]))
    if at < film.from_at or (film.to_at is not None and at >= film.to_at):
        return False
    moment = int(row["moment"])
    if choice.tags and not any(
        name in choice.tags and since <= moment and (until is None or moment < until)
        for name, since, until in facts.tags
    ):
        return False
    if any(since <= moment < until for since, until in choice.exclude):
        return False
    here = at.astimezone(ZoneInfo(facts.time_zone))
    if choice.hours and not any(_in_hours(here.time(), *hours) for hours in choice.hours):
        return False
    if choice.weekdays and here.weekday() not in choice.weekdays:
        return False
    if choice.sun_from is None and choice.sun_to is None:
        return True
    height = float(row["sun"])
    if np.isnan(height):
        if facts.place is None:
            return False
        height = sun.height(*facts.place, at)
    low, high = choice.sun_from, choice.sun_to
    return (low is None or height >= low) and (high is None or height <= high)


def _in_hours(here: time, since: str, until: str) -> bool:
    now = here.isoformat()
    if since < until:
        return since <= now < until
    return since <= now or now < until


def _dark(rows: Rows, place: int) -> bool:
    return bool(rows["dark"][place] >= 0.9 or rows["luma"][place] < 16)


def _blurred(rows: Rows, place: int) -> bool:
    told = {
        other: row["sharpness"]
        for other, row in enumerate(rows)
        if row["contrast"] >= 15 and not np.isnan(row["sharpness"])
    }
    if place not in told:
        return False
    medians, number = [], 0
    for hour in range(
        int(rows["moment"][place] // HOUR) - 1, int(rows["moment"][place] // HOUR) + 2
    ):
        values = [value for other, value in told.items() if rows["moment"][other] // HOUR == hour]
        number += len(values)
        medians += [median_low(values)] if values else []
    usual = median_low(medians)
    soft = number >= faults.ENOUGH and usual >= 20 and told[place] < np.float32(0.4) * usual
    return bool(soft or told[place] < 12)


def _frozen(rows: Rows, place: int) -> bool:
    moments = rows["moment"].tolist()
    for last in range(place, len(rows)):
        oldest = min(_before(moments, moments[last] - 30 * MINUTE), last - 2)
        if oldest < 0 or moments[last] - moments[oldest] > HOUR or oldest >= place:
            continue
        probes = {_before(moments, moments[last] - n * MINUTE) for n in (5, 10, 15, 20, 25)}
        if all(_alike(rows, probe, last) for probe in probes | {last - 1, last - 2, oldest}):
            return True
    return False


def _before(moments: list[int], moment: int) -> int:
    return sum(other <= moment for other in moments) - 1


def _alike(rows: Rows, one: int, other: int) -> bool:
    return findings.alike(_seen(rows[one]), _seen(rows[other]))


def _seen(row: Any) -> Seen:
    at = at_moment(int(row["moment"]))

    def known(name: str) -> float | None:
        return None if np.isnan(row[name]) else float(row[name])

    return Seen(
        taken_at=at,
        received_at=at,
        sha256=row["digest"].tobytes(),
        luma=float(row["luma"]),
        contrast=known("contrast"),
        dark=known("dark"),
        perceptual_hash=int(row["look"]) if row["has_look"] else None,
        sun_height=known("sun"),
    )


def _foreign(rows: Rows, place: int) -> bool:
    def differ(one: int, other: int) -> int | None:
        if not (0 <= one < len(rows) and 0 <= other < len(rows)):
            return None
        if not (rows["has_look"][one] and rows["has_look"][other]):
            return None
        if abs(int(rows["moment"][one]) - int(rows["moment"][other])) > HOUR:
            return None
        return ((int(rows["look"][one]) ^ int(rows["look"][other])) & (2**64 - 1)).bit_count()

    around = [n for n in range(-4, 5) if n]
    known = [bits for n in around if (bits := differ(place, place + n)) is not None]
    fellows = [bits for bits in known if bits < 16]
    for apart in range(1, 5):
        sides = [differ(place, place - apart), differ(place, place + apart)]
        across = differ(place - apart, place + apart)
        if (
            across is not None
            and across <= 8
            and all(bits is not None and bits >= 16 for bits in sides)
        ):
            return len(fellows) / len(known) < 0.4
    return False


BY_HAND = {"dark": _dark, "blurred": _blurred, "frozen": _frozen, "foreign": _foreign}


def wanted(rows: Rows, places: list[int], daily: Daily, facts: Facts) -> list[int]:
    """The moments that are wanted on all days with frames and around."""
    first, last = int(rows["moment"][places[0]]), int(rows["moment"][places[-1]])
    if daily.sun is not None:
        assert facts.place is not None
        rising = daily.rising
        found = sunlight.crossings(first, last, daily.sun, facts.place, rising=rising)
        return [int(moment) for moment in found]  # which has tests of its own
    assert daily.clock is not None
    zone = ZoneInfo(facts.time_zone)
    hour, minute = map(int, daily.clock.split(":"))
    return [
        moment_of(days.at(day + timedelta(days=hour // 24), time(hour % 24, minute), zone))
        for day in _days(at_moment(first).date(), at_moment(last).date())
    ]


def _days(first: date, last: date) -> Iterator[date]:
    for number in range(-2, (last - first).days + 3):
        yield first + timedelta(days=number)


def _daily(rows: Rows, places: list[int], daily: Daily, facts: Facts) -> list[int]:
    if not places:
        return []
    moments = rows["moment"].tolist()
    best: dict[int, int] = {}
    wishes = wanted(rows, places, daily, facts)
    for place in places:
        wish = min(wishes, key=lambda wish: (abs(moments[place] - wish), wish), default=None)
        if wish is None or abs(moments[place] - wish) > daily.within_s * SECOND:
            continue
        if wish not in best or abs(moments[place] - wish) < abs(moments[best[wish]] - wish):
            best[wish] = place
    return sorted(best.values())


def slot_of(moment: int, slot: int) -> int:
    """The number of the slot whose moment is the closest, of two the earlier."""
    here = moment // slot
    return here if moment - here * slot <= (here + 1) * slot - moment else here + 1


def slotted(moments: list[int], slot: int) -> dict[int, int]:
    """For each slot the place of the frame closest to it."""
    found: dict[int, int] = {}
    for place, moment in enumerate(moments):
        number = slot_of(moment, slot)
        best = found.setdefault(number, place)
        if abs(moment - number * slot) < abs(moments[best] - number * slot):
            found[number] = place
    return found


def _paced(rows: Rows, places: list[int], calm: int, step: int, each: bool) -> list[int]:
    moments = rows["moment"].tolist()
    number = {place: slot_of(moments[place], step) for place in places}
    if each:
        shown = places
    else:
        found = slotted([moments[place] for place in places], step)
        shown = [places[place] for place in found.values()]

    def quiet(one: int, other: int) -> bool:
        if one < 0 or other >= len(shown):
            return False
        a, b = rows[shown[one]], rows[shown[other]]
        bits = ((int(a["look"]) ^ int(b["look"])) & (2**64 - 1)).bit_count()
        return bool(
            bits <= pacing.BITS
            and abs(a["luma"] - b["luma"]) <= np.float32(pacing.LUMA)
            and a["has_look"]
            and b["has_look"]
            and number[shown[other]] - number[shown[one]] <= pacing.FAR
        )

    still = [
        all(quiet(place + n, place + n + 1) for n in range(-2, 2)) for place in range(len(shown))
    ]
    keep = [shown[place] for place in range(len(shown)) if not still[place]]
    resting = [shown[place] for place in range(len(shown)) if still[place]]
    for _, group in groupby(resting, lambda place: number[place] // calm):
        keep.append(next(group))
    if each:
        return sorted(keep)
    kept = {number[place] for place in keep}
    return [place for place in places if number[place] in kept]


def evened(luma: list[float], window: int, steps: list[int]) -> list[float]:
    """What ``gains`` gives, one by one."""
    found, half = [], window // 2
    for place, own in enumerate(luma):
        side = 0
        while (
            side < half
            and place - side - 1 >= 0
            and place + side + 1 < len(luma)
            and steps[place] - steps[place - side - 1] <= half
            and steps[place + side + 1] - steps[place] <= half
        ):
            side += 1
        near = [x for x in luma[place - side : place + side + 1] if not np.isnan(x)]
        if np.isnan(own) or own < 1:
            found.append(1.0)
        else:
            found.append(min(2.0, max(0.5, sum(near) / len(near) / own)))
    return found
