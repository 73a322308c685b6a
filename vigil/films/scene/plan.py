"""From frames to segments: pure, so that it can be tested without ffmpeg or a database.

A slot shows the frame closest to its moment. Frames that come late touch only their own window (and
those within ``bounds.reach``), and films that share windows and settings share segments.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from vigil.films.model import Film, Planned
from vigil.films.scene import bounds
from vigil.films.scene.bounds import ALWAYS
from vigil.films.scene.facts import Facts
from vigil.films.scene.rows import Rows
from vigil.films.scene.shots import take_shots
from vigil.films.scene.windows import cut_windows
from vigil.films.segments import encode


def card(film: Film) -> Planned | None:
    """The title card's segment; ``None`` when the film has none."""
    shown = film.making.look.card
    if shown is None:
        return None
    start = bounds.card_start(film)
    pictures = max(1, round(shown.seconds * film.fps))
    name = hashlib.sha256(encode.settings(film, card=True)).hexdigest()
    moments = start.to_bytes(8, "big", signed=True) * pictures
    return Planned(start=start, hash=name, moments=moments, closed=True)


def part(
    film: Film,
    scenes: Sequence[Rows],
    facts: Sequence[Facts],
    now: datetime,
    since: int = -ALWAYS,
    until: int = ALWAYS,
    references: Sequence[bytes] = (),
    shown: int | None = None,
) -> list[Planned]:
    """The segments that the film should have in a part of its time, of these frames, in order.

    Args:
        film: says range, windows, slots and how it looks.
        scenes: for each scene all frames within ``reach`` of the windows in question, and of the
            one that is shown before them; by moment.
        facts: for each scene what choosing needs beside them.
        now: what is not over by then is planned as it is, and not closed.
        since: only windows that begin here or later
        until: and before this.
        references: digest of each scene's reference frame.
        shown: start of the window that is shown before them, if any.
    """
    begin = since if shown is None else shown
    found = take_shots(film, scenes, facts, *bounds.span(film, now), begin)
    made = cut_windows(film, scenes, found, since, references)
    open_from, tail = bounds.open_since(film, now), bounds.has_tail(film)
    return [
        Planned(start=one.start, hash=one.hash, moments=one.moments, closed=one.start < open_from)
        for one in made
        if one.start < until and (tail or one.start < open_from)
    ]


def titled(film: Film, planned: Sequence[Planned], now: datetime) -> list[Planned]:
    """All that is planned of a film, with its title card: one that was empty at first gets it with
    its first frames; one that rolls loses it."""
    is_beginning = bounds.shown_since(film, now) == bounds.card_start(film)
    first = card(film) if planned and is_beginning else None
    return list(planned) if first is None else [first, *planned]
