"""A view that changes with the hour and the season, drawn: what cameras in the pictures see."""

from __future__ import annotations

import io
import itertools
import math
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from PIL import Image, ImageDraw, ImageFilter

from vigil.cameras import adding, intake
from vigil.cameras.model import RawFrame
from vigil.context import open_context
from vigil.settings import Settings

WIDTH, HEIGHT = 1280, 720
_SKY = (  # hour, above, at the horizon, how light the ground is
    (0.0, (8, 12, 30), (18, 24, 48), 0.12),
    (5.0, (20, 26, 60), (90, 60, 90), 0.2),
    (6.5, (70, 90, 150), (250, 170, 110), 0.5),
    (8.5, (95, 150, 215), (205, 225, 240), 0.85),
    (12.5, (70, 140, 220), (190, 220, 245), 1.0),
    (16.0, (85, 145, 215), (225, 215, 200), 0.9),
    (18.5, (80, 70, 130), (255, 140, 70), 0.5),
    (20.5, (16, 20, 50), (60, 40, 80), 0.18),
    (24.0, (8, 12, 30), (18, 24, 48), 0.12),
)


def landscape(moment: datetime, *, snow: bool = False) -> bytes:
    """The view at a local time, as a JPEG of 1280×720."""
    hour = moment.hour + moment.minute / 60
    above, horizon, light = _at(hour)
    image = Image.new("RGB", (WIDTH, HEIGHT))
    draw = ImageDraw.Draw(image)
    for y in range(HEIGHT * 3 // 4):
        draw.line((0, y, WIDTH, y), fill=_mix(above, horizon, y / (HEIGHT * 2 / 3)))
    if 6 <= hour <= 19:
        turn = (hour - 6) / 13
        right, down = WIDTH * (0.1 + 0.8 * turn), 430 - 330 * math.sin(math.pi * turn)
        sun = (right - 34, down - 34, right + 34, down + 34)
        draw.ellipse(sun, fill=(255, 244, 205))
    chance = random.Random(moment.toordinal())
    for _ in range(chance.randrange(9)):
        left, top = chance.randrange(WIDTH), chance.randrange(60, 260)
        for _ in range(7):
            dx, dy = chance.randrange(-90, 90), chance.randrange(-18, 18)
            draw.ellipse((left + dx - 60, top + dy - 18, left + dx + 60, top + dy + 18),
                         fill=_mix(horizon, (255, 255, 255), 0.5 * light))  # fmt: skip
    image = image.filter(ImageFilter.GaussianBlur(5))
    draw = ImageDraw.Draw(image)
    grass = (236, 240, 245) if snow else (86, 140, 60)
    for base, swing, tone, phase in ((430, 60, 0.55, 0.7), (480, 45, 0.75, 2.1), (560, 25, 1, 4)):
        ridge = [
            (x, base - swing * math.sin(x / 210 + phase) - swing / 3 * math.sin(x / 71 + phase))
            for x in range(0, WIDTH + 20, 20)
        ]
        colour = _mix(horizon, _dim(grass, light), tone)
        draw.polygon([(0, HEIGHT), *ridge, (WIDTH, HEIGHT)], fill=colour)
    _house(draw, light, snow)
    written = io.BytesIO()
    image.save(written, "JPEG", quality=85)
    return written.getvalue()


def _house(draw: ImageDraw.ImageDraw, light: float, snow: bool) -> None:
    wall, roof = _dim((232, 222, 200), light), _dim((150, 62, 48), light)
    draw.rectangle((820, 430, 1010, 560), fill=wall)
    draw.polygon(((800, 435), (915, 350), (1030, 435)), fill=(240, 244, 248) if snow else roof)
    lamp = (255, 214, 120) if light < 0.6 else _dim((90, 110, 130), light)
    for x in (850, 940):
        draw.rectangle((x, 465, x + 40, 505), fill=lamp)
    trunk = _dim((92, 68, 46), light)
    for x, size in ((260, 90), (380, 64), (1130, 76)):
        draw.rectangle((x - 8, 560 - size, x + 8, 590), fill=trunk)
        leaves = _dim((225, 232, 238) if snow else (52, 104, 52), light)
        draw.ellipse((x - size, 560 - 2.3 * size, x + size, 575 - size / 2), fill=leaves)


def _at(hour: float) -> tuple[tuple[int, ...], tuple[int, ...], float]:
    for before, after in itertools.pairwise(_SKY):
        if before[0] <= hour <= after[0]:
            share = (hour - before[0]) / (after[0] - before[0])
            light = before[3] + (after[3] - before[3]) * share
            return _mix(before[1], after[1], share), _mix(before[2], after[2], share), light
    raise ValueError(hour)


def _mix(one: tuple[int, ...], other: tuple[int, ...], share: float) -> tuple[int, ...]:
    return tuple(round(a + (b - a) * share) for a, b in zip(one, other, strict=True))


def _dim(colour: tuple[int, ...], light: float) -> tuple[int, ...]:
    return _mix((10, 14, 30), colour, light)


async def plant(data_dir: Path) -> None:
    """Give the Vigil of a folder a camera that has watched a garden for two weeks."""
    async with open_context(Settings(data_dir=data_dir), "landscape") as context:
        camera = await adding.add(
            context.pool,
            adding.Wanted(
                name="garden",
                url="push",
                title="The garden, looking south",
                interval_s=7200,
                retention_s=365 * 86_400.0,
                latitude=52.52,
                longitude=13.4,
                time_zone="Europe/Berlin",
            ),
        )
        zone = ZoneInfo("Europe/Berlin")
        now = context.clock.now().astimezone(zone)
        for ago in range(14, -1, -1):
            day = (now - timedelta(days=ago)).replace(minute=0, second=0, microsecond=0)
            for hour in (6, 8, 9, 10, 12, 13, 14, 16, 17, 18, 20):
                moment = day.replace(hour=hour, minute=(hour * 7 + ago) % 25)
                missing = (ago == 5 and hour > 10) or (ago == 9 and hour in (12, 13))
                if moment < now and not missing:
                    data = landscape(moment, snow=3 <= ago <= 7)
                    raw = RawFrame(data=data, taken_at=moment.astimezone(UTC))
                    await intake.accept(context, camera, raw)
        await context.pool.execute(
            """
            INSERT INTO camera_days (camera_id, day, planned, source)
            SELECT $1, day, 11, 11 - least(frames, 11) FROM scene_days
            JOIN scenes ON scenes.id = scene_id WHERE name = 'garden' AND day < $2
            ON CONFLICT (camera_id, day) DO UPDATE
                SET planned = excluded.planned, source = excluded.source
            """,
            camera.id,
            now.date(),
        )
        five = (now - timedelta(days=5)).replace(hour=11, minute=0, second=0, microsecond=0)
        await context.pool.execute(
            """
            INSERT INTO camera_gaps (camera_id, from_at, to_at, reason, detail, missed)
            VALUES ($1, $2, $3, 'source', 'it refused the connection', 7)
            """,
            camera.id,
            five,
            five + timedelta(hours=11),
        )
        await context.pool.execute(
            """
            INSERT INTO scene_tags (scene_id, name, from_at, to_at)
            SELECT id, 'snow', $1, $2 FROM scenes WHERE name = 'garden'
            """,
            now - timedelta(days=7),
            now - timedelta(days=3),
        )
