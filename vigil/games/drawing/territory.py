"""Whose land each block of a map is: the nearest star within reach.

The index is made once for a geometry: parts of a film that are drawn at the same time share it. A
star that is seen later is added to it: it takes the blocks to which it is nearer than the star that
has them, so all that changes lies within its reach, and the index is the same as if it had been
made of all these stars at once. Of stars equally near the first has the block; stars are in the
order in which they were first seen.

Each star looks at the blocks in its own reach, a few thousand numbers at once: in a galaxy, where a
handful of stars reach a block, that is four to ten times faster than a KD-tree's query for every
block, and says exactly who comes first, which a tree does not.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from vigil.games.drawing.model import REACH, Floats
from vigil.games.drawing.view import Grid, Rect, axis

NOBODYS = -1
"""In the index, a block that no star reaches."""


@dataclass(frozen=True, eq=False)
class _Index:
    """Of some stars; not changed any more once it is shared."""

    star: NDArray[np.int32]
    distance: Floats
    """Squared, to the nearest star; of blocks that none reaches that of the reach."""
    bounds: list[Rect]


_shared: WeakValueDictionary[tuple[Grid, bytes, bytes], _Index] = WeakValueDictionary()
_sharing = threading.Lock()


class Territory:
    """The index of the nearest star."""

    def __init__(self, grid: Grid, x: Floats, y: Floats) -> None:
        self.grid = grid
        self._rows, self._columns = axis(grid)
        key = (grid, x.tobytes(), y.tobytes())
        with _sharing:  # who needs the same waits for it
            self._index = _shared.get(key) or self._made(x, y)
            _shared[key] = self._index
        self._own = False

    @property
    def star(self) -> NDArray[np.int32]:
        """The place of the nearest star, each block."""
        return self._index.star

    @property
    def bounds(self) -> list[Rect]:
        """By star: a rectangle that all its blocks are in."""
        return self._index.bounds

    def add(self, x: float, y: float) -> Rect:
        """One more star; returns what may have changed."""
        if not self._own:
            index, self._own = self._index, True
            self._index = _Index(index.star.copy(), index.distance.copy(), [*index.bounds])
        reach = self._take(self._index, len(self.bounds), x, y)
        self.bounds.append(reach)
        return reach

    def _made(self, x: Floats, y: Floats) -> _Index:
        shape = (self.grid.rows, self.grid.columns)
        made = _Index(np.full(shape, NOBODYS, np.int32), np.full(shape, REACH**2), [])
        reaches = [self._take(made, n, float(x[n]), float(y[n])) for n in range(len(x))]
        for number, reach in enumerate(reaches):
            mine = made.star[reach.at] == number
            rows, columns = (np.flatnonzero(mine.any(axis)) for axis in (1, 0))
            if not len(rows):
                made.bounds.append(Rect(0, 0, 0, 0))
                continue
            top, left = reach.top + int(rows[0]), reach.left + int(columns[0])
            bottom, right = reach.top + int(rows[-1]) + 1, reach.left + int(columns[-1]) + 1
            made.bounds.append(Rect(top, bottom, left, right))
        return made

    def _take(self, index: _Index, number: int, x: float, y: float) -> Rect:
        reach = self.grid.within_reach(x, y)
        down = self._rows[reach.top : reach.bottom] - y
        across = self._columns[reach.left : reach.right] - x
        distance = (down * down)[:, None] + across * across
        nearest = index.distance[reach.at]
        nearer = distance < nearest
        np.copyto(nearest, distance, where=nearer)
        np.copyto(index.star[reach.at], number, where=nearer)
        return reach
