"""Feeds: what each format's specification demands, and that nothing of a stream breaks it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from tests.conftest import Site
from tests.streams.test_views import front, show, stream

A = "{http://www.w3.org/2005/Atom}"
NASTY = "<b>]]>&amp; \ufffe\uffff \u202egnp 🎈 \"'"


async def feed(site: Site, path: str) -> bytes:
    async with site.client.get(path) as response:
        assert response.status == 200, await response.text()
        return await response.read()


def text(element: ET.Element, path: str) -> str:
    found = element.find(path)
    assert found is not None, path
    assert found.text, path
    return found.text


async def fill(site: Site) -> None:
    await show(site, *(stream(n) for n in range(60)))
    await show(
        site,
        stream(99, title=NASTY, channel_name=NASTY, category=NASTY, tags=(NASTY, " ")),
        stream(98, title="", channel_name="", category="", started_at=None, thumbnail_url=None),
        source="other",
    )


async def test_rss(site: Site) -> None:
    await fill(site)
    root = ET.fromstring(await feed(site, "/feeds/streams.rss"))
    assert (root.tag, root.get("version")) == ("rss", "2.0")
    (channel,) = root
    for name in ("title", "link", "description"):
        assert text(channel, name)
    self_link = channel.find(f"{A}link")
    assert self_link is not None
    assert self_link.get("href") == f"{site.context.settings.site_url}/feeds/streams.rss"
    items = channel.findall("item")
    assert len(items) == 50
    for item in items:
        assert text(item, "title")
        assert text(item, "link").startswith("https://")
        assert parsedate_to_datetime(text(item, "pubDate")) <= datetime.now(UTC)
    guids = [text(item, "guid") for item in items]
    assert len(set(guids)) == 50
    assert items[0].find("guid").get("isPermaLink") == "false"  # type: ignore[union-attr] # asserted


async def test_atom(site: Site) -> None:
    await fill(site)
    root = ET.fromstring(await feed(site, "/feeds/streams.atom?include=mario&tags=english"))
    assert root.tag == f"{A}feed"
    assert text(root, f"{A}title") == "Live streams: include mario, tags english"
    assert text(root, f"{A}id").endswith("/feeds/streams.atom?include=mario&tags=english")
    links = {link.get("rel"): link.get("href") for link in root.findall(f"{A}link")}
    assert set(links) == {"self", "alternate"}
    entries = root.findall(f"{A}entry")
    assert len(entries) == 30
    moments = []
    for entry in entries:
        assert "Mario" in text(entry, f"{A}title")
        assert text(entry, f"{A}author/{A}name")
        assert text(entry, f"{A}id").startswith("http")
        assert entry.find(f"{A}link") is not None
        moments.append(datetime.fromisoformat(text(entry, f"{A}updated")))
    assert datetime.fromisoformat(text(root, f"{A}updated")) == max(moments)


async def test_json_feed(site: Site) -> None:
    await fill(site)
    async with site.client.get("/feeds/streams.json?sources=other") as response:
        assert response.content_type == "application/feed+json"
        made: dict[str, Any] = await response.json(content_type=None)
    assert made["version"] == "https://jsonfeed.org/version/1.1"
    assert made["title"]
    assert made["feed_url"].endswith("/feeds/streams.json?sources=other")
    items = {item["title"]: item for item in made["items"]}
    assert sorted(items) == sorted(["98", NASTY])  # seen at once: either may be the latest
    for item in made["items"]:
        assert item["id"]
        assert item["content_text"]
        assert datetime.fromisoformat(item["date_published"]).tzinfo is not None
        assert item["authors"][0]["name"]
        assert all(item["tags"]) or not item["tags"]
    assert items[NASTY]["image"].endswith("99-1280x720.jpg")
    assert "image" not in items["98"]


@pytest.mark.parametrize("form", ["rss", "atom"])
async def test_nothing_in_a_stream_breaks_the_xml(site: Site, form: str) -> None:
    await fill(site)
    body = await feed(site, f"/feeds/streams.{form}?sources=other")
    root = ET.fromstring(body)
    titles = [one.text for one in root.iter() if one.tag in ("title", f"{A}title")]
    assert NASTY.replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd") in titles
    assert b"<b>" not in body


@pytest.mark.parametrize("form", ["rss", "atom", "json"])
async def test_an_empty_feed_is_one_too(site: Site, form: str) -> None:
    body = await feed(site, f"/feeds/streams.{form}?include=nobody")
    if form != "json":
        ET.fromstring(body)
    async with site.client.get(f"/feeds/streams.{form}?colour=red") as response:
        assert response.status == 400


async def test_a_feed_stays_the_same_while_only_viewers_change(site: Site) -> None:
    await show(site, stream(1, viewers=1))
    before = await feed(site, "/feeds/streams.atom")
    await show(site, stream(1, viewers=900))
    assert await feed(site, "/feeds/streams.atom") != b""
    first, second = ET.fromstring(before), ET.fromstring(await feed(site, "/feeds/streams.atom"))
    entry = f"{A}entry/{A}"
    for name in ("id", "updated", "title", "summary"):
        assert text(first, entry + name) == text(second, entry + name)


async def test_a_browser_finds_the_feed_of_the_search(site: Site) -> None:
    await fill(site)
    page = await front(site, "?include=mario&tags=english")
    for form in ("rss", "atom", "json"):
        assert f'href="/feeds/streams.{form}?include=mario&amp;tags=english"' in page
    assert 'href="/feeds/streams.atom"' in await front(site)
