"""What is measured in small pictures: how far a view moved, and what its colours are.

Each is a function of a picture and a reference and nothing else, so a segment alone is what it
would be inside the whole.
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt
from numpy import fft
from PIL import Image, ImageFilter

Grey = npt.NDArray[np.float32]
Spectrum = npt.NDArray[np.complex64]

WIDTH = 480
"""Pixels across in which a shift is looked for."""
FARTHEST = 0.12
"""A view that moved by a larger share of the picture is another view."""
SUREST = 6.0
"""How many standard deviations of the rest the peak must stand out by."""

Tone = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]
"""Factor and offset of Y, Cb and Cr, full range."""


class Reference:
    """A view that others are shifted onto.

    Phase correlation (Kuglin and Hines, 1975) of the edges, since these stay where they are when
    the light changes; a parabola through the peak's neighbours gives parts of a pixel.
    """

    def __init__(self, image: Image.Image) -> None:
        self._size = (WIDTH, max(16, round(WIDTH * image.height / image.width)))
        self._spectrum = np.conj(self._transformed(image))
        width, height = self._size
        self._x, self._y = (max(2, round(FARTHEST * length)) for length in (width, height))

    def shift(self, image: Image.Image) -> tuple[float, float]:
        """How far the view moved to the right and down, in shares of the picture.

        (0, 0) where that cannot be told: fog, night, another view.
        """
        product = self._transformed(image) * self._spectrum
        product /= np.abs(product) + 1e-6 * np.abs(product).max() + 1e-20
        surface = fft.irfft2(product * _lowpass(self._size), s=self._size[::-1])
        near = np.roll(surface, (self._y, self._x), (0, 1))[: 2 * self._y + 1, : 2 * self._x + 1]
        row, column = divmod(int(near.argmax()), near.shape[1])
        if near[row, column] < near.mean() + SUREST * surface.std():
            return 0.0, 0.0
        if row in (0, near.shape[0] - 1) or column in (0, near.shape[1] - 1):
            return 0.0, 0.0
        x = column - self._x + _vertex(*near[row, column - 1 : column + 2])
        y = row - self._y + _vertex(*near[row - 1 : row + 2, column])
        return round(x / self._size[0], 5), round(y / self._size[1], 5)

    def _transformed(self, image: Image.Image) -> Spectrum:
        small = image.convert("L").resize(self._size, Image.Resampling.BILINEAR, reducing_gap=2.0)
        grey: Grey = np.asarray(small.filter(ImageFilter.GaussianBlur(1)), dtype=np.float32)
        logs = np.log(grey + 16)  # a cloud's shadow changes a factor, which this makes an offset
        edges = np.hypot(*np.gradient(logs))
        return fft.rfft2((edges - edges.mean()) * _window(self._size)).astype(np.complex64)


def tone(image: Image.Image) -> npt.NDArray[np.float64]:
    """Mean and standard deviation of Y, Cb and Cr: (3, 2)."""
    small = image.convert("YCbCr").resize((64, 64), Image.Resampling.BOX, reducing_gap=2.0)
    values = np.asarray(small, dtype=np.float64).reshape(-1, 3)
    return np.stack((values.mean(axis=0), values.std(axis=0)), axis=1)


def match(seen: npt.NDArray[np.float64], wanted: npt.NDArray[np.float64]) -> Tone:
    """What gives one tone the mean and spread of another (Reinhard et al., 2001, per channel).

    The spread at most doubles or halves: a grey day stays one.
    """
    factor = np.clip((wanted[:, 1] + 1) / (seen[:, 1] + 1), 0.5, 2)
    offset = wanted[:, 0] - factor * seen[:, 0]
    pairs = [(round(float(f), 4), round(float(o), 2)) for f, o in zip(factor, offset, strict=True)]
    return pairs[0], pairs[1], pairs[2]


def _vertex(before: float, peak: float, after: float) -> float:
    """Where between its neighbours a parabola through three values has its peak: -0.5 to 0.5."""
    bend = before - 2 * peak + after
    return 0.0 if bend == 0 else float(np.clip((before - after) / (2 * bend), -0.5, 0.5))


@functools.lru_cache(maxsize=4)
def _window(size: tuple[int, int]) -> Grey:
    """Hann's, so that the edges of the picture are none in it."""
    return np.outer(np.hanning(size[1]), np.hanning(size[0])).astype(np.float32)


@functools.lru_cache(maxsize=4)
def _lowpass(size: tuple[int, int]) -> Grey:
    """Weights of frequencies: noise is in the high ones."""
    down, across = fft.fftfreq(size[1])[:, None], fft.rfftfreq(size[0])[None, :]
    return np.exp(-(down**2 + across**2) / (2 * 0.12**2)).astype(np.float32)
