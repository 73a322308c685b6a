"""The kind of films that show a recorded game; a moment of such a film is a tick."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec
import numpy as np

from vigil import ffmpeg
from vigil.context import Context
from vigil.films.kinds import Outdated, Plan
from vigil.films.model import Film, Planned, Rendered
from vigil.games import store
from vigil.games.drawing.digest import digest
from vigil.games.drawing.model import Galaxy, Look
from vigil.games.drawing.pictures import pictures
from vigil.games.filming import encode, options, scenery
from vigil.games.filming.options import Chosen
from vigil.games.filming.scenery import Scenery

NAME = "game"
FORMAT = 1
"""Raised when the bytes of a segment change for a reason that nothing else shows."""
NEVER = 2**62
"""Later than every tick."""
LOOK_AGAIN = timedelta(seconds=20)


class GameKind:
    """See ``vigil.films.kinds.Kind``."""

    name = NAME

    async def plan(self, context: Context, film: Film, now: datetime) -> Plan:
        """What the film should have now: a segment for each window of ticks, counted from 0.

        What was planned of ticks before the last one stays as it is.
        """
        chosen = options.chosen(film)
        since = None if film.planned_id == 0 else _window(film, film.planned_id - 1)
        scene = await _load(context, chosen, chosen.from_tick if since is None else since)
        if scene is None:  # what was rendered is all there will ever be
            return Plan(segments=[], since=NEVER, next_at=None)
        version = await asyncio.to_thread(ffmpeg.version)
        planned = await asyncio.to_thread(
            lambda: list(_planned(film, chosen, scene, version, since or 0))
        )
        return Plan(
            segments=planned,
            since=since,
            next_at=None if _complete(chosen, scene) else now + LOOK_AGAIN,
            planned_id=scene.last_tick + 1,
        )

    async def render(self, context: Context, film: Film, planned: Planned) -> Rendered:
        """Render one segment; raises Outdated when it would show something else than planned."""
        chosen = options.chosen(film)
        first, last = planned.first, planned.last
        scene = await _load(context, chosen, first)
        if scene is None:
            raise Outdated
        galaxy, look = scene.galaxy, _look(film, chosen, scene)
        version = await asyncio.to_thread(ffmpeg.version)
        if await asyncio.to_thread(_name, film, galaxy, look, first, last, version) != planned.hash:
            raise Outdated
        shown = _shown(galaxy.span(first, last), look, first, last, _each(chosen))
        return Rendered(data=await encode.segment(film, shown), hash=planned.hash)

    async def has_news(self, context: Context, film: Film) -> bool:
        """Whether there is a tick more than at the last look, or the game has ended."""
        game = await store.get(context.pool, options.chosen(film).game)
        return game is None or not game.open or (game.tick or 0) + 1 != film.planned_id

    def at(self, film: Film, moment: int) -> datetime | None:
        """About when a tick was, had none been late."""
        chosen = options.chosen(film)
        return film.from_at + (moment - chosen.from_tick) * _each(chosen) * film.slot


GAME = GameKind()


def _each(chosen: Chosen) -> int:
    return chosen.wishes.frames_per_tick


async def _load(context: Context, chosen: Chosen, since: int) -> Scenery | None:
    wishes = chosen.wishes
    return await scenery.load(
        context.pool, chosen.game, since=since, legend=wishes.legend, fleets=wishes.fleets
    )


def window_ticks(film: Film) -> int:
    """Ticks of a segment."""
    return max(1, film.window_frames // _each(options.chosen(film)))


def _window(film: Film, tick: int) -> int:
    """First tick of the window that a tick is in."""
    length = window_ticks(film)
    return tick // length * length


def _complete(chosen: Chosen, scene: Scenery) -> bool:
    to_tick = chosen.wishes.to_tick
    return scene.over or (to_tick is not None and to_tick <= scene.last_tick)


def _look(film: Film, chosen: Chosen, scene: Scenery) -> Look:
    return options.look(chosen, film.width, film.height, len(scene.galaxy.players))


def _planned(
    film: Film, chosen: Chosen, scene: Scenery, version: str, since: int
) -> Iterator[Planned]:
    look, over = _look(film, chosen, scene), _complete(chosen, scene)
    last = scene.last_tick
    if chosen.wishes.to_tick is not None:
        last = min(last, chosen.wishes.to_tick)
    length = window_ticks(film)
    for start in range(max(since, _window(film, chosen.from_tick)), last + 1, length):
        ticks = np.arange(max(start, chosen.from_tick), min(start + length - 1, last) + 1)
        begin, end = int(ticks[0]), int(ticks[-1])
        yield Planned(
            start=start,
            hash=_name(film, scene.galaxy, look, begin, end, version),
            moments=ticks.repeat(_each(chosen)).astype(">i8").tobytes(),
            closed=over or end == start + length - 1,
        )


def _name(film: Film, galaxy: Galaxy, look: Look, first: int, last: int, version: str) -> str:
    """The name of a segment: everything that goes in."""
    content = {
        "kind": NAME,
        "format": FORMAT,
        "ffmpeg": version,
        "settings": encode.arguments(film),
        "each": _each(options.chosen(film)),
        "pictures": digest(galaxy, look, first, last).hex(),
    }
    return hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()


def _shown(galaxy: Galaxy, look: Look, first: int, last: int, each: int) -> Iterator[memoryview]:
    """The pictures of ticks, each so many times; whoever asks for one draws it."""
    for picture in pictures(galaxy, look, first, last):
        for _ in range(each):
            yield picture
