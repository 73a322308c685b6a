"""The front page: a stream that hardly anybody watches, the next one, and more of them below."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import datetime
from typing import Annotated
from urllib.parse import quote, urlencode

import msgspec
from sanic import Blueprint, HTTPResponse, Request

from vigil import responses
from vigil.errors import Invalid, TooLarge
from vigil.openapi import describe
from vigil.site import store as site_store
from vigil.sources import store as sources_store
from vigil.sources.kinds import DIRECTORIES
from vigil.streams import languages, store
from vigil.streams.api import Stream, Wanted
from vigil.streams.asked import LONGEST_FILTER, LONGEST_LIST, a_filter, listed, parameters
from vigil.streams.draws import in_time
from vigil.streams.leases import Leases
from vigil.streams.loosen import loosened
from vigil.streams.model import MOST_VIEWERS, Filter, Player
from vigil.streams.visits import store as visits_store

ON_PAGE = 25
QUIET = 1
"""Viewers of a stream that the front page prefers."""
LONGEST_BODY = 1_000_000
"""Bytes that a page may send of what was seen."""
CHOICE = 32
"""Random streams from which one that rested is picked."""

LABELS = {
    "include": "with",
    "exclude": "without",
    "category": "category",
    "tags": "tagged",
    "languages": "in",
    "sources": "from",
    "max_viewers": "viewers, at most",
    "min_age": "minutes on air, at least",
}
"""Parameters that the front page's form has, and what they are called when they are set."""


class Shown(msgspec.Struct):
    """A stream on a page: what ``/stream`` says of it."""

    id: str
    title: str
    user_name: str
    game_name: str
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

    @property
    def key(self) -> str:
        """Its name in addresses."""
        return f"{self.source}:{self.id}"

    @property
    def path(self) -> str:
        """Its page here."""
        return f"/streams/{quote(self.source, safe='')}/{quote(self.id, safe='')}"

    def picture(self, width: int) -> str | None:
        """Address of its picture, 16:9 and so wide where the source offers sizes."""
        if self.thumbnail_url is None:
            return None
        sized = self.thumbnail_url.replace("{width}", str(width))
        return sized.replace("{height}", str(width * 9 // 16))


decode_shown = msgspec.json.Decoder(Shown).decode

BLANK = Shown("", "", "", "", 0, None, "", None, [], False, "", "", "twitch", "")
"""What the page's JavaScript fills in."""


class Chip(msgspec.Struct):
    """A condition of the active filter, and the address without it."""

    label: str
    text: str
    without: str


def address(chosen: dict[str, str]) -> str:
    """The front page with a filter."""
    return "/?" + urlencode(chosen) if chosen else "/"


def chosen_of(given: dict[str, str]) -> dict[str, str]:
    """The parameters that make a difference."""
    chosen = {name: value for name in LABELS if (value := given.get(name, "").strip(" ,"))}
    if "include" in chosen and given.get("search_operator") == "any":
        chosen["search_operator"] = "any"
    return chosen


def chips(chosen: dict[str, str]) -> list[Chip]:
    """The active filter in words."""
    made = []
    for name, label in LABELS.items():
        if name in chosen:
            text, gone = chosen[name], {name}
            if name == "include":
                gone.add("search_operator")
                if "search_operator" in chosen:
                    label = "with any of"
            elif name == "languages":
                text = ", ".join(languages.NAMES.get(code.lower(), code) for code in listed(text))
            rest = {key: value for key, value in chosen.items() if key not in gone}
            made.append(Chip(label, text, address(rest)))
    return made


def _preferred(given: dict[str, str]) -> list[Filter]:
    """The filters to try in turn: quiet streams first, where the visitor did not say how quiet."""
    wanted = a_filter(given, max_viewers=MOST_VIEWERS)
    return [wanted] if given.get("max_viewers") else [replace(wanted, max_viewers=QUIET), wanted]


async def front(request: Request) -> HTTPResponse:
    """A stream that hardly anybody watches, more of them below, and how the sources are doing."""
    given = parameters(request.query_string)
    context = responses.context(request)
    chosen = chosen_of(given)
    draws = request.app.ctx.draws
    rows: list[bytes] = []
    for wanted in _preferred(given):
        if len(rows) < ON_PAGE:
            rows += await draws.take(wanted, ON_PAGE)
    streams = {one.key: one for one in map(decode_shown, rows)}
    named = given.get("watch", "")
    top, over = None, False
    if named:
        with in_time():
            found = await store.by_id(draws.pool, named, context.clock.now())
        top, over = (decode_shown(found) if found else None), found is None
    if top is None and streams:
        top = streams[request.app.ctx.stream_leases.pick(list(streams), 1)[0]]
    if top is not None:
        streams.pop(top.key, None)
    counts, _ = await request.app.ctx.stream_statistics.counts.get()
    states = await sources_store.list_states(context.pool)
    looser = []
    if top is None and chosen and counts["streams"]:
        looser = await loosened(draws.pool, chosen, context.clock.now())
    return await responses.page(
        request,
        "streams/front.html",
        top=top,
        top_json=msgspec.json.encode(top).decode() if top else "",
        over=over,
        streams=list(streams.values())[: ON_PAGE - 1],
        blank=BLANK,
        asked={name: given.get(name, "") for name in (*LABELS, "search_operator")},
        chips=chips(chosen),
        again=address(chosen),
        looser=looser,
        message=await site_store.message_of_the_day(context.pool),
        counts=counts,
        failed=[state for state in states if state.source.enabled and state.error],
        looking=[state for state in states if state.source.enabled and state.succeeded_at is None],
        sources=[state.source for state in states if state.source.enabled],
        chosen_sources=listed(given.get("sources", "")),
        chosen_languages=listed(given.get("languages", "").lower()),
        languages=languages.NAMES,
        kinds=DIRECTORIES,
        longest_filter=LONGEST_FILTER,
        longest_list=LONGEST_LIST,
    )


class Ask(msgspec.Struct, forbid_unknown_fields=True):
    """What a page sends to get another stream."""

    seen: Annotated[
        list[Annotated[str, msgspec.Meta(max_length=400)]], msgspec.Meta(max_length=5000)
    ] = []
    """Keys of what the visitor saw already."""
    count: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1
    lease: bool = True
    """Whether they are about to be shown in the player, and so rest afterwards."""


_ask = msgspec.json.Decoder(Ask)


class Next(msgspec.Struct):
    """Streams to show."""

    items: list[Stream]
    forget: list[str]
    """Keys that no longer count as seen, since all were."""


@describe(Next, body=Ask, query=Wanted)
async def next_streams(request: Request) -> HTTPResponse:
    """Random streams that this visitor has not seen, spread over the visitors.

    The filter stands in the address, what was seen in the body. When all that match were seen it
    begins again, and ``forget`` names what the page should no longer count as seen.
    """
    if len(request.body) > LONGEST_BODY:
        raise TooLarge("too much was seen", hint="send fewer keys")
    try:
        ask = _ask.decode(request.body or b"{}")
        for key in ask.seen:
            key.encode()
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise Invalid(f"the body does not fit: {error}") from None
    if any("\x00" in key for key in ask.seen):
        raise Invalid("a key has a NUL in it")
    filters = _preferred(parameters(request.query_string))
    forget: list[str] = []
    found = await _unseen(request, filters, ask.seen, ask.count)
    if not found and ask.seen:
        pool, now = request.app.ctx.draws.pool, responses.context(request).clock.now()
        with in_time():
            forget = await visits_store.matching(pool, filters[-1], ask.seen, now)
        found = await _unseen(request, filters, (), ask.count)
    if ask.lease:
        keys = request.app.ctx.stream_leases.pick(list(found), ask.count)
    else:
        keys = list(found)[: ask.count]
    return responses.json({"items": [msgspec.Raw(found[key]) for key in keys], "forget": forget})


async def _unseen(
    request: Request, filters: list[Filter], seen: list[str] | tuple[()], count: int
) -> dict[str, bytes]:
    """More of them than asked for, the quiet ones alone where they suffice."""
    pool, now = request.app.ctx.draws.pool, responses.context(request).clock.now()
    found: dict[str, bytes] = {}
    for wanted in filters:
        with in_time():
            start = random.random()  # noqa: S311
            rows = await visits_store.unseen(pool, wanted, seen, count + CHOICE, now, start)
        found |= {key: body for key, body in rows.items() if key not in found}
        if len(found) >= count:
            break
    return found


def register(bp: Blueprint) -> None:
    """Add the routes of the front page."""

    async def open_leases(app: object) -> None:
        app.ctx.stream_leases = Leases(asyncio.get_running_loop().time)  # type: ignore[attr-defined] # Sanic's

    bp.before_server_start(open_leases)
    # Not a decorator: Sanic's for two methods hides the handler's type.
    bp.add_route(front, "/", methods=("GET", "HEAD"), name="front")
    bp.add_route(next_streams, "/api/v1/streams/next", methods=("POST",), name="next")
