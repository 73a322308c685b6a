"""Adding and changing a camera: its form, and the trial that shows what it sees first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Any, TypedDict

from sanic import Blueprint, HTTPResponse, Request

from vigil import auth, responses, sent
from vigil.cameras import adding, api, asking, forms
from vigil.cameras.adding import Wanted
from vigil.cameras.forms import Form
from vigil.cameras.frames import store as frames
from vigil.cameras.looking import days
from vigil.cameras.model import Camera, RawFrame
from vigil.cameras.pictures.shape import BadPicture
from vigil.cameras.scenes import store as scenes
from vigil.cameras.trying import asking as first
from vigil.cameras.trying import store
from vigil.cameras.trying.model import Trial
from vigil.errors import Conflict, Invalid, NotFound, TooManyRequests
from vigil.openapi import Actions, Media, describe
from vigil.sources.kinds import CAMERAS

MOST_WAITING = 20
LATE_S = 10.0
"""A trial that waits longer has no scanner."""


class TrialJson(TypedDict):
    """How asking a camera for one picture went; only an admin may see it."""

    id: int
    state: str
    message: str
    error: str | None
    hint: str | None
    created_at: datetime
    finished_at: datetime | None
    width: int | None
    height: int | None
    bytes: int | None
    format: str | None
    took_s: float | None
    camera_clock: datetime | None
    clock_offset_s: float | None
    picture: str | None
    actions: Actions


def trial_json(trial: Trial, now: datetime) -> TrialJson:
    """A trial, with a sentence on how far it is."""
    done = trial.state == "done"
    return {
        "id": trial.id,
        "state": trial.state,
        "message": _message(trial, now),
        "error": trial.error,
        "hint": trial.hint,
        "created_at": trial.created_at,
        "finished_at": trial.finished_at,
        "width": trial.width,
        "height": trial.height,
        "bytes": trial.bytes,
        "format": trial.format,
        "took_s": trial.took_s,
        "camera_clock": trial.camera_clock,
        "clock_offset_s": trial.clock_offset_s,
        "picture": f"/api/v1/camera-trials/{trial.id}/picture.jpg" if done else None,
        "actions": {},
    }


def _message(trial: Trial, now: datetime) -> str:
    if trial.state == "done":
        return "The camera answered."
    if trial.state == "failed":
        return "There is no picture."
    if trial.state == "asking":
        return "Asking the camera; this takes up to half a minute."
    if (now - trial.created_at).total_seconds() > LATE_S:
        return "Waiting for a scanner. Is one running?"
    return "Waiting for a scanner."


async def begin(
    request: Request, wanted: Wanted, form: Form, camera: Camera | None, zone: str
) -> int:
    """Ask for a trial; raises Invalid, TooManyRequests."""
    values = adding.checked(wanted, has_place=True)
    trial_id = await store.add(
        responses.context(request).pool,
        form=form | {"time_zone": zone},
        camera_id=camera.id if camera else None,
        kind=values["kind"],
        url=values["url"],
        options=values["options"],
        interval_s=values["interval_s"],
        most=MOST_WAITING,
    )
    if trial_id is None:
        raise TooManyRequests(f"{MOST_WAITING} cameras are being tried already", retry_after=10)
    return trial_id


async def find(request: Request, trial_id: int) -> Trial:
    """A trial; raises NotFound."""
    found = None
    if 0 < trial_id < 1 << 63:
        found = await store.get(responses.context(request).pool, trial_id)
    if found is None:
        raise NotFound("there is no such trial", hint="it is forgotten after an hour")
    return found


# -- programs --------------------------------------------------------------------------------


@describe(answers={202: TrialJson}, body=api.NewCamera, admin=True)
@auth.require_admin
async def api_try(request: Request) -> HTTPResponse:
    """Try a camera that is not there yet: a scanner asks it for one picture; ask how it went."""
    given = sent.body(request, api.NewCamera, '{"name": …, "url": …}')
    wanted = api.wanted(given)
    trial_id = await begin(request, wanted, {}, None, wanted.time_zone or "UTC")
    now = responses.context(request).clock.now()
    shown = trial_json(await find(request, trial_id), now)
    return responses.json(shown, 202, {"location": f"/api/v1/camera-trials/{trial_id}"})


@describe(TrialJson, admin=True, errors=(404,))
@auth.require_admin
async def api_trial(request: Request, trial_id: int) -> HTTPResponse:
    """How a trial goes or went."""
    now = responses.context(request).clock.now()
    return responses.json(trial_json(await find(request, trial_id), now))


@describe(Media("image/jpeg"), admin=True, errors=(404,), limited=False)
@auth.require_admin
async def api_trial_picture(request: Request, trial_id: int) -> HTTPResponse:
    """What the camera showed, at most 1280 wide."""
    await find(request, trial_id)
    data = await store.preview(responses.context(request).pool, trial_id)
    if data is None:
        raise NotFound("this trial has no picture")
    headers = {"cache-control": "private, max-age=3600", "x-content-type-options": "nosniff"}
    return HTTPResponse(data, headers=headers, content_type="image/jpeg")


# -- people ----------------------------------------------------------------------------------


@auth.require_admin
async def new(request: Request) -> HTTPResponse:
    """The form of a new camera."""
    return await _form(request, forms.empty())


@auth.require_admin
async def edit(request: Request, name: str) -> HTTPResponse:
    """The form of a camera."""
    camera = await asking.camera_of(request, name)
    context = responses.context(request)
    scene = await scenes.of_camera(context.pool, camera.id, context.clock.now())
    return await _form(request, forms.of_camera(camera, scene))


@auth.require_admin
async def add_form(request: Request) -> HTTPResponse:
    """Add a camera from its form."""
    form = forms.flat(sent.fields(request))
    try:
        camera = await adding.add(responses.context(request).pool, forms.wanted(form))
    except (Invalid, Conflict) as error:
        return await _form(request, form, error=error)
    return responses.redirect(f"/cameras/{camera.name}")


@auth.require_admin
async def edit_form(request: Request, name: str) -> HTTPResponse:
    """Change a camera from its form."""
    camera = await asking.camera_of(request, name)
    form = forms.flat(sent.fields(request)) | {"camera": camera.name, "name": camera.name}
    try:
        await adding.change(responses.context(request).pool, camera, forms.changes(form))
    except (Invalid, Conflict) as error:
        return await _form(request, form, error=error)
    return responses.redirect(f"/cameras/{camera.name}")


@auth.require_admin
async def try_form(request: Request) -> HTTPResponse:
    """Try what the form says."""
    form = forms.flat(sent.fields(request))
    camera = await asking.camera_of(request, form["camera"]) if form.get("camera") else None
    try:
        wanted = forms.wanted(form)
        zone = days.check_zone(form.get("time_zone") or "UTC")
        trial_id = await begin(request, wanted, form, camera, zone)
    except Invalid as error:
        return await _form(request, form, error=error)
    return responses.redirect(f"/camera-trials/{trial_id}")


@auth.require_admin
async def show(request: Request, trial_id: int) -> HTTPResponse:
    """How a trial goes, and the form to go on with."""
    trial = await find(request, trial_id)
    return await _form(request, forms.empty() | dict(trial.form), trial=trial)


@auth.require_admin
async def events(request: Request, trial_id: int) -> HTTPResponse | None:
    """Server-sent events: ``trial`` now and at each change, until it is over."""
    await find(request, trial_id)
    await responses.event_stream(request, _news(request, trial_id))
    return None


async def _news(request: Request, trial_id: int) -> AsyncGenerator[tuple[str, Any], None]:
    context = responses.context(request)
    async with context.listener.subscribe(store.topic(trial_id)) as news:
        while True:
            trial = await store.get(context.pool, trial_id)
            if trial is None:
                return
            yield "trial", trial_json(trial, context.clock.now())
            await news.get()


@auth.require_admin
async def whole(request: Request, name: str) -> HTTPResponse:
    """The camera's latest frame as it came, neither turned nor cropped, at most 1280 wide."""
    camera = await asking.camera_of(request, name)
    context = responses.context(request)
    frame = await frames.latest(context.pool, camera.id)
    if frame is None:
        raise NotFound(f"camera {name} has no frames yet")
    data = await context.storage.get(frame.blob)
    try:
        found = await asyncio.to_thread(
            first.describe, RawFrame(data=data, taken_at=frame.taken_at), 0.0, days.zone("UTC")
        )
    except BadPicture as error:
        raise NotFound("this picture was damaged on the disk") from error
    headers = {"cache-control": "private, no-cache", "x-content-type-options": "nosniff"}
    return HTTPResponse(found.preview, headers=headers, content_type="image/jpeg")


async def _form(
    request: Request,
    form: Form,
    *,
    trial: Trial | None = None,
    error: Invalid | Conflict | None = None,
) -> HTTPResponse:
    now = responses.context(request).clock.now()
    return await responses.page(
        request,
        "cameras/form.html",
        error.status if error else 200,
        form=forms.empty() | form,
        camera=form.get("camera"),
        trial=trial_json(trial, now) if trial else None,
        error=error,
        kinds=CAMERAS.values(),
        field=forms.field,
        zones=days.zones(),
        week=("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    )


ROUTES: tuple[tuple[str, str, Any], ...] = (
    ("POST", "/api/v1/camera-trials", api_try),
    ("GET", "/api/v1/camera-trials/<trial_id:int>", api_trial),
    ("GET", "/api/v1/camera-trials/<trial_id:int>/picture.jpg", api_trial_picture),
    ("GET", "/new-camera", new),
    ("POST", "/cameras", add_form),
    ("GET", "/cameras/<name>/whole.jpg", whole),
    ("GET", "/cameras/<name>/edit", edit),
    ("POST", "/cameras/<name>/edit", edit_form),
    ("POST", "/camera-trials", try_form),
    ("GET", "/camera-trials/<trial_id:int>", show),
    ("GET", "/camera-trials/<trial_id:int>/events", events),
)


def register(bp: Blueprint) -> None:
    """Put the routes on the room's blueprint."""
    for method, path, handler in ROUTES:
        bp.add_route(handler, path, (method,), name=f"try_{handler.__name__}")
