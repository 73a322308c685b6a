"""Film time and real time: one from the other, and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as some

from tests.films.shown import SECOND, START, piece
from vigil.films import timeline
from vigil.films.model import at_moment, moment_of
from vigil.films.timeline import Piece, Survey, Timeline

RATES = some.sampled_from([1.0, 10.0, 23.976, 25.0, 29.97, 59.94])
STEPS = some.lists(some.sampled_from([0, 0, 1, 1000, SECOND, 3600 * SECOND]), min_size=1)


@some.composite
def films(draw: some.DrawFn) -> tuple[int, list[Piece], list[int]]:
    """Timescale, pieces and the moment of each picture."""
    rate, steps = draw(RATES), draw(STEPS)
    moment = moment_of(START)
    moments = [moment := moment + step for step in steps]
    start, left = draw(some.integers(0, 10**9)), moments
    pieces: list[Piece] = []
    while left:
        size = draw(some.integers(1, len(left)))
        pieces.append(piece(len(pieces) + 1, start, left[:size]))
        start, left = start + 1000 * size, left[size:]
    return round(rate * 1000), pieces, moments


@given(films())
def test_there_and_back(film: tuple[int, list[Piece], list[int]]) -> None:
    """Film → real → film is the first picture with that moment."""
    scale, pieces, moments = film
    found = Timeline(scale, pieces)
    began = pieces[0].start
    for index, moment in enumerate(moments):
        first = (began + 1000 * moments.index(moment)) / scale
        for part in (0, 0.5, 0.999):
            seconds = (began + 1000 * (index + part)) / scale
            assert found.moment_at(seconds) == moment
            assert found.seconds_of(found.moment_at(seconds)) == first
    assert found.moment_at(0) == moments[0] or began == 0
    assert found.moment_at((began + 1000 * len(moments)) / scale + 5) == moments[-1]


@given(films(), some.integers(-4 * 3600 * SECOND, 4 * 3600 * SECOND))
def test_the_closest_picture(film: tuple[int, list[Piece], list[int]], away: int) -> None:
    scale, pieces, moments = film
    found = Timeline(scale, pieces)
    wanted = moments[len(moments) // 2] + away
    shown = found.moment_at(found.seconds_of(wanted))
    assert abs(shown - wanted) == min(abs(moment - wanted) for moment in moments)


def test_moments_that_nobody_noted_are_evenly_spread() -> None:
    old = Piece(1, 0, 4000, 4, 100, 400)
    assert old.pictures().tolist() == [100, 200, 300, 400]
    replaced = Piece(1, 0, 3000, 3, 100, 300, piece(1, 0, [100, 150]).moments)
    assert replaced.pictures().tolist() == [100, 200, 300]


def survey(pieces: list[Piece], zone: str | None = "Europe/Berlin", usual: float = 1) -> Survey:
    made = Survey(len(pieces), usual, ZoneInfo(zone) if zone else None)
    for at in range(0, len(pieces), 100):
        made.add(pieces[at : at + 100])
    return made


def test_days_begin_where_the_scene_is() -> None:
    """An hour a picture over the night when the clocks go forward, 2026-03-29 in Berlin."""
    first = moment_of(datetime(2026, 3, 28, 20, 30, tzinfo=UTC))
    moments = [first + hour * 3600 * SECOND for hour in range(60)]
    made = survey([piece(1, 0, moments[:7]), piece(2, 7000, moments[7:])], usual=3600 * SECOND)
    assert [day.name for day in made.days] == [
        "2026-03-28",
        "2026-03-29",
        "2026-03-30",
        "2026-03-31",
    ]
    zone = ZoneInfo("Europe/Berlin")
    for day in made.days[1:]:
        shown = at_moment(day.moment).astimezone(zone)
        assert (shown.hour, shown.minute) == (0, 30)
    assert [day.start // 1000 for day in made.days] == [0, 3, 26, 50]
    assert made.gaps == []
    assert made.end == 60_000
    assert survey([piece(1, 0, [5])], zone=None).days == []


def test_gaps_within_segments_and_between_them() -> None:
    pieces = [piece(1, 0, [0, 1, 2, 100, 101]), piece(2, 5000, [102, 300]), piece(3, 7000, [400])]
    made = survey(pieces, zone=None)
    assert [(gap.start, gap.since, gap.until) for gap in made.longest_gaps] == [
        (3000, 2, 100),
        (6000, 102, 300),
        (7000, 300, 400),
    ]


def test_a_very_long_film_is_told_in_stretches() -> None:
    """36,500 segments: at most ``MOST_SPANS``, which cover all of it."""
    pieces = [piece(number + 1, 1000 * number, [number]) for number in range(36_500)]
    made = survey(pieces, zone=None)
    assert len(made.spans) <= timeline.MOST_SPANS
    assert (made.spans[0][1], made.spans[-1][2]) == (0, 36_499)
    for (_, _, last), (start, first, _) in pairwise(made.spans):
        assert first == last + 1
        assert start == 1000 * first


def test_edges_are_found_where_the_film_comes_to_them() -> None:
    made = Survey(2, 1, None, edges=[0, 3, 4, 10, 99])
    made.add([piece(1, 0, [0, 2, 4])])
    made.add([piece(2, 3000, [7, 11])])
    assert made.starts == {0: 0, 3: 2000, 4: 2000, 10: 4000}


def test_a_day_is_a_day_wherever_the_zone_is() -> None:
    moments = [moment_of(START + timedelta(hours=6 * n)) for n in range(40)]
    for zone in ("Pacific/Kiritimati", "America/St_Johns", "Australia/Lord_Howe", "UTC"):
        made = survey([piece(1, 0, moments)], zone, usual=6 * 3600 * SECOND)
        wanted = [at_moment(m).astimezone(ZoneInfo(zone)).date().isoformat() for m in moments]
        assert [day.name for day in made.days] == list(dict.fromkeys(wanted))
