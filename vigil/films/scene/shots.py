"""What a film shows: one frame a slot, how bright, what blends, what stands in holes; pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from vigil.films.model import EPOCH, MICROSECOND, Film, moment_of
from vigil.films.scene import bounds, choose, clock, holes
from vigil.films.scene.bounds import ALWAYS, DAY
from vigil.films.scene.facts import Facts
from vigil.films.scene.rows import Rows

Shots = NDArray[np.void]


def shot_type(scenes: int) -> np.dtype[Any]:
    """A shot of so many scenes: what each shows (row; -1 nothing), and how."""
    return np.dtype(
        [
            ("moment", "<i8"),
            ("slot", "<i8"),
            ("pictures", "<i4"),
            ("fade", "<i4"),
            ("hole", "<i8"),  # a hole is marked here: moment of the shot before it; else 0
            ("row", "<i8", (scenes,)),
            ("day", "<i8", (scenes,)),  # row of the frame that stands for the day; -1: none
            ("gain", "<f4", (scenes,)),
        ]
    )


def take_shots(
    film: Film,
    scenes: Sequence[Rows],
    facts: Sequence[Facts],
    since: int = -ALWAYS,
    until: int = ALWAYS,
    begin: int = -ALWAYS,
) -> Shots:
    """What the film shows of these frames, in order.

    Args:
        film: says range, slots and how it looks.
        scenes: for each scene the rows of its frames by moment, without holes of their own.
        facts: for each scene what choosing needs beside them.
        since: nothing is shown of what was taken before,
        until: nor from then on; the film's own range holds, too.
        begin: windows that begin before are left out: frames that decide about them are not here.
    """
    slot = film.slot // MICROSECOND
    since = max(since, moment_of(film.from_at))
    until = min(until, ALWAYS if film.to_at is None else moment_of(film.to_at))
    scenes = [_before_end(film, rows) for rows in scenes]
    chosen = [choose.choose(rows, film, fact) for rows, fact in zip(scenes, facts, strict=True)]
    each = film.making.choice.every or film.making.choice.daily is not None
    numbers, places = [], []
    for rows, indexes in zip(scenes, chosen, strict=True):
        moments = rows["moment"][indexes]
        first, last = np.searchsorted(moments, [since if each else -ALWAYS, until])
        moments, indexes = moments[first:last], indexes[first:last]
        if each:
            number, place = moments // slot, np.arange(len(moments))
        else:
            number, place = choose.slots(moments, slot, since, until)
        numbers.append(number)
        places.append(indexes[place])
    found = _together(film, scenes, numbers, places, slot)
    if not len(found):
        return found
    look = film.making.look
    if look.deflicker:
        for scene, rows in enumerate(scenes):
            found["gain"][:, scene] = _gains(film, rows, found, scene, look.deflicker)
    if look.colours:
        for scene, rows in enumerate(scenes):
            found["day"][:, scene] = _days(film, rows, found["row"][:, scene])
    found = _from_window(film, found, begin - holes.reach(film)[0])
    found = _from_window(film, holes.fill(film, scenes, found, until), begin)
    if look.fade is not None and len(found):
        _blend(film, found)
    return found


def _from_window(film: Film, found: Shots, begin: int) -> Shots:
    """Without the shots in windows that begin before a moment."""
    slot = -(-bounds.window_start(film, begin) // (film.slot // MICROSECOND))
    return found[np.searchsorted(found["slot"], slot) :]


def _before_end(film: Film, rows: Rows) -> Rows:
    """Without what was taken after the film's end: it is complete then, and stays as it is."""
    if film.to_at is None:
        return rows
    return rows[: np.searchsorted(rows["moment"], moment_of(film.to_at))]


def _together(
    film: Film,
    scenes: Sequence[Rows],
    numbers: Sequence[NDArray[np.int64]],
    places: Sequence[NDArray[np.intp]],
    slot: int,
) -> Shots:
    """The shots of one scene, or of several on one axis of time.

    A scene that has nothing in a slot goes on showing what it showed, as long as a hole is not
    a hole yet; then its place is black.
    """
    if len(scenes) == 1:
        found = np.zeros(len(places[0]), shot_type(1))
        found["slot"] = numbers[0]
        found["row"][:, 0] = places[0]
        found["moment"] = scenes[0]["moment"][places[0]]
    else:
        every = np.unique(np.concatenate(numbers))
        found = np.zeros(len(every), shot_type(len(scenes)))
        found["slot"] = every
        found["moment"] = every * slot
        patience = holes.longest(film) // slot
        for scene, (number, place) in enumerate(zip(numbers, places, strict=True)):
            last = np.searchsorted(number, every, side="right") - 1
            known = last >= 0
            found["row"][:, scene] = -1
            if len(number):
                fresh = known & (every - number[np.maximum(last, 0)] < patience)
                found["row"][fresh, scene] = place[last[fresh]]
    found["pictures"] = 1
    found["gain"] = 1
    found["day"] = -1
    return found


def _blend(film: Film, found: Shots) -> None:
    """Cross-fade between frames, or between the last of a day and the first of the next."""
    fade = film.making.look.fade
    assert fade is not None  # noqa: S101 - asked for
    begins = np.ones(len(found), bool)
    if fade.between == "days":
        begins[1:] = np.diff(days_of(found["moment"], film.time_zone)) != 0
    begins &= found["hole"] == 0
    begins[0] = False
    found["fade"][begins] = fade.pictures
    found["pictures"][begins] = fade.hold + fade.pictures
    if fade.between == "frames" and found["hole"][0] == 0:
        found["pictures"][0] = fade.hold


def _gains(film: Film, rows: Rows, found: Shots, scene: int, window: int) -> NDArray[np.float32]:
    """Deflicker: brightness is evened out, never over a hole."""
    row = found["row"][:, scene]
    luma = np.where(row >= 0, rows["luma"][np.maximum(row, 0)], np.nan)
    return choose.gains(luma, window, choose.steps(found["moment"], film))


def days_of(moments: NDArray[np.int64], time_zone: str) -> NDArray[np.int64]:
    """Number of the local day that each moment is in."""
    return clock.local(moments, ZoneInfo(time_zone)) // DAY


def _days(film: Film, rows: Rows, row: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each shot the row, among those shown, that is closest to noon of its day."""
    shown = np.flatnonzero(row >= 0)
    found = np.full(len(row), -1, np.int64)
    if not len(shown):
        return found
    moments = rows["moment"][row[shown]]
    day = days_of(moments, film.time_zone)
    zone = ZoneInfo(film.time_zone)
    names, begins = np.unique(day, return_index=True)
    ends = np.append(begins[1:], len(day))
    for name, begin, end in zip(names, begins, ends, strict=True):
        date = (EPOCH + timedelta(days=int(name))).date()
        noon = moment_of(datetime(date.year, date.month, date.day, 12, tzinfo=zone))
        best = begin + int(np.argmin(np.abs(moments[begin:end] - noon)))
        found[shown[begin:end]] = row[shown[best]]
    return found
