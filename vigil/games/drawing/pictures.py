"""The pictures of a game, tick by tick, as the encoder takes them.

From one tick to the next only the land of stars that changed hands is painted again (and fleets
and lines of text that changed), in the same memory, whose size does not depend on the number of
ticks. What is in a picture depends on its tick alone, whichever picture was drawn before it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vigil.games.drawing import colours, legend
from vigil.games.drawing.model import Bytes, Galaxy, Look
from vigil.games.drawing.names import Names
from vigil.games.drawing.planes import Planes
from vigil.games.drawing.territory import Territory
from vigil.games.drawing.view import Cells, Grid, Layout, Rect, in_sight

VERSION = 1
"""Raised whenever the same galaxy and look give other pictures."""
NO_MARKER = -1


def pictures(galaxy: Galaxy, look: Look, first: int, last: int) -> Iterator[memoryview]:
    """One yuv420p picture for each tick, both ends included; the next is drawn over it."""
    painter = Painter(galaxy, look)
    for tick in range(first, last + 1):
        yield painter.picture(tick)


class Painter:
    """Draws pictures of a game, best in the order of their ticks."""

    def __init__(self, galaxy: Galaxy, look: Look) -> None:
        self._galaxy, self._look = galaxy, look
        self._numbers = [number for number, _ in galaxy.players]
        self._rgb = colours.rgb(look, self._numbers)
        self._table = colours.yuv(self._rgb)
        self._marker_of = colours.markers(look.stars, self._rgb)
        self._border = colours.WHITE if look.borders == "white" else colours.BLACK
        layout = Layout.of(look, len(self._numbers))
        self._area = layout.map
        self._line = layout.line
        self._planes = Planes(look.width, look.height)
        self._legend = (
            None if layout.text is None else legend.Legend(look, layout, layout.text, self._table)
        )
        self._tick: int | None = None
        self._fleets: list[Rect] = []

    def picture(self, tick: int) -> memoryview:
        """The picture of a tick; the next one is drawn over it."""
        anew = self._tick is None or tick < self._tick
        dirty = self._begin(tick) if anew else self._go_on(tick)
        self._tick = tick
        fleets = self._fleets_at(tick)
        dirty = self._merged([*dirty, *self._fleets, *(square for square, _ in fleets)])
        self._fleets = [square for square, _ in fleets]
        for part in dirty:
            self._colour(part)
        for square, number in fleets:
            self._fleet(square, number)
        for part in dirty:
            self._paint(part)
        self._tell(tick)
        return self._planes.view

    def _begin(self, tick: int) -> list[Rect]:
        """Everything anew; returns the blocks that changed: all."""
        galaxy = self._galaxy
        self._row = int(np.searchsorted(galaxy.owner_tick, tick, "right"))
        owners = colours.numbers(self._numbers, galaxy.owners(tick))
        self._owner = np.append(owners, np.uint8(colours.VOID))  # the last is no star's land
        self._told: dict[int, int] = {}
        self._told_row = 0
        self._look_at(tick)
        return [self._whole()]

    def _look_at(self, tick: int) -> None:
        """Make the index of the stars that are known at a tick, and what goes with it."""
        galaxy, look = self._galaxy, self._look
        n = galaxy.known(tick)
        self._view: Cells = in_sight(galaxy, tick, look.margin, look.view)
        self._grid = Grid.of(self._area.width, self._area.height, look.block, self._view)
        cell_px = self._grid.cell * look.block
        self._star_blocks = look.star_blocks or max(1, round(cell_px / 20 / look.block))
        self._border_blocks = look.border_blocks or max(1, round(cell_px / 60 / look.block))
        self._territory = Territory(self._grid, galaxy.x[:n], galaxy.y[:n])
        self._marker = np.full((self._grid.rows, self._grid.columns), NO_MARKER, np.int32)
        self._map = np.zeros((self._grid.rows, self._grid.columns), np.uint8)
        area = self._area
        self._names = Names(area.height, area.width, self._line) if look.names else None
        self._bounds = [
            bounds.around(self._mark(star)) for star, bounds in enumerate(self._territory.bounds)
        ]

    def _mark(self, star: int) -> Rect:
        """Set a star's square and name; returns the blocks that changed."""
        row, column = self._grid.place(self._galaxy.x[star], self._galaxy.y[star])
        square = self._grid.around(row, column, self._star_blocks)
        self._marker[square.at] = star
        if self._names is None:
            return square
        block = self._look.block
        below = (row + self._star_blocks // 2 + 1) * block
        at = self._names.write(self._galaxy.names[star], below, column * block + block // 2)
        return square if at is None else square.around(at.divided(block))

    def _go_on(self, tick: int) -> list[Rect]:
        """Bring stars and owners up to a later tick; returns the blocks that changed."""
        galaxy = self._galaxy
        row = int(np.searchsorted(galaxy.owner_tick, tick, "right"))
        rows, self._row = slice(self._row, row), row
        before = self._owner.copy()
        if rows.stop > rows.start:
            new = colours.numbers(self._numbers, galaxy.owner[rows])
            self._owner[galaxy.owner_star[rows]] = new
        known, now_known = len(self._bounds), galaxy.known(tick)
        if now_known > known:
            look = self._look
            if in_sight(galaxy, tick, look.margin, look.view) != self._view:
                self._look_at(tick)
                return [self._whole()]
        changed = np.flatnonzero(self._owner[:known] != before[:known])
        dirty = [self._bounds[star] for star in changed]
        for star in range(known, now_known):
            reach = self._territory.add(galaxy.x[star], galaxy.y[star])
            self._bounds.append(reach.around(self._mark(star)))
            dirty.append(self._bounds[star])
        return dirty

    def _whole(self) -> Rect:
        return Rect(0, self._grid.rows, 0, self._grid.columns)

    def _merged(self, dirty: list[Rect]) -> list[Rect]:
        """The same with even edges, and borders that depend on it; all at once if it is much."""
        rows, columns = self._grid.rows, self._grid.columns
        more = self._border_blocks if self._look.borders != "none" else 0
        parts = [
            Rect(one.top - more, one.bottom, one.left - more, one.right)
            .even()
            .within(rows, columns)
            for one in dirty
            if one.height * one.width
        ]
        if sum(part.height * part.width for part in parts) >= rows * columns:
            return [self._whole()]
        return parts

    def _fleets_at(self, tick: int) -> list[tuple[Rect, int]]:
        """Where fleets are, and the colour numbers of their owners."""
        if not self._look.fleets:
            return []
        fleets = self._galaxy.fleets.at(tick)
        side = self._star_blocks + 4
        squares = [
            self._grid.around(*self._grid.place(x, y), side)
            for x, y in zip(fleets.x, fleets.y, strict=True)
        ]
        numbers = colours.numbers(self._numbers, fleets.player)
        every = zip(squares, map(int, numbers), strict=True)
        return [(square, number) for square, number in every if square.height * square.width]

    def _fleet(self, square: Rect, number: int) -> None:
        """A square of its owner's colour in a white frame."""
        self._map[square.at] = colours.WHITE
        self._map[square.top + 1 : square.bottom - 1, square.left + 1 : square.right - 1] = number

    def _tell(self, tick: int) -> None:
        """Write what stands beside the map."""
        if self._legend is None:
            return
        ranks = []
        if self._look.legend:
            totals = self._galaxy.totals
            row = int(np.searchsorted(totals.tick, tick, "right"))
            rows, self._told_row = slice(self._told_row, row), row
            told = zip(totals.player[rows].tolist(), totals.stars[rows].tolist(), strict=True)
            self._told.update(told)
            seen = np.bincount(self._owner[: len(self._bounds)], minlength=256)
            ranks = legend.standings(
                self._galaxy.players, seen[colours.FIRST_PLAYER :].tolist(), self._told
            )
        self._legend.show(self._planes, legend.caption(self._galaxy, self._look, tick), ranks)

    def _colour(self, part: Rect) -> None:
        """Set the colour numbers of blocks: land, borders, stars."""
        width = self._border_blocks if self._look.borders != "none" else 0
        beyond = Rect(part.top, part.bottom + width, part.left, part.right + width)
        wide = beyond.within(self._grid.rows, self._grid.columns)
        land = self._owner[self._territory.star[wide.at]]
        if width:
            land = bordered(land, width, self._border)[: part.height, : part.width]
        marker = self._marker[part.at]
        there = marker != NO_MARKER
        land[there] = self._marker_of[self._owner[marker[there]]]
        self._map[part.at] = land

    def _paint(self, blocks: Rect) -> None:
        """Bring blocks of the map into the picture; their edges are even, or the map's."""
        size = self._look.block
        numbers = self._map[blocks.at]
        if size > 1:
            numbers = numbers.repeat(size, axis=0).repeat(size, axis=1)
        area = self._area
        pixels = blocks.times(size).within(area.height, area.width)
        self._planes.paint(
            pixels, numbers[: pixels.height, : pixels.width], self._table, self._names
        )


def bordered(land: Bytes, width: int, border: int) -> Bytes:
    """Land with borders: a block becomes border where, among it and so many right of and below it,
    there is the land of somebody else; the void is nobody's land."""
    highest, lowest = land.copy(), np.where(land == colours.VOID, 255, land)
    for _ in range(width):
        np.maximum(highest[:, :-1], highest[:, 1:], out=highest[:, :-1])
        np.minimum(lowest[:, :-1], lowest[:, 1:], out=lowest[:, :-1])
    for _ in range(width):
        np.maximum(highest[:-1], highest[1:], out=highest[:-1])
        np.minimum(lowest[:-1], lowest[1:], out=lowest[:-1])
    found: Bytes = np.where((land != colours.VOID) & (highest != lowest), border, land)
    return found.astype(np.uint8)
