"""Reads the JPEGs of a recipe, some ahead; a neighbour stands in for one that cannot be read."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from vigil.errors import NotFound
from vigil.films.model import FilmFrame, Recipe, Shot
from vigil.storage import Storage

READ_AHEAD = 4
"""Frames fetched from the blob store before the encoder asks for them."""


class Unreadable(NotFound):
    """None of the frames of a segment can be read: they, or the blob store, are gone."""

    permanent = False


class Pictures:
    """The frames of one recipe; use as a context, so that nothing goes on reading after it."""

    def __init__(self, storage: Storage, recipe: Recipe) -> None:
        self._storage = storage
        self._frames = list(dict.fromkeys(_frames(recipe)))
        self._places = {frame: place for place, frame in enumerate(self._frames)}
        self._reading: dict[FilmFrame, asyncio.Task[bytes | None]] = {}
        self._front = 0
        self.lost: dict[FilmFrame, FilmFrame] = {}
        """Frames that could not be read, and which one stood in for each."""

    async def __aenter__(self) -> Pictures:
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._reading.values():
            task.cancel()
        await asyncio.gather(*self._reading.values(), return_exceptions=True)

    async def read(self, frame: FilmFrame) -> bytes:
        """The JPEG of a frame of the recipe, or of the readable one closest to it.

        Raises Unreadable when there is none, Unavailable when the blob store is.
        """
        place = self._places[frame]
        self._begin(frame)
        for ahead in self._frames[max(place, self._front) : place + READ_AHEAD]:
            self._begin(ahead)
        self._front = max(self._front, place + READ_AHEAD)
        data = await self._reading.pop(frame)
        if data is not None:
            return data
        for other in self._around(place):
            data = await self._load(other)
            if data is not None:
                self.lost[frame] = other
                return data
        raise Unreadable("none of its frames can be read", hint="bin/vigil check says why")

    def _begin(self, frame: FilmFrame) -> None:
        if frame not in self._reading:
            self._reading[frame] = asyncio.create_task(self._load(frame))

    async def _load(self, frame: FilmFrame) -> bytes | None:
        """``None`` for one whose blob is gone, or differs from what came in."""
        try:
            data = await self._storage.get(frame.key)
        except NotFound:
            return None
        return data if frame.is_whole(data) else None

    def _around(self, place: int) -> Iterator[FilmFrame]:
        for distance in range(1, len(self._frames)):
            for other in (place - distance, place + distance):
                if 0 <= other < len(self._frames):
                    yield self._frames[other]


def _frames(recipe: Recipe) -> Iterator[FilmFrame]:
    """Every frame of a recipe, in the order in which it is likely asked for."""
    before: tuple[Shot, ...] = () if recipe.before is None else (recipe.before,)
    for shot in (*before, *recipe.shots):
        yield from (frame for frame in (*shot.frames, *shot.days) if frame is not None)
    yield from (frame for frame in recipe.references if frame is not None)
