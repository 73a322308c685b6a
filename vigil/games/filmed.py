"""Films of a game: those there are, and the request for another."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from sanic import Blueprint, HTTPResponse, Request

from vigil import auth, responses, sent
from vigil.errors import Conflict, Invalid
from vigil.films import describe as films
from vigil.films import store
from vigil.films.describe import FilmJson
from vigil.games import filming
from vigil.games.actions import actions
from vigil.games.api import game_of, is_admin
from vigil.games.model import Game
from vigil.openapi import Items, describe

CHOICES = {
    "size": {
        "1080p": "1920 × 1080",
        "720p": "1280 × 720",
        "1440p": "2560 × 1440",
        "4k": "3840 × 2160",
        "native": "60 pixels a cell, as NPTimelapse",
    },
    "smoothness": {
        "6": "every pixel",
        "5": "fine",
        "4": "medium",
        "3": "coarse",
        "2": "coarser",
        "1": "large squares, as NPTimelapse",
    },
    "stars": {
        "contrast": "black or white, what stands out",
        "own": "in their owner's colour",
        "white": "white",
        "black": "black",
    },
    "borders": {"black": "black", "white": "white", "none": "none"},
    "palette": {"safe": "safe for the colour-blind", "bright": "bright, as NPTimelapse"},
    "caption": {"date": "tick and date", "tick": "tick", "none": "none"},
}
"""What the form offers, its default first."""


@describe(Items[FilmJson], errors=(404,))
async def api_films(request: Request, game_id: int) -> HTTPResponse:
    """The films of a game, the newest first."""
    return responses.items(await shown(request, await game_of(request, game_id)))


@describe(
    answers={200: FilmJson, 201: FilmJson}, body=dict[str, Any], admin=True, errors=(404, 409)
)
@auth.require_admin
async def api_film(request: Request, game_id: int) -> HTTPResponse:
    """Ask for a film of a game; the same wish brings the same film (200).

    All may be left out: title, size (720p, 1080p, 1440p, 4k, native, 1280x720), smoothness (1 to
    6), stars (own, white, black, contrast), borders (none, black, white), palette (safe, bright),
    colours ({"3": "#ff8000"}), names, legend, fleets, caption (none, tick, date), fps,
    frames_per_tick, from_tick, to_tick. Without the last, the film of a running game grows.
    """
    game = await game_of(request, game_id)
    body = sent.anything(request)
    if not isinstance(body, dict):
        raise Invalid("a wish is an object", hint='such as {"size": "1080p"}')
    before = {film.id for film in await films_of(request, game)}
    film_id = await order(request, game, body)
    context = responses.context(request)
    film = await store.get(context.pool, film_id)
    assert film is not None  # noqa: S101 - it was there, or is now
    status = HTTPStatus.OK if film_id in before else HTTPStatus.CREATED
    found = await films.describe(context, film, admin=True)
    return responses.json(found, status, {"location": f"/api/v1/films/{film_id}"})


async def films_of(request: Request, game: Game) -> list[Any]:
    """The films of a game, the newest first."""
    return list(await filming.films_of(responses.context(request).pool, game.id))


async def shown(request: Request, game: Game) -> list[FilmJson]:
    """The same, as they are shown."""
    found = await films_of(request, game)
    context = responses.context(request)
    return await films.describe_all(context, found, admin=await is_admin(request))


async def order(request: Request, game: Game, wishes: dict[str, Any]) -> int:
    """Ask for a film; returns its number. Raises Invalid, Conflict."""
    reason = actions(game, admin=True)["film"]
    if reason is not None:
        raise Conflict(reason)
    return await filming.order(responses.context(request), game.id, filming.parse(wishes))


def wishes_of(request: Request) -> dict[str, str]:
    """What a form wishes; of a box that is not ticked a hidden field says "off"."""
    return {name: values[-1].strip() for name, values in sent.fields(request).items()}


def add_routes(bp: Blueprint) -> None:
    """Put the routes of the API on the blueprint."""
    path = "/api/v1/games/<game_id:int>/films"
    bp.add_route(api_films, path, ("GET", "HEAD"), name="api_films")
    bp.add_route(api_film, path, ("POST",), name="api_film")
