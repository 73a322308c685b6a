"""What is drawn and how it should look: plain arrays and settings, nothing of a database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]

NOBODY = -1
"""The player who owns what nobody owns."""
REACH = 0.6
"""Territory ends this far from its star, in the game's units; also the edge of a *cell*, in which
sizes of pictures are counted."""
CELL_PX = 60
"""Pixels of a cell in a picture of the native size."""


def _no_ints() -> Ints:
    return np.empty(0, np.int64)


def _no_floats() -> Floats:
    return np.empty(0, np.float64)


@dataclass(frozen=True, eq=False)
class Totals:
    """How many stars players had, from a tick on, sorted by tick: those that nobody of us sees
    are counted, too."""

    tick: Ints = field(default_factory=_no_ints)
    player: Ints = field(default_factory=_no_ints)
    stars: Ints = field(default_factory=_no_ints)

    def span(self, first: int, last: int) -> Totals:
        """As it was known at ticks of a span, both ends included; what was known at its begin is
        said by rows of the first tick."""
        begin, end = np.searchsorted(self.tick, [first, last], "right")
        known = dict(zip(self.player[:begin].tolist(), self.stars[:begin].tolist(), strict=True))
        before = np.array(sorted(known.items()), np.int64).reshape(-1, 2)
        later = slice(int(begin), int(end))
        return Totals(
            np.concatenate([np.full(len(before), first), self.tick[later]]),
            np.concatenate([before[:, 0], self.player[later]]),
            np.concatenate([before[:, 1], self.stars[later]]),
        )


@dataclass(frozen=True, eq=False)
class Fleets:
    """Where fleets were seen."""

    tick: Ints = field(default_factory=_no_ints)
    """Ascending; what was seen then holds until the next"""
    begin: Ints = field(default_factory=_no_ints)
    """and begins here in the arrays below; it ends where the next begins."""
    x: Floats = field(default_factory=_no_floats)
    y: Floats = field(default_factory=_no_floats)
    player: Ints = field(default_factory=_no_ints)

    def at(self, tick: int) -> Fleets:
        """Those that hold at a tick."""
        return self.span(tick, tick)

    def span(self, first: int, last: int) -> Fleets:
        """Those that hold at a tick of these, both ends included."""
        begin = max(0, int(np.searchsorted(self.tick, first, "right")) - 1)
        end = int(np.searchsorted(self.tick, last, "right"))
        if end <= begin:
            return Fleets()
        low = int(self.begin[begin])
        high = int(self.begin[end]) if end < len(self.begin) else len(self.x)
        return Fleets(
            np.maximum(self.tick[begin:end], first),
            self.begin[begin:end] - low,
            self.x[low:high],
            self.y[low:high],
            self.player[low:high],
        )


@dataclass(frozen=True, eq=False)
class Galaxy:
    """A game as it is drawn.

    Stars are in the order in which they were first seen (then by id), so that one seen later never
    takes a place from those before it: of stars equally near to a point the first has it.
    """

    x: Floats
    y: Floats
    first_tick: Ints
    """The star is known from this tick on."""
    names: tuple[str, ...]
    owner_tick: Ints
    """Changes of ownership, sorted by (tick, star): from this tick on"""
    owner_star: Ints
    """this star (its place in ``x``)"""
    owner: Ints
    """is owned by this player."""
    players: tuple[tuple[int, str], ...] = ()
    """Number and alias of every player, by number."""
    totals: Totals = field(default_factory=Totals)
    fleets: Fleets = field(default_factory=Fleets)
    clock_tick: Ints = field(default_factory=_no_ints)
    """Ticks of which it is known when they were, ascending"""
    clock_s: Floats = field(default_factory=_no_floats)
    """and when that was: seconds since 1970. Others lie between on a straight line."""
    missed: tuple[tuple[int, int], ...] = ()
    """First and last of ticks of which nothing was recorded: what was before is shown on."""

    @classmethod
    def of(
        cls,
        stars: Mapping[int, tuple[float, float, int, str]],
        owners: Sequence[tuple[int, int, int]],
        players: Mapping[int, str],
    ) -> Galaxy:
        """From plain values.

        Args:
            stars: x, y, first tick and name by id.
            owners: (tick, star's id, player's number), in any order.
            players: alias by number; those who own something and are missing get none.
        """
        ids = sorted(stars, key=lambda star: (stars[star][2], star))
        place = {star: number for number, star in enumerate(ids)}
        rows = sorted((tick, place[star], player) for tick, star, player in owners)
        known = dict.fromkeys(sorted(player for _, _, player in rows if player != NOBODY), "")
        known |= players
        changes = np.array(rows, np.int64).reshape(-1, 3)
        return cls(
            x=np.array([stars[star][0] for star in ids], np.float64),
            y=np.array([stars[star][1] for star in ids], np.float64),
            first_tick=np.array([stars[star][2] for star in ids], np.int64),
            names=tuple(stars[star][3] for star in ids),
            owner_tick=changes[:, 0].copy(),
            owner_star=changes[:, 1].copy(),
            owner=changes[:, 2].copy(),
            players=tuple(sorted(known.items())),
        )

    def known(self, tick: int) -> int:
        """How many stars are known at a tick: so many of the first."""
        return int(np.searchsorted(self.first_tick, tick, "right"))

    def seconds(self, ticks: Ints) -> Floats:
        """When ticks were, in whole seconds since 1970; the clock must not be empty."""
        found: Floats = np.rint(np.interp(ticks, self.clock_tick, self.clock_s))
        return found

    def owners(self, tick: int) -> Ints:
        """The player who owns each star at a tick."""
        found = np.full(len(self.x), NOBODY, np.int64)
        n = int(np.searchsorted(self.owner_tick, tick, "right"))
        found[self.owner_star[:n]] = self.owner[:n]  # of several of a star the last one stays
        return found

    def span(self, first: int, last: int) -> Galaxy:
        """As much of it as pictures of these ticks are made of, both ends included.

        What is owned at the first tick is said by rows of that tick.
        """
        n = self.known(last)
        clock = len(self.clock_tick) > 0
        ticks = np.arange(first, last + 1) if clock else _no_ints()
        begin, end = np.searchsorted(self.owner_tick, [first, last], "right")
        before = self.owners(first)
        owned = np.flatnonzero(before[:n] != NOBODY)
        rows = slice(int(begin), int(end))
        return replace(
            self,
            x=self.x[:n],
            y=self.y[:n],
            first_tick=np.maximum(self.first_tick[:n], first),
            names=self.names[:n],
            owner_tick=np.concatenate([np.full(len(owned), first), self.owner_tick[rows]]),
            owner_star=np.concatenate([owned, self.owner_star[rows]]),
            owner=np.concatenate([before[owned], self.owner[rows]]),
            totals=self.totals.span(first, last),
            fleets=self.fleets.span(first, last),
            clock_tick=ticks,
            clock_s=self.seconds(ticks) if clock else _no_floats(),
            missed=tuple(
                (max(begin, first), min(end, last))
                for begin, end in self.missed
                if begin <= last and end >= first
            ),
        )


StarStyle = Literal["own", "white", "black", "contrast"]
BorderStyle = Literal["none", "black", "white"]
Palette = Literal["bright", "safe"]
Caption = Literal["none", "tick", "date"]


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a game is drawn."""

    width: int
    """Pixels; even."""
    height: int
    """Pixels; even."""
    block: int = 1
    """Edge of the squares that the map is made of, in pixels: 1 is as smooth as can be."""
    stars: StarStyle = "own"
    star_blocks: int = 0
    """Edge of a star's square, in blocks; 0: what is fit to be seen."""
    borders: BorderStyle = "none"
    """Where the territories of two owners meet."""
    border_blocks: int = 0
    """Width of a border, in blocks; 0: what is fit to be seen."""
    palette: Palette = "bright"
    colours: tuple[tuple[int, str], ...] = ()
    """Colours of single players, ``#rrggbb``, instead of the palette's."""
    names: bool = False
    """Whether stars have their names beside them, where there is room."""
    caption: Caption = "none"
    """The tick, or the tick and its date, in a band of its own."""
    legend: bool = False
    """Who has how many stars, the most first."""
    fleets: bool = False
    """Fleets, at ticks at which they are known."""
    margin: float = 0.0
    """Cells around the outermost stars that are in sight, at least."""
    view: tuple[int, int, int, int] | None = None
    """Left, top, right and bottom, in cells, of what is in sight in any case; stars outside widen
    the view from their first tick on."""
