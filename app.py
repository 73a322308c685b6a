"""The website and the JSON API: a table of the rooms' blueprints."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import uvloop
from sanic import Sanic

import vigil.admin.views
import vigil.cameras.views
import vigil.films.views
import vigil.jobs.views
import vigil.site.errors
import vigil.site.views
import vigil.sources.views
import vigil.streams.views
from vigil import log, loop
from vigil.context import Context, open_context
from vigil.site.heartbeat import beat

BLUEPRINTS = (
    vigil.site.views.bp,
    vigil.streams.views.bp,
    vigil.sources.views.bp,
    vigil.cameras.views.bp,
    vigil.films.views.bp,
    vigil.jobs.views.bp,
    vigil.admin.views.bp,
)
App: TypeAlias = Sanic[Any, Any]

LONGEST_BODY = 64_000_000  # bytes of a request
GRACE_S = 3.0  # for answers under way when we are told to stop


def create_app(context: Context, name: str = "vigil", *, touch_up: bool = False) -> App:
    """The application, with its routes and what the handlers need; not listening yet.

    ``touch_up``: Sanic rewrites its own methods for speed, which works once in a process.
    """
    app: App = Sanic(name, configure_logging=False)
    app.config.REQUEST_MAX_SIZE = LONGEST_BODY
    app.config.TOUCHUP = touch_up
    app.ctx.vigil = context
    app.ctx.identify = vigil.admin.views.identify
    app.ctx.stopping = asyncio.Event()
    vigil.site.errors.register(app)
    for blueprint in BLUEPRINTS:
        app.blueprint(blueprint)
    return app


@asynccontextmanager
async def serving(app: App) -> AsyncIterator[None]:
    """Listen on the settings' host and port for as long as the block lasts."""
    chosen = app.ctx.vigil.settings
    server: Any = await app.create_server(
        host=chosen.host,
        port=chosen.port,
        access_log=False,
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


async def main(stop: asyncio.Event) -> None:
    """Serve until told to stop."""
    chosen = loop.begin("app")
    async with (
        open_context(chosen, "app") as context,
        serving(create_app(context, touch_up=True)),
        loop.background(beat(context, "app")),
    ):
        log.info("site", f"listening on {chosen.host}:{chosen.port}")
        await stop.wait()


if __name__ == "__main__":
    raise SystemExit(loop.run(main, loop_factory=uvloop.new_event_loop))
