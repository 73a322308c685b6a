"""Events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened."""

    id: int
    at: datetime
    kind: str
    """Word to choose by: ``camera.silent`` when it begins, ``camera.silent.over`` at its end."""
    subject: str
    """What it is about: ``camera:<name>``."""
    message: str
    """A sentence for a person."""
    details: Mapping[str, Any]
