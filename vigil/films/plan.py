"""From frames to segments: pure, so that it can be tested without ffmpeg or a database.

Time is cut into windows that begin at multiples of the film's window since 1970, wherever the
film begins: frames that come late touch only their own window, and films that share windows and
settings share segments. A window is cut into slots of speed/fps real seconds; the first frame of
each slot is shown.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from vigil.films.model import EPOCH, Film, FilmFrame, Listed, Planned

GRACE = timedelta(seconds=2)
"""How long after its end a window stays open: frames need a moment from camera to database."""

Name = Callable[[Sequence[FilmFrame]], str]


def window_start(film: Film, moment: datetime) -> datetime:
    """Start of the window that a moment is in."""
    return EPOCH + (moment - EPOCH) // film.window * film.window


def window_end(film: Film, start: datetime) -> datetime:
    """End of a window: that of the film if it ends within."""
    end = start + film.window
    return end if film.to_at is None else min(end, film.to_at)


def is_closed(film: Film, start: datetime, now: datetime) -> bool:
    """Whether a window is over, and what was taken in it has had time to arrive."""
    return window_end(film, start) + GRACE <= now


def open_since(film: Film, now: datetime) -> datetime:
    """Start of the earliest window that is not closed."""
    return window_start(film, now - GRACE)


def next_look(film: Film, now: datetime) -> datetime | None:
    """When the next window closes; ``None`` when the film is over."""
    start = window_start(film, max(film.from_at, now - GRACE))
    end = window_end(film, start)
    return end + GRACE if end + GRACE > now else None


def kept_since(film: Film, now: datetime) -> datetime | None:
    """From here on the camera still has all frames; ``None`` when it has no camera any more.

    What was rendered of windows that begin earlier stays as it is: their frames are going.
    """
    if film.retention_s is None:
        return None
    return now - timedelta(seconds=film.retention_s)


def choose(film: Film, frames: Iterable[FilmFrame]) -> list[FilmFrame]:
    """The frames that the film shows, in order: the first of each slot within its range."""
    inside = (
        frame
        for frame in frames
        if film.from_at <= frame.taken_at and (film.to_at is None or frame.taken_at < film.to_at)
    )
    ordered = sorted(inside, key=lambda frame: (frame.taken_at, frame.sha256))
    slots = itertools.groupby(ordered, key=lambda frame: (frame.taken_at - EPOCH) // film.slot)
    return [next(group) for _, group in slots]


def plan(film: Film, frames: Iterable[FilmFrame], now: datetime, name: Name) -> list[Planned]:
    """The segments that the film should have, of these frames, in order.

    Args:
        film: says range, windows and slots.
        frames: all that the camera has in the windows in question; in any order.
        now: a growing film's window is planned once it is closed; that of a film whose range is
            over at once, to be rendered again if a straggler joins it within ``GRACE``.
        name: the hash of a segment made of these frames.
    """
    over = film.to_at is not None and film.to_at <= now
    planned = []
    windows = itertools.groupby(
        choose(film, frames), key=lambda frame: window_start(film, frame.taken_at)
    )
    for start, group in windows:
        closed = is_closed(film, start, now)
        if closed or over:
            shown = tuple(group)
            planned.append(
                Planned(window_start=start, frames=shown, closed=closed, hash=name(shown))
            )
    return planned


@dataclass(frozen=True, slots=True)
class Changes:
    """What turns what a film has into what it should have."""

    render: list[Planned]
    """Segments that it lacks, or has differently; in order."""
    remove: list[datetime]
    """Windows that should have none any more."""


def changes(
    film: Film,
    planned: Sequence[Planned],
    listed: Mapping[datetime, Listed],
    now: datetime,
    touched: frozenset[datetime] | None = None,
) -> Changes:
    """Compare what a film should have with what it has.

    Args:
        film: says what is too old to be rendered again.
        planned: of the windows in question.
        listed: what it has, by window.
        now: says how long ago that is.
        touched: the windows in question; ``None``: all.
    """
    since = kept_since(film, now)
    render = []
    for one in planned:
        there = listed.get(one.window_start)
        frozen = since is None or one.window_start < since
        if there is None:
            if not (frozen and film.to_at is None):  # it would leave the film at once
                render.append(one)
        elif not frozen and (there.hash, there.closed) != (one.hash, one.closed):
            render.append(one)
    wanted = {one.window_start for one in planned}
    remove = [
        start
        for start in listed
        if start not in wanted
        and (touched is None or start in touched)
        and since is not None
        and start >= since
    ]
    return Changes(render, sorted(remove))
