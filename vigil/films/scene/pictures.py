"""Reads the JPEGs of a recipe, some ahead; a neighbour stands in for one that cannot be read."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from vigil.errors import NotFound
from vigil.films.model import FilmFrame, Recipe, Shot
from vigil.storage import Storage

BATCH_BYTES = 512 * 1024
FEWEST, MOST = 2, 16
"""Frames that are fetched from the blob store together: about so many bytes, so many frames. Up to
two such batches are there before the encoder asks for them."""


class Unreadable(NotFound):
    """None of the frames of a segment can be read: they, or the blob store, are gone."""

    permanent = False


class Pictures:
    """The frames of one recipe; use as a context, so that nothing goes on reading after it."""

    def __init__(self, storage: Storage, recipe: Recipe) -> None:
        self._storage = storage
        self._frames = list(dict.fromkeys(_frames(recipe)))
        self._places = {frame: place for place, frame in enumerate(self._frames)}
        self._reading: dict[FilmFrame, tuple[asyncio.Task[list[bytes | None]], int]] = {}
        """What is being fetched or was fetched ahead, and its place in its batch."""
        self._front = 0
        """Place of the first frame that was not fetched yet."""
        self._batch = FEWEST
        self.lost: dict[FilmFrame, FilmFrame] = {}
        """Frames that could not be read, and which one stood in for each."""

    async def __aenter__(self) -> Pictures:
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = {task for task, _ in self._reading.values()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def read(self, frame: FilmFrame) -> bytes:
        """The JPEG of a frame of the recipe, or of the readable one closest to it.

        Raises Unreadable when there is none, Unavailable when the blob store is.
        """
        place = self._places[frame]
        if frame not in self._reading:
            if place < self._front:
                self._fetch([frame])  # once more
            else:
                self._front = place
        while self._front < min(place + self._batch + 1, len(self._frames)):
            ahead = self._frames[self._front : self._front + self._batch]
            self._fetch(ahead)
            self._front += len(ahead)
        batch, number = self._reading.pop(frame)
        data = (await batch)[number]
        if data is not None:
            self._batch = max(FEWEST, min(BATCH_BYTES // max(1, len(data)), MOST))
            return data
        for other in self._around(place):
            (data,) = await self._load([other])
            if data is not None:
                self.lost[frame] = other
                return data
        raise Unreadable("none of its frames can be read", hint="bin/vigil check says why")

    def _fetch(self, frames: Sequence[FilmFrame]) -> None:
        task = asyncio.create_task(self._load(frames))
        self._reading |= {frame: (task, number) for number, frame in enumerate(frames)}

    async def _load(self, frames: Sequence[FilmFrame]) -> list[bytes | None]:
        """``None`` for one whose blob is gone, or differs from what came in."""
        found = await self._storage.get_each([frame.key for frame in frames])
        return [
            data if data is not None and frame.is_whole(data) else None
            for frame, data in zip(frames, found, strict=True)
        ]

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
