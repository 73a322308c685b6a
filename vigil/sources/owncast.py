"""The Owncast directory: https://directory.owncast.online, and each instance's own status.

``/api/iptv`` lists what is live, ``/api/home`` says which instances are for adults: what stands
in one only, or is for adults, is not kept. How many watch, only the instance itself knows.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from msgspec import Raw, Struct

from vigil.context import Context
from vigil.errors import SourceError, VigilError
from vigil.sources import clean, options, playlists
from vigil.sources.items import refuse, validate
from vigil.sources.model import DirectoryKind, Page, Source
from vigil.streams.model import SeenStream

PLAYLIST = "/hls/stream.m3u8"
STATUS_TIMEOUT_S = 5.0
STATUSES_AT_ONCE = 16
MOST_INSTANCES = 2000
"""Each is asked for its status: a directory cannot have us ask any number of hosts."""
PAGE = 50
"""Instances asked for their status between two batches."""


class Tag(Struct):
    """One tag of an instance."""

    name: str | None = None


class Instance(Struct):
    """One instance as /api/home has it."""

    url: str
    nsfw: bool
    name: str | None = None
    streamTitle: str | None = None  # noqa: N815 - the other side's name
    description: str | None = None
    tags: list[Tag] | None = None


class Section(Struct):
    """One row of the directory's front page."""

    instances: list[Raw] | None = None


class Home(Struct):
    """The directory's front page."""

    sections: list[Section]


class Status(Struct):
    """What an instance says of itself at /api/status."""

    online: bool
    viewerCount: int | None = None  # noqa: N815
    lastConnectTime: str | None = None  # noqa: N815
    streamTitle: str | None = None  # noqa: N815


async def pages(context: Context, source: Source) -> AsyncIterator[Page]:
    """One pass: both lists, then the instances' own words."""
    refused: Counter[str] = Counter()
    entries, rated = await asyncio.gather(
        _playlist(context, source, refused), _instances(context, source, refused)
    )
    found = len(entries) + refused.total()
    live: dict[str, tuple[playlists.Entry, Instance]] = {}
    for entry in entries:
        place = _place(entry.url.removesuffix(PLAYLIST))
        instance = rated.get(place)
        if clean.url(entry.url) is None or not place:
            refuse(refused, "no proper address")
        elif instance is None:
            refuse(refused, "not rated")
        elif instance.nsfw:
            refuse(refused, "for adults")
        elif place in live:
            refuse(refused, "listed twice")
        elif len(live) >= MOST_INSTANCES:
            refuse(refused, f"beyond the first {MOST_INSTANCES}")
        else:
            live[place] = (entry, instance)
    places = list(live)
    for start in range(0, max(len(places), 1), PAGE):
        batch = places[start : start + PAGE]
        statuses = await _statuses(context, [live[place][1] for place in batch])
        streams = []
        for place, status in zip(batch, statuses, strict=True):
            if status is not None and not status.online:
                refuse(refused, "offline by its own word")
            else:
                streams.append(stream(context, place, *live[place], status))
        yield Page(streams=streams, found=found, refused=refused)
        found, refused = 0, Counter()


def stream(
    context: Context, place: str, entry: playlists.Entry, instance: Instance, status: Status | None
) -> SeenStream:
    """A live instance as every room sees a stream. One that hides its viewers has none."""
    title = (status.streamTitle if status else None) or instance.streamTitle or entry.name
    name = clean.text(instance.name) or place
    return SeenStream(
        external_id=place,
        title=clean.text(title, clean.TITLE_MOST) or name,
        viewers=clean.number(status.viewerCount if status else 0),
        page_url=instance.url,
        player="hls",
        player_url=entry.url,
        tags=clean.tags(tag.name for tag in instance.tags or ()),
        channel_id=clean.text(entry.attributes.get("tvg-id")),
        channel_login=place,
        channel_name=name,
        thumbnail_url=clean.url(f"{instance.url}/thumbnail.jpg"),
        started_at=clean.moment(status.lastConnectTime if status else None, context.clock.now()),
    )


async def _playlist(
    context: Context, source: Source, refused: Counter[str]
) -> list[playlists.Entry]:
    response = await context.fetcher.get(f"{base(context, source)}/api/iptv", private=True)
    try:
        entries, broken = playlists.parse(response.body.decode("utf-8", "replace"))
    except ValueError as error:
        raise SourceError(
            f"the Owncast directory sent something that is no M3U playlist: {error}"
        ) from error
    if broken:
        refused["malformed: no URL"] += broken
    return entries


async def _instances(
    context: Context, source: Source, refused: Counter[str]
) -> dict[str, Instance]:
    """Place → instance; where one is listed twice, the stricter rating counts."""
    response = await context.fetcher.get(f"{base(context, source)}/api/home", private=True)
    found: dict[str, Instance] = {}
    bad: Counter[str] = Counter()  # shown only as "not rated": the playlist is what is counted
    for section in response.json(Home).sections:
        for raw in section.instances or ():
            instance = validate(raw, Instance, bad)
            if instance is None or clean.url(instance.url) is None:
                continue
            instance.url = instance.url.rstrip("/")
            place = _place(instance.url)
            before = found.get(place)
            if place and (before is None or not before.nsfw):
                found[place] = instance
    return found


async def _statuses(context: Context, instances: list[Instance]) -> list[Status | None]:
    """What each instance says of itself; ``None`` where it does not answer."""
    slots = asyncio.Semaphore(STATUSES_AT_ONCE)

    async def ask(instance: Instance) -> Status | None:
        async with slots:
            try:
                response = await context.fetcher.get(
                    f"{instance.url}/api/status",
                    timeout_s=STATUS_TIMEOUT_S,
                    retries=0,
                    max_bytes=65_536,
                )
                return response.json(Status)
            except VigilError:  # a stranger's server: private addresses are refused, too
                return None

    return await asyncio.gather(*(ask(instance) for instance in instances))


def base(context: Context, source: Source) -> str:
    """Where the directory is."""
    return source.base_url or context.settings.owncast_url


def _place(url: str) -> str:
    """Host and path in one spelling: what an instance is known by."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    default = {"http": 80, "https": 443}.get(parts.scheme)
    suffix = f":{port}" if port and port != default else ""
    return clean.text(f"{host}{suffix}{parts.path.rstrip('/')}") if host else ""


def check_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """There are none."""
    options.only(given, ())
    return {}


async def test(context: Context, source: Source) -> str:
    """Fetch the playlist."""
    entries = await _playlist(context, source, Counter())
    return f"the Owncast directory answers; {len(entries)} instances are live"


KIND = DirectoryKind(
    name="owncast",
    title="Owncast directory",
    interval_s=120,
    ttl_s=900,
    pages=pages,
    check_options=check_options,
    setting="owncast_url",
    test=test,
)
