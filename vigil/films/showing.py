"""Films are looked at, stopped and resumed: pages, JSON, events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal, TypedDict

import msgspec
from msgspec import Meta
from sanic import Blueprint, HTTPResponse, Request

from vigil import auth, openapi, responses
from vigil.cameras.scenes import store as scenes
from vigil.context import Context
from vigil.errors import Invalid, NotFound
from vigil.films import finding, store
from vigil.films.asking import again, told
from vigil.films.describe import FilmJson, describe, describe_all
from vigil.films.finding import LONGEST_ID
from vigil.openapi import Items

READ = ("GET", "HEAD")
ON_PAGE = 60
MOST_LISTED = 1000
AT_MOST_EACH_S = 0.25
"""A page that listens is told no more often; of a long film for a quarter of the time at most."""

Message = tuple[str, Any]


class FilmsAsked(msgspec.Struct):
    """Which films."""

    camera: str = ""
    limit: Annotated[int, Meta(description="At most 1000.")] = ON_PAGE
    cursor: str = ""


class Deleting(TypedDict):
    """A film that will be gone in a moment."""

    id: int
    state: Literal["deleting"]


ACTIONS = {"cancel": store.cancel, "resume": store.resume, "delete": store.mark_deleting}


async def act(request: Request, film_id: int, action: str) -> None:
    """Do something with a film; raises NotFound, or Conflict when it cannot be done now."""
    film = await finding.film(request, film_id)
    if action not in ACTIONS:
        raise NotFound(f"a film can be {', '.join(ACTIONS)}, not {action[:20]}")
    await ACTIONS[action](responses.context(request).pool, film.id)


@openapi.describe(answers={200: FilmJson, 202: Deleting}, admin=True, errors=(404, 409))
@auth.require_admin
async def act_json(request: Request, film_id: int, action: str) -> HTTPResponse:
    """Cancel or resume a film."""
    await act(request, film_id, action)
    if action == "delete":
        return responses.json({"id": film_id, "state": "deleting"}, 202)
    film = await finding.film(request, film_id)
    return responses.json(await describe(responses.context(request), film, admin=True))


@openapi.describe(answers={202: Deleting}, admin=True, errors=(404, 409))
@auth.require_admin
async def delete_json(request: Request, film_id: int) -> HTTPResponse:
    """Delete a film; its file goes within seconds."""
    await act(request, film_id, "delete")
    return responses.json({"id": film_id, "state": "deleting"}, 202)


@auth.require_admin
async def act_form(request: Request, film_id: int, action: str) -> HTTPResponse:
    """The buttons of a film's page."""
    await act(request, film_id, action)
    return responses.redirect("/films" if action == "delete" else f"/films/{film_id}")


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
    admin = await finding.is_admin(request)
    return await describe_all(context, films[:limit], admin=admin), rest


@openapi.describe(Items[FilmJson], query=FilmsAsked)
async def list_json(request: Request) -> HTTPResponse:
    """Films, the newest first."""
    return responses.items(*await _some(request))


@openapi.describe(FilmJson, errors=(404,))
async def film_json(request: Request, film_id: int) -> HTTPResponse:
    """One film, with who is at it and what went wrong."""
    film = await finding.film(request, film_id)
    admin = await finding.is_admin(request)
    return responses.json(await describe(responses.context(request), film, admin=admin))


async def films_page(request: Request) -> HTTPResponse:
    """All films."""
    shown, rest = await _some(request)
    return await responses.page(
        request,
        "films/index.html",
        films=shown,
        next=rest,
        camera=request.args.get("camera"),
    )


async def film_page(request: Request, film_id: int) -> HTTPResponse:
    """One film, playing while it grows."""
    film = await finding.film(request, film_id)
    admin = await finding.is_admin(request)
    context = responses.context(request)
    shown = await describe(context, film, admin=admin)
    making = film.making if film.kind == "scene" else None
    like = []
    if admin and making is not None:
        names = await scenes.names(context.pool, film.scenes)
        like = again.filled(film, names) if len(names) == len(film.scenes) else []
    return await responses.page(
        request,
        "films/show.html",
        film=shown,
        goes_in=told.choice(making.choice) if making else "",
        looks=told.look(making.look) if making else "",
        like=like,
    )


async def events(request: Request, film_id: int) -> HTTPResponse | None:
    """A film's progress as server-sent events: ``film`` now and at each change, ``gone``."""
    await finding.film(request, film_id)
    admin = await finding.is_admin(request)
    messages = _changes(responses.context(request), film_id, admin)
    await responses.event_stream(request, messages)
    return None


async def _changes(context: Context, film_id: int, admin: bool) -> AsyncIterator[Message]:
    async with context.listener.subscribe(store.subject(film_id)) as news:
        while True:
            film = await store.get(context.pool, film_id)
            if film is None:
                yield "gone", {"id": film_id}
                return
            began = asyncio.get_running_loop().time()
            yield "film", await describe(context, film, admin=admin)
            took = asyncio.get_running_loop().time() - began
            await news.get()
            await asyncio.sleep(max(AT_MOST_EACH_S, 3 * took))
            while not news.empty():
                news.get_nowait()


def register(bp: Blueprint) -> None:
    """Put the routes on the room's blueprint."""
    api, one = "/api/v1/films", "/api/v1/films/<film_id:int>"
    page = "/films/<film_id:int>"
    bp.add_route(list_json, api, READ, name="list_json")
    bp.add_route(film_json, one, READ, name="film_json")
    bp.add_route(delete_json, one, ["DELETE"], name="delete")
    bp.add_route(act_json, f"{one}/<action:str>", ["POST"], name="act")
    bp.add_route(films_page, "/films", READ, name="films_page")
    bp.add_route(film_page, page, READ, name="film_page")
    bp.add_route(events, f"{page}/events", READ, name="events")
    bp.add_route(act_form, f"{page}/<action:str>", ["POST"], name="act_form")
