"""Text as numpy takes it: masks of 0 to 255, rendered once for each text that is shown."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vigil.games.drawing.model import Bytes

FONT = Path(__file__).with_name("DejaVuSansCondensed.ttf")
REMEMBERED = 512
"""Masks that are kept."""


@lru_cache(maxsize=16)
def font(size: int) -> ImageFont.FreeTypeFont:
    """The font at a height in pixels; laid out the same wherever it is."""
    return ImageFont.truetype(FONT, size, layout_engine=ImageFont.Layout.BASIC)


def clean(text: str) -> str:
    """One line without what is not to be seen."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


@lru_cache(maxsize=REMEMBERED)
def mask(text: str, size: int, widest: int, outline: int = 0) -> Bytes:
    """How much of each pixel text covers.

    Args:
        text: cut, and ended by ``…``, where it is too long.
        size: of the font, in pixels.
        widest: the most pixels it may take across.
        outline: width of a line around every letter, which is covered, too.

    Rows are as many for every text of a size; there may be no columns.
    """
    face, shown = font(size), clean(text)
    if face.getlength(shown) + 2 * outline > widest:
        room = widest - 2 * outline - face.getlength("…")
        while shown and face.getlength(shown) > room:
            shown = shown[:-1]
        shown = shown.rstrip() + "…" if shown and room > 0 else ""
    ascent, descent = face.getmetrics()
    width = min(widest, int(np.ceil(face.getlength(shown))) + 2 * outline) if shown else 0
    height = ascent + descent + 2 * outline
    if width <= 0:
        return np.zeros((height, 0), np.uint8)
    image = Image.new("L", (width, height))
    ImageDraw.Draw(image).text(
        (outline, outline), shown, fill=255, font=face, stroke_width=outline, stroke_fill=255
    )
    found = np.array(image)
    found.setflags(write=False)
    return found
