"""What ffmpeg is fed with: the frames of a recipe, as they are or as pixels, each at its time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from vigil.cameras.pictures.shape import BadPicture
from vigil.films.looks import jpegs, matroska, measures, pixels, timeline
from vigil.films.looks.cells import Cell
from vigil.films.looks.jpegs import Make, Mixed
from vigil.films.looks.matroska import Track
from vigil.films.looks.measures import Tone
from vigil.films.looks.pixels import WHOLE, View
from vigil.films.model import Film, FilmFrame, Recipe, Shot, moment_of

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
    source: _Source = _Pixels(recipe, read, cells) if raw else _Plain(recipe, read)
    return _feed(recipe, source, len(cells))


async def _feed(recipe: Recipe, source: _Source, scenes: int) -> AsyncIterator[bytes]:
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


class _Source:
    """Where the pictures of a track come from."""

    async def tracks(self) -> list[Track]:
        """One for each scene."""
        raise NotImplementedError

    async def shown(self, shot: Shot, place: int) -> bytes:
        """What a scene shows in a shot."""
        raise NotImplementedError


class _Plain(_Source):
    """Frames as they are."""

    def __init__(self, recipe: Recipe, read: Read) -> None:
        self._recipe, self._read = recipe, read
        self._makes: list[Make] = []

    async def tracks(self) -> list[Track]:
        for place in range(scenes(self._recipe)):
            shots = (*self._recipe.shots, *filter(None, (self._recipe.before,)))
            frames = (shot.frames[place] for shot in shots)
            first = next((frame for frame in frames if frame is not None), None)
            make = jpegs.SMALL if first is None else jpegs.make_of(await self._read(first))
            self._makes.append(make)
        return [Track(make.width, make.height) for make in self._makes]

    async def shown(self, shot: Shot, place: int) -> bytes:
        frame = shot.frames[place]
        if frame is None:
            return jpegs.black(self._makes[place])
        data = await self._read(frame)
        if jpegs.make_of(data) != self._makes[place]:
            raise Mixed("frames of different make")
        return data


class _Pixels(_Source):
    """Frames turned, cut out, shifted and coloured here."""

    def __init__(self, recipe: Recipe, read: Read, cells: Sequence[Cell]) -> None:
        self._film, self._recipe, self._read, self._cells = recipe.film, recipe, read, cells
        self._views: dict[int, measures.Reference | None] = {}
        self._tones: dict[tuple[int, bytes], Tone | None] = {}

    async def tracks(self) -> list[Track]:
        return [Track(cell.width, cell.height, raw=True) for cell in self._cells]

    async def shown(self, shot: Shot, place: int) -> bytes:
        cell, frame = self._cells[place], shot.frames[place]
        data = None if frame is None else await self._read(frame)
        shift, tone = (0.0, 0.0), None
        look = self._film.making.look
        if data is not None and self._recipe.references:
            if look.stabilise:
                shift = await self._shift(data, place)
            if look.colours:
                tone = await self._tone(shot, place)
        view = self._view(shot, place, shift, tone)
        return await asyncio.to_thread(pixels.shown, data, view, (cell.width, cell.height))

    def _view(self, shot: Shot, place: int, shift: tuple[float, float], tone: Tone | None) -> View:
        look = self._film.making.look
        bounds = pixels.unturned(look.crop or WHOLE, look.rotate)
        if look.stabilise and self._recipe.references:
            inset = pixels.INSET
            bounds = pixels.within(bounds, (inset, inset, 1 - inset, 1 - inset))
        box = bounds
        if look.pan is not None:
            share = progress(self._film, shot.moment)
            part = pixels.between(look.pan.start, look.pan.end, share)
            box = pixels.within(bounds, pixels.unturned(part, look.rotate))
        gain = shot.gains[place] if shot.gains else 1.0
        return View(
            box=box,
            bounds=None if look.pan is None else bounds,
            shift=shift,
            turn=look.rotate,
            tone=_brighter(tone, gain),
        )

    async def _shift(self, data: bytes, place: int) -> tuple[float, float]:
        if place not in self._views:
            frame = self._recipe.references[place]
            self._views[place] = None
            if frame is not None:
                reference = await self._read(frame)
                self._views[place] = await asyncio.to_thread(_reference, reference)
        view = self._views[place]
        return (0.0, 0.0) if view is None else await asyncio.to_thread(_moved, view, data)

    async def _tone(self, shot: Shot, place: int) -> Tone | None:
        day = shot.days[place] if shot.days else None
        frame = self._recipe.references[place]
        if day is None or frame is None:
            return None
        key = (place, day.digest)
        if key not in self._tones:
            pair = await self._read(day), await self._read(frame)
            self._tones[key] = await asyncio.to_thread(_matched, *pair)
        return self._tones[key]


def progress(film: Film, moment: int) -> float:
    """How much of a film's range is over by a moment: 0 to 1; 0 where it has no end."""
    if film.to_at is None:
        return 0.0
    start, end = moment_of(film.from_at), moment_of(film.to_at)
    return min(1.0, max(0.0, (moment - start) / max(1, end - start)))


def _brighter(tone: Tone | None, gain: float) -> Tone | None:
    """A tone of which red, green and blue are then multiplied."""
    if gain == 1:
        return tone
    pairs = tone or ((1.0, 0.0),) * 3
    (luma, light), *chroma = ((factor * gain, offset * gain) for factor, offset in pairs)
    blue, red = ((factor, offset + 128 * (1 - gain)) for factor, offset in chroma)
    return (luma, light), blue, red


def _reference(data: bytes) -> measures.Reference | None:
    try:
        return measures.Reference(pixels.small(data, measures.WIDTH))
    except BadPicture:
        return None


def _moved(reference: measures.Reference, data: bytes) -> tuple[float, float]:
    try:
        return reference.shift(pixels.small(data, measures.WIDTH))
    except BadPicture:
        return 0.0, 0.0


def _matched(day: bytes, reference: bytes) -> Tone | None:
    try:
        small = [pixels.small(data, 160) for data in (day, reference)]
    except BadPicture:
        return None
    return measures.match(measures.tone(small[0]), measures.tone(small[1]))
