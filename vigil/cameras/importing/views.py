"""Pages of imports: a form, what it would do, how far it is. For admins alone."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import ResponseStream

import db_utils
from vigil import auth, responses, sent
from vigil.cameras import asking
from vigil.cameras import store as cameras
from vigil.cameras.importing import api, previewing, shown, starting, store
from vigil.cameras.importing.model import Import
from vigil.cameras.importing.starting import Wanted
from vigil.errors import Conflict, Invalid, NotFound, Unauthorized, Unavailable

bp = Blueprint("imports")
api.register(bp)

DAY_S = 86_400.0
RULES = {
    "auto": "EXIF, else the file's name, else its last change",
    "exif": "EXIF only",
    "name": "the file's name only",
    "mtime": "the last change only",
}
FIELDS = (
    *("camera", "new_camera", "place", "pattern", "rule", "time_zone", "clock_offset_s"),
    *("keep", "retention_days"),
)


@bp.get("/imports", name="index")
@auth.require_admin
async def index(request: Request) -> HTTPResponse:
    """Imports so far, and the form for another; ``?camera=`` chooses one."""
    return await _form(request, {"camera": str(request.args.get("camera") or "")})


@bp.post("/imports/preview", name="preview_form")
@auth.require_admin
async def preview_form(request: Request) -> HTTPResponse:
    """What an import would do."""
    given = _given(request)
    context = responses.context(request)
    try:
        checked = await starting.check(context, _wanted(given))
        found = await previewing.preview(context, checked)
    except (Invalid, NotFound, Conflict, Unavailable) as error:
        return await _form(request, given, error=error)
    return await responses.page(
        request,
        "imports/preview.html",
        preview=found,
        given=given,
        ways=shown.WAYS,
        days_needed=round(found.retention_needed_s / DAY_S) if found.retention_needed_s else None,
    )


@bp.post("/imports", name="start_form")
@auth.require_admin
async def start_form(request: Request) -> HTTPResponse:
    """Begin an import."""
    given = _given(request)
    try:
        one = await starting.start(responses.context(request), _wanted(given))
    except (Invalid, NotFound, Conflict, Unavailable) as error:
        return await _form(request, given, error=error)
    return responses.redirect(f"/imports/{one.id}")


@bp.get("/imports/<import_id:int>", name="show")
@auth.require_admin
async def show(request: Request, import_id: int) -> HTTPResponse:
    """One import, live."""
    one = await api.import_of(request, import_id)
    return await responses.page(
        request,
        "imports/show.html",
        one=await api.told(request, one),
        ways=shown.WAYS,
        badges=shown.BADGES,
    )


@bp.get("/imports/<import_id:int>/events", name="events")
async def events(request: Request, import_id: int) -> ResponseStream | None:
    """Server-sent events: the import as a piece of its page, whenever it changed."""
    if await auth.identify(request) is None:
        raise Unauthorized("this is for the admin of the site", hint="sign in")
    one = await api.import_of(request, import_id)
    return await responses.event_stream(request, _changes(request, one))


@bp.post("/imports/<import_id:int>/<action:cancel|continue|forget>", name="act_form")
@auth.require_admin
async def act_form(request: Request, import_id: int, action: str) -> HTTPResponse:
    """Stop, continue or forget one."""
    act = {"cancel": api.cancel, "continue": api.go_on, "forget": api.forget}[action]
    await act(request, import_id)
    return responses.redirect("/imports" if action == "forget" else f"/imports/{import_id}")


async def _changes(request: Request, one: Import) -> AsyncGenerator[tuple[str, Any], None]:
    context, identity = responses.context(request), await auth.identify(request)
    template = responses.environment().get_template("imports/detail.html")
    async with context.listener.subscribe(f"job:{one.job_id}") as news:
        while True:
            try:
                found = await store.get(context.pool, one.id)
                if found is None:
                    return
                html = template.render(
                    one=await api.told(request, found),
                    identity=identity,
                    ways=shown.WAYS,
                    badges=shown.BADGES,
                )
            except (*db_utils.GONE, TimeoutError):
                return  # the browser asks again
            yield "job", {"id": one.id, "html": html}
            await news.get()
            while not news.empty():
                news.get_nowait()


async def _form(
    request: Request, given: dict[str, str], *, error: Exception | None = None
) -> HTTPResponse:
    context = responses.context(request)
    there = [one for one in await cameras.all_cameras(context.pool) if not one.deleting_at]
    recent = await store.page(context.pool, limit=api.PAGE)
    return await responses.page(
        request,
        "imports/index.html",
        status=getattr(error, "status", 200),
        given={name: given.get(name, "") for name in FIELDS},
        error=error,
        cameras=there,
        rules=RULES,
        imports=[await api.told(request, one) for one in recent],
        badges=shown.BADGES,
    )


def _given(request: Request) -> dict[str, str]:
    return {name: sent.field(request, name) for name in FIELDS}


def _wanted(given: dict[str, str]) -> Wanted:
    new = given["new_camera"].strip()
    days = given["retention_days"]
    offset = asking.number(given["clock_offset_s"] or None, "the clock's offset", 0)
    return Wanted(
        camera=new or given["camera"],
        new=bool(new),
        place=given["place"],
        pattern=given["pattern"],
        rule=given["rule"] or "auto",
        time_zone=given["time_zone"] or None,
        clock_offset_s=offset,
        keep=bool(given["keep"]),
        retention_s=asking.number(days, "the retention", 0) * DAY_S if days else None,
    )
