"""Where each scene stands when several share the picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

from vigil.films.options import Layout


@dataclass(frozen=True, slots=True)
class Cell:
    """A place in the picture; all numbers are even, as chroma has half the size."""

    left: int
    top: int
    width: int
    height: int


def cells(layout: Layout, scenes: int, width: int, height: int) -> list[Cell]:
    """A place for each scene, row by row; together they fill the picture but for a grid's end."""
    if layout == "single":
        scenes = 1
    columns = {"side": scenes, "grid": math.isqrt(scenes - 1) + 1}.get(layout, 1)
    across = _cuts(width, columns)
    down = _cuts(height, -(-scenes // columns))
    places = [divmod(place, columns) for place in range(scenes)]
    return [
        Cell(
            across[column],
            down[row],
            across[column + 1] - across[column],
            down[row + 1] - down[row],
        )
        for row, column in places
    ]


def _cuts(length: int, parts: int) -> list[int]:
    """Where a length is cut into about equal even parts, both ends included."""
    return [length * part // parts // 2 * 2 for part in range(parts)] + [length]
