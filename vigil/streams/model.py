"""What a live stream is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Player = Literal["twitch", "hls", "embed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenStream:
    """One live stream as a source showed it in one pass, already cleaned by ``clean``."""

    external_id: str
    """The source's own id; unique within the source."""
    title: str
    viewers: int
    page_url: str
    player: Player
    player_url: str
    """What the player needs: channel login, playlist URL or frame URL."""
    category_id: str = ""
    category: str = ""
    tags: tuple[str, ...] = ()
    language: str = ""
    mature: bool = False
    channel_id: str = ""
    channel_login: str = ""
    channel_name: str = ""
    thumbnail_url: str | None = None
    """May hold ``{width}`` and ``{height}`` literally."""
    started_at: datetime | None = None
