"""What is wrong with a camera, from a few of its frames' numbers. No input or output.

Each judgement answers True (it is so), False (it is not) or None (it cannot be told, or it is
between the two thresholds: what was found before stays). So a camera at the edge does not begin and
end again and again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from vigil.cameras.health.model import Look, Past

KINDS = {
    "silent": "no picture comes",
    "frozen": "its picture stands still",
    "dark": "its picture is black",
    "blown_out": "its picture is blown out",
    "blurred": "its picture is blurred",
    "out_of_focus": "its picture is less sharp than it was on the days before",
    "clock": "its clock is wrong",
}
"""What can be wrong: word → for a person."""

LOOKED_AT = 12
"""Frames that are looked at: the latest ones."""
IN_A_ROW = 5
"""So many frames have to agree before something begins, so that a lorry before the lens does not
count; three before it is over."""
OVER_IN_A_ROW = 3

SILENT_MISSED = 3
SILENT_AT_LEAST = timedelta(seconds=60)
"""A camera is silent when three frames are missing and a minute has passed: a router that starts
again, or a keyframe that is late, is none."""

FROZEN_AT_LEAST = timedelta(minutes=30)
FROZEN_FRAMES = 3
"""Pictures from the web are often made anew each ten or fifteen minutes only."""
ALIKE_BITS = 1
ALIKE = 0.05
"""Frames that look alike: at most so many bits of the perceptual hash differ, and mean and
deviation of the luma by no more than this. A living scene in daylight moves them more in half an
hour, even where nothing stirs, since the sun moves seven degrees; a clock drawn into a frozen
picture moves them less."""
DAYLIGHT = 3.0
"""Degrees of the sun's height from which a place is taken to be light."""

BLACK = 0.98
"""Share of black pixels (Y below 16) from which a picture shows nothing; a lamp leaves less."""
BLACK_OVER = 0.9
DARK_USUALLY = 0.5
"""When the median share of black pixels at this hour of the days before is above this, it is dark
there at this hour."""
BLOWN = 0.6
"""Share of white pixels (Y above 239): fog and snow stay below, a stuck exposure does not."""
BLOWN_OVER = 0.4
BLURRED = 12.0
"""Variance of the Laplacian of 320 wide pictures: a sharp scene has hundreds, fog and a lens out
of focus a few."""
BLURRED_OVER = 20.0
CONTRAST = 15.0
"""With less deviation of the luma than this there is nothing that could be sharp: fog, night."""
SOFTER = 0.4
"""Out of focus: so much of the median sharpness at this hour of the days before."""
SOFTER_OVER = 0.6
PAST_DAYS = 3
"""Days before that must be known; one may have had fog."""

BEHIND = timedelta(seconds=60)
AHEAD = timedelta(seconds=10)
"""Of a camera's clock: frames cannot come before they are taken, but may be on the way a while."""
LIVE = 0.25
"""Frames come live when the distances of their arrivals are those of their taking, give or take
this share of them; spooled ones come in a burst."""


def is_silent(missed: int, since: datetime, now: datetime) -> bool:
    """Whether so many frames missed since then are a silence."""
    return missed >= SILENT_MISSED and now - since >= SILENT_AT_LEAST


def frozen_since(looks: Sequence[Look]) -> datetime | None:
    """Since when the picture stands still; the latest of ``looks`` comes last."""
    if len(looks) < FROZEN_FRAMES:
        return None
    last = looks[-1]
    since, number = last.taken_at, 1
    for look in reversed(looks[:-1]):
        if not alike(look, last):
            break
        since, number = look.taken_at, number + 1
    if number >= FROZEN_FRAMES and last.taken_at - since >= FROZEN_AT_LEAST:
        return since
    return None


def alike(one: Look, other: Look) -> bool:
    """Whether two pictures are one: the same bytes, or in daylight the same but for a clock in a
    corner. A black one is like no other: there is nothing in it that could move."""
    if is_black(one) or is_black(other):
        return False
    if one.sha256 == other.sha256:
        return True
    if one.perceptual_hash is None or other.perceptual_hash is None:
        return False
    heights = one.sun_height, other.sun_height
    if any(height is None or height < DAYLIGHT for height in heights):
        return False  # at night, or nobody knows where: a street lamp does not move
    if one.contrast is None or other.contrast is None:
        return False
    differ = ((one.perceptual_hash ^ other.perceptual_hash) & (2**64 - 1)).bit_count()
    return (
        differ <= ALIKE_BITS
        and abs(one.luma - other.luma) <= ALIKE
        and abs(one.contrast - other.contrast) <= ALIKE
    )


def is_black(look: Look) -> bool:
    """Whether a picture shows nothing."""
    return look.dark is not None and look.dark >= BLACK


def dark(looks: Sequence[Look], past: Past) -> bool | None:
    """Whether the picture is black though it should not be."""
    last = looks[-1]
    if last.sun_height is not None:
        night = last.sun_height < DAYLIGHT
    else:
        night = past.dark is not None and past.dark > DARK_USUALLY
    if night:
        return None
    return _agree(
        looks,
        lambda look: look.dark,
        lambda value: value >= BLACK,
        lambda value: value < BLACK_OVER,
    )


def blown_out(looks: Sequence[Look]) -> bool | None:
    """Whether most of the picture is white."""
    return _agree(
        looks,
        lambda look: look.bright,
        lambda value: value >= BLOWN,
        lambda value: value < BLOWN_OVER,
    )


def blurred(looks: Sequence[Look]) -> bool | None:
    """Whether nothing in the picture is sharp though there is something to see."""
    return _agree(looks, _sharpness, lambda value: value < BLURRED, lambda v: v >= BLURRED_OVER)


def out_of_focus(looks: Sequence[Look], past: Past) -> bool | None:
    """Whether the picture is much less sharp than at this hour of the days before."""
    if past.days < PAST_DAYS or past.sharpness is None:
        return None
    usual = past.sharpness
    if usual < BLURRED_OVER:
        return None  # it never was sharp at this hour
    return _agree(
        looks,
        _sharpness,
        lambda value: value < SOFTER * usual,
        lambda value: value >= SOFTER_OVER * usual,
    )


def _sharpness(look: Look) -> float | None:
    if look.contrast is None or look.contrast < CONTRAST:
        return None
    return look.sharpness


def clock_offset(looks: Sequence[Look]) -> timedelta | None:
    """How far a camera's clock is ahead of ours (negative: behind); ``None``: it cannot be told.

    From frames that came live: their arrivals are as far apart as their taking.
    """
    recent = sorted(looks[-IN_A_ROW:], key=lambda look: look.received_at)
    if len(recent) < IN_A_ROW:
        return None
    for one, other in pairwise(recent):
        taken, received = other.taken_at - one.taken_at, other.received_at - one.received_at
        if received <= timedelta() or abs(taken - received) > LIVE * received:
            return None
    return timedelta(
        seconds=median((look.taken_at - look.received_at).total_seconds() for look in recent)
    )


def clock(looks: Sequence[Look]) -> bool | None:
    """Whether a camera's clock is wrong."""
    offset = clock_offset(looks)
    if offset is None:
        return None
    return offset < -BEHIND or offset > AHEAD


def _agree(
    looks: Sequence[Look],
    number: Callable[[Look], float | None],
    is_so: Callable[[float], bool],
    is_over: Callable[[float], bool],
) -> bool | None:
    """True when the latest frames all say so, False when they all say that it is over."""
    known = [value for value in map(number, looks) if value is not None]
    latest = known[-IN_A_ROW:]
    if len(latest) == IN_A_ROW and all(map(is_so, latest)):
        return True
    latest = known[-OVER_IN_A_ROW:]
    if len(latest) == OVER_IN_A_ROW and all(map(is_over, latest)):
        return False
    return None
