"""The length that was asked for: a film's plan says how long it comes out, and the pace follows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import db_utils
from vigil.films.asking import checking, completing, pace, planning
from vigil.films.asking.model import Place, Span
from vigil.films.asking.orders import Order
from vigil.films.asking.pace import Pace
from vigil.films.asking.planning import Material
from vigil.films.asking.words import Wrong
from vigil.films.model import NewFilm

ROUNDS = 4
CLOSE = 0.02
"""A film that differs from its length by no more is as long as was asked for."""


async def fitted(
    db: db_utils.Pool,
    order: Order,
    places: Sequence[Place],
    span: Span,
    new: NewFilm,
    found: Pace,
    interval_s: float,
    now: datetime,
) -> tuple[NewFilm, Pace, Material]:
    """A film of a past range, as long as was asked for as far as its frames go.

    Raises Wrong when nothing goes in, or when it is too long for its format.
    """
    wanted = order.fps or pace.DEFAULT_FPS
    card_s = order.look.card.seconds if order.look.card else 0.0
    have: Material | None = None
    best: tuple[float, NewFilm, Pace, float] | None = None
    for _ in range(ROUNDS):
        film = planning.imagined(new, places, now)
        have = await planning.material(db, film, now, have)
        pictures = await planning.pictures(film, have, now)
        if pictures == 0 and not found.every:  # all lie where no slot of this length is
            found = pace.each(found, interval_s)
            new = completing.with_pace(new, found)
            continue
        if pictures == 0:
            raise Wrong(
                "from",
                'and "to" hold frames, but none that goes in',
                hint="choose fewer limits: tags, hours, days, the sun, what is skipped",
            )
        if order.fps is None and found.fixed and found.length_s is None:
            found = pace.unhurried(found, pictures)
            new = completing.with_pace(new, found)
        seconds = pictures / new.fps
        off = abs(seconds / found.length_s - 1) if found.length_s else 0.0
        if best is None or off < best[0]:
            best = (off, new, found, seconds)
        if off <= CLOSE:
            break
        found = pace.nearer(found, pictures, wanted, interval_s)
        new = completing.with_pace(new, found)
    assert best is not None  # noqa: S101 - there is a round that did not go on
    assert have is not None  # noqa: S101 - the same
    off, new, found, seconds = best
    if off > CLOSE and found.length_s and not any("lasts" in note for note in found.notes):
        why = ": there are no more frames" if seconds < found.length_s else ""
        told = f"it lasts {seconds + card_s:.3g} s instead of {found.length_s + card_s:g}{why}"
        found = pace.noted(found, told)
    checking.check_short(order, span, seconds + card_s)
    return new, found, have
