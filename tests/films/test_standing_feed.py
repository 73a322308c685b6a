"""Feeds of standing films, against what the rules of RSS 2.0 and of podcast apps demand."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from vigil.films.standing import feed
from vigil.films.standing.model import Edition, Standing
from vigil.films.taking import TYPES

A = "{http://www.w3.org/2005/Atom}"
I = "{http://www.itunes.com/dtds/podcast-1.0.dtd}"  # noqa: E741 - short, as A is
SITE = "https://vigil.example/films-of-ours"
DAY = datetime(2026, 3, 1, 23, tzinfo=UTC)
NASTY = "<b>]]>&amp; \ufffe \u202egnp 🎈 \"'"


def standing(**other: Any) -> Standing:
    values: dict[str, Any] = {
        "id": 1, "slug": "garden", "title": "The garden", "wish": {"camera": "garden"},
        "every": "daily", "rolling_s": None, "time_zone": "Europe/Berlin", "keep_films": None,
        "keep_s": None, "announce": True, "since": DAY, "ordered_at": DAY, "paused_at": None,
        "next_at": DAY, "made_at": None, "error": None, "past_at": None, "past_left": 0,
        "past_total": 0, "created_at": DAY, "changed_at": DAY,
    }  # fmt: skip
    return Standing(**values | other)


def edition(day: int, **other: Any) -> Edition:
    from_at = DAY + timedelta(days=day)
    values: dict[str, Any] = {
        "standing_id": 1, "from_at": from_at, "to_at": from_at + timedelta(days=1),
        "film_id": 10 + day, "title": f"The garden, day {day}", "state": "done", "error": None,
        "plays": True, "duration_s": 59.96, "file_bytes": 1000 + day, "container": "mp4",
        "width": 1280, "height": 720, "watched_at": None, "created_at": from_at,
    }  # fmt: skip
    return Edition(**values | other)


def made(*editions: Edition, **other: Any) -> feed.Feed:
    return feed.Feed(standing=standing(**other), editions=editions, site=SITE)


def one(element: ET.Element, path: str) -> ET.Element:
    found = element.findall(path)
    assert len(found) == 1, path
    return found[0]


def check_rss(body: bytes) -> ET.Element:
    """What the specification and the profile demand of any feed of films; returns its channel."""
    assert body.startswith(b"<?xml version='1.0' encoding='utf-8'?>")
    root = ET.fromstring(body)
    assert (root.tag, root.get("version")) == ("rss", "2.0")
    (channel,) = root
    for name in ("title", "link", "description", "language", "lastBuildDate", "ttl"):
        assert one(channel, name).text, name
    self_link = one(channel, f"{A}link")
    assert (self_link.get("rel"), self_link.get("type")) == ("self", "application/rss+xml")
    assert str(self_link.get("href")).endswith("/feed.xml")
    assert one(channel, f"{I}explicit").text == "false"
    assert one(channel, f"{I}category").get("text")
    covers = channel.findall(f"{I}image")
    assert len(covers) == bool(channel.findall("item"))
    for cover in covers:
        assert str(cover.get("href")).startswith("http")
        assert str(cover.get("href")).endswith(".jpg")
        assert one(channel, "image/url").text == cover.get("href")
        assert one(channel, "image/title").text == one(channel, "title").text
        assert one(channel, "image/link").text == one(channel, "link").text
    guids, dates = [], []
    for item in channel.findall("item"):
        assert one(item, "title").text
        assert str(one(item, "link").text).startswith("http")
        assert one(item, "guid").get("isPermaLink") == "false"
        guids.append(one(item, "guid").text)
        dates.append(parsedate_to_datetime(str(one(item, "pubDate").text)))
        assert dates[-1].tzinfo is not None
        enclosure = one(item, "enclosure")
        assert str(enclosure.get("url")).startswith("http")
        assert int(str(enclosure.get("length"))) > 0
        assert str(enclosure.get("type")).partition("/")[0] in ("video", "image")
        assert int(str(one(item, f"{I}duration").text)) > 0
    assert len(set(guids)) == len(guids)
    assert dates == sorted(dates, reverse=True)
    return channel


def test_rss() -> None:
    channel = check_rss(feed.as_rss(made(edition(2), edition(1), edition(0))))
    first = channel.findall("item")[0]
    enclosure = one(first, "enclosure")
    assert enclosure.attrib == {
        "url": f"{SITE}/api/v1/films/12/film.mp4",
        "length": "1002",
        "type": "video/mp4",
    }
    assert parsedate_to_datetime(str(one(first, "pubDate").text)) == DAY + timedelta(days=3)
    assert one(first, f"{I}duration").text == "60"
    assert one(channel, "link").text == f"{SITE}/films/standing/garden"
    assert one(channel, f"{A}link").get("href") == f"{SITE}/films/standing/garden/feed.xml"
    assert one(channel, "lastBuildDate").text == one(first, "pubDate").text


def test_an_item_stays_the_same_when_its_film_is_made_again() -> None:
    before = check_rss(feed.as_rss(made(edition(0))))
    after = check_rss(feed.as_rss(made(edition(0, film_id=99, file_bytes=7))))
    assert one(before, "item/guid").text == one(after, "item/guid").text
    assert one(before, "item/pubDate").text == one(after, "item/pubDate").text
    assert one(after, "item/enclosure").get("length") == "7"


@pytest.mark.parametrize("container", list(TYPES))
def test_other_containers(container: str) -> None:
    channel = check_rss(feed.as_rss(made(edition(0, container=container))))
    enclosure = one(channel, "item/enclosure")
    assert enclosure.get("type") == TYPES[container]
    assert str(enclosure.get("url")).endswith(f"/film.{container}")


def test_nothing_in_a_title_breaks_the_xml() -> None:
    channel = check_rss(feed.as_rss(made(edition(0, title=NASTY), title=NASTY)))
    for path in ("title", "item/title"):
        assert one(channel, path).text == NASTY.replace("\ufffe", "\ufffd")


def test_an_empty_feed_is_one_too() -> None:
    assert check_rss(feed.as_rss(made())).findall("item") == []
    assert json.loads(feed.as_json(made()))["items"] == []


def test_json_feed() -> None:
    found = json.loads(feed.as_json(made(edition(1), edition(0))))
    assert found["version"] == "https://jsonfeed.org/version/1.1"
    assert found["feed_url"] == f"{SITE}/films/standing/garden/feed.json"
    assert found["icon"] == f"{SITE}/films/standing/garden/cover.jpg"
    assert [item["id"] for item in found["items"]] == [
        "garden/2026-03-02T23:00:00Z",
        "garden/2026-03-01T23:00:00Z",
    ]
    for item in found["items"]:
        assert datetime.fromisoformat(item["date_published"]).tzinfo is not None
        (attachment,) = item["attachments"]
        assert attachment["mime_type"] == "video/mp4"
        assert attachment["size_in_bytes"] in (1000, 1001)
        assert attachment["url"].startswith("https://")
