"""What ffmpeg is fed with: the frames of a recipe, as they are or as pixels, each at its time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Protocol

from vigil.films.looks import jpegs, matroska, timeline
from vigil.films.looks.cells import Cell
from vigil.films.looks.jpegs import Make, Mixed
from vigil.films.looks.matroska import Track
from vigil.films.model import FilmFrame, Recipe, Shot

Read = Callable[[FilmFrame], Awaitable[bytes]]


def scenes(recipe: Recipe) -> int:
    """How many scenes are seen at once."""
    if recipe.film.making.look.layout == "single" or not recipe.shots:
        return 1
    return len(recipe.shots[0].frames)


def needs_pixels(recipe: Recipe) -> bool:
    """Whether the look needs more than ffmpeg can do with numbers."""
    look = recipe.film.making.look
    return bool(recipe.shots) and (
        look.pan is not None or (bool(recipe.references) and (look.stabilise or look.colours))
    )


def feed(recipe: Recipe, read: Read, cells: Sequence[Cell], *, raw: bool) -> AsyncIterator[bytes]:
    """Tracks as ``graph`` expects them; raises Mixed for frames that only go as pixels."""
    if not raw:
        return _feed(recipe, Plain(recipe, read), len(cells))
    from vigil.films.looks.drawing import Drawn  # brings Pillow, which few films need

    return _feed(recipe, Drawn(recipe, read, cells), len(cells))


async def _feed(recipe: Recipe, source: Source, scenes: int) -> AsyncIterator[bytes]:
    if not recipe.shots:  # the card stands on black
        yield matroska.header([Track(jpegs.SMALL.width, jpegs.SMALL.height)])
        for picture in range(0, recipe.pictures, timeline.LONGEST):
            yield _block(0, picture, jpegs.black(jpegs.SMALL))
        return
    blends = timeline.blends(recipe)
    tracks = await source.tracks()
    if blends:
        tracks = [*tracks, *tracks, Track(timeline.MASK, timeline.MASK, raw=True)]
    yield matroska.header(tracks)
    previous: list[bytes] = []
    for turn in timeline.turns(recipe):
        now = [await source.shown(turn.shot, place) for place in range(scenes)]
        seen = [*now]
        if blends:
            if turn.before is None:
                previous = now  # something is there, and not seen
            elif not previous:
                previous = [await source.shown(turn.before, place) for place in range(scenes)]
            seen += previous
        for part in turn.parts:
            for track, data in enumerate(seen):
                yield _block(track, part[0], data)
            for picture in part if blends else ():
                yield _block(len(seen), picture, timeline.mask(turn.seen(picture)))
        previous = now


def _block(track: int, picture: int, data: bytes) -> bytes:
    return matroska.block(track, picture, len(data)) + data


class Source(Protocol):
    """Where the pictures of a track come from."""

    async def tracks(self) -> list[Track]:
        """One for each scene."""

    async def shown(self, shot: Shot, place: int) -> bytes:
        """What a scene shows in a shot."""


class Plain:
    """Frames as they are."""

    def __init__(self, recipe: Recipe, read: Read) -> None:
        self._recipe, self._read = recipe, read
        self._makes: list[Make] = []

    async def tracks(self) -> list[Track]:
        """See ``Source``."""
        for place in range(scenes(self._recipe)):
            shots = (*self._recipe.shots, *filter(None, (self._recipe.before,)))
            frames = (shot.frames[place] for shot in shots)
            first = next((frame for frame in frames if frame is not None), None)
            make = jpegs.SMALL if first is None else jpegs.make_of(await self._read(first))
            self._makes.append(make)
        return [Track(make.width, make.height) for make in self._makes]

    async def shown(self, shot: Shot, place: int) -> bytes:
        """See ``Source``."""
        frame = shot.frames[place]
        if frame is None:
            return jpegs.black(self._makes[place])
        data = await self._read(frame)
        if jpegs.make_of(data) != self._makes[place]:
            raise Mixed("frames of different make")
        return data
