"""Text as numpy takes it: masks of 0 to 255, rendered once for each text that is shown."""

from __future__ import annotations

from functools import lru_cache
from math import ceil
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vigil.games.drawing.model import Bytes

FONT = Path(__file__).with_name("DejaVuSansCondensed.ttf")
REMEMBERED = 4096
"""Masks that are kept."""


@lru_cache(maxsize=16)
def font(size: int) -> ImageFont.FreeTypeFont:
    """The font at a height in pixels; laid out the same wherever it is."""
    return ImageFont.truetype(FONT, size, layout_engine=ImageFont.Layout.BASIC)


def clean(text: str) -> str:
    """One line without what is not to be seen."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


@lru_cache(maxsize=REMEMBERED)
def fit(text: str, size: int, widest: int, outline: int = 0) -> tuple[str, int, int]:
    """As much of a text as fits, ended by ``…`` if it is not all, and its height and width.

    Args:
        text: anything.
        size: of the font, in pixels.
        widest: the most pixels it may take across.
        outline: width of a line around every letter.

    The height is the same for every text of a size; the width may be 0.
    """
    face, shown = font(size), clean(text)
    if face.getlength(shown) + 2 * outline > widest:
        room = widest - 2 * outline - face.getlength("…")
        while shown and face.getlength(shown) > room:
            shown = shown[:-1]
        shown = shown.rstrip() + "…" if shown and room > 0 else ""
    width = min(widest, ceil(face.getlength(shown)) + 2 * outline) if shown else 0
    return shown, sum(face.getmetrics()) + 2 * outline, max(0, width)


@lru_cache(maxsize=REMEMBERED)
def mask(text: str, size: int, widest: int, outline: int = 0) -> Bytes:
    """How much of each pixel a text covers, and the line around it; for arguments see ``fit``."""
    shown, height, width = fit(text, size, widest, outline)
    if width == 0:
        return np.zeros((height, 0), np.uint8)
    return _render(shown, size, height, width, outline)


def outlined(text: str, size: int, widest: int, outline: int) -> tuple[Bytes, Bytes]:
    """The mask of a text with a line around it, and that of its letters alone in the same place."""
    shown, height, width = fit(text, size, widest, outline)
    inner = _render(shown, size, height - 2 * outline, width - 2 * outline, 0)
    letters = np.zeros((height, width), np.uint8)
    letters[outline : height - outline, outline : width - outline] = inner
    return np.maximum(_render(shown, size, height, width, outline), letters), letters


def _render(shown: str, size: int, height: int, width: int, outline: int) -> Bytes:
    image = Image.new("L", (width, height))
    ImageDraw.Draw(image).text(
        (outline, outline), shown, fill=255, font=font(size), stroke_width=outline, stroke_fill=255
    )
    found = np.array(image)
    found.setflags(write=False)
    return found
