"""Two ways to do the same, side by side: rounds in turn, medians, and the ratio.

Only the ratio means something elsewhere: both sides of a pair run in the same minute on the same
machine, taking turns, so that what else happens there strikes both.
"""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

Measure = Callable[[], Awaitable[float]]
"""Does the thing once; returns the figure."""


@dataclass(frozen=True)
class Side:
    """One of the two."""

    name: str
    measure: Measure


@dataclass
class Result:
    """What came out of a pair."""

    title: str
    unit: str
    baseline: str
    ours: str
    figures: dict[str, list[float]] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        """Median over the rounds of ours divided by the baseline of the same round."""
        pairs = zip(self.figures[self.ours], self.figures[self.baseline], strict=True)
        return statistics.median(ours / baseline for ours, baseline in pairs)

    def median(self, name: str) -> float:
        """Median over the rounds of one side."""
        return statistics.median(self.figures[name])

    def as_object(self) -> dict[str, Any]:
        """For --json."""
        return {
            "title": self.title,
            "unit": self.unit,
            "baseline": self.baseline,
            "ours": self.ours,
            "figures": self.figures,
            "ratio": self.ratio,
        }

    def __str__(self) -> str:
        width = max(len(name) for name in self.figures)
        rounds = len(self.figures[self.ours])
        lines = [f"{self.title} ({self.unit}, median of {rounds}, least … most)"]
        for name in (self.baseline, self.ours):
            figures = self.figures[name]
            lines.append(
                f"  {name:<{width}}  {shown(self.median(name)):>10}"
                f"   ({shown(min(figures))} … {shown(max(figures))})"
            )
        lines.append(f"  {'ratio':<{width}}  {self.ratio:>10.2f}")
        return "\n".join(lines)


def shown(figure: float) -> str:
    """A figure with about four digits."""
    return f"{figure:,.0f}" if figure >= 1000 else f"{figure:.4g}"


async def compare(
    title: str,
    baseline: Side,
    ours: Side,
    *,
    unit: str,
    rounds: int = 5,
    warm_up: bool = True,
) -> Result:
    """Measure the two in turn, the one that begins changing from round to round.

    Args:
        title: what is compared.
        baseline: what ours is divided by.
        ours: the other side.
        unit: of the figures.
        rounds: how often each is measured.
        warm_up: whether each runs once before, uncounted.
    """
    result = Result(title, unit, baseline.name, ours.name, {baseline.name: [], ours.name: []})
    if warm_up:
        for side in (baseline, ours):
            await side.measure()
    for number in range(rounds):
        for side in (baseline, ours) if number % 2 == 0 else (ours, baseline):
            result.figures[side.name].append(await side.measure())
    return result


def machine() -> str:
    """What the figures were measured on, in a line."""
    return (
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {platform.machine()}, "
        f"Python {platform.python_version()}"
    )
