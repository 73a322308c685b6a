"""What a live stream is."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from urllib.parse import urlsplit

Player = Literal["twitch", "hls", "embed"]

LONGEST_TITLE = 500
LONGEST_NAME = 200
LONGEST_ID = 200
LONGEST_URL = 2000
LONGEST_TAG = 100
MOST_TAGS = 50
MOST_VIEWERS = 2_147_483_647
"""The largest number that the database's column holds."""


class Refused(ValueError):
    """A stream that cannot be shown; the message is the reason it is counted under."""


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


def clean(stream: SeenStream) -> SeenStream:
    """The stream as it may be stored and shown; raises Refused with the reason when it may not.

    Control characters (NULs, lone surrogates and overrides of the writing direction among them)
    are removed, long texts cut, numbers put into range. Cleaning twice changes nothing.
    """
    external_id = one_line(stream.external_id, LONGEST_ID + 1)
    if not external_id or len(external_id) > LONGEST_ID:
        raise Refused("no usable id")
    player_url = stream.player_url
    if not is_web_address(stream.page_url):
        raise Refused("no usable address")
    if stream.player == "twitch":
        if not re.fullmatch(r"\w{1,100}", player_url, re.ASCII):
            raise Refused("no usable player")
    elif not is_web_address(player_url):
        raise Refused("no usable player")
    tags = dict.fromkeys(one_line(tag, LONGEST_TAG) for tag in stream.tags[:MOST_TAGS])
    thumbnail = stream.thumbnail_url
    started_at = stream.started_at
    return replace(
        stream,
        external_id=external_id,
        title=one_line(stream.title, LONGEST_TITLE),
        viewers=min(max(stream.viewers, 0), MOST_VIEWERS),
        category_id=one_line(stream.category_id, LONGEST_ID),
        category=one_line(stream.category, LONGEST_NAME),
        tags=tuple(tag for tag in tags if tag),
        language=one_line(stream.language, 20).lower(),
        channel_id=one_line(stream.channel_id, LONGEST_ID),
        channel_login=one_line(stream.channel_login, LONGEST_NAME),
        channel_name=one_line(stream.channel_name, LONGEST_NAME),
        thumbnail_url=thumbnail if thumbnail and is_web_address(thumbnail) else None,
        started_at=started_at if started_at is None or started_at.tzinfo else None,
    )


_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff"  # controls, halves of characters
    "\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]"  # direction marks, non-characters
)


def one_line(text: str, longest: int) -> str:
    """``text`` without control characters, its white space as single spaces, cut to a length."""
    if not text.isprintable():
        text = _UNSEEN.sub("", text)
    return " ".join(text.split())[:longest].rstrip()


def is_web_address(url: str) -> bool:
    """Whether it is an http(s) URL of reasonable length, printable, with a host, without a user."""
    if len(url) > LONGEST_URL or not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
    except ValueError:
        return False


def search_text(stream: SeenStream) -> str:
    """What a search looks in: lower case of title, category, tags and channel, a line each."""
    parts = (stream.title, stream.category, *stream.tags, stream.channel_name)
    login = stream.channel_login
    if login.lower() != stream.channel_name.lower():
        parts = (*parts, login)
    return "\n".join(parts).lower()
