"""Pages and JSON of films, and the films themselves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, TypedDict

import msgspec
from msgspec import Meta
from sanic import Blueprint, HTTPResponse, Request

from vigil import auth, openapi, responses
from vigil.cameras import store as cameras
from vigil.context import Context
from vigil.errors import Conflict, Invalid, NotFound
from vigil.films import kinds, order, playlist, store
from vigil.films.describe import FilmJson, describe, describe_all
from vigil.films.model import Film, segment_blob
from vigil.films.playlist import Placed
from vigil.films.segments import fmp4
from vigil.films.segments import store as segments
from vigil.openapi import Actions, Items, Media

bp = Blueprint("films")
READ = ("GET", "HEAD")

ON_PAGE = 60
MOST_LISTED = 1000
LONGEST_ID = 1 << 63
AT_MOST_EACH_S = 0.25
"""A page that listens is told no more often."""
FOREVER = "public, max-age=31536000, immutable"

Message = tuple[str, Any]


async def find(request: Request, film_id: int) -> Film:
    """The film; raises NotFound."""
    found = None
    if 0 < film_id < LONGEST_ID:
        found = await store.get(responses.context(request).pool, film_id)
    if found is None:
        raise NotFound(f"there is no film {film_id}", hint="it may have been deleted")
    return found


async def is_admin(request: Request) -> bool:
    """Whether an admin asks."""
    return await auth.identify(request) is not None


class FilmsAsked(msgspec.Struct):
    """Which films."""

    camera: str = ""
    limit: Annotated[int, Meta(description="At most 1000.")] = ON_PAGE
    cursor: str = ""


class SegmentsAsked(msgspec.Struct):
    """Which segments of a film."""

    after: Annotated[int, Meta(description="Only those with higher numbers.")] = 0
    cursor: str = ""


class SegmentJson(TypedDict):
    """A piece of a film: its place there, and the real time that it shows."""

    number: int
    start_s: float
    duration_s: float
    frames: int
    first_at: datetime | None
    last_at: datetime | None
    url: str
    actions: Actions


class Deleting(TypedDict):
    """A film that will be gone in a moment."""

    id: int
    state: Literal["deleting"]


# -- making and stopping ---------------------------------------------------------------------


@bp.post("/api/v1/films", name="make")
@openapi.describe(answers={201: FilmJson}, body=order.Order, admin=True, errors=(404, 409))
@auth.require_admin
async def make_json(request: Request) -> HTTPResponse:
    """Make a film: {camera, from?, to?, speed?, fps?, size? | width?, height?, title?}."""
    try:
        body = msgspec.json.decode(request.body)
    except msgspec.DecodeError as error:
        raise Invalid(f"this is not JSON: {error}") from None
    context = responses.context(request)
    film_id, notes = await order.make(context, order.parse(body))
    made = await describe(context, await find(request, film_id), admin=True)
    headers = {"location": f"/api/v1/films/{film_id}"}
    return responses.json(made | {"notes": notes}, 201, headers)


@bp.post("/films", name="make_form")
@auth.require_admin
async def make_form(request: Request) -> HTTPResponse:
    """Make a film from the page's form."""
    form: Mapping[str, list[str]] = request.form or {}
    fields = {name: values[0] for name, values in form.items() if name != "csrf"}
    film_id, _ = await order.make(responses.context(request), order.parse(fields))
    return responses.redirect(f"/films/{film_id}")


ACTIONS = {"cancel": store.cancel, "resume": store.resume, "delete": store.mark_deleting}


async def act(request: Request, film_id: int, action: str) -> None:
    """Do something with a film; raises NotFound, or Conflict when it cannot be done now."""
    film = await find(request, film_id)
    if action not in ACTIONS:
        raise NotFound(f"a film can be {', '.join(ACTIONS)}, not {action[:20]}")
    await ACTIONS[action](responses.context(request).pool, film.id)


@bp.post("/api/v1/films/<film_id:int>/<action:str>", name="act")
@openapi.describe(answers={200: FilmJson, 202: Deleting}, admin=True, errors=(404, 409))
@auth.require_admin
async def act_json(request: Request, film_id: int, action: str) -> HTTPResponse:
    """Cancel or resume a film."""
    await act(request, film_id, action)
    if action == "delete":
        return responses.json({"id": film_id, "state": "deleting"}, 202)
    context = responses.context(request)
    return responses.json(await describe(context, await find(request, film_id), admin=True))


@bp.delete("/api/v1/films/<film_id:int>", name="delete")
@openapi.describe(answers={202: Deleting}, admin=True, errors=(404, 409))
@auth.require_admin
async def delete_json(request: Request, film_id: int) -> HTTPResponse:
    """Delete a film; its file goes within seconds."""
    await act(request, film_id, "delete")
    return responses.json({"id": film_id, "state": "deleting"}, 202)


@bp.post("/films/<film_id:int>/<action:str>", name="act_form")
@auth.require_admin
async def act_form(request: Request, film_id: int, action: str) -> HTTPResponse:
    """The buttons of a film's page."""
    await act(request, film_id, action)
    return responses.redirect("/films" if action == "delete" else f"/films/{film_id}")


# -- looking ---------------------------------------------------------------------------------


async def _some(request: Request) -> tuple[list[FilmJson], str | None]:
    """Films as asked for by ?camera=, cursor= and limit=, and the cursor of the next ones."""
    context = responses.context(request)
    before = None
    if cursor := request.args.get("cursor"):
        (before,) = responses.cursor_decode(cursor, int)
        if not 0 < before < LONGEST_ID:
            raise Invalid("this cursor is not one of ours", hint="begin without it")
    try:
        limit = min(max(int(request.args.get("limit") or ON_PAGE), 1), MOST_LISTED)
    except ValueError:
        raise Invalid('"limit" is a number') from None
    camera = request.args.get("camera")
    if camera is not None and "\0" in camera:
        raise Invalid("a camera's name has no NUL in it")
    films = await store.page(context.pool, camera=camera, before=before, limit=limit + 1)
    rest = responses.cursor_encode(films[limit - 1].id) if len(films) > limit else None
    shown = await describe_all(context, films[:limit], admin=await is_admin(request))
    return shown, rest


@openapi.describe(Items[FilmJson], query=FilmsAsked)
async def list_json(request: Request) -> HTTPResponse:
    """Films, the newest first."""
    return responses.items(*await _some(request))


@openapi.describe(FilmJson, errors=(404,))
async def film_json(request: Request, film_id: int) -> HTTPResponse:
    """One film."""
    film = await find(request, film_id)
    context = responses.context(request)
    return responses.json(await describe(context, film, admin=await is_admin(request)))


async def films_page(request: Request) -> HTTPResponse:
    """All films, and a form for another."""
    shown, rest = await _some(request)
    known = await cameras.all_cameras(responses.context(request).pool)
    names = [camera.name for camera in known if camera.deleting_at is None]
    return await responses.page(
        request,
        "films/index.html",
        films=shown,
        next=rest,
        cameras=names,
        camera=request.args.get("camera"),
    )


async def film_page(request: Request, film_id: int) -> HTTPResponse:
    """One film, playing while it grows."""
    film = await find(request, film_id)
    context = responses.context(request)
    shown = await describe(context, film, admin=await is_admin(request))
    return await responses.page(request, "films/show.html", film=shown)


async def events(request: Request, film_id: int) -> HTTPResponse | None:
    """A film's progress as server-sent events: ``film`` now and at each change, ``gone``."""
    await find(request, film_id)
    admin = await is_admin(request)
    messages = _changes(responses.context(request), film_id, admin)
    await responses.event_stream(request, messages)
    return None


async def _changes(context: Context, film_id: int, admin: bool) -> AsyncIterator[Message]:
    async with context.listener.subscribe(f"film:{film_id}") as news:
        while True:
            film = await store.get(context.pool, film_id)
            if film is None:
                yield "gone", {"id": film_id}
                return
            yield "film", await describe(context, film, admin=admin)
            await news.get()
            await asyncio.sleep(AT_MOST_EACH_S)
            while not news.empty():
                news.get_nowait()


# -- playing ---------------------------------------------------------------------------------


@openapi.describe(Media("application/vnd.apple.mpegurl"), errors=(404,), limited=False, tagged=True)
async def playlist_m3u8(request: Request, film_id: int) -> HTTPResponse:
    """The HLS playlist; grows with the film."""
    film = await find(request, film_id)
    headers = {
        "cache-control": "no-cache",
        "etag": f'"{film.changed_at.timestamp():.6f}-{film.state}"',
        "x-content-type-options": "nosniff",
    }
    if responses.etag_matches(request.headers.get("if-none-match"), headers["etag"]):
        return HTTPResponse(status=304, headers=headers)
    listed = await segments.listed(responses.context(request).pool, film_id)
    shown = playlist.playable(film, listed)
    await store.watch(responses.context(request).pool, film_id)
    if not shown:
        raise NotFound("there is nothing to play yet", hint="try again in a moment", retry_after=2)
    body = playlist.render(film, shown)
    return HTTPResponse(body, headers=headers, content_type="application/vnd.apple.mpegurl")


@openapi.describe(Media("video/mp4"), errors=(404,), limited=False)
async def init_mp4(request: Request, film_id: int) -> HTTPResponse:
    """What a decoder needs before the first picture: the same for all segments of a film."""
    context = responses.context(request)
    film = await find(request, film_id)
    hash = await segments.first_hash(context.pool, film.id)
    if hash is None:
        raise NotFound("there is nothing to play yet", hint="try again in a moment", retry_after=2)
    segment = fmp4.split(await context.storage.get(segment_blob(hash)))
    return HTTPResponse(
        segment.init,
        headers={"cache-control": "no-cache", "x-content-type-options": "nosniff"},
        content_type="video/mp4",
    )


@openapi.describe(Media("video/iso.segment"), errors=(404,), limited=False, tagged=True)
async def segment_m4s(request: Request, film_id: int, name: str) -> HTTPResponse:
    """One segment in its place; the bytes under this address never change."""
    address = playlist.parse_address(name)
    if address is None:
        raise NotFound("there is no such segment")
    hash, sequence, start = address
    headers = {"cache-control": FOREVER, "etag": f'"{name}"', "x-content-type-options": "nosniff"}
    if responses.etag_matches(request.headers.get("if-none-match"), headers["etag"]):
        return HTTPResponse(status=304, headers=headers)
    data = await responses.context(request).storage.get(segment_blob(hash))
    media = fmp4.place(fmp4.split(data).media, sequence, start)
    return HTTPResponse(media, headers=headers, content_type="video/iso.segment")


@openapi.describe(
    answers={200: Media("video/mp4"), 206: Media("video/mp4")},
    errors=(404, 409, 416),
    limited=False,
    tagged=True,
)
async def film_mp4(request: Request, film_id: int) -> HTTPResponse | None:
    """The whole film as one file, with ranges; ?download=1 to save it."""
    film = await find(request, film_id)
    if film.file_blob is None:
        raise Conflict(
            f"film {film_id} is {film.state}: it is one file once it is done",
            hint=f"until then play /api/v1/films/{film_id}/playlist.m3u8",
        )
    name = f"vigil-{film.camera or 'film'}-{film.id}.mp4" if "download" in request.args else None
    return await responses.blob(request, film.file_blob, content_type="video/mp4", download=name)


@openapi.describe(Items[SegmentJson], query=SegmentsAsked, errors=(404,))
async def segments_json(request: Request, film_id: int) -> HTTPResponse:
    """What is shown when: for each segment its place in the film and the real time it shows.

    ``?after=`` a number: only segments with higher ones.
    """
    film = await find(request, film_id)
    try:
        after = int(request.args.get("after") or 0)
    except ValueError:
        raise Invalid('"after" is a number') from None
    if cursor := request.args.get("cursor"):
        (after,) = responses.cursor_decode(cursor, int)
    listed = await segments.listed(responses.context(request).pool, film_id)
    placed = [
        one for one in playlist.place(film, playlist.playable(film, listed)) if one.sequence > after
    ]
    rest = (
        responses.cursor_encode(placed[MOST_LISTED - 1].sequence)
        if len(placed) > MOST_LISTED
        else None
    )
    return responses.items([_span(film, one) for one in placed[:MOST_LISTED]], rest)


def _span(film: Film, placed: Placed) -> SegmentJson:
    at = kinds.of(film).at
    return {
        "number": placed.sequence,
        "start_s": placed.start / film.timescale,
        "duration_s": placed.segment.duration_s,
        "frames": placed.segment.frames,
        "first_at": at(film, placed.segment.first),
        "last_at": at(film, placed.segment.last),
        "url": f"/api/v1/films/{film.id}/segments/{placed.address}",
        "actions": {},
    }


# A table, not decorators: Sanic's decorator for two methods hides the handlers' types.
Handler = Callable[..., Coroutine[Any, Any, HTTPResponse | None]]
_FILM = "/api/v1/films/<film_id:int>"
_ROUTES: tuple[tuple[str, Handler], ...] = (
    ("/api/v1/films", list_json),
    (_FILM, film_json),
    (f"{_FILM}/playlist.m3u8", playlist_m3u8),
    (f"{_FILM}/init.mp4", init_mp4),
    (f"{_FILM}/segments", segments_json),
    (f"{_FILM}/segments/<name:str>", segment_m4s),
    (f"{_FILM}/film.mp4", film_mp4),
    ("/films", films_page),
    ("/films/<film_id:int>", film_page),
    ("/films/<film_id:int>/events", events),
)
for _path, _handler in _ROUTES:
    bp.add_route(_handler, _path, READ)
