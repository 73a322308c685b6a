"""A playlist of channels (M3U, as IPTV lists are): every HLS address in it is a stream.

Who watches nobody knows, so each has no viewers. A channel is known by its tvg-id; where it has
none, or another address has it already, by its address.
"""

from __future__ import annotations

import itertools
import re
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import closing
from hashlib import blake2b
from typing import IO, Any
from urllib.parse import urljoin, urlsplit

from vigil import log
from vigil.answers import FetchError
from vigil.context import Context
from vigil.errors import SourceError
from vigil.sources import clean, coerce, criteria, options, playlists
from vigil.sources.items import refuse
from vigil.sources.model import DirectoryKind, Page, Source
from vigil.streams.model import SeenStream

MAX_BYTES = 64 * 1024 * 1024
IN_MEMORY = 1024 * 1024
"""A longer list lies on the disk while it is read."""
SLOWEST_S = 300.0
"""For the whole list."""
MOST_ENTRIES = 300_000
BATCH = 500
ATTEMPTS = 3
OTHER_MEDIA = (".aac", ".flv", ".mkv", ".mp3", ".mp4", ".mpd", ".ogg", ".opus", ".ts", ".webm")
"""Addresses that end so are no HLS."""
_CHARSET = re.compile(r"charset\s*=\s*\"?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)


class Channels:
    """The channels of one pass over a list, told apart."""

    def __init__(self, base: str, chosen: Mapping[str, Any]) -> None:
        self._base = base
        self._chosen = chosen
        self._addresses: set[int] = set()
        self._ids: set[int] = set()

    def page(self, entries: Sequence[playlists.Entry | None], answers: int) -> Page:
        """The streams among some entries, and why the others are not."""
        streams: list[SeenStream] = []
        refused: Counter[str] = Counter()
        for entry in entries:
            stream = "malformed: no address" if entry is None else self.stream(entry)
            if isinstance(stream, str):
                refuse(refused, stream)
            else:
                streams.append(stream)
        return Page(streams=streams, found=len(entries), refused=refused, answers=answers)

    def stream(self, entry: playlists.Entry) -> SeenStream | str:
        """An entry as every room sees a stream; or why it is none."""
        try:
            address = clean.url(urljoin(self._base, entry.url))
        except ValueError:
            address = None
        if address is None:
            return "no proper address"
        if urlsplit(address).path.lower().endswith(OTHER_MEDIA):
            return "not HLS"
        hashed = _hash(address)
        if hashed in self._addresses:
            return "listed twice"
        self._addresses.add(hashed)
        attributes = entry.attributes
        number = clean.text(attributes.get("tvg-id"))
        if not number or _hash(number) in self._ids:
            number = f"{hashed:016x}"
        self._ids.add(_hash(number))
        title = clean.text(entry.name or attributes.get("tvg-name"), clean.TITLE_MOST)
        title = title or clean.text(attributes.get("tvg-id")) or urlsplit(address).netloc
        groups = coerce.tags(attributes.get("group-title"))
        found = SeenStream(
            external_id=number,
            title=title,
            viewers=0,
            page_url=address,
            player="hls",
            player_url=address,
            category=groups[0] if groups else "",
            tags=clean.tags([*groups[1:], *coerce.tags(attributes.get("tvg-tags"))]),
            language=coerce.language(attributes.get("tvg-language")),
            channel_name=clean.text(attributes.get("tvg-name")) or title[: clean.NAME_MOST],
            thumbnail_url=_picture(self._base, attributes.get("tvg-logo")),
        )
        return criteria.refusal(found, self._chosen) or found


async def pages(context: Context, source: Source) -> AsyncIterator[Page]:
    """One pass: the whole list fetched, then read some entries at a time."""
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as file:
        base, charset = await _fetch(context, source.base_url or "", file)
        channels = Channels(base, check_options(source.options))
        found, answers = 0, 1
        with closing(playlists.lines(file, charset)) as lines:
            entries = playlists.entries(lines, relative=True)
            while True:
                try:
                    some = list(itertools.islice(entries, BATCH))
                except ValueError as error:
                    raise SourceError(
                        f"{log.redact_url(base)} sent something that is no M3U playlist: {error}",
                        hint="is this the address of a list of channels?",
                    ) from None
                found += len(some)
                if found > MOST_ENTRIES:
                    raise SourceError(f"the list has more than {MOST_ENTRIES:,} entries")
                if some or answers:
                    yield channels.page(some, answers)
                if len(some) < BATCH:
                    return
                answers = 0


async def _fetch(context: Context, address: str, file: IO[bytes]) -> tuple[str, str]:
    """Fetch the list into a file; returns where it came from and its charset, if that was told."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return await _fetch_once(context, address, file)
        except FetchError as error:
            delay = max(error.retry_after or 0.0, 0.3 * 2**attempt)
            if attempt == ATTEMPTS or not error.again or delay > 30:
                raise
        file.seek(0)
        file.truncate()
        await context.clock.sleep(delay)
    raise AssertionError("the last attempt returns or raises")


async def _fetch_once(context: Context, address: str, file: IO[bytes]) -> tuple[str, str]:
    began, size = context.clock.monotonic(), 0
    async with context.fetcher.open(address, private=True) as stream:
        shown = log.redact_url(stream.url)
        async for chunk in stream.chunks():
            size += len(chunk)
            if size > MAX_BYTES:
                raise SourceError(f"{shown} sent more than {MAX_BYTES / 1e6:.3g} MB")
            if context.clock.monotonic() - began > SLOWEST_S:
                raise SourceError(f"{shown} took more than {SLOWEST_S:g} s")
            file.write(chunk)
        file.seek(0)
        charset = _CHARSET.search(stream.headers.get("content-type", ""))
        return stream.url, charset[1] if charset else ""


def _picture(base: str, address: str | None) -> str | None:
    try:
        return clean.url(urljoin(base, address.strip())) if address and address.strip() else None
    except ValueError:
        return None


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def check_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """languages, categories (names) and max_viewers; each empty or null: everything."""
    options.only(given, [option.name for option in options.NAMED_CRITERIA])
    return criteria.checked(given)


async def test(context: Context, source: Source) -> str:
    """Fetch the list and read its beginning."""
    async for page in pages(context, source):
        return f"the list answers; its first {page.found} entries are {len(page.streams)} streams"
    raise AssertionError("there is at least one page")


KIND = DirectoryKind(
    name="m3u",
    title="M3U playlist",
    interval_s=600,
    ttl_s=3600,
    pages=pages,
    check_options=check_options,
    setting=None,
    test=test,
    form=options.NAMED_CRITERIA,
)
