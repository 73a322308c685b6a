"""The feed of a standing film: RSS 2.0 as podcast apps read it, and JSON Feed.

https://www.rssboard.org/rss-specification, https://www.rssboard.org/rss-profile (one enclosure an
item, atom:link to itself), Apple's tags (https://help.apple.com/itc/podcasts_connect/#/itcb54353390),
https://www.jsonfeed.org/version/1.1.

An item is the film of a period that is over: it is dated by the end of that, and its guid names
the period, so it stays the same when late frames are worked in or the site gets another address.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

import msgspec

from vigil.films.standing.model import Edition, Standing
from vigil.films.standing.shown import file_of, page_of
from vigil.films.taking import TYPES
from vigil.xmltext import ATOM_NAMES, add, document

ON_FEED = 100
TTL_MINUTES = 15
RSS, JSON_FEED = "application/rss+xml", "application/feed+json"
_ITUNES_NAMES = "http://www.itunes.com/dtds/podcast-1.0.dtd"


@dataclass(frozen=True, kw_only=True)
class Feed:
    """What both forms say in their own words."""

    standing: Standing
    editions: Sequence[Edition]
    """Those that are there as a file, the latest first."""
    site: str
    """Where visitors reach the site; no slash at the end."""

    @property
    def page(self) -> str:
        """The page for people."""
        return self.site + page_of(self.standing.slug)

    @property
    def cover(self) -> str | None:
        """A square picture; ``None`` before there is a film."""
        return f"{self.page}/cover.jpg" if self.editions else None

    @property
    def description(self) -> str:
        """What it is."""
        return f"{self.standing.title}: a new film every {_UNITS[self.standing.every]}."

    @property
    def updated(self) -> datetime:
        """When something came last."""
        return max((_dated(one) for one in self.editions), default=self.standing.created_at)

    def guid(self, edition: Edition) -> str:
        """Names an item for ever."""
        return f"{self.standing.slug}/{edition.from_at:%Y-%m-%dT%H:%M:%SZ}"

    def file(self, edition: Edition) -> str:
        """The film as one file."""
        return self.site + file_of(edition)

    def film_page(self, edition: Edition) -> str:
        """The page of a film."""
        return f"{self.site}/films/{edition.film_id}"


_UNITS = {"daily": "day", "weekly": "week", "monthly": "month", "rolling": "moment"}


def as_rss(feed: Feed) -> bytes:
    """RSS 2.0 with enclosures."""
    names = {"version": "2.0", "xmlns:atom": ATOM_NAMES, "xmlns:itunes": _ITUNES_NAMES}
    root = ET.Element("rss", names)
    channel = add(root, "channel")
    add(channel, "title", feed.standing.title)
    add(channel, "link", feed.page)
    add(channel, "description", feed.description)
    add(channel, "language", "en")
    add(channel, "atom:link", href=f"{feed.page}/feed.xml", rel="self", type=RSS)
    add(channel, "lastBuildDate", format_datetime(feed.updated))
    add(channel, "generator", "Vigil")
    add(channel, "ttl", str(TTL_MINUTES))
    add(channel, "itunes:author", "Vigil")
    add(channel, "itunes:summary", feed.description)
    add(channel, "itunes:explicit", "false")
    add(channel, "itunes:type", "episodic")
    add(channel, "itunes:category", text="Science")
    if feed.cover is not None:
        add(channel, "itunes:image", href=feed.cover)
        image = add(channel, "image")
        for name, text in (
            ("url", feed.cover),
            ("title", feed.standing.title),
            ("link", feed.page),
        ):
            add(image, name, text)
    for edition in feed.editions:
        item = add(channel, "item")
        add(item, "title", edition.title)
        add(item, "link", feed.film_page(edition))
        add(item, "guid", feed.guid(edition), isPermaLink="false")
        add(item, "pubDate", format_datetime(_dated(edition)))
        add(item, "description", _told(edition))
        add(
            item,
            "enclosure",
            url=feed.file(edition),
            length=str(edition.file_bytes or 0),
            type=TYPES[edition.container],
        )
        add(item, "itunes:title", edition.title)
        add(item, "itunes:duration", str(max(1, round(edition.duration_s))))
        add(item, "itunes:explicit", "false")
        add(item, "itunes:episodeType", "full")
    return document(root)


def as_json(feed: Feed) -> bytes:
    """JSON Feed 1.1 with attachments."""
    return msgspec.json.encode(
        {
            "version": "https://jsonfeed.org/version/1.1",
            "title": feed.standing.title,
            "description": feed.description,
            "home_page_url": feed.page,
            "feed_url": f"{feed.page}/feed.json",
            **({"icon": feed.cover} if feed.cover is not None else {}),
            "items": [
                {
                    "id": feed.guid(edition),
                    "url": feed.film_page(edition),
                    "title": edition.title,
                    "content_text": _told(edition),
                    "date_published": _dated(edition),
                    "attachments": [
                        {
                            "url": feed.file(edition),
                            "mime_type": TYPES[edition.container],
                            "size_in_bytes": edition.file_bytes or 0,
                            "duration_in_seconds": round(edition.duration_s, 3),
                        }
                    ],
                }
                for edition in feed.editions
            ],
        }
    )


def _dated(edition: Edition) -> datetime:
    return edition.to_at or edition.created_at


def _told(edition: Edition) -> str:
    return f"{edition.title}: {edition.duration_s:.0f} s, {edition.width} × {edition.height}."
