"""The front page: a stream that hardly anybody watches, and more of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from urllib.parse import urlencode

import msgspec
from sanic import Blueprint, HTTPResponse, Request

from vigil import responses
from vigil.sources import store as sources_store
from vigil.sources.kinds import DIRECTORIES
from vigil.streams.asked import LONGEST_FILTER, a_filter, parameters
from vigil.streams.model import MOST_VIEWERS, Player

ON_PAGE = 25
QUIET = 1
"""Viewers of a stream that the front page prefers."""
FIELDS = ("include", "exclude", "search_operator", "max_viewers", "min_age")
"""Parameters that the front page's form has."""


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


def register(bp: Blueprint) -> None:
    """Add the routes of the front page."""
    # Not a decorator: Sanic's for two methods hides the handler's type.
    bp.add_route(front, "/", methods=("GET", "HEAD"), name="front")
