"""Pages and JSON of the room streams.

``/stream`` and ``/stream/<id>`` answer as nobody.live does, whose users' programs know them:
the same parameters, defaults and limits (https://github.com/jkingsman/Nobody.live).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from sanic import Blueprint, HTTPResponse, Request, Sanic

from vigil.context import Context
from vigil.errors import Gone, Invalid, TooLarge
from vigil.openapi import describe
from vigil.prepared import Prepared
from vigil.ready import JSON, Ready
from vigil.streams import api, draws, feeds, front
from vigil.streams.asked import a_filter, number, parameters
from vigil.streams.history import page
from vigil.streams.model import Filter
from vigil.streams.statistics import Statistics

bp = Blueprint("streams")
front.register(bp)
api.register(bp)
feeds.register(bp)
page.register(bp)

MOST_STREAMS = 64
"""In one answer of ``/stream``."""
RANDOM = re.compile(rb"/stream(?:\?([!\"$-~]*))?")
ONE = re.compile(rb"/stream/([\w.:~-]{1,200})")
"""Keys with no sign that is written otherwise in an address."""


@bp.before_server_start
async def open_draws(app: Sanic[Any, Any]) -> None:
    """Open what ``/stream`` is dealt from."""
    context: Context = app.ctx.vigil
    app.ctx.draws = await draws.open_draws(context.settings, context.clock)
    app.ctx.quick = Quick(app)
    app.ctx.stream_statistics = Statistics(context)
    app.ctx.figures = api.open_figures(context, app.ctx.stream_statistics)
    app.ctx.peer_figures = {
        name: api.Figures(getattr(app.ctx.stream_statistics, name))
        for name in ("counts", "games", "tags")
    }


@bp.after_server_stop
async def close_draws(app: Sanic[Any, Any]) -> None:
    """Let go of its connections."""
    await app.ctx.draws.close()


@lru_cache(maxsize=1024)
def stream_query(query: str) -> tuple[Filter, int]:
    """What ``/stream`` is asked for: which streams, and how many."""
    given = parameters(query)
    count = number(given.get("count"), 1, MOST_STREAMS + 1)
    if count > MOST_STREAMS:
        raise TooLarge("too many streams at once", hint=f"ask for at most {MOST_STREAMS}")
    return a_filter(given, max_viewers=0), count


GONE = "this stream is not live, or never was"


# -- JSON ------------------------------------------------------------------------------------


@bp.get("/stream", name="random")
@describe(list[api.Stream], query=api.Peer, errors=(413,))
def random_streams(request: Request) -> HTTPResponse | Awaitable[HTTPResponse]:
    """Random live streams, as a JSON array; ``max_viewers`` is 0 unless given."""
    wanted, count = stream_query(request.query_string)
    rows = request.app.ctx.draws.at_once(wanted, count)
    return _drawn(request, wanted, count) if rows is None else listed(rows)


async def _drawn(request: Request, wanted: Filter, count: int) -> HTTPResponse:
    return listed(await request.app.ctx.draws.take(wanted, count))


def listed(rows: list[bytes]) -> HTTPResponse:
    """JSON objects as an array."""
    return Ready(array(rows), JSON)


def array(rows: list[bytes]) -> bytes:
    """JSON objects as a JSON array."""
    return b"[%b]" % b",".join(rows)


@bp.get("/stream/<key:path>", name="one")
@describe(api.Stream, errors=(400, 410))
def one_stream(request: Request, key: str) -> HTTPResponse | Awaitable[HTTPResponse]:
    """One live stream by ``<source>:<id>`` or by its source's id."""
    if "%" in key:
        try:
            key = unquote(key, errors="strict")
        except UnicodeDecodeError:
            raise Invalid("the address is not UTF-8") from None
    body = request.app.ctx.draws.seen(key)
    return _looked_up(request, key) if body is None else Ready(body, JSON)


async def _looked_up(request: Request, key: str) -> HTTPResponse:
    body = None if "\x00" in key else await request.app.ctx.draws.one(key)
    if body is None:
        raise Gone(GONE)
    return Ready(body, JSON)


class Quick:
    """The same two answers on the short way (``vigil.lane``)."""

    def __init__(self, app: Sanic[Any, Any]) -> None:
        self._ctx = app.ctx

    def begin(self, target: bytes, client: str) -> bytes | asyncio.Future[Any] | None:
        """The answer, or what must be waited for; None: ask the handlers."""
        dealer: draws.Draws = self._ctx.draws
        if (found := ONE.fullmatch(target)) is not None:
            self._ctx.limiter.count(client)
            key = found[1].decode()
            seen = dealer.seen(key)
            return dealer.one(key) if seen is None else seen
        query = query_of(target)
        if query is None:
            return None
        self._ctx.limiter.count(client)
        wanted, count = stream_query(query)
        rows = dealer.at_once(wanted, count)
        return asyncio.ensure_future(dealer.take(wanted, count)) if rows is None else array(rows)

    def end(self, found: asyncio.Future[Any]) -> bytes:
        """What was waited for."""
        result: bytes | list[bytes] | None = found.result()
        if result is None:
            raise Gone(GONE)
        return array(result) if isinstance(result, list) else result


@lru_cache(maxsize=1024)
def query_of(target: bytes) -> str | None:
    """The query of ``GET /stream``; None: this is another address."""
    found = RANDOM.fullmatch(target)
    return None if found is None else (found[1] or b"").decode()


@bp.get("/stats/<name:counts|games|tags>", name="statistics")
@describe(api.Counts | list[api.Named], tagged=True)
async def statistics(request: Request, name: str) -> HTTPResponse:
    """How many live streams there are in all; in each category; with each tag."""
    found: Prepared = await request.app.ctx.peer_figures[name].get()
    return found.answer(request)
