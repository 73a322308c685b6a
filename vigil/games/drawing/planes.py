"""One picture as the encoder takes it: yuv420p, one plane after the other."""

from __future__ import annotations

import numpy as np

from vigil.games.drawing.model import Bytes
from vigil.games.drawing.names import BLACK_Y, GREY, Names, mean4
from vigil.games.drawing.view import Rect


class Planes:
    """A picture that is changed in place; black to begin with."""

    def __init__(self, width: int, height: int) -> None:
        size = width * height
        self._buffer = np.full(size * 3 // 2, GREY, np.uint8)
        self.y = self._buffer[:size].reshape(height, width)
        self.u = self._buffer[size : size * 5 // 4].reshape(height // 2, width // 2)
        self.v = self._buffer[size * 5 // 4 :].reshape(height // 2, width // 2)
        self.y[...] = BLACK_Y

    @property
    def view(self) -> memoryview:
        """All planes, as they are now and as they will be."""
        return self._buffer.data

    def paint(self, at: Rect, numbers: Bytes, table: Bytes, names: Names | None) -> None:
        """Fill a part.

        Args:
            at: where; even edges.
            numbers: the colour number of every pixel in it.
            table: Y, U and V by colour number.
            names: written over it.
        """
        luma = table[:, 0][numbers]
        wide = table.astype(np.uint16)
        colours = [mean4(wide[:, channel][numbers]).astype(np.uint8) for channel in (1, 2)]
        if names is not None:
            names.over(at, luma, colours)
        self.y[at.at] = luma
        self.u[at.halved.at], self.v[at.halved.at] = colours

    def fill(self, at: Rect, colour: Bytes) -> None:
        """Fill a part with one colour; even edges."""
        self.y[at.at], self.u[at.halved.at], self.v[at.halved.at] = colour

    def write(self, at: Rect, letters: Bytes) -> None:
        """White on black; as much of the letters as fits, from the upper left corner on."""
        part = letters[: at.height, : at.width].astype(np.uint16)
        area = Rect(at.top, at.top + part.shape[0], at.left, at.left + part.shape[1])
        self.y[area.at] = BLACK_Y + (part * 219 + 127) // 255
