"""Where pictures of a film are kept: sheets, posters, covers by segment, animations by film."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Literal, get_args

from vigil.films.model import segment_blob

Kind = Literal["sheet", "poster", "cover"]


def blob(hash: str, kind: Kind) -> str:
    """Where a picture of a segment is kept."""
    return f"stills/{hash[:2]}/{hash}-{kind}.jpg"


def of_segment(segment: str) -> tuple[str, ...]:
    """All that is kept beside a segment's blob, to be removed before it."""
    hash = segment.rpartition("/")[2].removesuffix(".mp4")
    return tuple(blob(hash, kind) for kind in get_args(Kind))


def segment_of(key: str) -> str | None:
    """The segment's blob that a blob is a picture of; ``None`` when it is none of those."""
    match = re.fullmatch(r"stills/[0-9a-f]{2}/([0-9a-f]{64})-(?:sheet|poster|cover)\.jpg", key)
    return segment_blob(match[1]) if match else None


def preview_folder(film_id: int) -> str:
    """Where the animations of a film are kept."""
    return f"previews/{film_id}"


def film_of(key: str) -> int | None:
    """The film that a blob is an animation of; ``None`` when it is none of those."""
    match = re.fullmatch(r"previews/(\d{1,18})/[0-9a-f]{32}\.webp", key)
    return int(match[1]) if match else None


def preview_key(hashes: Sequence[str]) -> str:
    """Names the animation made of these segments."""
    return hashlib.sha256("".join(hashes).encode()).hexdigest()[:32]


def preview_blob(film_id: int, hashes: Sequence[str]) -> str:
    """Where that one is kept."""
    return f"{preview_folder(film_id)}/{preview_key(hashes)}.webp"
