"""What people do with games: register, look now, end the recording, bring and take files."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Literal, TypedDict

import msgspec
from sanic import Blueprint, HTTPResponse, Request

from vigil import auth, responses, sent
from vigil.errors import Conflict, Invalid, VigilError
from vigil.games import forgetting, portable, recording, scan, shown
from vigil.games.actions import actions
from vigil.games.api import game_of
from vigil.games.model import Game
from vigil.games.register import Registered, register
from vigil.games.shown import GameJson
from vigil.openapi import describe


class Deleted(TypedDict):
    """A game that is gone."""

    id: int
    state: Literal["deleted"]


class NewGame(msgspec.Struct, forbid_unknown_fields=True):
    """A game to be recorded, or another key for one that is."""

    number: str
    """Its number, or its address."""
    key: str
    """A player's API key; no answer ever holds it."""
    site: str | None = None
    """np, np4 or np2stats; null: np and np4 are tried."""
    player: int | None = None
    """Whose key it is; np2stats alone needs it."""


@describe(answers={200: GameJson, 201: GameJson}, body=NewGame, admin=True, errors=(409, 422, 502))
@auth.require_admin
async def api_register(request: Request) -> HTTPResponse:
    """Record a game from now on, or give a known one a new key (200).

    Its site is asked at once, so that what is wrong with number or key is said in the answer.
    """
    wanted = sent.body(  # an error never says what was sent: it holds a key
        request, NewGame, "/api/docs says how", trouble="the body cannot be read", where=False
    )
    context = responses.context(request)
    done = await register(context, wanted.number, wanted.key, wanted.site, wanted.player)
    status = HTTPStatus.CREATED if done.fresh else HTTPStatus.OK
    return await _answer(request, done.game, status)


@describe(GameJson, admin=True, errors=(404, 409, 422, 502))
@auth.require_admin
async def api_fetch(request: Request, game_id: int) -> HTTPResponse:
    """Look at a game now, without waiting for the scanner."""
    await fetch(request, game_id)
    return await _answer(request, await game_of(request, game_id))


@describe(GameJson, admin=True, errors=(404, 409))
@auth.require_admin
async def api_close(request: Request, game_id: int) -> HTTPResponse:
    """Stop recording a game and forget its keys; what was recorded stays."""
    await close(request, game_id)
    return await _answer(request, await game_of(request, game_id))


@describe(answers={200: Deleted}, admin=True, errors=(404, 409))
@auth.require_admin
async def api_delete(request: Request, game_id: int) -> HTTPResponse:
    """Forget a game that is not recorded any more, with all that was recorded of it."""
    await delete(request, game_id)
    return responses.json({"id": game_id, "state": "deleted"})


@describe(dict[str, Any], errors=(404, 409))
async def api_export(request: Request, game_id: int) -> HTTPResponse:
    """All that was recorded of a game as one file, which another Vigil can import. No keys."""
    game = await game_of(request, game_id)
    _may(game, "export")
    body = await portable.export(responses.context(request).pool, game.id)
    name = f"{game.name or 'game'} {game.number}.json"
    headers = responses.JSON_HEADERS | {"content-disposition": responses.disposition(name)}
    return HTTPResponse(body, headers=headers, content_type="application/json")


@describe(answers={201: GameJson}, body=dict[str, Any], admin=True, errors=(409,))
@auth.require_admin
async def api_import(request: Request) -> HTTPResponse:
    """Bring a game that was exported; one that was going on needs a key before it goes on."""
    made = await portable.bring(responses.context(request), request.body)
    return await _answer(request, made, HTTPStatus.CREATED)


async def fetch(request: Request, game_id: int) -> None:
    """Look at a game now; raises NotFound, Conflict, AskingFailed."""
    context = responses.context(request)
    _may(await game_of(request, game_id), "fetch")
    try:
        await scan.look(context, game_id, early=True)
    except VigilError as error:
        await scan.note_failure(context, game_id, error, scan.RETRY_MIN_S)
        raise


async def close(request: Request, game_id: int) -> None:
    """Stop recording; raises NotFound, Conflict."""
    game = await game_of(request, game_id)
    _may(game, "close")
    context = responses.context(request)
    await recording.end(context.pool, game, "finished", context.clock.now())


async def delete(request: Request, game_id: int) -> None:
    """Forget a game; raises NotFound, Conflict."""
    game = await game_of(request, game_id)
    _may(game, "delete")
    await forgetting.forget(responses.context(request).pool, game)


async def from_form(request: Request, game: Game | None = None) -> Registered:
    """Register what a form says: a game, or a key of this game."""
    field = _fields(request)
    player = field.get("player", "")
    if player and not player.isdecimal():
        raise Invalid("the player's number is a number")
    return await register(
        responses.context(request),
        game.number if game else field.get("number", ""),
        field.get("key", ""),
        (game.site if game else field.get("site")) or None,
        int(player) if player else None,
    )


async def file_of_form(request: Request) -> Game:
    """Import the file of a form."""
    given: Any = request.files.get("file") if request.files else None
    if given is None or not given.body:
        raise Invalid("no file was chosen", hint="choose one that Vigil exported")
    return await portable.bring(responses.context(request), given.body)


def given(request: Request) -> dict[str, str]:
    """What a form said, to be shown again; never its key."""
    field = _fields(request)
    return {name: field.get(name, "")[:200] for name in ("number", "site", "player")}


def _fields(request: Request) -> dict[str, str]:
    return {name: values[0].strip() for name, values in sent.fields(request).items()}


def _may(game: Game, action: str) -> None:
    reason = actions(game, admin=True)[action]
    if reason is not None:
        raise Conflict(reason)


async def _answer(request: Request, game: Game, status: int = 200) -> HTTPResponse:
    pool = responses.context(request).pool
    return responses.json(await shown.describe(pool, game, admin=True), status)


def add_routes(bp: Blueprint) -> None:
    """Put the routes of the API on the blueprint."""
    games, one = "/api/v1/games", "/api/v1/games/<game_id:int>"
    bp.add_route(api_register, games, ("POST",), name="api_register")
    bp.add_route(api_import, f"{games}/import", ("POST",), name="api_import")
    bp.add_route(api_fetch, f"{one}/fetch", ("POST",), name="api_fetch")
    bp.add_route(api_close, f"{one}/close", ("POST",), name="api_close")
    bp.add_route(api_delete, one, ("DELETE",), name="api_delete")
    bp.add_route(api_export, f"{one}/export", ("GET", "HEAD"), name="api_export")
