"""Frames whose pixels are made here: which part of each is seen, how far shifted, how coloured."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from vigil.cameras.pictures.shape import BadPicture
from vigil.films.looks import boxes, measures, pixels
from vigil.films.looks.boxes import WHOLE
from vigil.films.looks.cells import Cell
from vigil.films.looks.feeding import Read
from vigil.films.looks.matroska import Track
from vigil.films.looks.measures import Tone
from vigil.films.looks.pixels import View
from vigil.films.model import Film, Recipe, Shot, moment_of


class Drawn:
    """Frames turned, cut out, shifted and coloured here."""

    def __init__(self, recipe: Recipe, read: Read, cells: Sequence[Cell]) -> None:
        self._film, self._recipe, self._read, self._cells = recipe.film, recipe, read, cells
        self._views: dict[int, measures.Reference | None] = {}
        self._tones: dict[tuple[int, bytes], Tone | None] = {}

    async def tracks(self) -> list[Track]:
        """See ``feeding.Source``."""
        return [Track(cell.width, cell.height, raw=True) for cell in self._cells]

    async def shown(self, shot: Shot, place: int) -> bytes:
        """See ``feeding.Source``."""
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
        bounds = boxes.unturned(look.crop or WHOLE, look.rotate)
        if look.stabilise and self._recipe.references:
            inset = pixels.INSET
            bounds = boxes.within(bounds, (inset, inset, 1 - inset, 1 - inset))
        box = bounds
        if look.pan is not None:
            share = progress(self._film, shot.moment)
            part = boxes.between(look.pan.start, look.pan.end, share)
            box = boxes.within(bounds, boxes.unturned(part, look.rotate))
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
