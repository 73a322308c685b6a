"""Pages and JSON of the room streams.

``/stream`` and ``/stream/<id>`` answer as nobody.live does, whose users' programs know them:
the same parameters, defaults and limits (https://github.com/jkingsman/Nobody.live).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode

import msgspec
from sanic import Blueprint, HTTPResponse, Request, Sanic

from vigil import responses
from vigil.context import Context
from vigil.errors import Gone, Invalid, TooLarge
from vigil.sources import store as sources_store
from vigil.sources.kinds import DIRECTORIES
from vigil.streams import store
from vigil.streams.draws import Draws, in_time, open_pool
from vigil.streams.model import MOST_VIEWERS, Filter, Player
from vigil.streams.statistics import Statistic, Statistics

bp = Blueprint("streams")

MOST_STREAMS = 64
"""In one answer of ``/stream``."""
LONGEST_FILTER = 64
"""Characters of ``include`` and ``exclude`` together."""
OLDEST_MINUTES = 10 * 365 * 24 * 60
ON_PAGE = 25
ON_LIST = 100
QUIET = 1
"""Viewers of a stream that the front page prefers."""
FIELDS = ("include", "exclude", "search_operator", "max_viewers", "min_age")
"""Parameters that the front page's form has."""


@bp.before_server_start
async def open_draws(app: Sanic[Any, Any]) -> None:
    """Open what ``/stream`` is dealt from."""
    context: Context = app.ctx.vigil
    app.ctx.draws = Draws(await open_pool(context.settings), context.clock)
    app.ctx.stream_statistics = Statistics(context)


@bp.after_server_stop
async def close_draws(app: Sanic[Any, Any]) -> None:
    """Let go of its connections."""
    await app.ctx.draws.close()


# -- what is asked for -----------------------------------------------------------------------


def parameters(query: str) -> dict[str, str]:
    """The first value of each parameter; raises Invalid for what no text of ours can hold."""
    try:
        given = {name: values[0] for name, values in parse_qs(query, errors="strict").items()}
    except ValueError:
        raise Invalid("the address is not UTF-8") from None
    if any("\x00" in value for value in given.values()):
        raise Invalid("the address has a NUL in it")
    return given


def number(text: str | None, default: int, most: int) -> int:
    """A number from 0 to ``most``; the default where there is none (as the peer has it)."""
    try:
        return min(max(int(text or default), 0), most)
    except ValueError:
        return default


def a_filter(given: dict[str, str], max_viewers: int) -> Filter:
    """What the parameters ask for; raises TooLarge."""
    include, exclude = given.get("include", ""), given.get("exclude", "")
    if len(include) + len(exclude) > LONGEST_FILTER:
        raise TooLarge(
            "the filter is too long",
            hint=f"include and exclude: {LONGEST_FILTER} characters in all",
        )
    return Filter(
        include=words(include),
        any=given.get("search_operator") == "any",
        exclude=words(exclude),
        max_viewers=number(given.get("max_viewers"), max_viewers, MOST_VIEWERS),
        min_age_minutes=number(given.get("min_age"), 0, OLDEST_MINUTES),
    )


def words(text: str) -> tuple[str, ...]:
    """The different words of a filter; a comma is as good as a space."""
    return tuple(dict.fromkeys(text.lower().replace(",", " ").split()))


@lru_cache(maxsize=1024)
def stream_query(query: str) -> tuple[Filter, int]:
    """What ``/stream`` is asked for: which streams, and how many."""
    given = parameters(query)
    count = number(given.get("count"), 1, MOST_STREAMS + 1)
    if count > MOST_STREAMS:
        raise TooLarge("too many streams at once", hint=f"ask for at most {MOST_STREAMS}")
    return a_filter(given, max_viewers=0), count


# -- JSON ------------------------------------------------------------------------------------


@bp.get("/stream", name="random")
async def random_streams(request: Request) -> HTTPResponse:
    """Random live streams, as a JSON array; ``max_viewers`` is 0 unless given."""
    wanted, count = stream_query(request.query_string)
    rows = await request.app.ctx.draws.take(wanted, count)
    return HTTPResponse(
        b"[%b]" % b",".join(rows), headers=responses.JSON_HEADERS, content_type="application/json"
    )


@bp.get("/stream/<key:path>", name="one")
async def one_stream(request: Request, key: str) -> HTTPResponse:
    """One live stream by ``<source>:<id>`` or by its source's id."""
    try:
        name = unquote(key, errors="strict")
    except UnicodeDecodeError:
        raise Invalid("the address is not UTF-8") from None
    body = None
    if "\x00" not in name:
        with in_time():
            context = responses.context(request)
            body = await store.by_id(request.app.ctx.draws.pool, name, context.clock.now())
    if body is None:
        raise Gone("this stream is not live, or never was")
    return HTTPResponse(body, headers=responses.JSON_HEADERS, content_type="application/json")


@bp.get("/api/v1/streams", name="list")
async def list_streams(request: Request) -> HTTPResponse:
    """Live streams, the newest to us first; takes the filters of ``/stream``, limit, cursor."""
    given = parameters(request.query_string)
    wanted = a_filter(given, max_viewers=MOST_VIEWERS)
    limit = max(1, number(given.get("limit"), ON_LIST, ON_LIST))
    before = 2**63 - 1
    if "cursor" in given:
        (before,) = responses.cursor_decode(given["cursor"], int)
        if not 0 <= before < 2**63:
            raise Invalid("this cursor is not one of ours", hint="begin without it")
    with in_time():
        now = responses.context(request).clock.now()
        rows = await store.latest(request.app.ctx.draws.pool, wanted, before, limit, now)
    more = responses.cursor_encode(rows[-1][0]) if len(rows) == limit else None
    return responses.items([msgspec.Raw(body) for _, body in rows], more)


@bp.get("/stats/<name:counts|games|tags>", name="statistics")
async def statistics(request: Request, name: str) -> HTTPResponse:
    """How many live streams there are in all; in each category; with each tag."""
    statistic: Statistic = getattr(request.app.ctx.stream_statistics, name)
    _, body = await statistic.get()
    return HTTPResponse(body, headers=responses.JSON_HEADERS, content_type="application/json")


# -- the front page --------------------------------------------------------------------------


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

    def picture(self, width: int) -> str | None:
        """Address of its picture, 16:9 and so wide where the source offers sizes."""
        if self.thumbnail_url is None:
            return None
        sized = self.thumbnail_url.replace("{width}", str(width))
        return sized.replace("{height}", str(width * 9 // 16))


_shown = msgspec.json.Decoder(Shown)


async def front(request: Request) -> HTTPResponse:
    """A stream that hardly anybody watches, more of them below, and how the sources are doing."""
    given = parameters(request.query_string)
    wanted = a_filter(given, max_viewers=MOST_VIEWERS)
    rows: list[bytes] = []
    if not given.get("max_viewers"):
        rows = await request.app.ctx.draws.take(replace(wanted, max_viewers=QUIET), ON_PAGE)
    if len(rows) < ON_PAGE:
        rows += await request.app.ctx.draws.take(wanted, ON_PAGE)
    streams = {(one.source, one.id): one for one in map(_shown.decode, rows)}
    counts, _ = await request.app.ctx.stream_statistics.counts.get()
    states = await sources_store.list_states(responses.context(request).pool)
    asked = {name: given.get(name, "") for name in FIELDS}
    chosen = {name: value for name, value in asked.items() if value not in ("", "all")}
    return await responses.page(
        request,
        "streams/front.html",
        streams=list(streams.values())[:ON_PAGE],
        asked=asked,
        filtered=bool(chosen),
        again="/?" + urlencode(chosen) if chosen else "/",
        counts=counts,
        failed=[state for state in states if state.source.enabled and state.error],
        looking=[state for state in states if state.source.enabled and state.succeeded_at is None],
        kinds=DIRECTORIES,
        longest_filter=LONGEST_FILTER,
    )


# Not a decorator: Sanic's for two methods hides the handler's type.
bp.add_route(front, "/", methods=("GET", "HEAD"), name="front")
