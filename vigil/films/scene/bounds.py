"""When a film's windows begin, close and leave, and how far around one its plan looks; pure.

Time is cut into slots of speed/fps real seconds that begin at multiples of their length since
1970, wherever the film begins, and slots into windows. A window is a segment.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from vigil.films.model import MICROSECOND, Film, at_moment, moment_of
from vigil.films.scene import choose, holes

GRACE = timedelta(seconds=2)
"""How long after its end a window stays open: frames need a moment from camera to database."""
TAIL_S = 120
"""Real seconds of a window for whose end nobody waits."""
DAY = 86_400_000_000
LONGEST_DAY = 25 * 3_600_000_000
ALWAYS = 2**62
"""Later than every moment."""


def window_start(film: Film, moment: int) -> int:
    """Start of the window that a moment is in."""
    window = film.window // MICROSECOND
    return moment // window * window


def card_start(film: Film) -> int:
    """Where the title card stands: before everything else."""
    return moment_of(film.from_at) - film.window // MICROSECOND - 1


def reach(film: Film) -> tuple[int, int]:
    """How far around a window its plan looks, in microseconds: back, and ahead. (A slot looks half
    its length both ways, but the last one of a window still within the window.)"""
    back, ahead = choose.reach(film)
    look, slot = film.making.look, film.slot // MICROSECOND
    if look.colours:
        back, ahead = back + LONGEST_DAY, ahead + LONGEST_DAY
    before, behind = holes.reach(film)
    return back + before, max(0, ahead - slot) + behind


def closes_at(film: Film, start: int) -> datetime:
    """When a window that begins there is over, and what belongs to it has had time to arrive."""
    end = at_moment(start) + film.window + reach(film)[1] * MICROSECOND
    return (end if film.to_at is None else min(end, film.to_at)) + GRACE


def open_since(film: Film, now: datetime) -> int:
    """Start of the earliest window that is not closed."""
    if film.to_at is not None and film.to_at + GRACE <= now:
        return window_start(film, moment_of(film.to_at)) + film.window // MICROSECOND
    return window_start(film, moment_of(now - GRACE) - reach(film)[1])


def has_tail(film: Film) -> bool:
    """Whether a window is shown before it is over: where that takes long, and not where what
    comes after changes it."""
    return film.window_s >= TAIL_S and reach(film)[1] == 0


def span(film: Film, now: datetime) -> tuple[int, int]:
    """From and up to which moment the film shows frames now: a rolling one whole windows, one
    that grows nothing that may only just be coming in."""
    since = moment_of(film.from_at)
    if film.rolling_s is not None:
        rolled = window_start(film, moment_of(now - timedelta(seconds=film.rolling_s)))
        since = max(since, rolled)
    if film.to_at is not None and film.to_at <= now:
        return since, moment_of(film.to_at)
    return since, moment_of(now - GRACE)


def shown_since(film: Film, now: datetime) -> int:
    """Start of the first segment that a film still has now: the title card's until the film rolls,
    then the window's in which the film begins."""
    since = span(film, now)[0]
    return card_start(film) if since == moment_of(film.from_at) else since


def local(film: Film, moment: int) -> datetime:
    """A moment by the clock of the film's first scene."""
    return at_moment(moment).astimezone(ZoneInfo(film.time_zone))
