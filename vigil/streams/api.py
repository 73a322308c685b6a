"""The JSON API of live streams below ``/api/v1/streams`` and ``/api/v1/stats``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal
from urllib.parse import unquote

import msgspec
from msgspec import Meta
from sanic import Blueprint, HTTPResponse, Request

import db_utils
from vigil import openapi, prepared, responses
from vigil.context import Context
from vigil.errors import Gone, Invalid
from vigil.openapi import Items, describe
from vigil.prepared import Prepared
from vigil.streams import store
from vigil.streams.asked import LISTS, LONGEST_FILTER, LONGEST_LIST, OLDEST_MINUTES, a_filter
from vigil.streams.draws import Draws, in_time
from vigil.streams.history import shown
from vigil.streams.history.model import Memory, Titled, Watched
from vigil.streams.model import MOST_VIEWERS, Filter, Player
from vigil.streams.statistics import Statistic, Statistics

MOST_LISTED = 100
USUAL = 50
FRESH_S = 5.0


class Stream(msgspec.Struct):
    """A live stream: an item of Twitch's Helix API and what that lacks."""

    id: str
    """Its source's own; unique within the source."""
    user_id: str
    user_login: str
    user_name: str
    game_id: str
    game_name: str
    type: Literal["live"]
    title: str
    viewer_count: int
    started_at: datetime | None
    language: str
    thumbnail_url: str | None
    tags: list[str]
    is_mature: bool
    source: str
    url: str
    player: Player
    player_url: str
    seen_at: datetime
    actions: openapi.Actions


class Remembered(Stream):
    """A live stream and what is remembered of it."""

    first_seen: datetime
    """When it was found here first."""
    peak: Watched
    """The most viewers it had, as far as samples were taken."""
    history: list[Watched]
    """Samples, the oldest first: every 5 minutes for a day, every hour for a week; last, now."""
    titles: list[Titled]
    """What it called itself, the oldest first, and since when (to 5 minutes); the newest 30."""


class Named(msgspec.Struct):
    """How many live streams go by a name."""

    name: str
    count: int
    zero_viewer: int
    """Of those: watched by nobody."""
    one_viewer: int


class Counts(msgspec.Struct):
    """How many live streams there are."""

    streams: int
    viewers: dict[str, int]
    """Streams by the number of their viewers."""
    sources: dict[str, int]
    zero_viewer_count: int
    one_viewer_count: int
    total_count: int
    unique_games: int


def _text(longest: int, told: str) -> Meta:
    return Meta(description=told, extra_json_schema={"maxLength": longest})


Words = Annotated[str, _text(LONGEST_FILTER, "Words in title, category, tags or channel.")]
ONE_OF = "with commas between; one of them is enough."


class Wanted(msgspec.Struct, kw_only=True):
    """Which streams."""

    include: Words = ""
    exclude: Annotated[str, _text(LONGEST_FILTER, "Words that must not occur.")] = ""
    search_operator: Annotated[
        Literal["all", "any"], Meta(description="Whether all words of include, or any.")
    ] = "all"
    category: Annotated[str, _text(LONGEST_LIST, "Name of the category, in any case.")] = ""
    tags: Annotated[str, _text(LONGEST_LIST, f"Tags, {ONE_OF}")] = ""
    languages: Annotated[str, _text(LONGEST_LIST, f"Language codes, {ONE_OF}")] = ""
    sources: Annotated[str, _text(LONGEST_LIST, f"Names of sources, {ONE_OF}")] = ""
    max_viewers: Annotated[int, Meta(ge=0, le=MOST_VIEWERS, description="Most viewers.")] = (
        MOST_VIEWERS
    )
    min_age: Annotated[
        int, Meta(ge=0, le=OLDEST_MINUTES, description="Minutes on air at least.")
    ] = 0


class Asked(Wanted, kw_only=True):
    """Which streams, how chosen, how many."""

    mode: Annotated[
        Literal["latest", "search", "random"],
        Meta(
            description="latest: those we saw first last at the top. search: the same, where "
            "something must be searched for. random: each as likely as any other; no cursor."
        ),
    ] = "latest"
    limit: Annotated[int, Meta(ge=1, le=MOST_LISTED, description="How many.")] = USUAL
    cursor: Annotated[str, _text(200, "The `next` of the list before.")] = ""


class Peer(Wanted, kw_only=True):
    """Which streams, and how many, as nobody.live has it: what is no number counts as not given."""

    max_viewers: Annotated[int, Meta(description="Most viewers.")] = 0
    min_age: Annotated[int, Meta(description="Minutes on air at least.")] = 0
    count: Annotated[int, Meta(le=64, description="How many; 413 beyond.")] = 1


def register(bp: Blueprint) -> None:
    """Add these routes to the room's."""
    get = ("GET", "HEAD")
    bp.add_route(list_streams, "/api/v1/streams", get, name="list")
    bp.add_route(show_stream, "/api/v1/streams/<source>/<key:path>", get, name="show")
    bp.add_route(counts, "/api/v1/stats/counts", get, name="api_counts")
    bp.add_route(
        names, "/api/v1/stats/<name:games|tags|languages|sources>", get, name="api_statistics"
    )


def the_filter(asked: Wanted, given: dict[str, str]) -> Filter:
    """The filter that checked parameters are; raises TooLarge."""
    numbers = {"max_viewers": str(asked.max_viewers), "min_age": str(asked.min_age)}
    return a_filter(given | numbers, max_viewers=MOST_VIEWERS)


@describe(Items[Stream], query=Asked, errors=(413,), tagged=True)
async def list_streams(request: Request) -> HTTPResponse:
    """Live streams. By filter, in one of three modes."""
    asked, given = openapi.asked(request, Asked, LISTS)
    wanted = the_filter(asked, given)
    if asked.mode == "search" and wanted == Filter():
        raise Invalid("nothing to search for", hint="give include, or another of the filters")
    draws: Draws = request.app.ctx.draws
    if asked.mode == "random":
        if asked.cursor:
            raise Invalid("random streams have no cursor", hint="ask again without it")
        rows = await draws.take(wanted, asked.limit)
        return responses.items([msgspec.Raw(body) for body in rows])
    before = 2**63 - 1
    if asked.cursor:
        (before,) = responses.cursor_decode(asked.cursor, int)
        if not 0 <= before < 2**63:
            raise Invalid("this cursor is not one of ours", hint="begin without it")
    with in_time():
        now = responses.context(request).clock.now()
        found = await store.latest(draws.pool, wanted, before, asked.limit + 1, now)
    page = found[: asked.limit]
    more = responses.cursor_encode(page[-1][0]) if len(found) > len(page) else None
    body = b'{"items":[%b],"next":%b}' % (
        b",".join(row for _, row in page),
        msgspec.json.encode(more),
    )
    return prepared.answer(request, body)


class _Place(msgspec.Struct):
    id: str
    source: str


_place = msgspec.json.Decoder(_Place)


def names_of(source: str, key: str) -> tuple[str, str]:
    """A stream's source and id as they stand in an address; raises Invalid."""
    try:
        return unquote(source, errors="strict"), unquote(key, errors="strict")
    except UnicodeDecodeError:
        raise Invalid("the address is not UTF-8") from None


async def one(request: Request, source: str, name: str) -> tuple[bytes, Memory] | None:
    """A live stream as JSON, and what is remembered of it; None unless it is live."""
    if "\x00" in source + name:
        return None
    pool, now = request.app.ctx.draws.pool, responses.context(request).clock.now()
    with in_time():
        body = await store.by_id(pool, f"{source}:{name}", now)
        # The store also finds what has such an id elsewhere, which the peer's address asks for.
        if body is None or _place.decode(body) != _Place(name, source):
            return None
        memory = await shown.live(pool, source, name, now)
    return None if memory is None else (body, memory)


@describe(Remembered, errors=(400, 410), tagged=True)
async def show_stream(request: Request, source: str, key: str) -> HTTPResponse:
    """One live stream, with its viewers and titles so far. 410 when it is over, or never was."""
    found = await one(request, *names_of(source, key))
    if found is None:
        raise Gone("this stream is not live, or never was")
    body, memory = found
    return prepared.answer(request, b"%b,%b" % (body[:-1], msgspec.json.encode(memory)[1:]))


class Figures:
    """Statistics as this API gives them, made once for all who ask within a moment."""

    def __init__(self, statistic: Statistic, form: bytes = b"%b") -> None:
        self._statistic = statistic
        self._form = form
        self._made: tuple[bytes, Prepared] | None = None

    async def get(self) -> Prepared:
        """What is good at this moment."""
        _, body = await self._statistic.get()
        if self._made is None or self._made[0] is not body:
            self._made = (body, Prepared(self._form % body))
        return self._made[1]


def open_figures(context: Context, shared: Statistics) -> dict[str, Figures]:
    """The statistics of this API by name; some are those of the peer's endpoints."""

    def of(read: Callable[[db_utils.Pool, datetime], Awaitable[Any]]) -> Statistic:
        return Statistic(lambda: read(context.pool, context.clock.now()), FRESH_S)

    listed = partial(Figures, form=b'{"items":%b,"next":null}')
    return {
        "counts": Figures(shared.counts),
        "games": listed(shared.games),
        "tags": listed(shared.tags),
        "languages": listed(of(store.languages)),
        "sources": listed(of(store.by_source)),
    }


@describe(Counts, tagged=True)
async def counts(request: Request) -> HTTPResponse:
    """How many live streams there are: in all, by viewers and by source."""
    return await _figures(request, "counts")


@describe(Items[Named], tagged=True)
async def names(request: Request, name: str) -> HTTPResponse:
    """The categories, tags, languages or sources with the most live streams; at most 1000."""
    return await _figures(request, name)


async def _figures(request: Request, name: str) -> HTTPResponse:
    found: Prepared = await request.app.ctx.figures[name].get()
    return found.answer(request)
