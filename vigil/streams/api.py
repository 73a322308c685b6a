"""The JSON API of live streams below ``/api/v1/streams``."""

from __future__ import annotations

import msgspec
from sanic import Blueprint, HTTPResponse, Request

from vigil import responses
from vigil.errors import Invalid
from vigil.streams import store
from vigil.streams.asked import a_filter, number, parameters
from vigil.streams.draws import in_time
from vigil.streams.model import MOST_VIEWERS

ON_LIST = 100


def register(bp: Blueprint) -> None:
    """Add these routes to the room's."""
    bp.add_route(list_streams, "/api/v1/streams", methods=("GET",), name="list")


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
