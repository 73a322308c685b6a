"""When a camera's frames are due.

The column ``cameras.plan`` is an object; each of its keys narrows down when frames are due, and
``{}`` means always, one each ``interval_s``:

- ``daylight``: ``true``, while the sun is above the horizon; or ``{"from": -6, "to": -6}``, from
  that height of the sun (degrees) in the morning to that one in the evening;
- ``hours``: ``[["06:00", "20:00"], …]`` by the clocks of the scene's place; one that ends before
  it begins goes on over midnight. An hour that comes twice in autumn counts twice;
- ``weekdays``: numbers, 0 for Monday;
- ``per_day``: so many a day, evenly spread within the rest, instead of one each interval.

Otherwise a day is cut into intervals from its midnight on, and a frame is due at the first
allowed moment of each. An interval of days has one at its first allowed moment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self
from zoneinfo import ZoneInfo

from vigil.cameras import planned, sun
from vigil.cameras.looking import days
from vigil.cameras.planned import US, Span, Wishes

if TYPE_CHECKING:  # the agent plans with this, and has the standard library only
    from vigil.cameras.model import Camera, Scene

DAY = timedelta(days=1)
DAY_US = 86_400 * US
SPARSE_US = 60 * US
"""From this distance on a camera is connected to for each frame, at its moment."""
FARTHEST_DAYS = 400
"""How far we look for a moment; polar nights are shorter."""
SUN_STEP_S = 300
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CACHED_DAYS = 500


def due(camera: Camera, scene: Scene, from_at: datetime, to_at: datetime) -> Iterator[datetime]:
    """The moments from ``from_at`` up to, not including, ``to_at`` at which a frame is due."""
    schedule = Schedule.of(camera, scene)
    for moments in schedule.ranges(micros(from_at), micros(to_at)):
        for moment in moments:
            yield at(moment)


def next_due(camera: Camera, scene: Scene, after: datetime) -> datetime | None:
    """The first moment after this one at which a frame is due; ``None`` within the next year."""
    found = Schedule.of(camera, scene).next_after(micros(after))
    return None if found is None else at(found)


def is_due(camera: Camera, scene: Scene, moment: datetime) -> bool:
    """Whether the plan allows frames at a moment."""
    return Schedule.of(camera, scene).allows(micros(moment)) is not None


class Schedule:
    """A camera's plan at its scene: made once, asked often. Moments are microseconds since 1970."""

    def __init__(
        self, interval_s: float, wishes: Wishes, zone: ZoneInfo, place: tuple[float, float] | None
    ) -> None:
        self._interval = round(interval_s * US)
        self._wishes = wishes
        self._zone = zone
        self._place = place
        self._days: dict[date, tuple[tuple[Span, ...], tuple[range, ...]]] = {}

    @classmethod
    def of(cls, camera: Camera, scene: Scene) -> Self:
        """The schedule of a camera; without coordinates, daylight cannot be told and is ignored."""
        place = None
        if scene.latitude is not None and scene.longitude is not None:
            place = scene.latitude, scene.longitude
        wishes = planned.read(camera.plan)
        return cls(camera.interval_s, wishes, days.zone(scene.time_zone), place)

    @property
    def zone(self) -> ZoneInfo:
        """The scene's."""
        return self._zone

    @property
    def is_sparse(self) -> bool:
        """Whether moments are so far apart that no connection is held between them."""
        return self._wishes.per_day is not None or self._interval >= SPARSE_US

    @property
    def close_us(self) -> int:
        """Two frames that are no further apart than this have nothing missing between them."""
        return 0 if self._wishes.per_day is not None else self._interval * 7 // 5

    @property
    def step_us(self) -> int:
        """How far moments are apart at most while frames are allowed."""
        number = self._wishes.per_day
        return self._interval if number is None else DAY_US // number

    def ranges(self, from_us: int, to_us: int) -> Iterator[range]:
        """The due moments in [from, to), in order, as ranges whose step is their distance."""
        for day in _days(self._zone, from_us, to_us):
            for moments in self._day(day)[1]:
                some = clip(moments, from_us, to_us)
                if some:
                    yield some

    def count(self, from_us: int, to_us: int) -> int:
        """How many are due in [from, to)."""
        return sum(map(len, self.ranges(from_us, to_us)))

    def excluded(self, from_us: int, to_us: int) -> int:
        """How many more would be due in [from, to) if the plan were empty.

        May be off by one for a piece of a day, and is exact for whole days.
        """
        if self._wishes.is_empty or self._wishes.per_day is not None or self._interval >= DAY_US:
            return 0
        slots = 0
        for day in _days(self._zone, from_us, to_us):
            begins, ends = map(micros, days.bounds(day, self._zone))
            slots += len(clip(range(begins, ends, self._interval), from_us, to_us))
        return slots - self.count(from_us, to_us)

    def last_until(self, moment: int) -> tuple[int, int] | None:
        """The last due moment that is not after this one, and the distance to its next."""
        day = days.day_of(at(moment), self._zone)
        for _ in range(FARTHEST_DAYS):
            for moments in reversed(self._day(day)[1]):
                if moments.start <= moment:
                    some = clip(moments, moments.start, moment + 1)
                    return some[-1], some.step
            day -= DAY
        return None

    def next_after(self, moment: int) -> int | None:
        """The first due moment after this one."""
        day = days.day_of(at(moment), self._zone)
        for _ in range(FARTHEST_DAYS):
            for moments in self._day(day)[1]:
                if moments[-1] > moment:
                    return moments[0] if moments[0] > moment else clip(moments, moment + 1)[0]
            day += DAY
        return None

    def allows(self, moment: int) -> int | None:
        """When the time in which frames are allowed ends, if they are at this moment.

        The end is that of the day at the latest.
        """
        day = days.day_of(at(moment), self._zone)
        return next((end for start, end in self._day(day)[0] if start <= moment < end), None)

    def allowed_until(self, moment: int) -> int | None:
        """When frames that are allowed now are so no more; ``None``: not within the next week."""
        first, end = moment, self.allows(moment)
        if self._wishes.is_empty:
            return None
        while end is not None and end - first < 7 * DAY_US:
            moment, end = end, self.allows(end)
        return None if end is not None else moment

    def _day(self, day: date) -> tuple[tuple[Span, ...], tuple[range, ...]]:
        found = self._days.get(day)
        if found is None:
            if len(self._days) >= _CACHED_DAYS:
                self._days.clear()
            spans = self._spans(day)
            found = self._days[day] = spans, tuple(self._moments(day, spans))
        return found

    def _spans(self, day: date) -> tuple[Span, ...]:
        """When frames are allowed on a day."""
        wishes = self._wishes
        if wishes.weekdays is not None and day.weekday() not in wishes.weekdays:
            return ()
        begins, ends = map(micros, days.bounds(day, self._zone))
        spans: tuple[Span, ...] = ((begins, ends),) if begins < ends else ()
        if wishes.hours:
            spans = planned.overlap(spans, self._by_clock(day, begins, ends))
        if wishes.daylight and self._place is not None:
            spans = planned.overlap(spans, self._by_sun(*wishes.daylight, begins, ends))
        return spans

    def _by_clock(self, day: date, begins: int, ends: int) -> tuple[Span, ...]:
        """When the clocks there show the hours of the plan."""
        midnight = (day - _EPOCH.date()).days * DAY_US  # as if the place were on UTC
        found = []
        for start, end, offset in _offsets(self._zone, begins, ends):
            for from_s, to_s in self._wishes.hours:
                first = max(start, midnight + from_s * US - offset)
                last = min(end, midnight + to_s * US - offset)
                found += [(first, last)] if first < last else []
        return planned.merged(found)

    def _by_sun(self, up: float, down: float, begins: int, ends: int) -> tuple[Span, ...]:
        """When the sun is high enough; to the second."""
        latitude, longitude = self._place or (0.0, 0.0)

        def is_light(second: int) -> bool:
            height, climbing = sun.place(latitude, longitude, second)
            return height >= (up if climbing else down)

        first, last = begins // US, ends // US
        noons = (int(sun.noon_at(longitude, first + n)) for n in (0, 43_200, 86_400))
        marks = sorted({*range(first, last, SUN_STEP_S), *(n for n in noons if first < n < last)})
        changes = []
        light, before = False, first
        for mark in marks:
            now_light = is_light(mark)
            if now_light != light:
                changes.append(mark if mark == first else _turn(is_light, before, mark, now_light))
            light, before = now_light, mark
        if len(changes) % 2:
            changes.append(last)
        return tuple((a * US, b * US) for a, b in zip(changes[::2], changes[1::2], strict=True))

    def _moments(self, day: date, spans: tuple[Span, ...]) -> Iterator[range]:
        if self._wishes.per_day is not None:
            yield from planned.spread(spans, self._wishes.per_day)
        elif self._interval < DAY_US:
            begins = micros(days.bounds(day, self._zone)[0])
            yield from planned.each(spans, begins, self._interval)
        elif spans and not self._was_due(day):
            yield range(spans[0][0], spans[0][0] + 1, self._interval)

    def _was_due(self, day: date) -> bool:
        """Whether an earlier day of the same interval of days has the frame already."""
        slot = day.toordinal() * DAY_US // self._interval
        earlier = day - DAY
        while earlier.toordinal() * DAY_US // self._interval == slot:
            if self._spans(earlier):
                return True
            earlier -= DAY
        return False


def micros(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def at(moment: int) -> datetime:
    """The moment of so many microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=moment)


def clip(moments: range, from_us: int, to_us: int | None = None) -> range:
    """The part of a range in [from, to)."""
    first = max(0, -((moments.start - from_us) // moments.step))
    if to_us is None:
        return moments[first:]
    return moments[first : max(first, -((moments.start - to_us) // moments.step))]


def _days(zone: ZoneInfo, from_us: int, to_us: int) -> Iterator[date]:
    """The days there that [from, to) touches."""
    if from_us < to_us:
        day, last = days.day_of(at(from_us), zone), days.day_of(at(to_us - 1), zone)
        while day <= last:
            yield day
            day += DAY


def _offsets(zone: ZoneInfo, begins: int, ends: int) -> Iterator[tuple[int, int, int]]:
    """Parts of a day with one offset from UTC each: from, to, offset, in microseconds."""

    def offset(moment: int) -> int:
        return (at(moment).astimezone(zone).utcoffset() or timedelta()) // timedelta(microseconds=1)

    first, last = offset(begins), offset(ends - US)
    if first == last:
        yield begins, ends, first
        return
    low, high = begins // US, ends // US
    change = _turn(lambda second: offset(second * US) == last, low, high, True) * US
    yield begins, change, first
    yield change, ends, last


def _turn(is_so: Any, before: int, after: int, to: bool) -> int:
    """The first second in (before, after] at which ``is_so`` has become ``to``."""
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (before, middle) if is_so(middle) == to else (middle, after)
    return after


def in_words(interval_s: float, plan: Mapping[str, Any]) -> str:
    """A plan for a person: ``every 10 s in daylight, Mon–Fri``."""
    return planned.in_words(interval_s, planned.read(plan))
