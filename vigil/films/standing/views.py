"""Pages of standing films."""

from __future__ import annotations

from typing import Any

from sanic import Blueprint, HTTPResponse, Request

from vigil import auth, responses, sent
from vigil.cameras import store as cameras
from vigil.cameras.looking import days
from vigil.errors import Conflict, Invalid, NotFound
from vigil.films.asking import fields, orders
from vigil.films.asking.forms import Form
from vigil.films.asking.forms import offers as offered
from vigil.films.standing import api, forms, ordering, store
from vigil.films.standing.model import Standing
from vigil.films.standing.shown import edition_json, page_of

bp = Blueprint("standing")
api.register(bp)

ON_PAGE = 60


@bp.get("/films/standing", name="index")
async def index(request: Request) -> HTTPResponse:
    """All of them, and for an admin the form for another; ``?camera=`` chooses one."""
    camera = str(request.args.get("camera") or "")
    return await _index(request, forms.USUAL | {"camera": camera})


@bp.post("/films/standing/new", name="begin")
@auth.require_admin
async def begin(request: Request) -> HTTPResponse:
    """The form, filled with what the form of a film says; its time does not matter here."""
    given = sent.fields(request)
    try:
        order = fields.order(Form(given | {"range": ["on"], "to": []}).counted)
    except (Invalid, NotFound) as error:
        return await _index(request, forms.USUAL, error)
    filled = forms.USUAL | forms.film_fields(orders.as_json(order)) | {"title": order.title or ""}
    if given.get("range") == ["rolling"]:
        filled |= {"every": "rolling", "rolling": given.get("rolling", [""])[0]}
    return await _index(request, filled)


@bp.post("/films/standing", name="make_form")
@auth.require_admin
async def make_form(request: Request) -> HTTPResponse:
    """Make one."""
    given = _given(request)
    try:
        made = await ordering.make(responses.context(request), forms.asked(given))
    except (Invalid, NotFound, Conflict) as error:
        return await _index(request, given, error)
    return responses.redirect(page_of(made.slug))


@bp.get("/films/standing/<slug:str>", name="show")
async def show(request: Request, slug: str) -> HTTPResponse:
    """One: its newest film playing, those of before, its addresses."""
    return await _show(request, await api.standing_of(request, slug))


@bp.get("/films/standing/<slug:str>/edit", name="edit")
@auth.require_admin
async def edit(request: Request, slug: str) -> HTTPResponse:
    """The form to change one."""
    standing = await api.standing_of(request, slug)
    return await _edit(request, standing, forms.filled(standing))


@bp.post("/films/standing/<slug:str>/edit", name="change_form")
@auth.require_admin
async def change_form(request: Request, slug: str) -> HTTPResponse:
    """Change one."""
    standing = await api.standing_of(request, slug)
    given = _given(request) | {"every": standing.every}
    try:
        await ordering.change(responses.context(request), standing, forms.asked(given))
    except (Invalid, NotFound) as error:
        return await _edit(request, standing, given, error)
    return responses.redirect(page_of(slug))


@bp.post("/films/standing/<slug:str>/<action:pause|resume>", name="act_form")
@auth.require_admin
async def act_form(request: Request, slug: str, action: str) -> HTTPResponse:
    """Pause or resume one."""
    await ordering.act(responses.context(request), await api.standing_of(request, slug), action)
    return responses.redirect(page_of(slug))


@bp.post("/films/standing/<slug:str>/past", name="past_form")
@auth.require_admin
async def past_form(request: Request, slug: str) -> HTTPResponse:
    """Make films of past periods."""
    standing = await api.standing_of(request, slug)
    text = sent.field(request, "number")
    if not text.isdecimal():
        raise Invalid("how many past films is a number")
    await api.past(request, standing, int(text[:9]))
    return responses.redirect(page_of(slug))


@bp.post("/films/standing/<slug:str>/delete", name="delete_form")
@auth.require_admin
async def delete_form(request: Request, slug: str) -> HTTPResponse:
    """Delete one, with or without the films that it made."""
    standing = await api.standing_of(request, slug)
    films_too = bool(sent.field(request, "films"))
    await ordering.remove(responses.context(request), standing, films_too=films_too)
    return responses.redirect("/films/standing")


async def _index(
    request: Request, given: dict[str, str], error: Exception | None = None
) -> HTTPResponse:
    form = Form({name: [text] for name, text in given.items()})
    return await responses.page(
        request,
        "films/standing/index.html",
        status=getattr(error, "status", 200),
        standing=await api.all_told(request),
        form=form,
        error=error,
        **await _offered(request, form),
    )


async def _edit(
    request: Request, standing: Standing, given: dict[str, str], error: Exception | None = None
) -> HTTPResponse:
    form = Form({name: [text] for name, text in given.items()})
    return await responses.page(
        request,
        "films/standing/edit.html",
        status=getattr(error, "status", 200),
        one=await api.told(request, standing),
        form=form,
        error=error,
        **await _offered(request, form),
    )


async def _show(request: Request, standing: Standing) -> HTTPResponse:
    context = responses.context(request)
    editions = await store.editions(context.pool, standing.id, limit=ON_PAGE + 1)
    site = context.settings.site_url
    return await responses.page(
        request,
        "films/standing/show.html",
        one=await api.told(request, standing),
        editions=[edition_json(one) for one in editions[:ON_PAGE]],
        more=len(editions) > ON_PAGE,
        site=site,
        words=ordering.WORDS,
    )


async def _cameras(request: Request) -> list[str]:
    known = await cameras.all_cameras(responses.context(request).pool)
    return [camera.name for camera in known if camera.deleting_at is None]


def _given(request: Request) -> dict[str, str]:
    said = {
        name: ",".join(filter(None, map(str.strip, values)))
        for name, values in sent.fields(request).items()
    }
    return {name: said[name] for name in forms.FIELDS if said.get(name)}


async def _offered(request: Request, form: Form) -> dict[str, Any]:
    """What the form offers beside what it says: cameras, zones, tags of scenes."""
    context = responses.context(request)
    offers = await offered(context.pool, context.clock.now())
    if wanted := form.names:
        offers = [one for one in offers if one.name in wanted or one.camera in wanted] or offers
    known = {tag for offer in offers for tag in offer.tags}
    said = [tag for one in form.given.get("tags", ()) for tag in one.split(",")]
    return {
        "cameras": await _cameras(request),
        "zones": days.zones(),
        "offers": offers,
        "other_tags": [tag for tag in said if tag and tag not in known],
        "words": ordering.WORDS,
    }
