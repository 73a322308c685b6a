"""Names of stars: white letters with a black outline over whatever the map shows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vigil.games.drawing import words
from vigil.games.drawing.model import Bytes
from vigil.games.drawing.view import Rect

WHITE_Y, BLACK_Y, GREY = 235, 16, 128
"""White, black, and no colour, in limited range."""


class Names:
    """What names do to a picture: each pixel becomes ``(pixel · keep + add + 127) // 255``."""

    def __init__(self, height: int, width: int, line: int) -> None:
        self.size = max(9, line // 2)
        self._outline = max(1, self.size // 10)
        self.keep = np.full((height, width), 255, np.uint16)
        self.add = np.zeros((height, width), np.uint16)
        self.keep_colour = np.full((height // 2, width // 2), 255, np.uint16)
        self._taken = np.zeros((height, width), bool)

    def write(self, name: str, y: int, x: int) -> Rect | None:
        """A name below a point, in the middle, if there is room; returns where it is."""
        height, width = self.keep.shape
        letters = words.mask(name, self.size, width, self._outline)
        top, left = y, x - letters.shape[1] // 2
        at = Rect(top, top + letters.shape[0], left, left + letters.shape[1])
        outside = at.top < 0 or at.left < 0 or at.bottom > height or at.right > width
        if outside or at.width == 0 or self._taken[at.at].any():
            return None
        self._taken[at.at] = True
        self._write(at, letters, self._filled(name, letters))
        return at

    def _filled(self, name: str, letters: Bytes) -> Bytes:
        """The letters without their outline, where they are in the mask that has it."""
        inner = words.mask(name, self.size, letters.shape[1] - 2 * self._outline)
        found = np.zeros_like(letters)
        edge = self._outline
        found[edge : edge + inner.shape[0], edge : edge + inner.shape[1]] = inner
        return found

    def _write(self, at: Rect, covered: Bytes, filled: Bytes) -> None:
        white = filled.astype(np.uint16)
        around = np.maximum(covered, filled).astype(np.uint16)
        self.keep[at.at] = 255 - around
        self.add[at.at] = white * WHITE_Y + (around - white) * BLACK_Y
        even = at.even().within(*self.keep.shape)
        self.keep_colour[even.halved.at] = mean4(self.keep[even.at])

    def over(self, at: Rect, luma: Bytes, colours: Sequence[Bytes]) -> None:
        """Set the names over a part of a picture; ``at`` has even edges."""
        keep = self.keep[at.at]
        if keep.min() == 255:
            return
        luma[...] = (luma * keep + self.add[at.at] + 127) // 255
        keep = self.keep_colour[at.halved.at]
        for plane in colours:
            plane[...] = (plane * keep + GREY * (255 - keep) + 127) // 255


def mean4(values: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Of each two by two, the mean, rounded."""
    top, bottom = values[::2], values[1::2]
    found: NDArray[np.uint16] = (
        top[:, ::2] + top[:, 1::2] + bottom[:, ::2] + bottom[:, 1::2] + 2
    ) // 4
    return found
