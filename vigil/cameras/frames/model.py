"""Where a frame's blobs are, and what is new about one that comes in."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

SUFFIXES = {"jpeg": "jpg", "png": "png", "webp": "webp", "heif": "heic"}
"""Format → what its blob's key ends with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFrame:
    """Everything that is written of a frame; its blobs are there already."""

    taken_at: datetime
    received_at: datetime
    width: int
    height: int
    bytes: int
    sha256: builtins.bytes
    format: str
    blob: str
    picture: str | None
    picture_bytes: int | None
    thumbnails: Sequence[int] | None
    luma: float
    contrast: float
    dark: float
    bright: float
    sharpness: float
    perceptual_hash: int
    sun_height: float | None
    kept: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A frame as far as its blobs go."""

    id: int
    camera_id: int
    blob: str
    picture: str | None
    thumbnails: Sequence[int] | None
    stored_bytes: int

    @property
    def blobs(self) -> list[str]:
        """Keys of everything that is kept of it."""
        keys = [self.blob]
        if self.picture is not None:
            keys.append(self.picture)
        if self.thumbnails is not None:
            keys.append(thumbnails_key(self.blob))
        return keys


def blob_key(camera_id: int, taken_at: datetime, digest: bytes, format: str = "jpeg") -> str:
    """Where a frame's bytes are: ``frames/3/2026-05-01/1777593600000000-0123456789abcdef.jpg``."""
    moment = taken_at.astimezone(UTC)
    microseconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    name = f"{microseconds}-{digest.hex()[:16]}.{SUFFIXES[format]}"
    return f"frames/{camera_id}/{moment:%Y-%m-%d}/{name}"


def thumbnails_key(blob: str) -> str:
    """Where the thumbnails of a frame are: ``thumbnails/3/…/….jpgs``."""
    return f"thumbnails/{_stem(blob)}.jpgs"


def picture_key(blob: str, digest: bytes) -> str:
    """Where the JPEG is that is shown instead of a blob; the name ends with its own SHA-256."""
    return f"pictures/{_stem(blob)}-{digest.hex()[:16]}.jpg"


def _stem(blob: str) -> str:
    return blob.removeprefix("frames/").rpartition(".")[0]
