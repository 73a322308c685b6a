"""Pictures for tests: whole ones, and what cameras send instead."""

from __future__ import annotations

import functools
import io
import random

from PIL import Image, ImageDraw


@functools.cache
def jpeg(
    number: int = 0,
    size: tuple[int, int] = (320, 240),
    *,
    progressive: bool = False,
    quality: int = 85,
    mode: str = "RGB",
    exif: bytes = b"",
) -> bytes:
    """A JPEG with structure down to its last corner; another ``number``, another picture."""
    chance = random.Random(number)
    image = Image.radial_gradient("L").resize(size).convert("RGB")
    draw = ImageDraw.Draw(image)
    for _ in range(40):
        x, y = chance.randrange(size[0]), chance.randrange(size[1])
        colour = tuple(chance.randrange(256) for _ in range(3))
        draw.rectangle((x, y, x + size[0] // 8, y + size[1] // 8), fill=colour)
    draw.rectangle((size[0] - 20, size[1] - 20, *size), fill=(200, 90, number % 256))
    written = io.BytesIO()
    image.convert(mode).save(written, "JPEG", quality=quality, progressive=progressive, exif=exif)
    return written.getvalue()


def other(kind: str, size: tuple[int, int] = (64, 64)) -> bytes:
    """The same sort of picture as a PNG, GIF, WEBP …"""
    written = io.BytesIO()
    Image.radial_gradient("L").resize(size).save(written, kind)
    return written.getvalue()


def bomb(width: int = 8000, height: int = 5000) -> bytes:
    """A JPEG of 40 megapixels in half a megabyte."""
    written = io.BytesIO()
    Image.new("L", (width, height), 77).save(written, "JPEG", quality=30)
    return written.getvalue()
