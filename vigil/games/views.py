"""Pages of games: what is recorded, one game to watch again, registering another."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import msgspec
from sanic import Blueprint, HTTPResponse, Request, Sanic
from sanic.response import ResponseStream

import db_utils
from vigil import auth, responses
from vigil.errors import Invalid, VigilError
from vigil.games import acting, api, charts, filmed, shown, store
from vigil.games.model import SITES, Game
from vigil.games.shelf import METRICS, Book, Shelf
from vigil.openapi import asked

bp = Blueprint("games")
api.register(bp)
acting.add_routes(bp)
filmed.add_routes(bp)

ON_PAGE = 30
EVENTS = 25
READ = ("GET", "HEAD")


class PageAsked(msgspec.Struct):
    """What of a game's page is looked at."""

    tick: api.Count | None = None
    chart: str = "stars"
    player: api.Count | None = None
    star: api.Count | None = None
    before: str = ""


@bp.post("/games", name="register_form")
@auth.require_admin
async def register_form(request: Request) -> HTTPResponse:
    """Record a game, or say what is wrong with number or key."""
    try:
        done = await acting.from_form(request)
    except VigilError as error:
        return await _index(request, error)
    return responses.redirect(f"/games/{done.game.id}")


@bp.post("/games/import", name="import_form")
@auth.require_admin
async def import_form(request: Request) -> HTTPResponse:
    """Bring a game as a file."""
    try:
        made = await acting.file_of_form(request)
    except VigilError as error:
        return await _index(request, error, brought=True)
    return responses.redirect(f"/games/{made.id}")


@bp.post("/games/<game_id:int>/<action:key|fetch|close|delete>", name="act_form")
@auth.require_admin
async def act_form(request: Request, game_id: int, action: str) -> HTTPResponse:
    """The buttons of a game's page."""
    game = await api.game_of(request, game_id)
    try:
        if action == "key":
            await acting.from_form(request, game)
        else:
            acts = {"fetch": acting.fetch, "close": acting.close, "delete": acting.delete}
            await acts[action](request, game_id)
    except VigilError as error:
        return await _show(request, await api.game_of(request, game_id), error)
    return responses.redirect("/games" if action == "delete" else f"/games/{game_id}")


@bp.post("/games/<game_id:int>/film", name="film_form")
@auth.require_admin
async def film_form(request: Request, game_id: int) -> HTTPResponse:
    """Ask for a film, or say what is wrong with the wish."""
    game = await api.game_of(request, game_id)
    wishes = filmed.wishes_of(request)
    try:
        film_id = await filmed.order(request, game, wishes)
    except VigilError as error:
        return await _show(request, game, error, wishes)
    return responses.redirect(f"/films/{film_id}")


@bp.before_server_start
async def open_shelf(app: Sanic[Any, Any]) -> None:
    """Make what keeps games that are asked for."""
    app.ctx.games = Shelf()


async def index(request: Request) -> HTTPResponse:
    """Recorded games, and the form for another."""
    return await _index(request)


async def _index(
    request: Request, error: VigilError | None = None, *, brought: bool = False
) -> HTTPResponse:
    cursor = str(request.args.get("cursor") or "")
    games, rest = await api.some(request, ON_PAGE, cursor)
    return await responses.page(
        request,
        "games/index.html",
        status=error.status if error else 200,
        games=games,
        next=rest,
        given=acting.given(request),
        error=error,
        brought=brought,
        sites=SITES,
    )


async def show(request: Request, game_id: int) -> HTTPResponse:
    """One game: its map at any tick, played; charts, events, gaps."""
    game = await api.game_of(request, game_id)
    return await _show(request, game)


async def _show(
    request: Request,
    game: Game,
    error: VigilError | None = None,
    wishes: dict[str, str] | None = None,
) -> HTTPResponse:
    wanted, _ = asked(request, PageAsked)
    if wanted.chart not in METRICS:
        raise Invalid(f"there is no chart of {wanted.chart[:20]!r}", hint=", ".join(METRICS))
    book = await api.book_of(request, game)
    history = book.history
    tick = history.last_tick if wanted.tick is None else wanted.tick
    tick = min(max(tick, history.first_tick), history.last_tick)
    pool = responses.context(request).pool
    events, before = await api.events(
        request, game, wanted.player, wanted.star, EVENTS, wanted.before
    )
    return await responses.page(
        request,
        "games/show.html",
        status=error.status if error else 200,
        game=await shown.describe(pool, game, admin=await api.is_admin(request)),
        site=shown.site_name(game),
        error=error,
        wishes=wishes,
        choices=filmed.CHOICES,
        films=await filmed.shown(request, game),
        history=history,
        names=shown.names(history),
        colour=shown.colour,
        about=msgspec.json.encode(await _about(request, book)).decode(),
        tick=tick,
        standings=standings(book, tick),
        metrics=METRICS,
        chart=charts.chart(
            book.totals, history.players, wanted.chart, history.first_tick, history.last_tick
        ),
        width=charts.WIDTH,
        height=charts.HEIGHT,
        wanted=wanted,
        events=events,
        before=before,
        gaps=await api.gaps(request, game),
    )


@bp.get("/games/<game_id:int>/news", name="news")
async def news(request: Request, game_id: int) -> ResponseStream | None:
    """Server-sent events: tick and state of a game, now and whenever they change."""
    game = await api.game_of(request, game_id)
    return await responses.event_stream(request, _changes(request, game.id))


async def _changes(request: Request, game_id: int) -> AsyncGenerator[tuple[str, Any], None]:
    context = responses.context(request)
    told = None
    async with context.listener.subscribe("games") as messages:
        while True:
            try:
                game = await store.get(context.pool, game_id)
            except (*db_utils.GONE, TimeoutError):
                return  # the browser asks again
            if game is None:
                return
            if (now := {"tick": game.tick, "state": game.state}) != told:
                yield "game", now
                told = now
            while (await messages.get()).get("id", game_id) != game_id:
                pass


async def stars(request: Request, game_id: int) -> HTTPResponse:
    """All stars of a game at a tick, as a table."""
    wanted, _ = asked(request, api.GameTickAsked)
    game = await api.game_of(request, game_id)
    history = (book := await api.book_of(request, game)).history
    tick = history.last_tick if wanted.tick is None else wanted.tick
    tick = min(max(tick, history.first_tick), history.last_tick)
    return await responses.page(
        request,
        "games/stars.html",
        game=game,
        history=history,
        tick=tick,
        stars=api.stars_at(book, tick),
        names=shown.names(history),
        colour=shown.colour,
    )


async def _about(request: Request, book: Book) -> dict[str, Any]:
    """What the player is told besides the game itself: names, and when ticks were."""
    history = book.history
    return {
        "last_tick": history.last_tick,
        "players": {player.uid: player.alias for player in history.players},
        "stars": {star.id: star.name for star in history.stars},
        "gaps": await api.gaps(request, book.game),
        "spans": await store.spans(responses.context(request).pool, book.game.id),
    }


def standings(book: Book, tick: int) -> list[tuple[int, int]]:
    """Players and how many known stars each has at a tick, whoever has most first."""
    owners = book.history.at(tick).tolist()
    counts = [(player.uid, owners.count(player.uid)) for player in book.history.players]
    return sorted(counts, key=lambda one: (-one[1], one[0]))


for _path, _handler in (
    ("/games", index),
    ("/games/<game_id:int>", show),
    ("/games/<game_id:int>/stars", stars),
):
    bp.add_route(_handler, _path, READ)
