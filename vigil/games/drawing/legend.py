"""Text beside the map: tick and date, and who has how many stars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from vigil.games.drawing import words
from vigil.games.drawing.colours import BLACK, FIRST_PLAYER
from vigil.games.drawing.model import Bytes, Galaxy, Look
from vigil.games.drawing.planes import Planes
from vigil.games.drawing.view import Layout, Rect, column_px


@dataclass(frozen=True)
class Line:
    """What a place for a line of text shows."""

    left: str = ""
    right: str = ""
    colour: int | None = None
    """Colour number of a square before it."""


def caption(galaxy: Galaxy, look: Look, tick: int) -> list[str]:
    """The tick, whether it was recorded, and when it was if that is wanted and known."""
    if look.caption == "none":
        return []
    missed = any(first <= tick <= last for first, last in galaxy.missed)
    told = f"Tick {tick}, not recorded" if missed else f"Tick {tick}"
    if look.caption == "tick" or not len(galaxy.clock_tick):
        return [told]
    seconds = float(galaxy.seconds(np.array([tick]))[0])
    return [told, f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"]


def standings(
    players: Sequence[tuple[int, str]], seen: Sequence[int], told: dict[int, int]
) -> list[tuple[int, str, int]]:
    """Place, alias and stars of every player, the most stars first, then by number.

    Args:
        players: number and alias.
        seen: how many stars each has that we see.
        told: how many it has as the game said, by number.
    """
    rows = [
        (place, alias or f"Player {number}", told.get(number, seen[place]))
        for place, (number, alias) in enumerate(players)
    ]
    return sorted(rows, key=lambda row: (-row[2], row[0]))


class Legend:
    """The area of text of a picture; renders the lines that changed."""

    def __init__(self, look: Look, layout: Layout, area: Rect, table: Bytes) -> None:
        self._look = look
        self._line = layout.line
        self._table = table
        self._beside = area.left > 0
        self._captions: list[Rect] = []
        self._places: list[Rect] = []
        self._shown: dict[Rect, Line] = {}
        top = area.top + self._line // 4 // 2 * 2
        if look.caption != "none":
            for _ in range(2 if self._beside else 1):
                self._captions.append(Rect(top, top + self._line, area.left, area.right))
                top += self._line
        if look.legend:
            columns = 1 if self._beside else max(1, area.width // column_px(self._line))
            width = area.width // columns // 2 * 2
            for row in range((area.bottom - top) // self._line):
                for column in range(columns):
                    left, above = area.left + column * width, top + row * self._line
                    self._places.append(Rect(above, above + self._line, left, left + width))

    def show(
        self,
        planes: Planes,
        captions: Sequence[str],
        ranks: Sequence[tuple[int, str, int]],
    ) -> None:
        """Make the picture say this."""
        texts = captions if self._beside else ["   ".join(captions)]
        lines = [Line(alias, f"{stars} ★", FIRST_PLAYER + place) for place, alias, stars in ranks]
        if len(lines) > len(self._places) > 0:
            room = len(self._places) - 1
            lines[room:] = [Line(f"and {len(lines) - room} more")]
        wanted = dict(zip(self._captions, map(Line, texts), strict=False))
        wanted |= dict(zip(self._places, lines, strict=False))
        for at in (*self._captions, *self._places):
            line = wanted.get(at, Line())
            if self._shown.get(at, Line()) != line:
                self._shown[at] = line
                self._write(planes, at, line)

    def _write(self, planes: Planes, at: Rect, line: Line) -> None:
        planes.fill(at, self._table[BLACK])
        size = self._line * 11 // 16
        edge = self._line // 4 // 2 * 2
        left, right = at.left + edge, at.right - 2 * edge
        if line.colour is not None:
            side = self._line // 2 // 2 * 2
            top = at.top + (self._line - side) // 4 * 2
            planes.fill(Rect(top, top + side, left, left + side), self._table[line.colour])
            left += side + edge
        if line.right:
            letters = words.mask(line.right, size, max(0, right - left))
            right -= letters.shape[1]
            self._put(planes, at, right, letters)
            right -= edge
        letters = words.mask(line.left, size, max(0, right - left))
        self._put(planes, at, left, letters)

    def _put(self, planes: Planes, at: Rect, left: int, letters: Bytes) -> None:
        top = at.top + max(0, self._line - letters.shape[0]) // 2
        planes.write(Rect(top, at.bottom, left, at.right), letters)
