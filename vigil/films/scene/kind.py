"""The kind of films that show the frames of one scene, or of several at once."""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

from vigil.context import Context
from vigil.films.kinds import Outdated, Plan
from vigil.films.model import (
    MICROSECOND,
    Film,
    FilmFrame,
    Planned,
    Recipe,
    Rendered,
    Shot,
    at_moment,
    moment_of,
)
from vigil.films.scene import bounds, facts, plan, store
from vigil.films.scene.bounds import ALWAYS
from vigil.films.scene.pictures import Pictures
from vigil.films.scene.rows import Rows
from vigil.films.scene.shots import Shots, take_shots
from vigil.films.scene.windows import Window, cut_windows
from vigil.films.segments import encode
from vigil.films.segments import store as segments

SETTLED = timedelta(seconds=60)
"""A frame older than this is in the database for all to see, whatever came before it."""
FOREVER = datetime(9999, 1, 1, tzinfo=UTC)
TAIL_S = (30.0, 3600.0)
"""Least and most real seconds between two looks at a window that is not over."""
TAILS = 8
"""Looks at a long window before it is over."""
APART = 4
"""A part of a plan is so many times as long as what around it has to be looked at, at least."""
AHEAD = 2
"""Parts that are read before they are planned."""


class SceneKind:
    """See ``vigil.films.kinds.Kind``."""

    name = "scene"

    async def plan(self, context: Context, film: Film, now: datetime) -> Plan:
        """What the film should have now."""
        over = film.to_at is not None and film.to_at + bounds.GRACE <= now
        begin = bounds.open_since(film, now)
        planned_id = await store.planned_up_to(context.pool, film, at_moment(begin), now - SETTLED)
        oldest = await store.oldest(context.pool, film.scenes)
        if oldest is None:  # what was rendered is all there will ever be
            frozen = ALWAYS
        else:
            kept = now - timedelta(seconds=film.retention_s or 0)
            frozen = moment_of(max(oldest, kept) if film.retention_s else oldest)
        since = None if film.planned_id == 0 else await self._since(context, film, begin)
        planned = await self._planned(context, film, now, since)
        ended = over or (film.to_at is None and film.retention_s is None)
        return Plan(
            segments=planned,
            since=since,
            frozen=frozen,
            next_at=None if ended else _next_look(film, begin, now, planned),
            planned_id=planned_id,
        )

    async def render(self, context: Context, film: Film, planned: Planned) -> Rendered:
        """Render one segment; raises Outdated when its frames are others than planned."""
        recipe = await self._recipe(context, film, planned)
        async with Pictures(context.storage, recipe) as pictures:
            data = await encode.segment(recipe, pictures.read)
        lost = pictures.lost
        if not lost:
            return Rendered(data=data, hash=planned.hash)
        name = hashlib.sha256(bytes.fromhex(planned.hash))
        for frame, other in sorted(lost.items(), key=lambda pair: pair[0].moment):
            name.update(frame.digest + other.digest)
        return Rendered(data=data, hash=name.hexdigest(), lost=len(lost))

    async def has_news(self, context: Context, film: Film) -> bool:
        """Whether frames came, or a window that was planned before its end may be over."""
        return film.retention_s is None or await store.has_news(context.pool, film)

    def at(self, film: Film, moment: int) -> datetime | None:
        """The time of a moment."""
        return at_moment(moment)

    async def _since(self, context: Context, film: Film, begin: int) -> int:
        """The earliest window that another plan than the last one may give."""
        moment = await store.touched(context.pool, film)
        first = begin if moment is None else min(begin, moment - bounds.reach(film)[1])
        opened = await store.first_open(context.pool, film.id)
        return bounds.window_start(film, first if opened is None else min(first, opened))

    async def _planned(
        self, context: Context, film: Film, now: datetime, since: int | None
    ) -> list[Planned]:
        """Plan part after part: memory hardly grows with the film's length, and what comes next is
        read meanwhile."""
        references = await store.references(context.pool, film)
        digests = [b"" if one is None else one.digest for one in references]
        known = [await facts.load(context.pool, scene) for scene in film.scenes]
        first = -ALWAYS if since is None else since
        edges = [first, *await self._borders(context, film, now, first), ALWAYS]
        shown = None if since is None else await segments.before(context.pool, film.id, since)
        window = film.window // MICROSECOND
        parts = list(pairwise(edges))
        ahead = iter(parts)
        reading: deque[asyncio.Task[list[Rows]]] = deque()

        def read() -> None:
            for begin, end in islice(ahead, 1):
                before = shown if begin == first else begin - window
                rows = self._rows(context, film, begin, before, end)
                reading.append(asyncio.create_task(rows))

        found: list[Planned] = []
        try:
            for _ in range(AHEAD):
                read()
            for begin, end in parts:
                scenes = await reading.popleft()
                read()
                shown = found[-1].start if found else shown
                if begin != first and shown is not None and shown < begin - window:
                    # There is a hole: what is shown before it is farther than was expected.
                    scenes = await self._rows(context, film, begin, shown, end)
                found += await asyncio.to_thread(
                    plan.part, film, scenes, known, now, begin, end, digests, shown
                )
        finally:
            for task in reading:
                task.cancel()
            await asyncio.gather(*reading, return_exceptions=True)
        return plan.titled(film, found, now)

    async def _borders(self, context: Context, film: Film, now: datetime, since: int) -> list[int]:
        """Windows at which one part of a film's plan ends and the next begins."""
        back, ahead = bounds.reach(film)
        first, last = bounds.span(film, now)
        first = max(first, since)
        found: list[int] = []
        for edge in await store.borders(context.pool, film.scenes, first, last):
            border = bounds.window_start(film, edge)
            before = found[-1] if found else first
            if border - before > APART * (back + ahead):
                found.append(border)
        return found

    async def _rows(
        self, context: Context, film: Film, since: int, shown: int | None, until: int
    ) -> list[Rows]:
        """All frames of the film's scenes that a plan of windows from and to there looks at, when
        the window that is shown before them begins at ``shown``."""
        back, ahead = bounds.reach(film)
        low, high = moment_of(film.from_at) - back, ALWAYS
        if film.rolling_s is not None:
            low = bounds.span(film, context.clock.now())[0] - back
        if film.to_at is not None:
            high = moment_of(film.to_at)
        low = max(low, (since if shown is None else shown) - back)
        high = min(high, until if until == ALWAYS else until + ahead)
        begin, end = at_moment(low), FOREVER if high >= ALWAYS else at_moment(high)
        return [await store.frames(context.pool, scene, begin, end) for scene in film.scenes]

    async def _recipe(self, context: Context, film: Film, planned: Planned) -> Recipe:
        if planned.start < bounds.window_start(film, moment_of(film.from_at)):
            return Recipe(film=film, shots=())  # the title card
        until = planned.start + film.window // MICROSECOND if planned.closed else planned.last + 1
        shown = await segments.before(context.pool, film.id, planned.start)
        scenes = await self._rows(context, film, planned.start, shown, until)
        known = [await facts.load(context.pool, scene) for scene in film.scenes]
        references = await store.references(context.pool, film)
        digests = [b"" if one is None else one.digest for one in references]

        def again() -> Window | None:
            last = ALWAYS if planned.closed else until
            begin = planned.start if shown is None else shown
            found = take_shots(film, scenes, known, until=last, begin=begin)
            made = cut_windows(film, scenes, found, planned.start, digests)
            return next((one for one in made if one.start == planned.start), None)

        window = await asyncio.to_thread(again)
        if window is None or window.hash != planned.hash:
            raise Outdated
        every = [window.shots] if window.before is None else [window.before, window.shots]
        frames = await store.shown(context.pool, ids(scenes, every))
        return Recipe(
            film=film,
            shots=shots_of(film, scenes, window.shots, frames),
            before=None
            if window.before is None
            else shots_of(film, scenes, window.before, frames)[0],
            references=tuple(references),
        )


def _next_look(film: Film, begin: int, now: datetime, planned: Sequence[Planned]) -> datetime:
    """When the earliest open window closes, or before that when it is long and has a tail."""
    closes = bounds.closes_at(film, max(begin, bounds.window_start(film, moment_of(film.from_at))))
    if not bounds.has_tail(film):
        return closes
    least, most = TAIL_S
    return min(closes, now + timedelta(seconds=min(most, max(least, film.window_s / TAILS))))


def ids(scenes: Sequence[Rows], every: Iterable[Shots]) -> list[int]:
    """Ids of all frames that some shots show."""
    found: set[int] = set()
    for shots in every:
        for field in ("row", "day"):
            for scene, rows in enumerate(scenes):
                row = shots[field][:, scene]
                found.update(rows["id"][row[row >= 0]].tolist())
    return sorted(found)


def shots_of(
    film: Film, scenes: Sequence[Rows], shots: Shots, frames: dict[int, FilmFrame]
) -> tuple[Shot, ...]:
    """Shots of rows as shots of frames; raises Outdated when one of them is gone meanwhile."""

    def frame(scene: int, row: int) -> FilmFrame | None:
        if row < 0:
            return None
        found = frames.get(int(scenes[scene]["id"][row]))
        if found is None:
            raise Outdated
        return found

    look = film.making.look
    return tuple(
        Shot(
            frames=tuple(frame(*pair) for pair in enumerate(shot["row"].tolist())),
            moment=int(shot["moment"]),
            pictures=int(shot["pictures"]),
            fade=int(shot["fade"]),
            gains=tuple(shot["gain"].tolist()) if look.deflicker else (),
            days=tuple(frame(*pair) for pair in enumerate(shot["day"].tolist()))
            if look.colours
            else (),
            mark=_mark(film, int(shot["hole"]), next) if shot["hole"] else "",
        )
        for shot, next in zip(shots, [*shots["moment"][1:].tolist(), 0], strict=True)
    )


def _mark(film: Film, last: int, next: int) -> str:
    """What is written over the picture before a hole that is marked."""
    since, until = (bounds.local(film, moment) for moment in (last, next))
    end = f"{until:%H:%M}" if since.date() == until.date() else f"{until:%Y-%m-%d %H:%M}"
    return f"no pictures from {since:%Y-%m-%d %H:%M} to {end}"


SCENE = SceneKind()
