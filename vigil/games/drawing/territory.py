"""Whose land each block of a map is: the nearest star within reach.

The index is made once for a geometry. A star that is seen later is added to it: it takes the
blocks to which it is nearer than the star that has them, so all that changes lies within its
reach, and the index is the same as if it had been made of all these stars at once. Of stars
equally near the first has the block; stars are in the order in which they were first seen.

Each star looks at the blocks in its own reach, a few thousand numbers at once: in a galaxy, where a
handful of stars reach a block, that is four to ten times faster than a KD-tree's query for every
block, and says exactly who comes first, which a tree does not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vigil.games.drawing.model import REACH, Floats
from vigil.games.drawing.view import Grid, Rect, axis

NOBODYS = -1
"""In the index, a block that no star reaches."""


class Territory:
    """The index of the nearest star."""

    def __init__(self, grid: Grid, x: Floats, y: Floats) -> None:
        self.grid = grid
        self._rows, self._columns = axis(grid)
        self.star: NDArray[np.int32] = np.full((grid.rows, grid.columns), NOBODYS, np.int32)
        """The place of the nearest star, each block."""
        self._distance = np.full((grid.rows, grid.columns), REACH**2)
        self.bounds: list[Rect] = []
        """By star: a rectangle that all its blocks are in."""
        reaches = [self._take(n, float(x[n]), float(y[n])) for n in range(len(x))]
        for number, reach in enumerate(reaches):
            mine = self.star[reach.at] == number
            rows, columns = (np.flatnonzero(mine.any(axis)) for axis in (1, 0))
            if not len(rows):
                self.bounds.append(Rect(0, 0, 0, 0))
                continue
            top, left = reach.top + int(rows[0]), reach.left + int(columns[0])
            bottom, right = reach.top + int(rows[-1]) + 1, reach.left + int(columns[-1]) + 1
            self.bounds.append(Rect(top, bottom, left, right))

    def add(self, x: float, y: float) -> Rect:
        """One more star; returns what may have changed."""
        reach = self._take(len(self.bounds), x, y)
        self.bounds.append(reach)
        return reach

    def _take(self, number: int, x: float, y: float) -> Rect:
        reach = self.grid.within_reach(x, y)
        down = self._rows[reach.top : reach.bottom] - y
        across = self._columns[reach.left : reach.right] - x
        distance = (down * down)[:, None] + across * across
        nearest = self._distance[reach.at]
        nearer = distance < nearest
        np.copyto(nearest, distance, where=nearer)
        np.copyto(self.star[reach.at], number, where=nearer)
        return reach
