"""Where things are in a picture: areas of map and text, and what of the galaxy is in sight."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vigil.games.drawing.model import CELL_PX, REACH, Floats, Galaxy, Look

Cells = tuple[int, int, int, int]
"""Left, top, right and bottom in cells of ``REACH`` units."""


@dataclass(frozen=True)
class Rect:
    """Rows and columns of pixels, or of blocks; the ends are outside."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def height(self) -> int:
        """Rows."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """Columns."""
        return self.right - self.left

    @property
    def at(self) -> tuple[slice, slice]:
        """As numpy takes it."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    @property
    def halved(self) -> Rect:
        """The same in a plane of colour, which has half as many rows and columns."""
        return Rect(self.top // 2, self.bottom // 2, self.left // 2, self.right // 2)

    def around(self, other: Rect) -> Rect:
        """The smallest that holds both; one without rows or columns counts as nothing."""
        if not other.height * other.width:
            return self
        if not self.height * self.width:
            return other
        return Rect(
            min(self.top, other.top),
            max(self.bottom, other.bottom),
            min(self.left, other.left),
            max(self.right, other.right),
        )

    def times(self, block: int) -> Rect:
        """The pixels of these blocks."""
        edges = (self.top, self.bottom, self.left, self.right)
        return Rect(*(edge * block for edge in edges))

    def divided(self, block: int) -> Rect:
        """The blocks that these pixels are in."""
        ends = -(-self.bottom // block), -(-self.right // block)
        return Rect(self.top // block, ends[0], self.left // block, ends[1])

    def within(self, height: int, width: int) -> Rect:
        """As much of it as there is."""
        top, left = min(max(self.top, 0), height), min(max(self.left, 0), width)
        bottom, right = min(max(self.bottom, top), height), min(max(self.right, left), width)
        return Rect(top, bottom, left, right)

    def even(self) -> Rect:
        """The smallest around it whose edges are even."""
        return Rect(
            self.top - self.top % 2,
            self.bottom + self.bottom % 2,
            self.left - self.left % 2,
            self.right + self.right % 2,
        )


@dataclass(frozen=True)
class Layout:
    """The areas of a picture, in pixels, all edges even."""

    map: Rect
    text: Rect | None
    """Caption and legend."""
    line: int
    """Height of a line of text."""

    @classmethod
    def of(cls, look: Look, players: int) -> Layout:
        """Text stands right of the map where the picture is wide, else below it."""
        width, height = look.width, look.height
        line = line_px(width, height)
        caption = look.caption != "none"
        if not (caption or look.legend):
            return cls(Rect(0, height, 0, width), None, line)
        if look.legend and width * 4 >= height * 5:
            column = min(column_px(line), width // 3 // 2 * 2)
            edge = width - column
            return cls(Rect(0, height, 0, edge), Rect(0, height, edge, width), line)
        rows = int(caption) + (legend_rows(width, line, players) if look.legend else 0)
        band = min(rows * line + line // 2, height // 3) // 2 * 2
        edge = height - band
        return cls(Rect(0, edge, 0, width), Rect(edge, height, 0, width), line)


def line_px(width: int, height: int) -> int:
    """Height of a line of text in a picture; even."""
    return max(14, round(min(width, height) / 36) // 2 * 2)


def column_px(line: int) -> int:
    """Width of a column of the legend."""
    return 12 * line


def legend_rows(width: int, line: int, players: int) -> int:
    """Rows of a legend below a map."""
    return min(-(-players // max(1, width // column_px(line))), 8)


def cells(x: Floats, y: Floats, margin: float = 0.0, view: Cells | None = None) -> Cells:
    """The whole cells around these stars.

    Args:
        x: of the stars, in units.
        y: the same.
        margin: cells around them that belong to it, at least.
        view: belongs to it, too.
    """
    bounds = [] if view is None else [view]
    if len(x):
        left, right = x.min() / REACH - margin, x.max() / REACH + margin
        top, bottom = y.min() / REACH - margin, y.max() / REACH + margin
        ends = math.floor(right) + 1, math.floor(bottom) + 1
        bounds.append((math.floor(left), math.floor(top), *ends))
    if not bounds:
        return (0, 0, 1, 1)
    lefts, tops, rights, bottoms = zip(*bounds, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def in_sight(galaxy: Galaxy, tick: int, margin: float = 0.0, view: Cells | None = None) -> Cells:
    """What is in sight at a tick."""
    n = galaxy.known(tick)
    return cells(galaxy.x[:n], galaxy.y[:n], margin, view)


def native_size(view: Cells) -> tuple[int, int]:
    """Width and height of a map of 60 pixels a cell, as NPTimelapse draws it."""
    left, top, right, bottom = view
    return CELL_PX * (right - left), CELL_PX * (bottom - top)


@dataclass(frozen=True)
class Grid:
    """The squares (*blocks*) that a map is made of, and where they are in the galaxy.

    A block is as the point at its upper left corner is.
    """

    rows: int
    columns: int
    left: float
    """Of the first column, in cells."""
    top: float
    cell: float
    """Blocks in a cell."""

    @classmethod
    def of(cls, width: int, height: int, block: int, view: Cells) -> Grid:
        """As large as fits, in the middle of so many pixels."""
        left, top, right, bottom = view
        across, down = right - left, bottom - top
        px = min(width / across, height / down)
        return cls(
            rows=-(-height // block),
            columns=-(-width // block),
            left=left - (width / px - across) / 2,
            top=top - (height / px - down) / 2,
            cell=px / block,
        )

    def column_x(self, columns: Floats) -> Floats:
        """Where columns are in the galaxy."""
        return (columns / self.cell + self.left) * REACH

    def row_y(self, rows: Floats) -> Floats:
        """Where rows are in the galaxy."""
        return (rows / self.cell + self.top) * REACH

    def place(self, x: float, y: float) -> tuple[int, int]:
        """Row and column of the block that a point is in; it may be out of sight."""
        return (
            math.floor((y / REACH - self.top) * self.cell),
            math.floor((x / REACH - self.left) * self.cell),
        )

    def around(self, row: int, column: int, blocks: int) -> Rect:
        """So many blocks in each direction, a block being in the middle (or left and above it)."""
        top, left = row - (blocks - 1) // 2, column - (blocks - 1) // 2
        return Rect(top, top + blocks, left, left + blocks).within(self.rows, self.columns)

    def within_reach(self, x: float, y: float) -> Rect:
        """All blocks that may be within ``REACH`` of a point."""
        row, column = self.place(x, y)
        reach = math.ceil(self.cell) + 1
        around = Rect(row - reach, row + reach + 1, column - reach, column + reach + 1)
        return around.within(self.rows, self.columns)


def axis(grid: Grid) -> tuple[Floats, Floats]:
    """The y of every row and the x of every column."""
    rows = grid.row_y(np.arange(grid.rows, dtype=np.float64))
    return rows, grid.column_x(np.arange(grid.columns, dtype=np.float64))
