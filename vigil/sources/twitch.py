"""Twitch, through Helix: https://dev.twitch.tv/docs/api/reference/#get-streams.

Streams come in descending order of viewers, a hundred at a time behind a cursor, so those that
nobody watches are at the very end. One cursor can only be turned page by page; where that is not
enough for the rate limit, the directory is split by language and every part has its own cursors
(``turning``), the longest the most urgent. So that nothing is lost, there is a part for each
language that Twitch lists, for its ``other``, for all further codes of ISO 639-1 (two requests,
mostly empty), and for any other language that the first pages show.

People come and go meanwhile, so pages repeat and miss items: who was missed is asked for by name.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Raw, Struct

from vigil.context import Context
from vigil.errors import SourceError
from vigil.sources import clean, options
from vigil.sources.helix import Helix
from vigil.sources.items import validate
from vigil.sources.model import DirectoryKind, Page, Source
from vigil.sources.turning import ENDS_EARLY, Cursor, Memory, Query, follow
from vigil.streams.model import SeenStream

PAGE = 100
MAX_PAGES = 5000
"""At 100 items a page five times what is ever live; more means that the cursors lead nowhere."""
OPENING = 10
"""Pages that one cursor turns before the directory is worth splitting."""
GLANCE = 3
"""Pages that it turns where it was split the last time."""
SMALL = 2
"""Pages of a language that shares a query with others, the next time."""
MOST_LANGUAGES = 100
"""In one query."""
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
    """One pass, as many cursors side by side as it takes.

    A part that fails does not stop the others: what they show is live. It fails the pass at its
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
        what = source.id, source.base_url, str(self._chosen)  # other criteria, another directory
        self._memory = _memories.setdefault(what, Memory())
        self._count = 0
        self._languages: set[str] = set()

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
        first = Cursor(self._turn, _query(self._chosen["languages"], self._chosen["categories"]))
        if not self._memory.lengths:
            while first.full < OPENING:
                await first.turn(1.0)
                if not first.at:
                    return
        parts = self._parts()
        if len(parts) == 1:
            ((name, query),) = parts.items()
            await self._all({name: follow(self._turn, query, name, self._memory)})
            return
        doing = {
            name: follow(self._turn, query, name, self._memory) for name, query in parts.items()
        }
        if not first.turned:
            doing["the first pages"] = self._glance(first)
        known = {*self._languages}
        await self._all(doing)
        new = self._unlisted() - known
        await self._all(
            {
                one: follow(self._turn, _query([one], self._chosen["categories"]), one, Memory())
                for one in new
            }
        )
        if sum(self._memory.lengths.values()) <= OPENING:
            self._memory.lengths.clear()  # it is small now: one cursor is enough

    async def _all(self, doing: Mapping[str, Coroutine[Any, Any, None]]) -> None:
        ends = await asyncio.gather(*doing.values(), return_exceptions=True)
        failed = {}
        for name, end in zip(doing, ends, strict=True):
            if isinstance(end, SourceError):
                failed[name] = end
            elif end is not None:
                raise end
        for name, error in failed.items():
            raise SourceError(
                f"{len(failed)} of {len(doing)} parts failed, first {name}: {error.message}",
                hint=error.hint,
                permanent=error.permanent,
                retry_after=error.retry_after,
            )

    async def _glance(self, first: Cursor) -> None:
        """Look for languages that nobody listed among the most watched."""
        for _ in range(GLANCE):
            await first.turn(1.0)
            if not first.at:
                return

    def _unlisted(self) -> set[str]:
        if self._chosen["languages"]:
            return set()
        return self._languages - {*LANGUAGES, *FURTHER_LANGUAGES, ""}

    def _parts(self) -> dict[str, Query]:
        """Name → query; together they are the whole directory. The small share a query."""
        languages, categories = self._chosen["languages"], self._chosen["categories"]
        if len(languages) == 1:
            alone = {one: _query(languages, [one]) for one in categories}
            return alone or {"": _query(languages, categories)}
        if languages:
            return {one: _query([one], categories) for one in languages}
        lengths = self._memory.lengths
        small = [one for one in LANGUAGES if lengths.get(one, SMALL + 1) <= SMALL]
        parts = {
            one: _query([one], categories)
            for one in (*LANGUAGES, *sorted(self._unlisted()))
            if one not in small
        }
        together = [*small, *FURTHER_LANGUAGES]
        for start in range(0, len(together), MOST_LANGUAGES):
            some = together[start : start + MOST_LANGUAGES]
            name = f"{some[0]}-{some[-1]}"
            if lengths.get(name, 0) > OPENING:  # no longer small: each alone again, the next time
                for one in some:
                    lengths.pop(one, None)
            parts[name] = _query(some, categories)
        return parts

    async def _turn(self, params: Query, urgency: float) -> tuple[list[str], int, str]:
        """Read one page."""
        if self._count >= MAX_PAGES:
            raise SourceError(f"Twitch sent more than {MAX_PAGES} pages", hint=ENDS_EARLY)
        self._count += 1
        answer = await self._helix.streams(params, urgency)
        page = read(answer.data, self._chosen, self._context.clock.now(), self._helix)
        if not any(name == "language" for name, _ in params):
            self._languages.update(stream.language for stream in page.streams)
        await self.turned.put(page)
        ids = [stream.external_id for stream in page.streams]
        return ids, len(answer.data), answer.pagination.cursor or ""


_memories: dict[tuple[int, str | None, str], Memory] = {}


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
    form=options.CRITERIA,
)
