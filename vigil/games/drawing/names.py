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
        _, down, across = words.fit(name, self.size, width, self._outline)
        at = Rect(y, y + down, x - across // 2, x - across // 2 + across)
        outside = at.top < 0 or at.left < 0 or at.bottom > height or at.right > width
        if outside or across == 0 or self._taken[at.at].any():
            return None
        self._taken[at.at] = True
        covered, filled = words.outlined(name, self.size, width, self._outline)
        white, around = filled.astype(np.uint16), covered.astype(np.uint16)
        self.keep[at.at] = 255 - around
        self.add[at.at] = white * WHITE_Y + (around - white) * BLACK_Y
        even = at.even().within(height, width)
        self.keep_colour[even.halved.at] = mean4(self.keep[even.at])
        return at

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
