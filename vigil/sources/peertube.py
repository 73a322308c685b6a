"""PeerTube: the search of Sepia or of any instance.

https://docs.joinpeertube.org/api-rest-reference.html#tag/Search/operation/searchVideos
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urljoin, urlsplit

from msgspec import Meta, Raw, Struct

from vigil.context import Context
from vigil.errors import SourceError
from vigil.sources import clean, options
from vigil.sources.items import refuse, validate
from vigil.sources.model import DirectoryKind, Page, Source
from vigil.streams.model import SeenStream

PAGE = 100
MAX_PAGES = 200
ENOUGH = 0.9
"""Share of the promised total that counts as all: search engines only estimate it."""
NOT_LIVE_NOW = frozenset({4, 5})
"""VideoState: waiting for the live, live ended."""


class Named(Struct):
    """A thing with an id and a label (category, language, state)."""

    id: str | int | None = None
    label: str | None = None


class Channel(Struct):
    """Whose stream it is."""

    name: str | None = None
    displayName: str | None = None  # noqa: N815 - the other side's name
    host: str | None = None
    url: str | None = None


class Video(Struct):
    """One live video."""

    uuid: Annotated[str, Meta(pattern=r"^[0-9A-Fa-f-]{8,64}$")]
    url: Annotated[str, Meta(max_length=clean.URL_MOST)]
    isLive: bool  # noqa: N815
    nsfw: bool
    name: str | None = None
    embedUrl: str | None = None  # noqa: N815
    embedPath: str | None = None  # noqa: N815
    thumbnailUrl: str | None = None  # noqa: N815
    thumbnailPath: str | None = None  # noqa: N815
    previewUrl: str | None = None  # noqa: N815
    previewPath: str | None = None  # noqa: N815
    publishedAt: str | None = None  # noqa: N815
    viewers: int | float | None = None
    language: Named | None = None
    category: Named | None = None
    state: Named | None = None
    tags: list[str | None] | None = None
    channel: Channel | None = None


class Answer(Struct):
    """One page of results."""

    total: Annotated[int, Meta(ge=0)]
    data: list[Raw]


async def pages(context: Context, source: Source) -> AsyncIterator[Page]:
    """One pass, the latest first."""
    start = 0
    for _ in range(MAX_PAGES):
        answer = await _search(context, source, start, PAGE)
        yield read(answer.data, context.clock.now())
        start += len(answer.data)
        if start >= answer.total:
            return
        if not answer.data:
            if start >= answer.total * ENOUGH:
                return
            raise SourceError(
                f"PeerTube's search promised {answer.total} streams and showed {start}"
            )
    raise SourceError(f"PeerTube's search sent more than {MAX_PAGES} pages")


def read(items: list[Raw], now: datetime) -> Page:
    """The streams of a page, and why the others are not among them."""
    streams = []
    refused: Counter[str] = Counter()
    for raw in items:
        video = validate(raw, Video, refused)
        if video is None:
            continue
        page_url = clean.url(video.url)
        if page_url is None:
            refuse(refused, "no proper address")
        elif video.nsfw:
            refuse(refused, "for adults")
        elif not video.isLive or (video.state is not None and video.state.id in NOT_LIVE_NOW):
            refuse(refused, "not live")
        else:
            streams.append(stream(video, page_url, now))
    return Page(streams=streams, found=len(items), refused=refused)


def stream(video: Video, page_url: str, now: datetime) -> SeenStream:
    """A live video as every room sees a stream; the host it is from is part of what it is."""
    host = urlsplit(page_url).netloc.lower()
    channel, category = video.channel or Channel(), video.category or Named()
    category_id = _id(category)
    channel_host = clean.text(channel.host) or host
    login = clean.text(channel.name)
    name = clean.text(channel.displayName) or login or channel_host
    thumbnail = video.previewUrl or video.thumbnailUrl or video.previewPath or video.thumbnailPath
    return SeenStream(
        external_id=f"{host}/{video.uuid.lower()}",
        title=clean.text(video.name, clean.TITLE_MOST) or name,
        viewers=clean.number(video.viewers),
        page_url=page_url,
        player="embed",
        player_url=_absolute(page_url, video.embedUrl or video.embedPath)
        or urljoin(page_url, f"/videos/embed/{video.uuid}"),
        category_id=category_id,
        category=clean.text(category.label) if category_id else "",
        tags=clean.tags(video.tags),
        language=clean.language(_id(video.language)),
        mature=False,
        channel_id=f"{login}@{channel_host}" if login else channel_host,
        channel_login=login,
        channel_name=name,
        thumbnail_url=_absolute(page_url, thumbnail),
        started_at=clean.moment(video.publishedAt, now),
    )


def _id(named: Named | None) -> str:
    return "" if named is None or named.id is None else clean.text(str(named.id))


def _absolute(page_url: str, address: str | None) -> str | None:
    """An address as it stands in an answer: absolute, or a path at the video's own host."""
    if not address:
        return None
    try:
        return clean.url(urljoin(page_url, address))
    except ValueError:
        return None


async def _search(context: Context, source: Source, start: int, count: int) -> Answer:
    response = await context.fetcher.get(
        f"{source.base_url or context.settings.peertube_url}/api/v1/search/videos",
        private=True,
        params={
            "isLive": "true",
            "nsfw": "false",
            "sort": "-publishedAt",
            "start": str(start),
            "count": str(count),
        },
    )
    return response.json(Answer)


def check_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """There are none."""
    options.only(given, ())
    return {}


async def test(context: Context, source: Source) -> str:
    """Ask for one result."""
    answer = await _search(context, source, 0, 1)
    return f"PeerTube's search answers; {answer.total} streams are live"


KIND = DirectoryKind(
    name="peertube",
    title="PeerTube",
    interval_s=120,
    ttl_s=900,
    pages=pages,
    check_options=check_options,
    setting="peertube_url",
    test=test,
)
