"""A real Sanic server with the site's own routes and whatever routes a test gives it.

For tests of the frame itself, so that they do not depend on any room.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from sanic import HTTPResponse, Request, Sanic

import vigil.site.errors
import vigil.site.views
from vigil import auth
from vigil.context import Context

Handler = Callable[..., Coroutine[Any, Any, HTTPResponse | None]]
_numbers = itertools.count()


@dataclass(frozen=True)
class SmallSite:
    """A running server and a client of it."""

    client: aiohttp.ClientSession
    app: Sanic[Any, Any]
    url: str


async def nobody(_request: Request) -> auth.Identity | None:
    return None


@asynccontextmanager
async def small_site(
    context: Context,
    routes: dict[str, Handler] | None = None,
    *,
    identify: auth.Identify = nobody,
    methods: tuple[str, ...] = ("GET", "HEAD", "POST"),
) -> AsyncIterator[SmallSite]:
    """Serve on a free loopback port for as long as the block lasts."""
    app: Sanic[Any, Any] = Sanic(f"small{next(_numbers)}", configure_logging=False)
    app.ctx.vigil = context
    app.ctx.identify = identify
    app.ctx.stopping = asyncio.Event()
    app.config.REQUEST_MAX_SIZE = 100_000
    app.config.TOUCHUP = False  # rewrites Sanic's own methods, which works once in a process
    vigil.site.errors.register(app)
    app.blueprint(vigil.site.views.bp)
    for number, (path, handler) in enumerate((routes or {}).items()):
        app.add_route(handler, path, methods=methods, name=f"route{number}")
    listening = socket.create_server(("127.0.0.1", 0))
    server: Any = await app.create_server(
        sock=listening, access_log=False, return_asyncio_server=True
    )
    await server.startup()
    await server.before_start()
    await server.start_serving()
    await server.after_start()
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    try:
        async with aiohttp.ClientSession(base_url=url) as client:
            yield SmallSite(client, app, url)
    finally:
        app.ctx.stopping.set()
        await server.before_stop()
        server.close()
        for connection in list(server.connections):
            connection.abort()
        await server.after_stop()
        Sanic.unregister_app(app)
