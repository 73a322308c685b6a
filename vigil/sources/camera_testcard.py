"""A camera that needs no camera: colour bars, a clock in UTC, a hand that moves.

Made by Pillow alone, so that a machine without a network or a camera has something to watch.
"""

from __future__ import annotations

import asyncio
import functools
import io
import math
from collections.abc import AsyncGenerator
from datetime import datetime

from PIL import Image, ImageDraw, ImageFont

from vigil.cameras.model import Camera, CameraKind, RawFrame
from vigil.context import Context

WIDTH, HEIGHT = 1280, 720
_BARS = ("#c0c0c0", "#c0c000", "#00c0c0", "#00c000", "#c000c0", "#c00000", "#0000c0")
_BARS_BELOW = ("#0000c0", "#131313", "#c000c0", "#131313", "#00c0c0", "#131313", "#c0c0c0")
_DIAL, _RADIUS = (WIDTH // 2, 330), 250
_INK, _PAPER, _HAND = "#101418", "#f4f1ea", "#e4572e"


def accepts(url: str) -> bool:
    """The word itself."""
    return url == "testcard"


async def frames(context: Context, camera: Camera) -> AsyncGenerator[RawFrame | None, None]:
    """A picture on each multiple of ``interval_s`` of the day; never breaks."""
    interval = camera.interval_s
    while True:
        moment = context.clock.now()
        midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        elapsed = (moment - midnight).total_seconds()
        number = round(elapsed / interval)  # a sleep may end a hair early
        data = await asyncio.to_thread(picture, moment, number)
        yield RawFrame(data=data, taken_at=moment)
        elapsed = (context.clock.now() - midnight).total_seconds()
        due = max(number + 1, math.ceil(elapsed / interval)) * interval
        await context.clock.sleep(due - elapsed)


def picture(moment: datetime, number: int) -> bytes:
    """The test card of a moment, as a JPEG of 1280×720; ``number`` counts the day's pictures."""
    image = _background().copy()
    draw = ImageDraw.Draw(image)
    seconds = moment.second + moment.microsecond / 1e6
    for turn, length, width, colour in (
        ((moment.hour % 12 + moment.minute / 60) / 12, 0.5, 18, _INK),
        ((moment.minute + seconds / 60) / 60, 0.75, 12, _INK),
        (seconds / 60, 0.9, 6, _HAND),
    ):
        draw.line([_DIAL, _on_dial(turn, length)], fill=colour, width=width)
    draw.ellipse(_around(_DIAL, 14), fill=_HAND)
    draw.text((WIDTH // 2, 640), f"{moment:%H:%M:%S}", font=_font(96), fill=_PAPER, anchor="mm")
    draw.text((40, 655), f"{moment:%Y-%m-%d} UTC", font=_font(40), fill=_PAPER, anchor="lm")
    draw.text((WIDTH - 40, 655), f"#{number}", font=_font(40), fill=_PAPER, anchor="rm")
    written = io.BytesIO()
    image.save(written, "JPEG", quality=85)
    return written.getvalue()


@functools.cache
def _background() -> Image.Image:
    """What does not change: the bars, the dial, the band below."""
    image = Image.new("RGB", (WIDTH, HEIGHT), _INK)
    draw = ImageDraw.Draw(image)
    edges = [round(WIDTH * n / len(_BARS)) for n in range(len(_BARS) + 1)]
    for left, right, above, below in zip(edges, edges[1:], _BARS, _BARS_BELOW, strict=False):
        draw.rectangle((left, 0, right, 480), fill=above)
        draw.rectangle((left, 480, right, 560), fill=below)
    draw.ellipse(_around(_DIAL, _RADIUS), fill=_PAPER, outline=_INK, width=10)
    for tick in range(60):
        big = tick % 5 == 0
        draw.line(
            [_on_dial(tick / 60, 0.84 if big else 0.9), _on_dial(tick / 60, 0.94)],
            fill=_INK,
            width=8 if big else 3,
        )
    return image


def _on_dial(turn: float, length: float) -> tuple[float, float]:
    angle = turn * math.tau
    x, y = _DIAL
    return x + math.sin(angle) * length * _RADIUS, y - math.cos(angle) * length * _RADIUS


def _around(centre: tuple[int, int], radius: int) -> tuple[int, int, int, int]:
    x, y = centre
    return x - radius, y - radius, x + radius, y + radius


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


KIND = CameraKind(name="testcard", title="Test card", frames=frames, accepts=accepts)
