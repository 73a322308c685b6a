"""Twitch, through Helix: https://dev.twitch.tv/docs/api/reference/#get-streams.

Streams come in descending order of viewers, a hundred at a time behind a cursor, so those that
nobody watches are at the very end. One cursor can only be turned page by page; where that is not
enough for the rate limit, the directory is split by language and every split has its own cursor,
the longest the most urgent. So that nothing is lost, there is a split for each language that
Twitch lists, for its ``other``, for all further codes of ISO 639-1 (two requests, mostly empty),
and for any other language that the first pages show.

People come and go meanwhile, so pages repeat and miss items: who was missed is asked for by name.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Raw, Struct

from vigil.context import Context
from vigil.errors import SourceError
from vigil.sources import clean, options
from vigil.sources.helix import Helix
from vigil.sources.items import validate
from vigil.sources.model import DirectoryKind, Page, Source
from vigil.streams.model import SeenStream

PAGE = 100
MAX_PAGES = 5000
"""At 100 items a page five times what is ever live; more means that the cursors lead nowhere."""
MAX_EMPTY_PAGES = 5
OPENING = 10
"""Pages that one cursor turns before the directory is worth splitting."""
AHEAD = 32
"""Pages that are read while the ones before are being written."""
LANGUAGES = (
    "en", "es", "pt", "ru", "ja", "de", "fr", "zh", "ko", "it", "pl", "tr", "th", "ar", "cs",
    "nl", "hu", "vi", "el", "sv", "da", "fi", "no", "uk", "ro", "bg", "sk", "id", "tl", "hi",
    "ms", "ca", "zh-hk", "asl", "other",
)  # fmt: skip
"""Those that Twitch lists, as a rule the biggest first."""
FURTHER_LANGUAGES = (
    "aa", "ab", "ae", "af", "ak", "am", "an", "as", "av", "ay", "az", "ba", "be", "bh", "bi",
    "bm", "bn", "bo", "br", "bs", "ce", "ch", "co", "cr", "cu", "cv", "cy", "dv", "dz", "ee",
    "eo", "et", "eu", "fa", "ff", "fj", "fo", "fy", "ga", "gd", "gl", "gn", "gu", "gv", "ha",
    "he", "ho", "hr", "ht", "hy", "hz", "ia", "ie", "ig", "ii", "ik", "io", "is", "iu", "jv",
    "ka", "kg", "ki", "kj", "kk", "kl", "km", "kn", "kr", "ks", "ku", "kv", "kw", "ky", "la",
    "lb", "lg", "li", "ln", "lo", "lt", "lu", "lv", "mg", "mh", "mi", "mk", "ml", "mn", "mr",
    "mt", "my", "na", "nb", "nd", "ne", "ng", "nn", "nr", "nv", "ny", "oc", "oj", "om", "or",
    "os", "pa", "pi", "ps", "qu", "rm", "rn", "rw", "sa", "sc", "sd", "se", "sg", "si", "sl",
    "sm", "sn", "so", "sq", "sr", "ss", "st", "su", "sw", "ta", "te", "tg", "ti", "tk", "tn",
    "to", "ts", "tt", "tw", "ty", "ug", "ur", "uz", "ve", "vo", "wa", "wo", "xh", "yi", "yo",
    "za", "zu",
)  # fmt: skip
"""The rest of ISO 639-1."""

Query = list[tuple[str, str]]


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


async def pages(context: Context, source: Source) -> AsyncIterator[Page]:
    """One pass, as many cursors side by side as there are splits.

    A split that fails does not stop the others: what they show is live. It fails the pass at its
    end.
    """
    turner = _Turner(context, source)
    turning = asyncio.create_task(turner.run())
    try:
        while (page := await turner.turned.get()) is not None:
            yield page
        await turning
    finally:
        turning.cancel()
        await asyncio.gather(turning, return_exceptions=True)


class _Turner:
    """Turns the pages of one pass."""

    def __init__(self, context: Context, source: Source) -> None:
        self.turned: asyncio.Queue[Page | None] = asyncio.Queue(maxsize=AHEAD)
        """The pages; ``None`` at the end."""
        self._context = context
        self._helix = Helix(context, source)
        self._chosen = check_options(source.options)
        self._lengths = _lengths.setdefault(source.id, {})
        self._count = 0
        self._languages: set[str] = set()
        """Those that were seen while the directory was not split."""

    async def run(self) -> None:
        """Turn all pages; raises SourceError when some could not be seen."""
        try:
            await self._run()
        except asyncio.CancelledError:  # nobody waits for the end
            raise
        except BaseException:
            await self.turned.put(None)
            raise
        await self.turned.put(None)

    async def _run(self) -> None:
        everything = _query(self._chosen["languages"], self._chosen["categories"])
        first = _Cursor(self, everything, "")
        while first.full < OPENING:
            if not await first.turn(1.0):
                return
        splits = self._splits()
        if len(splits) == 1:
            while await first.turn(1.0):
                pass
            return
        ends = await asyncio.gather(
            *(self._follow(name, query) for name, query in splits.items()), return_exceptions=True
        )
        failed = {}
        for name, end in zip(splits, ends, strict=True):
            if isinstance(end, SourceError):
                failed[name] = end
            elif end is not None:
                raise end
        for name, error in failed.items():
            raise SourceError(
                f"{len(failed)} of {len(splits)} parts failed, first {name}: {error.message}",
                hint=error.hint,
                permanent=error.permanent,
                retry_after=error.retry_after,
            )

    def _splits(self) -> dict[str, Query]:
        """Name → query, the probably biggest first; together they are the whole directory."""
        languages, categories = self._chosen["languages"], self._chosen["categories"]
        if len(languages) == 1:
            return {one: _query(languages, [one]) for one in categories} or {"": []}
        if languages:
            return {one: _query([one], categories) for one in languages}
        listed = [*LANGUAGES, *sorted(self._languages - {*LANGUAGES, *FURTHER_LANGUAGES, ""})]
        splits = {one: _query([one], categories) for one in listed}
        for start in range(0, len(FURTHER_LANGUAGES), 100):
            some = FURTHER_LANGUAGES[start : start + 100]
            splits[f"{some[0]}-{some[-1]}"] = _query(some, categories)
        return splits

    async def _follow(self, name: str, query: Query) -> None:
        """Follow one cursor to its end; the longer it probably is, the more urgent."""
        rank = LANGUAGES.index(name) if name in LANGUAGES else len(LANGUAGES)
        expected = self._lengths.get(name, 1000 / (rank + 1))
        cursor = _Cursor(self, query, name)
        while await cursor.turn(max(expected - cursor.turned, 0.0)):
            pass
        self._lengths[name] = cursor.turned

    async def turn(self, params: Query, urgency: float) -> tuple[int, str]:
        """Read one page; returns how many items it had, and the next cursor."""
        if self._count >= MAX_PAGES:
            raise SourceError(f"Twitch sent more than {MAX_PAGES} pages", hint=ENDS_EARLY)
        self._count += 1
        answer = await self._helix.streams(params, urgency)
        page = read(answer.data, self._chosen, self._context.clock.now(), self._helix)
        if self._count <= OPENING:
            self._languages.update(stream.language for stream in page.streams)
        await self.turned.put(page)
        return len(answer.data), answer.pagination.cursor or ""


class _Cursor:
    """One place in the directory."""

    def __init__(self, turner: _Turner, query: Query, name: str) -> None:
        self.turned = 0
        self.full = 0
        """Pages that were not empty."""
        self._turner = turner
        self._query = query
        self._name = name
        self._cursor = ""
        self._remembered = ""
        self._empty = 0

    async def turn(self, urgency: float) -> bool:
        """Turn one page; whether there is another. Raises SourceError in a circle.

        Of all cursors one is remembered, at every power of two (Brent, 1980): that finds every
        circle, however long the directory is.
        """
        after = [("after", self._cursor)] if self._cursor else []
        found, cursor = await self._turner.turn([*self._query, *after], urgency)
        self.turned += 1
        self.full += bool(found)
        self._empty = 0 if found else self._empty + 1
        if cursor and (cursor == self._remembered or self._empty > MAX_EMPTY_PAGES):
            raise SourceError("Twitch's pages lead in a circle", hint=ENDS_EARLY)
        if self.turned & (self.turned - 1) == 0:
            self._remembered = cursor
        self._cursor = cursor
        return bool(cursor)


ENDS_EARLY = "this pass ends early"
_lengths: dict[int, dict[str, float]] = {}
"""Source → split → pages it had in the last pass."""


async def confirm(context: Context, source: Source, channels: Sequence[str]) -> Page:
    """Those of at most 100 channels (their ids) that are live and meet the criteria."""
    helix = Helix(context, source)
    answer = await helix.streams([("first", str(PAGE)), *(("user_id", one) for one in channels)])
    return read(answer.data, check_options(source.options), context.clock.now(), helix)


def _query(languages: Sequence[str], categories: Sequence[str]) -> Query:
    return [
        ("first", str(PAGE)),
        ("type", "live"),
        *(("language", code) for code in languages),
        *(("game_id", number) for number in categories),
    ]


def read(items: list[Raw], chosen: Mapping[str, Any], now: datetime, helix: Helix) -> Page:
    """The streams of a page, and why the others are not among them."""
    if len(items) > PAGE * 2:
        raise SourceError(
            f"Twitch sent {len(items)} items in a page of {PAGE}", hint="is this address Twitch's?"
        )
    most = chosen["max_viewers"]
    streams = []
    refused: Counter[str] = Counter()
    for raw in items:
        item = validate(raw, Item, refused)
        if item is None:
            continue
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
    return Page(
        streams=streams,
        found=len(items),
        refused=refused,
        budget_remaining=helix.bucket.remaining,
        budget_limit=helix.bucket.limit,
    )


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


def check_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """languages, categories (ids) and max_viewers; each empty or null: everything."""
    options.only(given, ("languages", "categories", "max_viewers"))
    return {
        "languages": options.strings(given, "languages", r"[a-z]{2}(-[a-z]{2})?|asl|other", 100),
        "categories": options.strings(given, "categories", r"[0-9]{1,20}", 100),
        "max_viewers": options.count(given, "max_viewers"),
    }


async def test(context: Context, source: Source) -> str:
    """Ask for one stream."""
    helix = Helix(context, source)
    answer = await helix.streams([("first", "1")])
    read(answer.data, check_options({}), context.clock.now(), helix)
    bucket = helix.bucket
    left = f"; {bucket.remaining} of {bucket.limit} requests are left" if bucket.limit else ""
    return f"Twitch answers{left}"


KIND = DirectoryKind(
    name="twitch",
    title="Twitch",
    interval_s=30,
    ttl_s=900,
    pages=pages,
    check_options=check_options,
    setting="twitch_api_url",
    test=test,
    confirm=confirm,
    criteria="languages=en,de max_viewers=10 categories=509658",
)
