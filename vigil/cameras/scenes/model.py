"""When a camera showed what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Span:
    """A camera showed a scene from a moment up to another."""

    camera_id: int
    camera: str
    """Its name."""
    scene_id: int
    scene: str
    """Its name."""
    from_at: datetime | None
    """``None``: since it was added."""
    to_at: datetime | None
    """Not included; ``None``: it still does."""
