"""What players have over time, as lines of an SVG; the same numbers stand in a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vigil.games.model import Player
from vigil.games.shelf import Table
from vigil.streams.history.chart import even_top

WIDTH, HEIGHT = 1000, 240
"""Units of the drawing, which is stretched to where it stands."""
SAMPLES = 300
"""Ticks that a line has points at, at most."""
ROWS = 12
"""Ticks that the table has, at most."""


@dataclass(frozen=True, slots=True)
class Line:
    """A player's line."""

    player: Player
    path: str
    values: tuple[int, ...]
    """At the chart's ticks; -1 before anything was known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One metric of all players."""

    metric: str
    ticks: tuple[int, ...]
    top: int
    """Value at the upper edge."""
    lines: tuple[Line, ...]
    """Whoever has most at the end first."""
    rows: tuple[tuple[int, tuple[int, ...]], ...]
    """For the table: a tick and the values at it, in the order of the lines."""


def chart(
    table: Table, players: Sequence[Player], metric: str, first: int, last: int
) -> Chart | None:
    """The chart of a metric from a tick to another; None where there is nothing to draw."""
    if last <= first or not len(table.ticks):
        return None
    ticks = np.unique(np.linspace(first, last, min(SAMPLES, last - first + 1)).round()).astype(
        np.int32
    )
    values = {player.uid: table.at(player.uid, metric, ticks) for player in players}
    known = [player for player in players if values[player.uid].max() >= 0]
    if not known:
        return None
    known.sort(key=lambda player: (-int(values[player.uid][-1]), player.uid))
    top = even_top(max(int(values[player.uid].max()) for player in known))
    x = (ticks - first) / (last - first) * WIDTH
    lines = tuple(
        Line(player, path(x, values[player.uid], top), tuple(values[player.uid].tolist()))
        for player in known
    )
    some = np.unique(np.linspace(0, len(ticks) - 1, min(ROWS, len(ticks))).round()).astype(int)
    rows = tuple((int(ticks[at]), tuple(line.values[at] for line in lines)) for at in some.tolist())
    return Chart(metric=metric, ticks=tuple(ticks.tolist()), top=top, lines=lines, rows=rows)


def path(x: np.ndarray, values: np.ndarray, top: int) -> str:
    """An SVG path through what is known; values before that are -1."""
    known = values >= 0
    y = HEIGHT - values[known] / top * HEIGHT
    points = [f"{a:.1f} {b:.1f}" for a, b in zip(x[known].tolist(), y.tolist(), strict=True)]
    return "M" + "L".join(points) if points else ""
