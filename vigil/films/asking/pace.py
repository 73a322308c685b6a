"""How fast a film goes: from a length, a speed or frames a day to speed and frame rate."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from vigil.films.asking import words
from vigil.films.asking.model import Seen, Span
from vigil.films.asking.orders import Order
from vigil.films.asking.words import Wrong
from vigil.films.model import slot

DAY_S = 86_400.0
DEFAULT_FPS = 25.0
LEAST_FPS, MOST_FPS = 1.0, 60.0
LEAST_SPEED, MOST_SPEED = 0.01, 1e8
LEAST_LENGTH_S, MOST_LENGTH_S = 1.0, 6 * 3600.0
FEW_S, FEW_FPS = 5.0, 8.0
"""A film of a few frames is slower, so that it lasts so many seconds; but not slower than that."""
SEGMENT_S = 2.0
"""Seconds of film in a segment: somebody waits for the first, and two are rendered side by side."""
MOST_PICTURES = 2_000_000


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How fast a film goes."""

    speed: float
    """Real seconds in so many pictures as a second has, were each another frame."""
    fps: float
    every: bool
    """Each frame that goes in is shown; the speed only says what is a gap, and how long windows
    are."""
    fixed: bool = False
    """Which frames are shown is fixed: a length decides the frame rate, not the speed."""
    length_s: float | None = None
    """Seconds of film that are wanted, title card not counted; ``None``: as many as there are."""
    stands: int = 1
    """Pictures for which each frame stands."""
    notes: tuple[str, ...] = field(default=())


def pace(
    order: Order, span: Span, seen: Seen, usual_s: float, now: datetime, share: float = 1.0
) -> Pace:
    """How fast a film is to go; raises Wrong.

    Args:
        order: what was asked for.
        span: the time that it shows.
        seen: the frames that are there, of that time when it is past.
        usual_s: how far apart frames are where ``seen`` does not know.
        now: says what is past.
        share: the part of the span in which frames are let in.
    """
    if order.speed is not None:
        for other in ("length", "per_day"):
            if getattr(order, other) is not None:
                raise Wrong("speed", f'and "{other}" say the same: give one of them')
    fps = DEFAULT_FPS if order.fps is None else words.number(order.fps, "fps", LEAST_FPS, MOST_FPS)
    fps = round(fps, 3)
    interval_s = seen.interval_s or usual_s
    length_s = _length(order, span)
    stands, shown_s = order.look.stands, share * (span.seconds or 0)
    if _is_daily(order):
        if order.speed is not None:
            raise Wrong("speed", "does not go with one frame a day", hint='give "length" or "fps"')
        found = Pace(
            speed=DAY_S * fps, fps=fps, every=True, fixed=True, length_s=length_s, stands=stands
        )
        return at_rate(found, stands * shown_s / DAY_S)
    if order.per_day is not None:
        each_s = DAY_S / order.per_day
        found = Pace(
            speed=within(each_s * fps),
            fps=fps,
            every=False,
            fixed=True,
            length_s=length_s,
            stands=stands,
        )
        return at_rate(found, stands * shown_s / each_s)
    if length_s is not None and not order.choice.every:
        speed = shown_s / length_s
        return replace(_met(speed, fps, interval_s, stands), length_s=length_s)
    if order.speed is not None and not order.choice.every:
        speed = words.number(order.speed, "speed", LEAST_SPEED, MOST_SPEED)
        return _met(speed, fps, interval_s, stands)
    if order.speed is not None:
        raise Wrong("speed", "does not go with every frame being shown", hint="give one of them")
    found = Pace(
        speed=within(interval_s * fps),
        fps=fps,
        every=True,
        fixed=True,
        length_s=length_s,
        stands=stands,
    )
    frames = seen.frames if span.ends_by(now) else shown_s / interval_s
    if order.fps is None and length_s is None and span.ends_by(now):
        return unhurried(found, stands * seen.frames)
    return at_rate(found, stands * frames)


def _is_daily(order: Order) -> bool:
    return order.per_day == 1 or order.choice.daily is not None


def _length(order: Order, span: Span) -> float | None:
    """The seconds that pictures of frames are to fill."""
    if order.length is None:
        return None
    length_s = words.span(order.length, "length", 'such as "60s" or "1:30"')
    if not LEAST_LENGTH_S <= length_s <= MOST_LENGTH_S:
        raise Wrong("length", "is between a second and six hours")
    if span.seconds is None:
        raise Wrong(
            "length",
            "is not possible for a film that grows for ever",
            hint='say when it ends ("to"), or give a speed or frames a day',
        )
    card = order.look.card
    if card is not None and length_s - card.seconds < LEAST_LENGTH_S:
        raise Wrong("length", f"leaves nothing beside a title card of {card.seconds:g} seconds")
    return length_s - (card.seconds if card else 0)


def _met(speed: float, wanted: float, interval_s: float, stands: int = 1) -> Pace:
    """That speed, with as many pictures a second as there are frames for."""
    slots_speed = within(speed * stands)
    fps = round(max(LEAST_FPS, min(wanted, slots_speed / interval_s)), 3)
    notes: tuple[str, ...] = ()
    if fps < wanted:
        notes = (
            f"{fps:g} picture{'' if fps == 1 else 's'} a second instead of {wanted:g}: at "
            f"{speed:{',.0f' if speed >= 100 else '.3g'}} times real speed there are no more, with "
            f"a frame each {words.spelled(round(interval_s, 1))}",
        )
    return Pace(speed=slots_speed, fps=fps, every=False, stands=stands, notes=notes)


def at_rate(pace: Pace, pictures: float) -> Pace:
    """The same film of so many pictures with the frame rate that gives it its length."""
    if not pace.length_s or pictures < 1:
        return pace
    exact = pictures / pace.length_s
    fps = round(min(max(exact, LEAST_FPS), MOST_FPS), 3)
    notes: tuple[str, ...] = ()
    if not LEAST_FPS <= exact <= MOST_FPS:
        notes = (
            f"it lasts {pictures / fps:.0f} s instead of {pace.length_s:.0f}: it has "
            f"{pictures:.0f} pictures, shown at {fps:g} a second",
        )
    return replace(_at(pace, fps), notes=notes)


def unhurried(pace: Pace, pictures: int) -> Pace:
    """The same film at a lower frame rate where it is over in no time."""
    return _at(pace, round(min(pace.fps, max(FEW_FPS, pictures / FEW_S)), 3))


def _at(pace: Pace, fps: float) -> Pace:
    return replace(pace, fps=fps, speed=within(pace.speed / pace.fps * fps))


def nearer(pace: Pace, pictures: int, wanted_fps: float, interval_s: float) -> Pace:
    """The pace again when its plan came out with so many pictures, closer to the length."""
    if not pace.length_s or pictures < 1:
        return pace
    if pace.fixed:
        return at_rate(pace, pictures)
    speed = pace.speed / pace.stands * pictures / (pace.length_s * pace.fps)
    met = _met(speed, wanted_fps, interval_s, pace.stands)
    return replace(met, length_s=pace.length_s)


def each(pace: Pace, interval_s: float) -> Pace:
    """The same film with every frame that goes in."""
    return replace(pace, speed=within(interval_s * pace.fps), every=True, fixed=True)


def noted(pace: Pace, note: str) -> Pace:
    """The same with another note."""
    return replace(pace, notes=(*pace.notes, note))


def within(speed: float) -> float:
    """A speed that a film can have."""
    return min(max(speed, LEAST_SPEED), MOST_SPEED)


def window_s(pace: Pace) -> float:
    """Real seconds of a segment: a whole number of slots."""
    slots = max(1, round(SEGMENT_S * pace.fps / pace.stands))
    return (slots * slot(pace.speed, pace.fps)).total_seconds()


def check_amount(pace: Pace, span: Span, frames: int | None) -> None:
    """Raise Wrong for a film of more pictures than anybody can look at."""
    seconds = span.seconds or 0
    pictures = seconds / slot(pace.speed, pace.fps).total_seconds()
    if frames is not None:
        pictures = min(pictures, frames)
    if pictures * pace.stands > MOST_PICTURES:
        raise Wrong("speed", "makes this film too long", hint="raise it, or shorten the range")
