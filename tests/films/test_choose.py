"""Which frames go in: as slow plain code says, and in a part as within the whole."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from tests.films.choosing import (
    BERLIN,
    DAY,
    FILMS,
    HOUR,
    MINUTE,
    SECOND,
    START,
    by_hand,
    film,
    frames,
    scenes,
)
from vigil.films.model import Film, moment_of
from vigil.films.options import Choice, Daily, Fault, Look
from vigil.films.scene import choose, sunlight
from vigil.films.scene.facts import Facts
from vigil.films.scene.rows import Rows

SLOWLY = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@SLOWLY
@given(scenes(), FILMS)
def test_it_chooses_what_plain_code_chooses(rows: Rows, film: Film) -> None:
    note(f"{film.options} {film.slot}\n{(rows['moment'] - START) / SECOND}")
    found = choose.choose(rows, film, BERLIN)
    assert found.tolist() == by_hand(rows, film, BERLIN)


@SLOWLY
@given(scenes(), FILMS, st.randoms())
def test_a_part_is_chosen_as_within_the_whole(rows: Rows, film: Film, random: Random) -> None:
    note(f"{film.options} {film.slot}")
    whole = shown(rows, film)
    back, ahead = choose.reach(film)
    moments = rows["moment"]
    for place in random.sample(range(len(rows)), min(30, len(rows))):
        # The first frame of a part, or the last one, has the least around it.
        begin = int(moments[place])
        for since, until in ((begin, begin + HOUR), (begin - HOUR, begin + 1)):
            part = rows[(moments >= since - back) & (moments < until + ahead)]
            assert within(shown(part, film), since, until) == within(whole, since, until)


Picture = tuple[int, int, float]
"""Moment, number and brightness of a frame."""


def shown(rows: Rows, film: Film) -> list[Picture]:
    """What a film of these frames shows."""
    found = rows[choose.choose(rows, film, BERLIN)]
    if not film.making.choice.every and film.making.choice.daily is None:
        found = found[choose.slots(found["moment"], choose.step(film), -(2**62), 2**62)[1]]
    steps = choose.steps(found["moment"], film)
    gains = choose.gains(found["luma"], film.making.look.deflicker or 1, steps)
    return list(zip(found["moment"].tolist(), found["id"].tolist(), gains.tolist(), strict=True))


def within(pictures: list[Picture], since: int, until: int) -> list[Picture]:
    """Those of frames taken in a span."""
    return [picture for picture in pictures if since <= picture[0] < until]


@SLOWLY
@given(scenes(), FILMS, st.randoms())
def test_a_late_frame_changes_only_what_lies_within_reach(
    rows: Rows, film: Film, random: Random
) -> None:
    note(f"{film.options} {film.slot}")
    whole = shown(rows, film)
    back, ahead = choose.reach(film)
    for late in random.sample(range(len(rows)), min(30, len(rows))):
        moment = int(rows["moment"][late])
        before = shown(np.delete(rows, late), film)
        for since, until in ((0, moment - ahead), (moment + back + 1, 2**61)):
            assert within(before, since, until) == within(whole, since, until)


def test_frames_out_of_the_range_say_what_is_usual_but_are_not_shown() -> None:
    moments = START + np.arange(60) * MINUTE
    rows = frames(moments, sharpness=np.where(np.arange(60) == 30, 50, 300))
    wanted = film(Choice(skip=("blurred",)), since=START + 29 * MINUTE, until=START + 32 * MINUTE)
    assert choose.choose(rows, wanted, BERLIN).tolist() == [29, 31]


def test_tags_join_and_may_be_open() -> None:
    rows = frames(START + np.arange(0, 72) * HOUR)
    both = film(Choice(tags=("snow", "leaves")))
    assert choose.choose(rows, both, BERLIN).tolist() == [*range(1, 9), *range(48, 72)]
    assert choose.choose(rows, film(Choice(tags=("rain",))), BERLIN).tolist() == []


def test_the_sun_is_worked_out_where_nobody_noted_it() -> None:
    rows = frames(START + np.arange(24) * HOUR, sun=np.nan)  # from 04:00 UTC
    day = choose.choose(rows, film(Choice(sun_from=0)), BERLIN).tolist()
    assert day == list(range(1, 14))  # sunrise 05:55, sunset 17:30 of Berlin in UTC, less 1 h
    assert choose.choose(rows, film(Choice(sun_from=0)), Facts()).tolist() == []


def test_an_hour_that_is_there_twice_counts_twice_and_one_that_is_not_is_none() -> None:
    night = START + 44 * HOUR + np.arange(4) * HOUR  # 00:00 to 03:00 UTC of 29 March
    rows = frames(night)
    assert choose.choose(rows, film(Choice(hours=(("02:00", "03:00"),))), BERLIN).tolist() == []
    assert choose.choose(rows, film(Choice(hours=(("03:00", "04:00"),))), BERLIN).tolist() == [1]
    autumn = frames(START + 212 * DAY - 4 * HOUR + np.arange(4) * HOUR)  # 25 October, 00:00 UTC
    wanted = film(Choice(hours=(("02:00", "03:00"),)))
    assert choose.choose(autumn, wanted, BERLIN).tolist() == [0, 1]


@pytest.mark.parametrize("fault", ["dark", "blurred", "frozen", "foreign"])
def test_an_ordinary_scene_has_no_faults(fault: Fault) -> None:
    random = np.random.default_rng(7)
    size = 2000
    rows = frames(
        START + np.arange(size) * 20 * SECOND,
        luma=100 + 10 * np.sin(np.arange(size) / 100) + random.normal(0, 0.3, size),
        sharpness=300 + random.normal(0, 20, size),
        look=np.where(random.random(size) < 0.3, 0x5A5B, 0x5A5A),
    )
    kept = choose.choose(rows, film(Choice(skip=(fault,))), BERLIN)
    assert len(kept) == size


def test_faults_are_left_out() -> None:
    minutes = np.arange(120)
    living = 100 + minutes % 7
    rows = frames(START + minutes * MINUTE, luma=living)
    rows["dark"][10], rows["luma"][10] = 0.97, 8
    rows["sharpness"][20] = 60
    rows["look"][30:32] = -0x5A5B
    rows["luma"][40:100], rows["look"][40:100] = 99, 0x5A5A
    every = film(Choice(skip=("dark", "blurred", "frozen", "foreign")))
    left_out = set(minutes.tolist()) - set(choose.choose(rows, every, BERLIN).tolist())
    assert left_out == {10, 20, 30, 31, *range(41, 100)}


def test_two_views_in_turn_are_both_shown() -> None:
    rows = frames(START + np.arange(40) * MINUTE, look=np.where(np.arange(40) % 2, 0x5A5A, -0x5A5B))
    assert len(choose.choose(rows, film(Choice(skip=("foreign",))), BERLIN)) == 40


def test_one_frame_a_day_is_the_closest_both_ways() -> None:
    zone_noon = START + 7 * HOUR  # 12:00 in Berlin, a day before that in summer time
    rows = frames(
        [
            zone_noon - 20 * MINUTE,
            zone_noon + 10 * MINUTE,
            zone_noon + DAY - 61 * MINUTE,
            zone_noon + 2 * DAY - HOUR - 5 * MINUTE,
            zone_noon + 2 * DAY - HOUR + 5 * MINUTE,
        ]
    )
    noon = film(Choice(daily=Daily(clock="12:00")))
    assert choose.choose(rows, noon, BERLIN).tolist() == [1, 3]


def test_of_two_frames_on_either_side_of_the_moment_one_is_shown_in_any_part() -> None:
    noon = START + 7 * HOUR
    rows = frames([noon - 59 * MINUTE, noon + 58 * MINUTE, noon + DAY])
    daily = film(Choice(daily=Daily(clock="12:00")))
    assert choose.choose(rows, daily, BERLIN).tolist() == [1, 2]
    rows = frames([noon - 57 * MINUTE, noon + 58 * MINUTE, noon + DAY])
    back, _ = choose.reach(daily)
    part = rows[rows["moment"] >= noon + 58 * MINUTE - back]
    assert choose.choose(part, daily, BERLIN).tolist() == [0, 2]


def test_a_picture_that_hardly_moves_for_half_an_hour_is_frozen_however_it_is_spaced() -> None:
    for apart in (7 * SECOND, 4 * MINUTE + 11 * SECOND, 15 * MINUTE, 29 * MINUTE):
        rows = frames(START + np.arange(0, 3 * HOUR, apart), luma=100.03)
        found = choose.choose(rows, film(Choice(skip=("frozen",))), BERLIN).tolist()
        assert found == [0], apart
    rows = frames(START + np.arange(0, 3 * HOUR, 31 * MINUTE))  # nobody knows
    assert len(choose.choose(rows, film(Choice(skip=("frozen",))), BERLIN)) == len(rows)


def test_one_frame_a_day_at_the_same_height_of_the_sun() -> None:
    rows = frames(START + np.arange(5 * 24 * 12) * 5 * MINUTE, sun=np.nan)
    wanted = film(Choice(daily=Daily(sun=10, rising=False)))
    found = rows["moment"][choose.choose(rows, wanted, BERLIN)]
    assert len(found) == 5
    assert BERLIN.place is not None
    assert np.all(np.abs(sunlight.heights(found, BERLIN.place) - 10) < 0.5)
    assert np.all(sunlight.heights(found + HOUR, BERLIN.place) < 10)


def test_where_nothing_happens_one_of_so_many_is_shown() -> None:
    size = 200
    luma = np.full(size, 100.0)
    luma[90:110] += 10 * (np.arange(20) % 2)
    rows = frames(START + np.arange(size) * MINUTE, luma=luma)
    shown = choose.choose(rows, film(look=Look(calm=10)), BERLIN)
    assert set(range(89, 112)) <= set(shown.tolist())
    calm = [place for place in shown.tolist() if 2 <= place < 89]
    assert len(calm) in (9, 10)
    assert set(np.diff(calm[1:]).tolist()) == {10}


def test_nothing_is_chosen_from_nothing() -> None:
    everything = Choice(
        tags=("snow",),
        sun_from=0,
        hours=(("06:00", "20:00"),),
        weekdays=(1,),
        skip=("dark", "blurred", "frozen", "foreign"),
        daily=Daily(sun=3),
        exclude=((START, START + 1),),
    )
    wanted = film(everything, Look(calm=3, deflicker=9))
    assert choose.choose(frames([]), wanted, BERLIN).tolist() == []
    assert moment_of(wanted.from_at) == START
