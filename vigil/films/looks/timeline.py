"""A recipe laid out in time: which frame each track shows from which picture on.

Tracks: what each scene shows now; with blends also what it showed before, and how much of that
is still seen. Every track gets something for every shot, so that ffmpeg never waits with pictures
in its hands.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from vigil.films.model import Recipe, Shot

MASK = 16
"""Pixels of the mask's sides."""
LONGEST = 25
"""A picture that stays longer is sent again: ffmpeg makes all pictures up to the next one at
once."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A shot, or several that look the same, and when it is on."""

    shot: Shot
    start: int
    """Number of its first picture."""
    end: int
    """Number of the picture after its last."""
    before: Shot | None
    """What it blends from; ``None``: it does not."""

    @property
    def parts(self) -> Iterator[range]:
        """Its pictures in runs that are not too long."""
        for first in range(self.start, self.end, LONGEST):
            yield range(first, min(first + LONGEST, self.end))

    def seen(self, picture: int) -> float:
        """How much is seen of the shot before in one of its pictures."""
        if self.before is None:
            return 0.0
        return max(0.0, 1 - (picture - self.start + 1) / (self.shot.fade + 1))


def turns(recipe: Recipe) -> Iterator[Turn]:
    """The shots in order; what is held over a hole is one turn."""
    moves = recipe.film.making.look.pan is not None
    turn: Turn | None = None
    before = recipe.before
    for shot in recipe.shots:
        start = 0 if turn is None else turn.end
        if turn is not None and not moves and _stays(turn.shot, shot):
            turn = replace(turn, end=start + shot.pictures)
        else:
            if turn is not None:
                yield turn
            turn = Turn(shot, start, start + shot.pictures, before if shot.fade else None)
        before = shot
    if turn is not None:
        yield turn


def _stays(shot: Shot, next: Shot) -> bool:
    """Whether the next shot looks as this one does."""
    return not next.fade and (shot.frames, shot.gains, shot.days) == (
        *(next.frames, next.gains, next.days),
    )


def blends(recipe: Recipe) -> bool:
    """Whether any picture shows two shots at once."""
    return any(turn.before is not None for turn in turns(recipe))


def mask(seen: float) -> bytes:
    """An I420 picture that says how much is seen of the shot before."""
    return bytes([round(seen * 255)]) * (MASK * MASK * 3 // 2)
