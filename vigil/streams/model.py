"""What a live stream is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Literal

import msgspec

Player = Literal["twitch", "hls", "embed"]

MOST_VIEWERS = 2_147_483_647
"""The largest number that the database's column holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenStream:
    """One live stream as a source showed it in one pass, already cleaned.

    What strangers sent went through ``vigil.sources.clean``: no control characters, no lone
    surrogates, http(s) addresses only, nothing longer than the schema says.
    """

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which live streams are asked for. Words are lower case."""

    include: tuple[str, ...] = ()
    """Words looked for in title, category, tags and channel."""
    any: bool = False
    """Whether one of them is enough."""
    exclude: tuple[str, ...] = ()
    """Words that must not occur."""
    max_viewers: int = MOST_VIEWERS
    min_age_minutes: int = 0
    """On air at least as long; a stream that does not say since when is left out."""
    category: str = ""
    """The category's whole name, lower case; empty: any."""
    tags: tuple[str, ...] = ()
    """Whole tags, lower case, one of which is enough; empty: any."""
    languages: tuple[str, ...] = ()
    """Language codes, one of which is enough; empty: any."""
    sources: tuple[str, ...] = ()
    """Names of sources, one of which is enough; empty: any."""


def search_text(stream: SeenStream) -> str:
    """What a search looks in: lower case of title, category, tags and channel, a line each."""
    parts = (stream.title, stream.category, *stream.tags, stream.channel_name)
    login = stream.channel_login
    if login.lower() != stream.channel_name.lower():
        parts = (*parts, login)
    return "\n".join(parts).lower()


_encode = msgspec.msgpack.Encoder().encode


def digest(stream: SeenStream) -> int:
    """64 bits (signed) of everything but the viewers: another value, another description."""
    described = (
        stream.title,
        stream.category_id,
        stream.category,
        stream.tags,
        stream.language,
        stream.mature,
        stream.channel_id,
        stream.channel_login,
        stream.channel_name,
        stream.page_url,
        stream.thumbnail_url,
        stream.player,
        stream.player_url,
        stream.started_at,
    )
    hashed = blake2b(_encode(described), digest_size=8).digest()
    return int.from_bytes(hashed, "little", signed=True)
