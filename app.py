"""The website and the JSON API: a table of the rooms' blueprints."""

from __future__ import annotations

import asyncio

import uvloop
from sanic import Sanic

import vigil.admin.views
import vigil.cameras.importing.views
import vigil.cameras.views
import vigil.controllers.views
import vigil.films.kinds
import vigil.films.standing.views
import vigil.films.views
import vigil.games.filming
import vigil.games.views
import vigil.jobs.views
import vigil.notifications.views
import vigil.site.errors
import vigil.site.views
import vigil.sources.views
import vigil.streams.views
from vigil import log, loop
from vigil.context import Context, open_context
from vigil.serving import App, serving
from vigil.site.heartbeat import beat

BLUEPRINTS = (
    vigil.site.views.bp,
    vigil.streams.views.bp,
    vigil.sources.views.bp,
    vigil.cameras.views.bp,
    vigil.cameras.importing.views.bp,
    vigil.controllers.views.bp,
    vigil.films.standing.views.bp,
    vigil.films.views.bp,
    vigil.games.views.bp,
    vigil.jobs.views.bp,
    vigil.notifications.views.bp,
    vigil.admin.views.bp,
)

vigil.films.kinds.know(vigil.games.filming.KIND)

LONGEST_BODY = 64_000_000  # bytes of a request


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
