"""From frames to segments: pure, so that it can be tested without ffmpeg or a database.

Time is cut into slots of speed/fps real seconds that begin at multiples of their length since
1970, wherever the film begins, and slots into windows. A slot shows the frame closest to its
moment; a window is a segment. Frames that come late touch only their own window (and those within
``reach``), and films that share windows and settings share segments.

A window's name is the SHA-256 of the film's settings and of its shots as packed here: whatever
changes a pixel is in one of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from vigil.films.model import EPOCH, MICROSECOND, Film, Planned, at_moment, moment_of
from vigil.films.scene import choose, clock, holes
from vigil.films.scene.facts import Facts
from vigil.films.scene.rows import Rows
from vigil.films.segments import encode

GRACE = timedelta(seconds=2)
"""How long after its end a window stays open: frames need a moment from camera to database."""
TAIL_S = 120
"""Real seconds of a window for whose end nobody waits."""
DAY = 86_400_000_000
LONGEST_DAY = 25 * 3_600_000_000
ALWAYS = 2**62
"""Later than every moment."""


Shots = NDArray[np.void]


def window_start(film: Film, moment: int) -> int:
    """Start of the window that a moment is in."""
    window = film.window // MICROSECOND
    return moment // window * window


def card_start(film: Film) -> int:
    """Where the title card stands: before everything else."""
    return moment_of(film.from_at) - film.window // MICROSECOND - 1


def reach(film: Film) -> tuple[int, int]:
    """How far around a window its plan looks, in microseconds: back, and ahead. (A slot looks half
    its length both ways, but the last one of a window still within the window.)"""
    back, ahead = choose.reach(film)
    look, slot = film.making.look, film.slot // MICROSECOND
    if look.colours:
        back, ahead = back + LONGEST_DAY, ahead + LONGEST_DAY
    before, behind = holes.reach(film)
    return back + before, max(0, ahead - slot) + behind


def closes_at(film: Film, start: int) -> datetime:
    """When a window that begins there is over, and what belongs to it has had time to arrive."""
    end = at_moment(start) + film.window + reach(film)[1] * MICROSECOND
    return (end if film.to_at is None else min(end, film.to_at)) + GRACE


def open_since(film: Film, now: datetime) -> int:
    """Start of the earliest window that is not closed."""
    if film.to_at is not None and film.to_at + GRACE <= now:
        return window_start(film, moment_of(film.to_at)) + film.window // MICROSECOND
    return window_start(film, moment_of(now - GRACE) - reach(film)[1])


def has_tail(film: Film) -> bool:
    """Whether a window is shown before it is over: where that takes long, and not where what
    comes after changes it."""
    return film.window_s >= TAIL_S and reach(film)[1] == 0


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


def shots(
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
    return found[found["slot"] * (film.slot // MICROSECOND) >= window_start(film, begin)]


def _before_end(film: Film, rows: Rows) -> Rows:
    """Without what was taken after the film's end: it is complete then, and stays as it is."""
    if film.to_at is None:
        return rows
    return rows[: np.searchsorted(rows["moment"], moment_of(film.to_at))]


def span(film: Film, now: datetime) -> tuple[int, int]:
    """From and up to which moment the film shows frames now: a rolling one whole windows, one
    that grows nothing that may only just be coming in."""
    since = moment_of(film.from_at)
    if film.rolling_s is not None:
        rolled = window_start(film, moment_of(now - timedelta(seconds=film.rolling_s)))
        since = max(since, rolled)
    if film.to_at is not None and film.to_at <= now:
        return since, moment_of(film.to_at)
    return since, moment_of(now - GRACE)


def shown_since(film: Film, now: datetime) -> int:
    """Start of the first segment that a film still has now: the title card's until the film rolls,
    then the window's in which the film begins."""
    since = span(film, now)[0]
    return card_start(film) if since == moment_of(film.from_at) else since


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


def local(film: Film, moment: int) -> datetime:
    """A moment by the clock of the film's first scene."""
    return at_moment(moment).astimezone(ZoneInfo(film.time_zone))


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


@dataclass(frozen=True, slots=True)
class Window:
    """The shots of one segment, and its name."""

    start: int
    shots: Shots
    before: Shots | None
    """The one shot before them, when the first of them blends from it."""
    hash: str
    moments: bytes


def windows(
    film: Film,
    scenes: Sequence[Rows],
    found: Shots,
    since: int = -ALWAYS,
    references: Sequence[bytes] = (),
) -> list[Window]:
    """Cut shots into windows, from the one that begins at ``since`` on, and name them."""
    if not len(found):
        return []
    slot, window = film.slot // MICROSECOND, film.window // MICROSECOND
    starts = found["slot"] * slot // window * window
    begins = np.flatnonzero(np.diff(starts, prepend=np.int64(-ALWAYS)))
    ends = np.append(begins[1:], len(found))
    settings = encode.settings(film) + b"".join(references)
    packed, width = _packed(film, scenes, found)
    earlier = found[np.maximum(begins - 1, 0)]
    earlier["pictures"], earlier["fade"] = 1, 0  # how long it stood is of no account here
    blended, _ = _packed(film, scenes, earlier)
    spread = np.repeat(found["moment"], found["pictures"]).astype(">i8").tobytes()
    at = np.concatenate([[0], np.cumsum(found["pictures"])]) * 8
    made = []
    for number, (begin, end) in enumerate(zip(begins.tolist(), ends.tolist(), strict=True)):
        start = int(starts[begin])
        if start < since:
            continue
        blends = begin > 0 and found["fade"][begin] > 0
        name = hashlib.sha256(settings)
        name.update(packed[begin * width : end * width])
        if blends:
            name.update(blended[number * width : (number + 1) * width])
        made.append(
            Window(
                start=start,
                shots=found[begin:end],
                before=earlier[number : number + 1] if blends else None,
                hash=name.hexdigest(),
                moments=spread[at[begin] : at[end]],
            )
        )
    return made


def _packed(film: Film, scenes: Sequence[Rows], found: Shots) -> tuple[bytes, int]:
    """What of each shot changes a pixel, and how many bytes that is a shot."""
    look, number = film.making.look, len(scenes)
    said = np.zeros(
        len(found),
        [
            ("moment", "<i8"),
            ("pictures", "<i4"),
            ("fade", "<i4"),
            ("hole", "<i8"),
            ("frame", "V32", (number,)),
            ("day", "V32", (number,)),
            ("gain", "<f4", (number,)),
        ],
    )
    if look.stamp is not None or look.pan is not None or look.gaps == "mark":
        said["moment"] = found["moment"]
    for name in ("pictures", "fade", "hole", "gain"):
        said[name] = found[name]
    for scene, rows in enumerate(scenes):
        for field, row in (("frame", found["row"][:, scene]), ("day", found["day"][:, scene])):
            there = row >= 0
            said[field][there, scene] = rows["digest"][row[there]]
    return said.tobytes(), said.dtype.itemsize


def card(film: Film) -> Planned | None:
    """The title card's segment; ``None`` when the film has none."""
    shown = film.making.look.card
    if shown is None:
        return None
    start = card_start(film)
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
    found = shots(film, scenes, facts, *span(film, now), begin)
    made = windows(film, scenes, found, since, references)
    open_from, tail = open_since(film, now), has_tail(film)
    return [
        Planned(start=one.start, hash=one.hash, moments=one.moments, closed=one.start < open_from)
        for one in made
        if one.start < until and (tail or one.start < open_from)
    ]


def titled(film: Film, planned: Sequence[Planned], now: datetime) -> list[Planned]:
    """All that is planned of a film, with its title card: one that was empty at first gets it with
    its first frames; one that rolls loses it."""
    is_beginning = shown_since(film, now) == card_start(film)
    first = card(film) if planned and is_beginning else None
    return list(planned) if first is None else [first, *planned]
