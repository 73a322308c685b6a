"""Controllers and what they say of themselves."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

CONTROLLER, PUSH = "controller", "push"
"""How each kind of secret begins, so that one that leaked somewhere is recognised."""
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
NAME_HINT = "lower-case letters, digits and dashes, at most 63"
_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""Letters and digits that a person cannot mistake; twelve of them are 59 bits."""


@dataclass(frozen=True, kw_only=True)
class Controller:
    """A machine that runs ``vigil agent``."""

    id: int
    name: str
    version: str
    report: Mapping[str, Any] = field(default_factory=dict)
    """Camera → what waits in its spool, its last error."""
    clock_offset_s: float | None = None
    """Seconds by which its clock was ahead of ours at its last report."""
    created_at: datetime
    seen_at: datetime | None = None
    cameras: tuple[str, ...] = ()


def normal_code(text: str) -> str | None:
    """A registration code as it is hashed, however it was typed; ``None`` when it is none."""
    letters = re.sub(r"[\s-]", "", text.upper()[:40])
    return _grouped(letters) if len(letters) == 12 and set(letters) <= set(_LETTERS) else None


def new_code() -> str:
    """A fresh registration code, e.g. ``K7QM-2DXA-9RTB``."""
    return _grouped("".join(secrets.choice(_LETTERS) for _ in range(12)))


def _grouped(letters: str) -> str:
    return "-".join(letters[i : i + 4] for i in range(0, len(letters), 4))
