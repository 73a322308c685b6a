"""Feeds of any search, the newest streams first: RSS 2.0, Atom, JSON Feed.

Formats: https://www.rssboard.org/rss-specification, RFC 4287, https://www.jsonfeed.org/version/1.1.
What changes every pass (viewers) is left out, so that an item stays as it is while it is live.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from sanic import Blueprint, HTTPResponse, Request

from vigil import openapi, prepared, responses
from vigil.openapi import Media, describe
from vigil.streams import store
from vigil.streams.api import Stream, Wanted, the_filter
from vigil.streams.asked import LISTS
from vigil.streams.draws import in_time
from vigil.xmltext import ATOM_NAMES, add, document

ON_FEED = 50
TTL_MINUTES = 5
RSS, ATOM, JSON_FEED = "application/rss+xml", "application/atom+xml", "application/feed+json"
_CREATOR_NAMES = "http://purl.org/dc/elements/1.1/"

_LANGUAGE = re.compile("[a-z]{2,3}(-[a-z0-9]{2,8})*")  # RFC 5646; sources also say "other"

_stream = msgspec.json.Decoder(Stream)


@dataclass(frozen=True)
class Feed:
    """What every format says in its own words."""

    title: str
    page: str
    """The same search for people."""
    address: str
    """The feed itself."""
    site: str
    streams: list[Stream]
    now: datetime

    def id(self, stream: Stream) -> str:
        """An address of ours that stays a stream's."""
        return f"{self.site}/api/v1/streams/{quote(stream.source)}/{quote(stream.id, safe='')}"

    @property
    def updated(self) -> datetime:
        """When something came last."""
        moments = [_since(stream) for stream in self.streams]
        return max(moments, default=self.now.replace(minute=0, second=0, microsecond=0))


async def _feed(request: Request) -> Feed:
    asked, given = openapi.asked(request, Wanted, LISTS)
    wanted = the_filter(asked, given)
    context = responses.context(request)
    now, pool = context.clock.now(), request.app.ctx.draws.pool
    with in_time():
        rows = await store.latest(pool, wanted, 2**63 - 1, ON_FEED, now)
    site, query = context.settings.site_url, "?" + urlencode(given) if given else ""
    told = ", ".join(f"{name.replace('_', ' ')} {text}" for name, text in given.items())
    return Feed(
        title=f"Live streams: {told}" if told else "Live streams",
        page=f"{site}/{query}",
        address=f"{site}{request.path}{query}",
        site=site,
        streams=[_stream.decode(body) for _, body in rows],
        now=now,
    )


@describe(Media(RSS), query=Wanted, errors=(413,), tagged=True)
async def rss(request: Request) -> HTTPResponse:
    """Matching live streams as RSS 2.0: the newest 50."""
    return prepared.answer(request, as_rss(await _feed(request)), f"{RSS}; charset=utf-8")


@describe(Media(ATOM), query=Wanted, errors=(413,), tagged=True)
async def atom(request: Request) -> HTTPResponse:
    """Matching live streams as Atom: the newest 50."""
    return prepared.answer(request, as_atom(await _feed(request)), f"{ATOM}; charset=utf-8")


@describe(Media(JSON_FEED), query=Wanted, errors=(413,), tagged=True)
async def json_feed(request: Request) -> HTTPResponse:
    """Matching live streams as JSON Feed 1.1: the newest 50."""
    return prepared.answer(request, as_json(await _feed(request)), JSON_FEED)


def register(bp: Blueprint) -> None:
    """Add these routes to the room's."""
    for name, handler in _ROUTES.items():
        bp.add_route(handler, f"/feeds/streams.{name}", ("GET", "HEAD"), name=f"feed_{name}")


_ROUTES: dict[str, Callable[..., Coroutine[Any, Any, HTTPResponse]]] = {
    "rss": rss,
    "atom": atom,
    "json": json_feed,
}


def as_rss(feed: Feed) -> bytes:
    """RSS 2.0."""
    names = {"version": "2.0", "xmlns:atom": ATOM_NAMES, "xmlns:dc": _CREATOR_NAMES}
    root = ET.Element("rss", names)
    channel = add(root, "channel")
    add(channel, "title", feed.title)
    add(channel, "link", feed.page)
    add(channel, "description", "Live now, the newest first.")
    add(channel, "atom:link", href=feed.address, rel="self", type=RSS)
    add(channel, "lastBuildDate", format_datetime(feed.updated))
    add(channel, "ttl", str(TTL_MINUTES))
    for stream in feed.streams:
        item = add(channel, "item")
        add(item, "title", _title(stream))
        add(item, "link", stream.url)
        add(item, "guid", feed.id(stream), isPermaLink="false")
        add(item, "pubDate", format_datetime(_since(stream)))
        add(item, "dc:creator", stream.user_name or stream.source)
        add(item, "description", _told(stream).replace("&", "&amp;").replace("<", "&lt;"))
        for tag in _tags(stream):
            add(item, "category", tag)
    return document(root)


def as_atom(feed: Feed) -> bytes:
    """Atom (RFC 4287)."""
    root = ET.Element("feed", {"xmlns": ATOM_NAMES})
    add(root, "id", feed.address)
    add(root, "title", feed.title)
    add(root, "updated", feed.updated.isoformat())
    add(root, "link", rel="self", type=ATOM, href=feed.address)
    add(root, "link", rel="alternate", type="text/html", href=feed.page)
    add(root, "generator", "Vigil")
    for stream in feed.streams:
        entry = add(root, "entry")
        add(entry, "id", feed.id(stream))
        add(entry, "title", _title(stream))
        add(entry, "updated", _since(stream).isoformat())
        add(entry, "published", _since(stream).isoformat())
        add(add(entry, "author"), "name", stream.user_name or stream.source)
        add(entry, "link", rel="alternate", type="text/html", href=stream.url)
        add(entry, "summary", _told(stream))
        for tag in _tags(stream):
            add(entry, "category", term=tag)
    return document(root)


def as_json(feed: Feed) -> bytes:
    """JSON Feed 1.1."""
    return msgspec.json.encode(
        {
            "version": "https://jsonfeed.org/version/1.1",
            "title": feed.title,
            "home_page_url": feed.page,
            "feed_url": feed.address,
            "items": [_item(feed, stream) for stream in feed.streams],
        }
    )


def _item(feed: Feed, stream: Stream) -> dict[str, Any]:
    item: dict[str, Any] = {
        "id": feed.id(stream),
        "url": stream.url,
        "title": _title(stream),
        "content_text": _told(stream),
        "date_published": _since(stream),
        "authors": [{"name": stream.user_name or stream.source}],
        "tags": _tags(stream),
    }
    if _LANGUAGE.fullmatch(stream.language):
        item["language"] = stream.language
    if stream.thumbnail_url:
        sized = stream.thumbnail_url.replace("{width}", "1280").replace("{height}", "720")
        item["image"] = sized
    return item


def _since(stream: Stream) -> datetime:
    return stream.started_at or stream.seen_at


def _title(stream: Stream) -> str:
    return stream.title.strip() or stream.user_name or stream.id


def _told(stream: Stream) -> str:
    return " · ".join(
        part
        for part in (stream.user_name, stream.game_name, stream.language, stream.source)
        if part
    )


def _tags(stream: Stream) -> list[str]:
    found = dict.fromkeys([stream.game_name, *stream.tags])
    return [tag for tag in found if tag.strip()]
