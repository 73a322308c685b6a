"""Film time and what it shows: from one to the other, exactly, for each picture.

A film has a picture each 1/fps seconds, and each picture a *moment*: microseconds since 1970 UTC in
a film of scenes, a tick in a film of a game. Moments never go back, several pictures may have the
same, and between two any time may have passed. All of it is pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo

import numpy as np
from numpy.typing import NDArray

from vigil.films.model import at_moment, moment_of

Moments = NDArray[np.int64]

GAP = 6
"""A step between two pictures is a gap when it is so many times the usual one."""
MOST_SPANS = 2000
"""A film of more segments is told of several at a time."""
MOST_GAPS = 500


@dataclass(frozen=True, slots=True)
class Piece:
    """A rendered segment in its place in a film."""

    number: int
    """From 1."""
    start: int
    """Ticks since the film began."""
    ticks: int
    """Its length."""
    frames: int
    """Its pictures."""
    first: int
    """Moment of the first."""
    last: int
    """Moment of the last."""
    moments: bytes | None = None
    """Of each, eight bytes, most significant first; ``None``: not asked for, or never noted."""

    def pictures(self) -> Moments:
        """Moment of each of its pictures.

        Where they are not known, or are those of what will be shown instead once it is rendered,
        the pictures are taken to be evenly spread.
        """
        if self.moments is not None and len(self.moments) == 8 * self.frames:
            return np.frombuffer(self.moments, ">i8").astype(np.int64)
        return np.linspace(self.first, self.last, max(1, self.frames)).round().astype(np.int64)


def pictures(pieces: Sequence[Piece]) -> tuple[Moments, Moments]:
    """Of each picture of some pieces its moment, and when it begins in ticks."""
    known = all(piece.moments and len(piece.moments) == 8 * piece.frames for piece in pieces)
    if known:
        packed = b"".join(piece.moments or b"" for piece in pieces)
        moments = np.frombuffer(packed, ">i8").astype(np.int64)
    else:
        moments = np.concatenate([piece.pictures() for piece in pieces])
    frames = np.array([max(1, piece.frames) for piece in pieces])
    number = np.arange(len(moments)) - np.repeat(np.cumsum(frames) - frames, frames)
    begin = np.repeat(np.array([piece.start for piece in pieces], np.int64), frames)
    length = np.repeat(np.array([piece.ticks for piece in pieces], np.int64), frames)
    return moments, begin + number * length // np.repeat(frames, frames)


class Timeline:
    """The pictures of a film, or of a part of it."""

    def __init__(self, timescale: int, pieces: Iterable[Piece]) -> None:
        """Take in pieces of a film, in order; at least one. ``timescale`` is ticks a second."""
        self._timescale = timescale
        self._moments, self._starts = pictures(list(pieces))

    def moment_at(self, seconds: float) -> int:
        """The moment of the picture that is shown then; before the first that, after the last."""
        tick = round(seconds * self._timescale, 3)
        index = int(np.searchsorted(self._starts, tick, side="right")) - 1
        return int(self._moments[max(0, index)])

    def seconds_of(self, moment: int) -> float:
        """When the picture closest to a moment is shown; the first of those that show the same."""
        after = int(np.searchsorted(self._moments, moment, side="left"))
        if after == len(self._moments):
            index = after - 1
        elif after == 0 or self._moments[after] - moment < moment - self._moments[after - 1]:
            index = after
        else:
            index = after - 1
        first = int(np.searchsorted(self._moments, self._moments[index], side="left"))
        return float(self._starts[first] / self._timescale)


@dataclass(frozen=True, slots=True)
class Mark:
    """Where something begins in a film."""

    start: int
    """Ticks since the film began."""
    moment: int
    """Of the first picture of it."""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Gap:
    """A time of which a film shows nothing."""

    start: int
    """Ticks since the film began: where it is jumped over."""
    since: int
    """Moment of the last picture before it."""
    until: int
    """Moment of the first picture after it."""


@dataclass
class Survey:
    """What a slider of a whole film shows: its stretches, days and gaps.

    Takes the film's pieces one after the other, so that none need be kept in memory.
    """

    pieces: int
    """How many there will be."""
    usual: float
    """The usual step between two pictures: moments."""
    zone: tzinfo | None
    """Whose days are told; ``None``: moments are not times."""
    edges: Sequence[int] = ()
    """Moments, in order, of which ``starts`` is to know where the film has come to them."""
    starts: dict[int, int] = field(default_factory=dict)
    """Where the first picture is that is no earlier than an edge, in ticks; without those that
    are later than the film."""
    spans: list[tuple[int, int, int]] = field(default_factory=list)
    """Start in ticks, first and last moment of each stretch."""
    days: list[Mark] = field(default_factory=list)
    """Where each day begins; its name is its date."""
    gaps: list[Gap] = field(default_factory=list)
    end: int = 0
    """Length of the film in ticks."""

    def add(self, pieces: Sequence[Piece]) -> None:
        """The next pieces, some of them; all are looked at at once."""
        moments, starts = pictures(pieces)
        self._gaps(moments, starts)
        self._days(moments, starts)
        for edge in self.edges[len(self.starts) :]:
            index = int(np.searchsorted(moments, edge, side="left"))
            if index == len(moments):
                break
            self.starts[edge] = int(starts[index])
        every = -(-self.pieces // MOST_SPANS)
        for piece in pieces:
            if self.spans and every > 1 and (piece.number - 1) % every:
                start, first, _ = self.spans[-1]
                self.spans[-1] = (start, first, piece.last)
            else:
                self.spans.append((piece.start, piece.first, piece.last))
        self.end = pieces[-1].start + pieces[-1].ticks

    @property
    def longest_gaps(self) -> list[Gap]:
        """At most ``MOST_GAPS`` of them, the longest, in order."""
        longest = sorted(self.gaps, key=lambda gap: gap.since - gap.until)[:MOST_GAPS]
        return sorted(longest, key=lambda gap: gap.start)

    def _gaps(self, moments: Moments, starts: Moments) -> None:
        before = self.spans[-1][2] if self.spans else int(moments[0])
        steps = np.diff(moments, prepend=before)
        for index in np.flatnonzero(steps > GAP * self.usual):
            until = int(moments[index])
            self.gaps.append(Gap(int(starts[index]), until - int(steps[index]), until))

    def _days(self, moments: Moments, starts: Moments) -> None:
        if self.zone is None:
            return
        index = 0
        while index < len(moments):
            day = self._day(int(moments[index]))
            if not self.days or self.days[-1].name != day.isoformat():
                mark = Mark(int(starts[index]), int(moments[index]), day.isoformat())
                self.days.append(mark)
            following = moment_of(datetime.combine(day + timedelta(days=1), time(), self.zone))
            index = max(index + 1, int(np.searchsorted(moments, following, side="left")))

    def _day(self, moment: int) -> date:
        return at_moment(moment).astimezone(self.zone).date()
