"""Games for programs: JSON of what was recorded, a picture of the map, and registering."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

import msgspec
from msgspec import Meta
from sanic import Blueprint, HTTPResponse, Request

from vigil import auth, prepared, responses
from vigil.errors import Invalid, NotFound
from vigil.games import picture, shown, store
from vigil.games.model import NOBODY, REASONS, Game, Player
from vigil.games.shelf import METRICS, Book, Shelf
from vigil.games.shown import GameJson
from vigil.openapi import Items, Media, asked, describe

PAGE = 50
MOST_ROWS = 5000
LONGEST_ID = 1 << 63
MOST_TICK = 2**31 - 1
READ = ("GET", "HEAD")
Count = Annotated[int, Meta(ge=0, le=MOST_TICK)]


class PeerStar(TypedDict):
    """A star, and from which tick on it is whose (-1: nobody's)."""

    x: float
    y: float
    owners: dict[str, int]


class PeerGame(TypedDict):
    """A whole game, in the shape that NPTimelapse gave it."""

    id: int
    name: str
    close_date: str | None
    stars: dict[str, PeerStar]


class GamePlayer(TypedDict):
    """Who plays."""

    uid: int
    alias: str
    colour: str | None
    shape: str | None


class GameDetail(GameJson):
    """A game with who plays it."""

    who: list[GamePlayer]


class GameStar(TypedDict):
    """A star; it never moves."""

    id: int
    name: str
    x: float
    y: float
    first_tick: int
    owner: int
    since: int | None


class GameChange(TypedDict):
    """Whose a star is from a tick on; -1: nobody's."""

    tick: int
    star: int
    player: int


class NamedStar(TypedDict):
    """A star by number and name."""

    id: int
    name: str


class NamedPlayer(TypedDict):
    """A player by number and name."""

    uid: int
    alias: str


class GameEvent(TypedDict):
    """A star that changed hands; null: nobody."""

    tick: int
    star: NamedStar
    from_player: NamedPlayer | None
    to_player: NamedPlayer | None


class GameTotals(TypedDict):
    """What a player has from a tick on."""

    tick: int
    player: int
    stars: int
    ships: int
    economy: int
    industry: int
    science: int


class GameGap(TypedDict):
    """Ticks that were missed, both included, and why."""

    from_tick: int
    to_tick: int
    reason: str
    message: str


class GamesAsked(msgspec.Struct):
    """Which games."""

    limit: Annotated[int, Meta(ge=1, le=PAGE)] = PAGE
    cursor: str = ""


class GameTickAsked(msgspec.Struct):
    """Which moment."""

    tick: Annotated[Count | None, Meta(description="The latest recorded one unless given.")] = None


class GameSpanAsked(msgspec.Struct):
    """Which ticks."""

    from_tick: Count = 0
    to_tick: Count = MOST_TICK
    limit: Annotated[int, Meta(ge=1, le=MOST_ROWS)] = 1000
    cursor: str = ""


class GameEventsAsked(msgspec.Struct):
    """Which events."""

    player: Annotated[Count | None, Meta(description="Who took or lost it.")] = None
    star: Count | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100
    cursor: str = ""


async def game_of(request: Request, game_id: int) -> Game:
    """The game of this number; raises NotFound."""
    found = None
    if 0 < game_id < LONGEST_ID:
        found = await store.get(responses.context(request).pool, game_id)
    if found is None:
        raise NotFound("there is no such game")
    return found


async def book_of(request: Request, game: Game) -> Book:
    """All that is known of a game."""
    shelf: Shelf = request.app.ctx.games
    return await shelf.book(responses.context(request).pool, game)


def numbers(cursor: str, count: int) -> tuple[int, ...]:
    """So many numbers of a cursor, empty where there is none; raises Invalid."""
    found = responses.cursor_decode(cursor, *[int] * count) if cursor else ()
    if not all(0 <= number <= MOST_TICK for number in found):
        raise Invalid("this cursor is not one of ours", hint="begin without it")
    return found


async def is_admin(request: Request) -> bool:
    """Whether an admin asks."""
    return await auth.identify(request) is not None


# -- what was recorded -----------------------------------------------------------------------


@describe(PeerGame, errors=(404,), tagged=True)
async def peer_game(request: Request, game_id: int) -> HTTPResponse:
    """A whole game in one answer: stars, and from which tick on each was whose.

    As NPTimelapse gave it. It has an ETag and comes compressed to who accepts that; players are
    numbers here, their names stand in `/api/v1/games/<id>`.
    """
    game = await game_of(request, game_id)
    shelf: Shelf = request.app.ctx.games
    return (await shelf.peer(responses.context(request).pool, game)).answer(request)


async def some(request: Request, limit: int, cursor: str) -> tuple[list[GameJson], str | None]:
    """A page of games, and the cursor of the next ones."""
    after = responses.cursor_decode(cursor, bool, int) if cursor else None
    if after is not None and not 0 < after[1] < LONGEST_ID:
        raise Invalid("this cursor is not one of ours", hint="begin without it")
    pool = responses.context(request).pool
    games = await store.page(pool, after=after, limit=limit + 1)
    rest = None
    if len(games) > limit:
        last = games[limit - 1]
        rest = responses.cursor_encode(last.closed_at is not None, last.id)
    return await shown.describe_all(pool, games[:limit], admin=await is_admin(request)), rest


@describe(Items[GameJson], query=GamesAsked)
async def api_index(request: Request) -> HTTPResponse:
    """Recorded games: those that go on first, the newest first."""
    wanted, _ = asked(request, GamesAsked)
    return responses.items(*await some(request, wanted.limit, wanted.cursor))


@describe(GameDetail, errors=(404,))
async def api_show(request: Request, game_id: int) -> HTTPResponse:
    """One game and who plays it."""
    return responses.json(await detail(request, await game_of(request, game_id)))


async def detail(request: Request, game: Game) -> dict[str, Any]:
    """A game as a GameDetail."""
    pool = responses.context(request).pool
    told = await shown.describe(pool, game, admin=await is_admin(request))
    players = await store.players(pool, game.id)
    return {**told, "who": [msgspec.to_builtins(player) for player in players]}


@describe(Items[GameStar], query=GameTickAsked, errors=(404,), tagged=True)
async def api_stars(request: Request, game_id: int) -> HTTPResponse:
    """All stars that are known at a tick, whose each is then, and since when."""
    wanted, _ = asked(request, GameTickAsked)
    book = await book_of(request, await game_of(request, game_id))
    return _kept(request, stars_at(book, wanted.tick), None)


def stars_at(book: Book, tick: int | None) -> list[GameStar]:
    """Whose each star is at a tick, and since when."""
    history = book.history
    tick = history.last_tick if tick is None else tick
    since: dict[int, tuple[int, int]] = {}
    for when, place, owner in zip(
        history.ticks.tolist(), history.changed.tolist(), history.owners.tolist(), strict=True
    ):
        if when > tick:
            break
        since[place] = (owner, when)
    return [
        {
            "id": star.id,
            "name": star.name,
            "x": star.x,
            "y": star.y,
            "first_tick": star.first_tick,
            "owner": since[place][0],
            "since": since[place][1],
        }
        for place, star in enumerate(history.stars)
        if place in since
    ]


@describe(Items[GameChange], query=GameSpanAsked, errors=(404,), tagged=True)
async def api_history(request: Request, game_id: int) -> HTTPResponse:
    """Who owned what when: each change of ownership, the earliest first.

    The first one of a star is that it was seen for the first time.
    """
    wanted, _ = asked(request, GameSpanAsked)
    history = (await book_of(request, await game_of(request, game_id))).history
    (start,) = numbers(wanted.cursor, 1) or (0,)
    first = int(history.ticks.searchsorted(wanted.from_tick))
    begin = max(first, start, 0)
    end = int(history.ticks.searchsorted(wanted.to_tick, "right"))
    part = slice(begin, max(begin, min(end, begin + wanted.limit)))
    rows = [
        {"tick": tick, "star": history.stars[place].id, "player": owner}
        for tick, place, owner in zip(
            history.ticks[part].tolist(),
            history.changed[part].tolist(),
            history.owners[part].tolist(),
            strict=True,
        )
    ]
    rest = responses.cursor_encode(part.stop) if part.stop < end else None
    return _kept(request, rows, rest)


@describe(Items[GameEvent], query=GameEventsAsked, errors=(404,), tagged=True)
async def api_events(request: Request, game_id: int) -> HTTPResponse:
    """Stars that changed hands: from whom, to whom; the latest first."""
    wanted, _ = asked(request, GameEventsAsked)
    game = await game_of(request, game_id)
    rows, rest = await events(
        request, game, wanted.player, wanted.star, wanted.limit, wanted.cursor
    )
    return _kept(request, rows, rest)


async def events(
    request: Request,
    game: Game,
    player: int | None,
    star: int | None,
    limit: int,
    cursor: str,
) -> tuple[list[GameEvent], str | None]:
    """A page of what happened, and the cursor of what happened before."""
    at = numbers(cursor, 2)
    before = (at[0], at[1]) if at else None
    pool = responses.context(request).pool
    found = await store.events(
        pool, game.id, before=before, star_id=star, player_uid=player, limit=limit + 1
    )
    names = {one.uid: one for one in await store.players(pool, game.id)}
    rest = None
    if len(found) > limit:
        rest = responses.cursor_encode(found[limit - 1].tick, found[limit - 1].star_id)
    return [
        {
            "tick": one.tick,
            "star": {"id": one.star_id, "name": one.star_name},
            "from_player": _named(names, one.from_uid),
            "to_player": _named(names, one.to_uid),
        }
        for one in found[:limit]
    ], rest


def _named(players: dict[int, Player], uid: int) -> NamedPlayer | None:
    if uid == NOBODY:
        return None
    known = players.get(uid)
    return {"uid": uid, "alias": known.alias if known else ""}


@describe(Items[GameTotals], query=GameSpanAsked, errors=(404,), tagged=True)
async def api_totals(request: Request, game_id: int) -> HTTPResponse:
    """What each player has: a row where any of it changed, the earliest first.

    At a tick without a row for a player the one before it still holds.
    """
    wanted, _ = asked(request, GameSpanAsked)
    game = await game_of(request, game_id)
    start = numbers(wanted.cursor, 2)
    pool = responses.context(request).pool
    from_tick = max(wanted.from_tick, start[0] if start else 0)
    if from_tick > wanted.to_tick:
        return _kept(request, [], None)
    found = await store.totals(pool, game.id, from_tick=from_tick, to_tick=wanted.to_tick)
    if start:
        found = [one for one in found if (one.tick, one.player_uid) >= start]
    rest = None
    if len(found) > wanted.limit:
        following = found[wanted.limit]
        rest = responses.cursor_encode(following.tick, following.player_uid)
    rows = [
        {"tick": one.tick, "player": one.player_uid}
        | {metric: getattr(one, metric) for metric in METRICS}
        for one in found[: wanted.limit]
    ]
    return _kept(request, rows, rest)


@describe(Items[GameGap], errors=(404,), tagged=True)
async def api_gaps(request: Request, game_id: int) -> HTTPResponse:
    """Ticks that were missed, and why."""
    game = await game_of(request, game_id)
    return _kept(request, await gaps(request, game), None)


async def gaps(request: Request, game: Game) -> list[GameGap]:
    """The gaps of a game, with their reasons in words."""
    return [
        {
            "from_tick": gap.from_tick,
            "to_tick": gap.to_tick,
            "reason": gap.reason,
            "message": REASONS[gap.reason],
        }
        for gap in await store.gaps(responses.context(request).pool, game.id)
    ]


@describe(Media("image/png"), query=GameTickAsked, errors=(404,), tagged=True)
async def map_png(request: Request, game_id: int) -> HTTPResponse:
    """The map at a tick, as a small picture: whose each place is."""
    wanted, _ = asked(request, GameTickAsked)
    book = await book_of(request, await game_of(request, game_id))
    tick = book.history.last_tick if wanted.tick is None else wanted.tick
    return prepared.answer(request, await picture.png(book.history, tick), "image/png")


def _kept(request: Request, rows: list[Any], following: str | None) -> HTTPResponse:
    body = msgspec.json.encode({"items": rows, "next": following})
    return prepared.Prepared(body).answer(request)


def register(bp: Blueprint) -> None:
    """Put the routes on the blueprint."""
    games, one = "/api/v1/games", "/api/v1/games/<game_id:int>"
    for path, handler in (
        ("/api/game/<game_id:int>", peer_game),
        (games, api_index),
        (one, api_show),
        (f"{one}/stars", api_stars),
        (f"{one}/history", api_history),
        (f"{one}/events", api_events),
        (f"{one}/totals", api_totals),
        (f"{one}/gaps", api_gaps),
        (f"{one}/map.png", map_png),
    ):
        bp.add_route(handler, path, READ)
