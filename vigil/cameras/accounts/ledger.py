"""Holes between frames, and what explains them. No input or output; microseconds since 1970.

Frames need not come exactly when they are due: what counts is how far two are apart. Between them
as many are missing as moments lie between the places they have in the plan, rounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from vigil.cameras.accounts.model import Span
from vigil.cameras.plan import Schedule

Stretch = tuple[int, int]
"""From the first missed moment to the end of the last one's share, not included."""
Piece = tuple[int, int, str, str]
"""From, to, reason, detail."""

NEUTRAL = "watching"
_WEIGHTS = {"disk_full": 5, "refused": 4, "network": 3, "source": 2, "unchanged": 1, NEUTRAL: 0}
SILENT = "no picture came"
AWAY = "nobody was watching"


def missed(schedule: Schedule, before: int, after: int) -> Stretch | None:
    """What is missing between two frames, or between a frame and now."""
    if after - before <= schedule.close_us:
        return None
    first, phase_before = _place(schedule, before)
    _, phase_after = _place(schedule, after)
    number = schedule.count(first + 1, after + 1)
    number = min(number, round(number + phase_after - phase_before) - 1)
    if number <= 0:
        return None
    return _stretch(schedule, first + 1, after + 1, number)


def _place(schedule: Schedule, moment: int) -> tuple[int, float]:
    """The last due moment until then, and how much of its share has passed."""
    found = schedule.last_until(moment)
    if found is None:
        return moment, 0.0
    last, step = found
    return last, min(1.0, (moment - last) / step)


def _stretch(schedule: Schedule, from_us: int, to_us: int, number: int) -> Stretch | None:
    """The first so many moments in [from, to)."""
    first, left = None, number
    for moments in schedule.ranges(from_us, to_us):
        if first is None:
            first = moments[0]
        if left <= len(moments):
            return first, moments[left - 1] + moments.step
        left -= len(moments)
    return None


def last_in(schedule: Schedule, stretch: Stretch) -> int:
    """The last moment of a stretch."""
    found = schedule.last_until(stretch[1] - 1)
    return found[0] if found else stretch[0]


def cut(
    schedule: Schedule, stretch: Stretch, taken: Sequence[int], *, is_open: bool
) -> list[Stretch]:
    """What of a stretch is still missing when these frames, in order, lie in and around it.

    ``is_open``: nothing came after the stretch so far.
    """
    from_us, to_us = stretch
    earlier = schedule.last_until(from_us - 1)
    points = [moment for moment in taken if moment < from_us][-1:]
    points = points or [earlier[0] if earlier else from_us - 1]
    points += [moment for moment in taken if moment >= from_us]
    if is_open:
        end = None
    elif points[-1] < to_us:
        end = schedule.next_after(last_in(schedule, stretch))
    else:
        end = None
    found = []
    for before, after in zip(points, [*points[1:], end], strict=True):
        if after is not None:
            hole = missed(schedule, before, after)
        elif is_open and before < to_us:
            rest = schedule.count(_place(schedule, before)[0] + 1, to_us)
            hole = _stretch(schedule, _place(schedule, before)[0] + 1, to_us, rest)
        else:
            hole = None
        if hole is not None:
            hole = max(hole[0], from_us), min(hole[1], to_us)
            if hole[0] < hole[1] and schedule.count(*hole):
                found.append(hole)
    return found


def explain(spans: Iterable[Span], stretch: Stretch, before: tuple[str, str] | None) -> list[Piece]:
    """Why frames of a stretch are missing, piece by piece.

    A time in which a camera was watched and nothing is known of a failure is explained by what
    came next, else by what was ``before``: a failure shows a little after it has begun.
    """
    known: list[Piece | None] = []
    for from_us, to_us, state, detail in _strongest(spans, stretch):
        found = None if state == NEUTRAL else (from_us, to_us, state, detail)
        known.append(found or (from_us, to_us, "", ""))
    pieces: list[Piece] = []
    for number, piece in enumerate(known):
        assert piece is not None  # noqa: S101 - for mypy
        from_us, to_us, reason, detail = piece
        if not reason:
            following = next((p for p in known[number + 1 :] if p and p[2]), None)
            earlier = pieces[-1][2:] if pieces else before
            reason, detail = following[2:] if following else earlier or ("source", SILENT)
        if pieces and pieces[-1][2] == reason and pieces[-1][1] == from_us:
            pieces[-1] = (pieces[-1][0], to_us, reason, detail or pieces[-1][3])
        else:
            pieces.append((from_us, to_us, reason, detail))
    return pieces


def _strongest(spans: Iterable[Span], stretch: Stretch) -> Iterator[Piece]:
    """The stretch in parts, each with the heaviest state that covers it."""
    from_us, to_us = stretch
    inside = [span for span in spans if span.from_us < to_us and span.to_us > from_us]
    marks = {from_us, to_us}
    for span in inside:
        marks |= {max(from_us, span.from_us), min(to_us, span.to_us)}
    edges = sorted(marks)
    inside.sort(key=lambda span: span.from_us)
    active: list[Span] = []
    waiting = iter(inside)
    upcoming = next(waiting, None)
    for start, end in zip(edges, edges[1:], strict=False):  # noqa: RUF007 - reads as it is
        while upcoming is not None and upcoming.from_us <= start:
            active.append(upcoming)
            upcoming = next(waiting, None)
        active = [span for span in active if span.to_us > start]
        if active:
            best = max(active, key=lambda span: _WEIGHTS[span.state])
            yield start, end, best.state, best.detail
        else:
            yield start, end, "down", AWAY
