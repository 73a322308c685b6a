"""Frames whose pixels are made here: turned, cut out, shifted and coloured, in one go."""

from __future__ import annotations

import functools
import math
from contextlib import suppress
from dataclasses import dataclass

from PIL import Image
from PIL.ImageFile import ImageFile

from vigil.cameras.pictures import decoding
from vigil.cameras.pictures.shape import BadPicture
from vigil.films.looks.boxes import WHOLE
from vigil.films.looks.measures import Tone
from vigil.films.options import Box

INSET = 0.02
"""What a steadied picture loses on each side, so that small shifts show no black edge."""


@dataclass(frozen=True, slots=True)
class View:
    """What of a frame is shown, and how."""

    box: Box = WHOLE
    """Of the frame as it is, not turned."""
    bounds: Box | None = None
    """The box may grow within these until it fills the picture; ``None``: it stays as it is."""
    shift: tuple[float, float] = (0.0, 0.0)
    """How far the frame's view moved to the right and down; shares of it."""
    turn: int = 0
    """Degrees clockwise, after the box was cut out."""
    tone: Tone | None = None


def small(data: bytes, width: int) -> Image.Image:
    """A decoded frame, not much wider than asked for; raises BadPicture."""
    with decoding.opened(data, "jpeg") as image:
        return _decoded(image, (width, 1))


def shown(data: bytes | None, view: View, size: tuple[int, int]) -> bytes:
    """A frame as I420 (full range) of this size, black where it does not reach; ``None``: black.

    A frame that cannot be decoded is black.
    """
    planes = None
    if data is not None:
        with suppress(BadPicture):
            planes = _drawn(data, view, size)
    return b"".join(plane.tobytes() for plane in planes or _black(size))


def _black(size: tuple[int, int]) -> list[Image.Image]:
    half = (size[0] // 2, size[1] // 2)
    return [Image.new("L", size, 0), Image.new("L", half, 128), Image.new("L", half, 128)]


def _drawn(data: bytes, view: View, size: tuple[int, int]) -> list[Image.Image]:
    space = size[::-1] if view.turn in (90, 270) else size  # as it is before the turn
    with decoding.opened(data, "jpeg") as image:
        box = _box(view, space[0] / space[1] / (image.width / image.height))
        wide, high = (box[2] - box[0]) * image.width, (box[3] - box[1]) * image.height
        scale = min(space[0] / wide, space[1] / high)
        needed = math.ceil(image.width * scale), math.ceil(image.height * scale)
        picture = _decoded(image, needed)
    fit = max(2, _even(wide * scale)), max(2, _even(high * scale))
    canvas = _black(size)
    # What of the box lies within the frame, in shares of it, and where that goes.
    part = (max(box[0], 0.0), max(box[1], 0.0), min(box[2], 1.0), min(box[3], 1.0))
    if part[0] >= part[2] or part[1] >= part[3]:
        return canvas
    left, right = (_even((x - box[0]) / (box[2] - box[0]) * fit[0]) for x in (part[0], part[2]))
    top, bottom = (_even((y - box[1]) / (box[3] - box[1]) * fit[1]) for y in (part[1], part[3]))
    target = max(2, right - left), max(2, bottom - top)
    cut = (
        *(part[0] * picture.width, part[1] * picture.height),
        *(part[2] * picture.width, part[3] * picture.height),
    )
    for number, plane in enumerate(picture.split()):
        half = 2 if number else 1
        extent = target[0] // half, target[1] // half
        if number:  # chroma: halved first, where it is halved
            piece = plane.resize(extent, Image.Resampling.BILINEAR, box=cut, reducing_gap=1.0)
        else:
            piece = plane.resize(extent, Image.Resampling.BICUBIC, box=cut)
        if view.tone is not None:
            piece = piece.point(_table(*view.tone[number]))
        if target != fit:
            whole = Image.new("L", (fit[0] // half, fit[1] // half), 128 if number else 0)
            whole.paste(piece, (left // half, top // half))
            piece = whole
        if view.turn:
            piece = piece.transpose(_TURNS[view.turn])
        if piece.size == canvas[number].size:
            canvas[number] = piece
        else:
            middle = (
                (size[0] - piece.width * half) // 4 * 2 // half,
                (size[1] - piece.height * half) // 4 * 2 // half,
            )
            canvas[number].paste(piece, middle)
    return canvas


def _decoded(image: ImageFile, size: tuple[int, int]) -> Image.Image:
    """The picture as YCbCr, not much larger than asked for."""
    plain = "adobe_transform" not in image.info and image.mode == "RGB"
    image.draft("YCbCr" if plain else image.mode, size)
    image.load()
    return image.convert("YCbCr")


def _even(length: float) -> int:
    return round(length / 2) * 2


def _box(view: View, ratio: float) -> Box:
    """What is cut out; ``ratio`` is the width of a box that fills the picture, by its height."""
    box = view.box
    if view.bounds is not None:
        left, top, right, bottom = view.bounds
        wide = min(max(box[2] - box[0], (box[3] - box[1]) * ratio), right - left)
        high = min(max(box[3] - box[1], wide / ratio), bottom - top)
        x = min(max((box[0] + box[2] - wide) / 2, left), right - wide)
        y = min(max((box[1] + box[3] - high) / 2, top), bottom - high)
        box = (x, y, x + wide, y + high)
    across, down = view.shift
    return box[0] + across, box[1] + down, box[2] + across, box[3] + down


_TURNS = {
    90: Image.Transpose.ROTATE_270,  # Pillow turns the other way
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_90,
}


@functools.lru_cache(maxsize=256)
def _table(factor: float, offset: float) -> list[int]:
    """For each value the one that is shown."""
    return [min(255, max(0, round(factor * value + offset))) for value in range(256)]
