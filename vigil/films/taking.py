"""Films are taken away: the whole film as one file."""

from __future__ import annotations

from sanic import Blueprint, HTTPResponse, Request

from vigil import auth, openapi, responses
from vigil.errors import Conflict
from vigil.films import finding, playlist, store
from vigil.films.describe import FilmJson, describe
from vigil.films.states import store as states
from vigil.films.watching import store as watching
from vigil.openapi import Media

READ = ("GET", "HEAD")
TYPES = {"mp4": "video/mp4", "webm": "video/webm", "webp": "image/webp", "gif": "image/gif"}


@openapi.describe(
    answers={200: Media("*/*"), 206: Media("*/*")},
    errors=(404, 409, 416),
    limited=False,
    tagged=True,
)
async def film_file(request: Request, film_id: int) -> HTTPResponse | None:
    """The whole film as one file, with ranges; ?download=1 to save it.

    The film says whether it shows more by now; ``POST …/file`` makes it anew.
    """
    film = await finding.film(request, film_id)
    if film.file_blob is None:
        raise Conflict(
            f"film {film_id} is {film.state}: it is one file once it is done, or when asked for",
            hint=f"until then play /api/v1/films/{film_id}/playlist.m3u8",
        )
    await store.watch(responses.context(request).pool, film.id)
    end = film.file_blob.rpartition(".")[2]
    name = f"vigil-{film.camera or 'film'}-{film.id}.{end}" if "download" in request.args else None
    kind = TYPES.get(end, "application/octet-stream")
    return await responses.blob(request, film.file_blob, content_type=kind, download=name)


async def ask(request: Request, film_id: int) -> None:
    """Have the file of a film made; raises NotFound, or Conflict when it shows nothing yet."""
    film = await finding.film(request, film_id)
    pool = responses.context(request).pool
    if not await watching.is_anything_shown(pool, film, playlist.is_over(film)):
        raise Conflict(f"film {film_id} shows nothing yet", hint="try again in a moment")
    await states.ask_for_file(pool, film)


@openapi.describe(answers={202: FilmJson}, admin=True, errors=(404, 409))
@auth.require_admin
async def file_json(request: Request, film_id: int) -> HTTPResponse:
    """Have one file made of what a film shows now; ``file`` of the film says how far it is."""
    await ask(request, film_id)
    film = await finding.film(request, film_id)
    return responses.json(await describe(responses.context(request), film, admin=True), 202)


@auth.require_admin
async def file_form(request: Request, film_id: int) -> HTTPResponse:
    """The button of a film's page."""
    await ask(request, film_id)
    return responses.redirect(f"/films/{film_id}")


def register(bp: Blueprint) -> None:
    """Put the routes on the room's blueprint."""
    one = "/api/v1/films/<film_id:int>"
    for end in TYPES:
        bp.add_route(film_file, f"{one}/film.{end}", READ, name=f"film_{end}")
    bp.add_route(file_json, f"{one}/file", ["POST"], name="file")
    bp.add_route(file_form, "/films/<film_id:int>/file", ["POST"], name="file_form")
