"""findings: what a few frames' numbers say, and what they do not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from vigil.cameras.health import findings
from vigil.cameras.health.model import Look, Past

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def look(number: int = 0, **changes: Any) -> Look:
    """A good picture by day, taken some minutes after noon; each is a little different."""
    moment = NOON + number * MINUTE
    usual: dict[str, Any] = {
        "taken_at": moment,
        "received_at": moment + timedelta(seconds=1),
        "sha256": number.to_bytes(32, "big"),
        "luma": 110 + number * 0.3,
        "contrast": 50 + number * 0.1,
        "dark": 0.05,
        "bright": 0.02,
        "sharpness": 400.0,
        "perceptual_hash": 0x1234_5678_9ABC_DEF0 - 2**64 * (number % 2),
        "sun_height": 50.0,
    }
    return Look(**usual | changes)


def looks(count: int = 12, **changes: Any) -> list[Look]:
    return [look(number, **changes) for number in range(count)]


def standing(**changes: Any) -> list[Look]:
    """An hour of one picture with a clock drawn into it: other bytes, nearly the same numbers."""
    return [
        look(
            n,
            luma=110 + n // 5 % 2 * 0.02,
            contrast=50.0,
            perceptual_hash=6 + n // 5 % 2,
            **changes,
        )
        for n in range(0, 60, 5)
    ]


def test_a_good_camera_has_nothing() -> None:
    good = looks()
    assert findings.frozen_since(good) is None
    assert findings.dark(good, Past()) is False
    assert findings.blown_out(good) is False
    assert findings.blurred(good) is False
    assert findings.out_of_focus(good, Past(days=7, sharpness=420)) is False
    assert findings.clock(good) is False


def test_the_same_bytes_for_half_an_hour_are_frozen_by_day_and_by_night() -> None:
    for height in (50.0, -30.0, None):
        same = [look(n, sha256=bytes(32), sun_height=height) for n in range(0, 31, 5)]
        assert findings.frozen_since(same) == NOON
        assert findings.frozen_since(same[:-1]) is None  # not yet
        assert findings.frozen_since([*same[:-1], look(30)]) is None  # it moved
    hourly = [look(60 * n, sha256=bytes(32)) for n in range(3)]
    assert findings.frozen_since(hourly) == NOON
    assert findings.frozen_since(hourly[:2]) is None


def test_a_clock_in_a_corner_does_not_hide_that_the_rest_stands() -> None:
    assert findings.frozen_since(standing()) == NOON
    # but a living scene, however quiet, gets other light
    quiet = [replace(one, luma=110 + n * 0.04) for n, one in enumerate(standing())]
    assert findings.frozen_since(quiet) is None


@pytest.mark.parametrize("height", [-20.0, 1.0, None])
def test_at_night_and_indoors_only_bytes_count(height: float | None) -> None:
    assert findings.frozen_since(standing(sun_height=height)) is None


def test_a_black_picture_is_not_frozen() -> None:
    black = [look(n, sha256=bytes(32), dark=1.0, luma=2) for n in range(0, 60, 5)]
    assert findings.frozen_since(black) is None


def test_frames_that_nobody_measured_say_nothing() -> None:
    unknown = looks(contrast=None, dark=None, bright=None, sharpness=None, perceptual_hash=None)
    assert findings.frozen_since(unknown) is None
    assert findings.dark(unknown, Past()) is None
    assert findings.blown_out(unknown) is None
    assert findings.blurred(unknown) is None


def test_black_by_day_and_in_the_usual_night() -> None:
    black = looks(dark=0.99)
    assert findings.dark(black, Past()) is True
    assert findings.dark(looks(dark=0.99, sun_height=-10), Past()) is None
    indoors = looks(dark=0.99, sun_height=None)
    assert findings.dark(indoors, Past(days=5, dark=0.97)) is None  # lights out, as each night
    assert findings.dark(indoors, Past(days=5, dark=0.1)) is True
    assert findings.dark(indoors, Past()) is True


def test_one_black_picture_begins_nothing_and_one_good_one_ends_nothing() -> None:
    assert findings.dark([*looks(8), look(9, dark=1.0)], Past()) is None
    black = looks(8, dark=1.0)
    assert findings.dark([*black, look(9)], Past()) is None
    assert findings.dark([*black, look(9), look(10), look(11)], Past()) is False
    assert findings.dark([*black, *(look(9 + n, dark=0.95) for n in range(5))], Past()) is None


def test_blown_out() -> None:
    assert findings.blown_out(looks(bright=0.8)) is True
    assert findings.blown_out(looks(bright=0.5)) is None
    assert findings.blown_out(looks(bright=0.1)) is False


def test_blurred_needs_something_to_see() -> None:
    assert findings.blurred(looks(sharpness=5)) is True
    assert findings.blurred(looks(sharpness=15)) is None
    assert findings.blurred(looks(sharpness=5, contrast=6)) is None  # fog


def test_out_of_focus_is_held_against_the_same_hour() -> None:
    soft = looks(sharpness=100)
    assert findings.out_of_focus(soft, Past(days=7, sharpness=400)) is True
    assert findings.out_of_focus(soft, Past(days=7, sharpness=200)) is None
    assert findings.out_of_focus(soft, Past(days=7, sharpness=120)) is False
    assert findings.out_of_focus(soft, Past(days=2, sharpness=400)) is None  # too little known
    assert findings.out_of_focus(looks(sharpness=3), Past(days=7, sharpness=15)) is None


def off(seconds: float) -> list[Look]:
    """Frames of a camera whose clock is ahead of ours."""
    return [
        replace(one, taken_at=one.taken_at + timedelta(seconds=seconds + n % 2))
        for n, one in enumerate(looks())
    ]


@pytest.mark.parametrize(
    ("seconds", "wrong"), [(-10_800, True), (-62, True), (20, True), (3, False)]
)
def test_a_clock_that_is_wrong(seconds: float, wrong: bool) -> None:
    offset = findings.clock_offset(off(seconds))
    assert offset is not None
    assert offset.total_seconds() == pytest.approx(seconds, abs=2)
    assert findings.clock(off(seconds)) is wrong


def test_what_was_spooled_says_nothing_of_the_clock() -> None:
    burst = [
        replace(one, received_at=NOON + timedelta(hours=3, seconds=n))
        for n, one in enumerate(looks())
    ]
    assert findings.clock(burst) is None


def test_silence_is_three_frames_and_a_minute() -> None:
    assert not findings.is_silent(50, NOON, NOON + timedelta(seconds=59))
    assert not findings.is_silent(2, NOON, NOON + timedelta(hours=3))
    assert findings.is_silent(3, NOON, NOON + timedelta(minutes=1))
