"""What a picture looks like, in numbers that tell night from day and sharp from blurred."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageMath


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a picture looks like, in numbers. Y is full-range, as in JPEG."""

    luma: float
    """Mean of the Y plane, 0 to 255."""
    contrast: float
    """Standard deviation of the Y plane."""
    dark: float
    """Share of pixels with Y below 16."""
    bright: float
    """Share of pixels with Y above 239."""
    sharpness: float
    """Variance of the Laplacian of the 320 wide thumbnail's Y plane."""
    perceptual_hash: int
    """64-bit difference hash as a signed number."""


def look(image: Image.Image, steps: Sequence[Image.Image]) -> Look:
    """What a picture in YCbCr or L looks like.

    Args:
        image: the picture, or a smaller one of it.
        steps: its thumbnails, the smallest first.
    """
    histogram = _luma(image).histogram()
    pixels = sum(histogram)
    mean = sum(value * number for value, number in enumerate(histogram)) / pixels
    square = sum(value * value * number for value, number in enumerate(histogram)) / pixels
    return Look(
        luma=mean,
        contrast=max(0.0, square - mean * mean) ** 0.5,
        dark=sum(histogram[:16]) / pixels,
        bright=sum(histogram[240:]) / pixels,
        sharpness=_sharpness(_luma(steps[1])),
        perceptual_hash=_difference_hash(_luma(steps[0])),
    )


def _luma(image: Image.Image) -> Image.Image:
    return image if image.mode == "L" else image.getchannel(0)


def _sharpness(plane: Image.Image) -> float:
    """Variance of the Laplacian, the usual measure of focus (Pertuz et al. 2013, LAP4)."""
    width, height = plane.size
    if width < 3 or height < 3:
        return 0.0
    middle = (1, 1, width - 1, height - 1)
    parts = {
        name: plane.crop((middle[0] + x, middle[1] + y, middle[2] + x, middle[3] + y))
        for name, x, y in (("c", 0, 0), ("l", -1, 0), ("r", 1, 0), ("u", 0, -1), ("d", 0, 1))
    }
    curve = ImageMath.lambda_eval(
        lambda p: p["float"](p["l"] + p["r"] + p["u"] + p["d"] - p["c"] * 4), **parts
    )
    squares = ImageMath.lambda_eval(lambda p: p["x"] * p["x"], x=curve)
    return max(0.0, _mean(squares) - _mean(curve) ** 2)


def _mean(image: Image.Image) -> float:
    found = image.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    return float(found) if isinstance(found, int | float) else 0.0


def _difference_hash(plane: Image.Image) -> int:
    """A bit for each pixel of 8×8 that is brighter than the one to its right."""
    values = plane.resize((9, 8), Image.Resampling.BOX).tobytes()
    bits = 0
    for row in range(8):
        for column in range(8):
            here = row * 9 + column
            bits = bits << 1 | (values[here] > values[here + 1])
    return bits - (1 << 64) if bits >> 63 else bits
