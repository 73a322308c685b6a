"""Asking for films over HTTP: the form, the plan before anything is rendered, making."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from sanic import Blueprint, HTTPResponse, Request

from vigil import auth, openapi, responses, sent
from vigil.cameras.looking import days
from vigil.context import Context
from vigil.errors import Invalid, NotFound, TooManyRequests, VigilError
from vigil.films import finding, order
from vigil.films.asking import fields, forms, pictures, planning
from vigil.films.asking.forms import Form
from vigil.films.asking.shown import PlanJson, plan_json
from vigil.films.describe import FilmJson, describe
from vigil.films.order import Order
from vigil.openapi import Media, asked

LONGEST_ID = 1 << 63
PLANS_AT_ONCE = 2
MOST_WAITING = 8
"""Plans that wait for their turn; a plan of a million frames takes a second or two."""
STRIP = 48
"""Frames on a page that can be picked out."""
MOST_STRIP = 500

_turns: dict[asyncio.AbstractEventLoop, asyncio.Semaphore] = {}
_waiting = 0


class PlanAsked(msgspec.Struct):
    """Which of its frames a plan names."""

    strip: Annotated[
        int, Meta(ge=0, le=MOST_STRIP, description="How many frames; at most 500.")
    ] = 0
    at: Annotated[int, Meta(ge=0, le=1 << 31, description="Number of the first of them.")] = 0


class PictureAsked(msgspec.Struct):
    """Which picture; a plan says the whole address."""

    film: str
    at: Annotated[int, Meta(ge=0, le=250_000_000_000_000_000)]


async def plan(context: Context, wish: Order, strip: int = STRIP, at: int = 0) -> PlanJson:
    """What a film would be; raises Invalid, NotFound, TooManyRequests."""
    global _waiting
    if _waiting >= MOST_WAITING:
        raise TooManyRequests("too many plans are being made", retry_after=3)
    _waiting += 1
    try:
        loop = asyncio.get_running_loop()
        async with _turns.setdefault(loop, asyncio.Semaphore(PLANS_AT_ONCE)):
            now = context.clock.now()
            ready = await order.prepare(context.pool, wish, now)
            film = planning.imagined(ready.new, ready.places, now)
            found = await planning.planning(
                context.pool, film, now, have=ready.material, strip_at=at, strip=strip
            )
    finally:
        _waiting -= 1
    return plan_json(found, ready.new, [one.scene.name for one in ready.places], ready.notes)


# -- for programs ----------------------------------------------------------------------------


@openapi.describe(answers={201: FilmJson}, body=Order, admin=True, errors=(404, 409))
@auth.require_admin
async def make_json(request: Request) -> HTTPResponse:
    """Make a film: camera or scene, when, how fast, what goes in, how it looks."""
    context = responses.context(request)
    film_id, notes = await order.make(context, order.parse(sent.anything(request)))
    made = await describe(context, await finding.film(request, film_id), admin=True)
    headers = {"location": f"/api/v1/films/{film_id}"}
    return responses.json(made | {"notes": notes}, 201, headers)


@openapi.describe(PlanJson, body=Order, query=PlanAsked, admin=True, errors=(404, 409, 429))
@auth.require_admin
async def plan_json_(request: Request) -> HTTPResponse:
    """What a film would be: pictures, segments, gaps, length, size, time. Nothing is made."""
    which, _ = asked(request, PlanAsked)
    context = responses.context(request)
    return responses.json(
        await plan(context, order.parse(sent.anything(request)), which.strip, which.at)
    )


@openapi.describe(Media("image/jpeg"), query=PictureAsked, admin=True, errors=(404, 500))
@auth.require_admin
async def picture_jpg(request: Request) -> HTTPResponse:
    """A picture of a film as it will look, small; a plan names its address."""
    which, _ = asked(request, PictureAsked)
    data = await pictures.picture(responses.context(request), which.film, which.at)
    headers = {"cache-control": "private, max-age=600", "x-content-type-options": "nosniff"}
    return HTTPResponse(data, headers=headers, content_type="image/jpeg")


# -- for people ------------------------------------------------------------------------------


def _given(request: Request) -> dict[str, list[str]]:
    """The fields of a form, or of the address."""
    if request.method == "POST":
        return sent.fields(request)
    given: Any = request.args
    return {name: list(values) for name, values in given.items() if name != sent.CSRF}


async def _page(request: Request, form: Form, error: VigilError | None = None) -> HTTPResponse:
    """The form, filled."""
    context = responses.context(request)
    return await responses.page(
        request,
        "films/make.html",
        status=error.status if error else 200,
        form=form,
        error=error,
        offers=await forms.offers(context.pool, context.clock.now()),
        zones=days.zones(),
    )


@auth.require_admin
async def form_page(request: Request) -> HTTPResponse:
    """The form of a film; filled with what the address or another form says."""
    return await _page(request, Form(_given(request)))


@auth.require_admin
async def make_form(request: Request) -> HTTPResponse:
    """Make a film from a form; with something wrong in it the form again."""
    form = Form(_given(request))
    try:
        film_id, _ = await order.make(responses.context(request), fields.order(form.counted))
    except (Invalid, NotFound) as error:
        return await _page(request, form, error)
    return responses.redirect(f"/films/{film_id}")


@auth.require_admin
async def plan_page(request: Request) -> HTTPResponse:
    """What a film would be, with all choices kept; ``part`` asks for the plan alone."""
    context = responses.context(request)
    form = Form(_given(request))
    part = "part" in form.given
    try:
        found = await plan(context, fields.order(form.counted), STRIP, form.strip_at)
    except VigilError as error:
        if error.status >= 500:
            raise
        if part:
            return await responses.page(
                request, "films/_plan.html", plan=None, error=error, form=form
            )
        return await _page(request, form, error)
    picked = await forms.picked(context.pool, found, form)
    template = "films/_plan.html" if part else "films/plan.html"
    return await responses.page(request, template, plan=found, picked=picked, error=None, form=form)


Handler = Callable[..., Coroutine[Any, Any, HTTPResponse | None]]
ROUTES: Sequence[tuple[tuple[str, ...], str, str, Handler]] = (
    (("POST",), "/api/v1/films", "make", make_json),
    (("POST",), "/api/v1/films/plan", "plan", plan_json_),
    (("GET", "HEAD"), "/api/v1/films/plan/picture.jpg", "plan_picture", picture_jpg),
    (("POST",), "/films", "make_form", make_form),
    (("GET", "HEAD", "POST"), "/films/make", "form_page", form_page),
    (("GET", "HEAD", "POST"), "/films/plan", "plan_page", plan_page),
)


def register(bp: Blueprint) -> None:
    """Put the routes on the room's blueprint."""
    for methods, path, name, handler in ROUTES:
        bp.add_route(handler, path, methods, name=name)
