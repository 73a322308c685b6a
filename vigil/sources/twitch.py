"""Twitch, through Helix: https://dev.twitch.tv/docs/api/reference/#get-streams.

Streams come in descending order of viewers, a hundred at a time behind a cursor, so those that
nobody watches are at the very end. One cursor can only be turned page by page; where that is not
enough for the rate limit, the directory is split by language and every part has its own cursors
(``turning``), the longest the most urgent. So that nothing is lost, the parts ask for each
language that Twitch lists, for its ``other``, for all further codes of ISO 639-1, and for any
other language that was seen in the first pages; the small ones share a query. It is not split by
category: there are thousands, some streams have none, and asked for many at once Helix ends early
(https://github.com/twitchdev/issues/issues/543).

People come and go meanwhile, so pages repeat and miss items: who was missed is asked for by name.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from vigil.context import Context
from vigil.errors import SourceError
from vigil.sources import clean, options
from vigil.sources.helix import Helix
from vigil.sources.model import DirectoryKind, Page, Source, Split
from vigil.sources.turning import (
    ENDS_EARLY,
    LENDS_LEAST,
    Cursor,
    Memory,
    Part,
    Query,
    Turned,
)
from vigil.sources.twitch_items import PAGE, read

MAX_PAGES = 5000
"""At 100 items a page five times what is ever live; more means that the cursors lead nowhere."""
OPENING = 10
"""Pages that one cursor turns before the directory is worth splitting."""
GLANCE = 2
"""Pages that it turns where it was split the last time."""
SMALL = 10
"""Pages of a language that shares a query with others, the next time."""
MOST_LANGUAGES = 100
"""In one query."""
AHEAD = 32
"""Pages that are read while the ones before are being written."""
SPENT = 0.15
"""Share of the bucket that may be left at the end of a pass that waited for the rate limit."""
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


@dataclass(frozen=True, slots=True)
class _Planned:
    """A part of the directory that is to be turned."""

    name: str
    query: Query
    split: Split


class _Notes(msgspec.Struct):
    """What is kept until the next pass."""

    criteria: str
    """Under other criteria it is another directory."""
    memory: Memory = msgspec.field(default_factory=Memory)
    sizes: dict[str, int] = msgspec.field(default_factory=dict)
    """Language → streams."""
    split: bool = False
    """Whether one cursor was not enough."""


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
        self._notes = _recall(source, f"{source.base_url} {self._chosen}")
        self._count = 0
        self._languages: Counter[str] = Counter()
        self._in_first_pages: set[str] = set()
        self._failed: dict[str, SourceError] = {}

    async def run(self) -> None:
        """Turn all pages; raises SourceError when some could not be seen."""
        try:
            await self._run()
        except asyncio.CancelledError:  # nobody waits for the end
            raise
        except BaseException:
            await self._end()
            raise
        await self._end()

    async def _end(self) -> None:
        kept = msgspec.json.encode(self._notes).decode()
        await self.turned.put(Page(streams=[], found=0, answers=0, memory=kept))
        await self.turned.put(None)

    async def _run(self) -> None:
        notes, memory = self._notes, self._notes.memory
        first = Cursor(self._turn, _query(self._chosen["languages"], self._chosen["categories"]))
        if not notes.split:
            while first.full < OPENING:
                await first.turn(1.0)
                if not first.at:
                    return
        known = {*notes.sizes, *self._in_first_pages, *LANGUAGES, *FURTHER_LANGUAGES, ""}
        planned = self._planned(known)
        glance = notes.split and not self._chosen["languages"]
        await self._all(planned, first if glance else None)
        more = self._in_first_pages - known if glance else ()
        await self._all([self._part(one, [one]) for one in more])
        there = {one.name for one in planned}
        for name in {*memory.lengths} - there:
            memory.lengths.pop(name)
            memory.marks.pop(name, None)
        self._raise_failed(len(planned))
        bucket = self._helix.bucket
        if notes.sizes:  # else nobody knew yet where to begin
            memory.learn(bucket.limit is None or bucket.level < SPENT * bucket.limit)
        notes.sizes = dict(self._languages)
        notes.split = sum(memory.lengths.values()) > OPENING

    async def _all(self, planned: Sequence[_Planned], first: Cursor | None = None) -> None:
        memory = self._notes.memory
        parts = [Part(self._turn, one.query, one.name, memory) for one in planned]
        doing = [
            asyncio.create_task(self._one(part, one.split, parts))
            for part, one in zip(parts, planned, strict=True)
        ]
        if first is not None:
            doing.append(asyncio.create_task(_glance(first)))
        try:
            ends = await asyncio.gather(*doing, return_exceptions=True)
        finally:
            for task in doing:
                task.cancel()
        names = [part.name for part in parts] + ["the first pages"]
        for name, end in zip(names, ends, strict=False):
            if isinstance(end, SourceError):
                self._failed[name] = end
                memory.marks.pop(name, None)
            elif isinstance(end, BaseException):
                raise end
        for part in parts:
            if part.name not in self._failed:
                memory.lengths[part.name], memory.marks[part.name] = part.turned, part.marks

    def _raise_failed(self, parts: int) -> None:
        for name, error in self._failed.items():
            raise SourceError(
                f"{len(self._failed)} of {parts} parts failed, first {name}: {error.message}",
                hint=error.hint,
                permanent=error.permanent,
                retry_after=error.retry_after,
            )

    async def _one(self, part: Part, split: Split, parts: Sequence[Part]) -> None:
        await part.run()
        await self.turned.put(Page(streams=[], found=0, answers=0, whole=split))
        if len(part.lent) >= LENDS_LEAST:  # a cursor leads to a score, in another language as well
            for other in parts:
                other.borrow(part)

    def _planned(self, known: set[str]) -> list[_Planned]:
        """Together they are the whole directory. The small share a query."""
        languages, categories = self._chosen["languages"], self._chosen["categories"]
        if len(languages) == 1 and categories:
            return [
                _Planned(one, _query(languages, [one]), Split(tuple(languages), (one,)))
                for one in categories
            ]
        if languages:
            return [self._part(one, [one]) for one in languages]
        sizes = self._notes.sizes
        every = [*LANGUAGES, *FURTHER_LANGUAGES]
        every += sorted(known - {*every, ""})
        big = [one for one in every if sizes.get(one, 0) > SMALL * PAGE] if sizes else LANGUAGES
        small = [one for one in every if one not in big]
        return [self._part(one, [one]) for one in big] + [
            self._part(
                f"the small {start // MOST_LANGUAGES}", small[start : start + MOST_LANGUAGES]
            )
            for start in range(0, len(small), MOST_LANGUAGES)
        ]

    def _part(self, name: str, languages: Sequence[str]) -> _Planned:
        categories = self._chosen["categories"]
        split = Split(tuple(languages), tuple(categories))
        return _Planned(name, _query(languages, categories), split)

    async def _turn(self, params: Query, urgency: float) -> Turned:
        """Read one page."""
        if self._count >= MAX_PAGES:
            raise SourceError(f"Twitch sent more than {MAX_PAGES} pages", hint=ENDS_EARLY)
        self._count += 1
        helix = self._helix
        answer = await helix.streams(params, urgency)
        held = read(answer.data, self._chosen, self._context.clock.now())
        await self.turned.put(
            Page(
                streams=held.streams,
                found=len(answer.data),
                refused=held.refused,
                budget_remaining=helix.bucket.remaining,
                budget_limit=helix.bucket.limit,
            )
        )
        languages = Counter[str]()
        for code, count in Counter(item.language for item in held.items).items():
            languages[clean.language(code)] += count
        asked = {value for name, value in params if name == "language"}
        if asked:
            self._languages.update(languages)
        else:
            self._in_first_pages |= languages.keys()
        fitting = sum(languages[one] for one in asked) if asked else len(held.items)
        viewers = [item.viewer_count for item in held.items] or [0]
        return Turned(
            ids=[item.id for item in held.items],
            found=len(answer.data),
            cursor=answer.pagination.cursor or "",
            viewers=(max(viewers), min(viewers)),
            elsewhere=fitting * 2 < len(held.items),
        )


async def _glance(first: Cursor) -> None:
    """Look for languages that nobody listed among the most watched."""
    for _ in range(GLANCE):
        await first.turn(1.0)
        if not first.at:
            return


def _recall(source: Source, criteria: str) -> _Notes:
    try:
        notes = msgspec.json.decode(source.memory or "null", type=_Notes | None)
    except msgspec.DecodeError:  # of another version
        notes = None
    return notes if notes is not None and notes.criteria == criteria else _Notes(criteria)


async def confirm(context: Context, source: Source, channels: Sequence[str]) -> Page:
    """Those of at most 100 channels (their ids) that are live and meet the criteria."""
    helix = Helix(context, source)
    answer = await helix.streams([("first", str(PAGE)), *(("user_id", one) for one in channels)])
    held = read(answer.data, check_options(source.options), context.clock.now())
    return Page(
        streams=held.streams,
        found=len(answer.data),
        refused=held.refused,
        budget_remaining=helix.bucket.remaining,
        budget_limit=helix.bucket.limit,
    )


def _query(languages: Sequence[str], categories: Sequence[str]) -> Query:
    return [
        ("first", str(PAGE)),
        ("type", "live"),
        *(("language", code) for code in languages),
        *(("game_id", number) for number in categories),
    ]


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
    read(answer.data, check_options({}), context.clock.now())
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
