"""What Twitch sends in a page, and the streams that become of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Raw, Struct

from vigil.errors import SourceError
from vigil.sources import clean
from vigil.sources.items import validate
from vigil.streams.model import SeenStream

PAGE = 100
"""Items in a page, as we ask for them."""


class Item(Struct):
    """One stream as Helix sends it."""

    id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,100}$")]
    user_login: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_]{1,100}$")]
    viewer_count: Annotated[int, Meta(ge=0, le=2**31 - 1)]
    title: str | None = None
    type: str | None = "live"
    user_id: str | None = None
    user_name: str | None = None
    game_id: str | None = None
    game_name: str | None = None
    language: str | None = None
    started_at: str | None = None
    thumbnail_url: str | None = None
    tags: list[str | None] | None = None
    is_mature: bool | None = False


@dataclass(frozen=True, slots=True)
class Read:
    """What a page holds."""

    items: list[Item]
    """Those that are well-formed, and as many as that."""
    streams: list[SeenStream]
    """Those of them that meet the criteria."""
    refused: Counter[str]


def read(raws: list[Raw], chosen: Mapping[str, Any], now: datetime) -> Read:
    """The streams of a page, and why the others are not among them."""
    if len(raws) > PAGE * 2:
        raise SourceError(
            f"Twitch sent {len(raws)} items in a page of {PAGE}", hint="is this address Twitch's?"
        )
    most = chosen["max_viewers"]
    items, streams = [], []
    refused: Counter[str] = Counter()
    for raw in raws:
        item = validate(raw, Item, refused)
        if item is None:
            continue
        items.append(item)
        if item.type != "live":
            refused["not live"] += 1
        elif most is not None and item.viewer_count > most:
            refused[f"more than {most} viewers"] += 1
        elif chosen["languages"] and (item.language or "").lower() not in chosen["languages"]:
            refused["another language"] += 1
        elif chosen["categories"] and item.game_id not in chosen["categories"]:
            refused["another category"] += 1
        else:
            streams.append(stream(item, now))
    return Read(items, streams, refused)


def stream(item: Item, now: datetime) -> SeenStream:
    """A stream of Twitch as every room sees one."""
    return SeenStream(
        external_id=item.id,
        title=clean.text(item.title, clean.TITLE_MOST),
        viewers=item.viewer_count,
        page_url=f"https://www.twitch.tv/{item.user_login}",
        player="twitch",
        player_url=item.user_login,
        category_id=clean.text(item.game_id),
        category=clean.text(item.game_name),
        tags=clean.tags(item.tags),
        language=clean.language(item.language),
        mature=bool(item.is_mature),
        channel_id=clean.text(item.user_id),
        channel_login=item.user_login,
        channel_name=clean.text(item.user_name) or item.user_login,
        thumbnail_url=clean.url(item.thumbnail_url),
        started_at=clean.moment(item.started_at, now),
    )
