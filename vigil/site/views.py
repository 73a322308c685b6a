"""How the site is doing, and the files every page needs."""

from __future__ import annotations

from typing import Any

from sanic import Blueprint, HTTPResponse, Request, Sanic

from vigil import responses
from vigil.context import Context
from vigil.limits import Limiter
from vigil.openapi import Media, describe
from vigil.site import assets, metrics, reference
from vigil.site.health import Health, Report

bp = Blueprint("site")
READ = ("GET", "HEAD")

ROBOTS = """User-agent: *
Disallow: /admin
Disallow: /api/
Disallow: /stats/
Disallow: /metrics
"""


@bp.before_server_start
async def prepare(app: Sanic[Any, Any]) -> None:
    """Make what remembers between visits."""
    context: Context = app.ctx.vigil
    app.ctx.health = Health(context)
    app.ctx.limiter = Limiter(
        context.settings.rate_limit,
        proxied=context.settings.public_url is not None,
        monotonic=context.clock.monotonic,
    )


@describe(answers={200: Report, 503: Report}, limited=False)
async def healthz(request: Request) -> HTTPResponse:
    """For whoever watches the site: 200, or 503 when database or blob store do not work."""
    report = await request.app.ctx.health.report()
    return responses.json(report, 503 if report.status == "failing" else 200)


async def health_page(request: Request) -> HTTPResponse:
    """The same for a person."""
    report = await request.app.ctx.health.report()
    if report.database.status == "failing":
        request.ctx.identity = None  # nobody can be looked up now
    status = 503 if report.status == "failing" else 200
    return await responses.page(request, "site/health.html", status, report=report)


@describe(Media("text/plain"), limited=False)
async def metrics_text(request: Request) -> HTTPResponse:
    """For Prometheus."""
    ctx = request.app.ctx
    accept = request.headers.get("accept", "")
    body, kind = await metrics.render(ctx.vigil, ctx.health, ctx.errors, accept)
    return HTTPResponse(body, headers={"cache-control": "no-store"}, content_type=kind)


async def static_file(request: Request, path: str) -> HTTPResponse:
    """A file under static/."""
    return assets.respond(request, path)


async def favicon(request: Request) -> HTTPResponse:
    """For browsers that ask without being told to."""
    return assets.respond(request, "favicon.ico")


async def robots(request: Request) -> HTTPResponse:
    """What crawlers should leave alone."""
    return HTTPResponse(
        ROBOTS,
        headers={"cache-control": "public, max-age=86400"},
        content_type="text/plain; charset=utf-8",
    )


# A table, not decorators: Sanic's decorator for two methods hides the handlers' types.
for _path, _handler in (
    ("/healthz", healthz),
    ("/health", health_page),
    ("/metrics", metrics_text),
    ("/static/<path:path>", static_file),
    ("/favicon.ico", favicon),
    ("/robots.txt", robots),
    ("/api/openapi.json", reference.openapi_json),
    ("/api/docs", reference.docs_page),
):
    bp.add_route(_handler, _path, READ)
