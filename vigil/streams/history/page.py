"""The page of a stream: player, who watched, what it was called; also after it has ended."""

from __future__ import annotations

from sanic import Blueprint, HTTPResponse, Request

from vigil import responses
from vigil.errors import NotFound
from vigil.streams import languages
from vigil.streams.api import names_of, one
from vigil.streams.asked import parameters
from vigil.streams.draws import in_time
from vigil.streams.front import address, chosen_of, decode_shown
from vigil.streams.history import shown
from vigil.streams.history.chart import HEIGHT, WIDTH, chart
from vigil.streams.history.model import Ended, Memory


async def show(request: Request, source: str, key: str) -> HTTPResponse:
    """A stream; 410 with what is remembered of it once it has ended, 404 when nothing is.

    A filter in the address is that of the front page which leads here; "another" leads back to it.
    """
    source, name = names_of(source, key)
    chosen = chosen_of(parameters(request.query_string))
    found = await one(request, source, name)
    if found is not None:
        body, memory = found
        return await _page(request, chosen, memory, body=body)
    over = None
    if "\x00" not in source + name:
        with in_time():
            over = await shown.ended(request.app.ctx.draws.pool, source, name)
    if over is None:
        raise NotFound("this stream is not live", hint="others are")
    return await _page(request, chosen, over.memory, over=over)


async def _page(
    request: Request,
    chosen: dict[str, str],
    memory: Memory,
    *,
    body: bytes | None = None,
    over: Ended | None = None,
) -> HTTPResponse:
    stream = None if body is None else decode_shown(body)
    return await responses.page(
        request,
        "streams/page.html",
        status=410 if stream is None else 200,
        stream=stream,
        stream_json="" if body is None else body.decode(),
        over=over,
        memory=memory,
        chart=chart(memory.history),
        width=WIDTH,
        height=HEIGHT,
        again=address(chosen),
        languages=languages.NAMES,
        site_url=responses.context(request).settings.site_url,
    )


def register(bp: Blueprint) -> None:
    """Add the page to the room's."""
    bp.add_route(show, "/streams/<source>/<key:path>", ("GET", "HEAD"), name="page")
