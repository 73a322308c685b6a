"""A key of a player, as it is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A sealed key."""

    id: int
    game_id: int
    sealed: bytes = field(repr=False)
    fingerprint: bytes = field(repr=False)
    player_uid: int | None
    """Whose it is; ``None`` where nobody said."""
    state: str
    """``ok`` or ``refused``."""
    created_at: datetime
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Code:
    """A key, opened. It is in memory for as long as a question takes."""

    id: int
    text: str = field(repr=False)
    player_uid: int | None
