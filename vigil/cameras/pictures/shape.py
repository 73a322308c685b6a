"""What is known of a picture before it is decoded, and how it is said that it is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Format = Literal["jpeg", "png", "webp", "heif"]

MAX_BYTES = 20_000_000
MAX_PIXELS = 32_000_000
MAX_SIDE = 32_768
"""Pixels; a strip of one by 32 million is no photograph and no thumbnail can be made of it."""


class BadPicture(Exception):
    """Bytes that are not a picture we can use.

    Attributes:
        reason: one word to count by.
        message: for a person.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


@dataclass(frozen=True, slots=True)
class Shape:
    """What the headers say."""

    width: int
    height: int
    end: int
    """Where the picture ends in the bytes; whatever follows is no part of it."""
    format: Format = "jpeg"
    doubtful: bool = False
    """Whether only a strict decoder can tell that nothing is missing (JPEG)."""


def check_bytes(data: bytes) -> None:
    """Raise BadPicture for nothing, and for more than a picture may be."""
    if not data:
        raise BadPicture("empty", "the camera sent nothing")
    if len(data) > MAX_BYTES:
        raise BadPicture("too_large", f"a picture of more than {MAX_BYTES / 1e6:.0f} MB")


def check_size(width: int, height: int) -> None:
    """Raise BadPicture for more pixels than we decode."""
    if width < 1 or height < 1:
        raise BadPicture("broken", "a picture without a size")
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise BadPicture(
            "too_many_pixels",
            f"a picture of {width}×{height}: more than {MAX_PIXELS // 1_000_000} megapixels",
        )
