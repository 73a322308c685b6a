"""Who watched, as lines of an SVG that is stretched to where it stands; labels are beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from vigil.streams.history.model import Watched

WIDTH, HEIGHT = 1000, 200
"""Units of the drawing."""
GAP = timedelta(minutes=90)
"""Where samples are further apart, nobody looked, and there is no line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """What a page draws."""

    line: str
    """An SVG path."""
    area: str
    """The same, closed along the bottom."""
    top: int
    """Viewers at the upper edge; an even number, so that half of it is one, too."""
    first: datetime
    middle: datetime
    last: datetime
    least: int
    most: int
    changes: tuple[Watched, ...]
    """The same as a table: when the number became another one, the newest first."""


def chart(points: Sequence[Watched]) -> Chart | None:
    """The chart of these, the oldest first; None where there is no time between them."""
    if len(points) < 2 or points[0].at >= points[-1].at:
        return None
    first, last = points[0].at, points[-1].at
    numbers = [point.viewers for point in points]
    top = even_top(max(numbers))

    def place(point: Watched) -> str:
        x = (point.at - first) / (last - first) * WIDTH
        return f"{x:.1f} {HEIGHT - point.viewers / top * HEIGHT:.1f}"

    line, area = [], []
    for part in _parts(points):
        drawn = "L".join(map(place, part))
        left, right = (place(Watched(at=p.at, viewers=0)) for p in (part[0], part[-1]))
        line.append(f"M{drawn}")
        area.append(f"M{left}L{drawn}L{right}Z")
    return Chart(
        line="".join(line),
        area="".join(area),
        top=top,
        first=first,
        middle=first + (last - first) / 2,
        last=last,
        least=min(numbers),
        most=max(numbers),
        changes=tuple(reversed([points[0], *_changes(points)])),
    )


def even_top(most: int) -> int:
    """The next of 2, 4, 6, 8, 10, 12, 16, 20, 40, 60, … that is not less."""
    scale = 1
    while True:
        for step in (2, 4, 6, 8, 10, 12, 16):
            if step * scale >= most:
                return step * scale
        scale *= 10


def _parts(points: Sequence[Watched]) -> Iterator[Sequence[Watched]]:
    start = 0
    for number, (before, after) in enumerate(pairwise(points), start=1):
        if after.at - before.at > GAP:
            yield points[start:number]
            start = number
    yield points[start:]


def _changes(points: Sequence[Watched]) -> Iterator[Watched]:
    for before, after in pairwise(points):
        if after.viewers != before.viewers:
            yield after
