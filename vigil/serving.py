"""Sanic's server in an event loop of ours, so that the website stops as the daemons do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

from sanic import Sanic
from sanic.exceptions import BadURL
from sanic.http import Http

from vigil import log
from vigil.lane import Lane

App: TypeAlias = Sanic[Any, Any]

GRACE_S = 3.0  # for answers under way when we are told to stop


class _Http(Http):
    """Answers 400 to an address that is no URL (a raw NUL), where Sanic fails to and hangs up."""

    __slots__ = ()

    def create_empty_request(self) -> None:
        """A request to hand an error to, when the real one could not be read."""
        try:
            super().create_empty_request()
        except BadURL:
            self.url = None
            super().create_empty_request()


class _Protocol(Lane):
    __slots__ = ()
    HTTP_CLASS = _Http


@asynccontextmanager
async def serving(app: App) -> AsyncIterator[None]:
    """Listen on the settings' host and port for as long as the block lasts."""
    chosen = app.ctx.vigil.settings
    server: Any = await app.create_server(
        host=chosen.host,
        port=chosen.port,
        access_log=False,
        protocol=_Protocol,
        asyncio_server_kwargs={"start_serving": False},  # not before the routes are ready
    )
    log.quiet_libraries()  # Sanic has just set up handlers of its own
    await server.startup()
    await server.before_start()
    await server.start_serving()
    await server.after_start()
    try:
        yield
    finally:
        app.ctx.stopping.set()
        await server.before_stop()
        await _close(server)
        await server.after_stop()
        Sanic.unregister_app(app)


async def _close(server: Any) -> None:
    """Stop listening, let answers under way end, then cut what is left."""
    server.close()
    deadline = asyncio.get_running_loop().time() + GRACE_S
    while server.connections and asyncio.get_running_loop().time() < deadline:
        for connection in list(server.connections):
            connection.close_if_idle()
        await asyncio.sleep(0.02)
    for connection in list(server.connections):
        connection.abort()
