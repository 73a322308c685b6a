"""Recipes for the tests of how films look, and what is seen in what comes out."""

from __future__ import annotations

import asyncio
import hashlib
import io
import resource
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from vigil import ffmpeg
from vigil.films.model import Film, FilmFrame, Recipe, Shot, moment_of
from vigil.films.segments import encode

Pixels = npt.NDArray[np.uint8]

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = 60_000_000
WIDTH, HEIGHT = 160, 90
QUARTERS = ((220, 40, 40), (40, 200, 40), (40, 60, 220), (220, 220, 40))
"""Top left, top right, bottom left, bottom right of ``quarters``."""


def film(codec: str = "h264", quality: int = 2, **values: Any) -> Film:
    """A film; what Look knows goes there, the rest are its columns."""
    columns = {key: values.pop(key) for key in list(values) if key in Film.__dataclass_fields__}
    whole = Film(
        id=1,
        title="A film",
        kind="scene",
        scene_id=1,
        scenes=(1,),
        camera="garden",
        retention_s=None,
        time_zone="UTC",
        from_at=START,
        to_at=START + timedelta(hours=1),
        rolling_s=None,
        speed=60.0,
        fps=10.0,
        width=WIDTH,
        height=HEIGHT,
        window_s=1200.0,
        options={"look": values, "codec": codec, "quality": quality},
        state="rendering",
        error=None,
        next_at=None,
        watched_at=None,
        planned_id=0,
        dropped_segments=0,
        dropped_ticks=0,
        dropped_discontinuities=0,
        dropped_init=None,
        job_id=None,
        file_blob=None,
        file_bytes=None,
        file_key=None,
        created_at=START,
        changed_at=START,
    )
    return replace(whole, **columns)


class Album:
    """Frames that a recipe may name."""

    def __init__(self) -> None:
        self.pictures: dict[str, bytes] = {}
        self.reads = 0

    def add(self, data: bytes) -> FilmFrame:
        digest = hashlib.sha256(data).digest()
        self.pictures[digest.hex()] = data
        return FilmFrame(0, digest, digest.hex())

    async def read(self, frame: FilmFrame) -> bytes:
        self.reads += 1
        return self.pictures[frame.key]

    def shots(self, images: Iterable[Image.Image | bytes], **values: Any) -> tuple[Shot, ...]:
        """A shot a minute of one scene."""
        return tuple(
            Shot(
                frames=(self.add(picture if isinstance(picture, bytes) else jpeg(picture)),),
                moment=moment_of(START) + number * MINUTE,
                **values,
            )
            for number, picture in enumerate(images)
        )

    async def render(self, film: Film, shots: Sequence[Shot], **values: Any) -> bytes:
        return await encode.segment(Recipe(film=film, shots=tuple(shots), **values), self.read)

    async def see(self, film: Film, shots: Sequence[Shot], **values: Any) -> Pixels:
        """What the segment shows, decoded."""
        return await seen(await self.render(film, shots, **values), film)


def jpeg(image: Image.Image, **values: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", **({"quality": 95} | values))
    return out.getvalue()


def plain(
    value: int | tuple[int, int, int], size: tuple[int, int] = (WIDTH, HEIGHT)
) -> Image.Image:
    """A picture of one colour."""
    return Image.new("RGB", size, (value, value, value) if isinstance(value, int) else value)


def quarters(size: tuple[int, int] = (WIDTH, HEIGHT)) -> Image.Image:
    """A picture of four colours, so that every turn and cut shows."""
    image = Image.new("RGB", size)
    width, height = size[0] // 2, size[1] // 2
    for number, colour in enumerate(QUARTERS):
        image.paste(
            colour,
            (
                number % 2 * width,
                number // 2 * height,
                (number % 2 + 1) * width,
                (number // 2 + 1) * height,
            ),
        )
    return image


def texture(size: tuple[int, int] = (480, 270), seed: int = 1) -> Image.Image:
    """A picture with something to see everywhere, as a view has: blobs of all sizes."""
    random = np.random.default_rng(seed)
    whole = np.zeros((size[1], size[0], 3))
    for scale in (4, 8, 16, 32, 64):
        small = random.uniform(0, 255, (size[1] // scale + 2, size[0] // scale + 2, 3))
        image = Image.fromarray(small.astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)
        whole += np.asarray(image) / 5
    stretched = (whole - whole.min()) / (whole.max() - whole.min()) * 235 + 10
    return Image.fromarray(stretched.astype(np.uint8))


async def seen(data: bytes, film: Film) -> Pixels:
    """All pictures of a segment or film: (pictures, height, width, RGB)."""

    async def feed() -> Any:
        yield data

    raw = await ffmpeg.read(
        [
            *("-xerror", "-err_detect", "explode", "-f", "mp4", "-i", "pipe:0"),
            *("-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"),
        ],
        input=feed(),
        max_bytes=1 << 30,
    )
    return np.frombuffer(raw, np.uint8).reshape(-1, film.height, film.width, 3)


async def times(data: bytes, film: Film) -> list[tuple[int, int, int]]:
    """Decode time, presentation time and length of every picture in the film's timescale."""

    async def feed() -> Any:
        yield data

    listing = await ffmpeg.read(
        ["-f", "mp4", "-i", "pipe:0", "-c", "copy", "-f", "framecrc", "pipe:1"], input=feed()
    )
    lines = listing.decode().splitlines()
    base = next(line.split(":")[1].strip() for line in lines if line.startswith("#tb 0"))
    assert base == f"1/{film.timescale}"
    rows = [line.split(",") for line in lines if not line.startswith("#")]
    return [(int(row[1]), int(row[2]), int(row[3])) for row in rows]


def luma(pixels: Pixels) -> list[float]:
    """Mean grey of each picture."""
    return [float(picture.mean()) for picture in pixels]


def colour(pixels: Pixels, x: float, y: float) -> tuple[int, int, int]:
    """The colour around a place of one picture, given in shares of it."""
    row, column = int(y * pixels.shape[0]), int(x * pixels.shape[1])
    patch = pixels[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2].reshape(-1, 3)
    red, green, blue = (round(float(value)) for value in patch.mean(axis=0))
    return red, green, blue


def near(one: Sequence[float], other: Sequence[float], within: float = 12) -> bool:
    """Whether two colours look the same."""
    return all(abs(a - b) <= within for a, b in zip(one, other, strict=True))


async def _weigh(kind: str, number: int) -> int:
    """The most kilobytes of ffmpeg, or of this process with pixels, for so many pictures."""
    album = Album()
    look: dict[str, Any] = {"width": 640, "height": 360, "stamp": {"format": "%H:%M:%S"}}
    if kind == "pixels":
        look["pan"] = {"start": (0, 0, 1, 1), "end": (0.2, 0.2, 0.8, 0.8)}
    images = [texture((640, 360), seed) for seed in (1, 2)]
    shots = album.shots(images[n % 2] for n in range(2 if kind == "held" else number))
    if kind == "held":
        shots = tuple(replace(shot, pictures=2 * number) for shot in shots)
    elif kind == "blended":
        shots = tuple(replace(shot, fade=5, pictures=6) for shot in shots[: number // 6])
    await album.render(film(**look), shots, before=shots[0] if kind == "blended" else None)
    who = resource.RUSAGE_SELF if kind == "pixels" else resource.RUSAGE_CHILDREN
    return resource.getrusage(who).ru_maxrss


if __name__ == "__main__":
    print(asyncio.run(_weigh(sys.argv[1], int(sys.argv[2]))))
