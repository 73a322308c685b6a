"""np2stats and sites like it: recorders of Neptune's Pride games that tell all of a game at once.

``GET /api/timelapsedata.php?game_id=&player_id=&key=`` answers ``{id, name, updated, game_over,
stars{id: {x, y, owners{tick: player}}}}``; what it says against a request stands in ``error``.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from vigil.answers import FetchError
from vigil.context import Context
from vigil.games.errors import BadAnswer, NoSuchGame, Silent, WrongKey
from vigil.games.model import NOBODY, SITES, SeenStar, Story
from vigil.sources import clean
from vigil.sources.neptunes_pride import (
    MOST_PLAYERS,
    MOST_STARS,
    MOST_TICK,
    base,
    coordinate,
    number,
    raise_for,
)

SITE = "np2stats"
MOST_BYTES = 32_000_000
MOST_CHANGES = 1_000_000
PATH = "/api/timelapsedata.php"


class _Star(Struct):
    x: float | int | str
    y: float | int | str
    owners: dict[str, int] = {}
    name: str | None = None


class _Told(Struct):
    stars: dict[str, _Star]
    name: str | None = None
    game_over: bool | int = False


async def look(context: Context, number: str, player: int, code: str) -> Story:
    """Ask for all of a game; raises WrongKey, NoSuchGame, Silent or BadAnswer."""
    try:
        response = await context.fetcher.get(
            f"{base(context.settings, SITE)}{PATH}",
            params={"game_id": number, "player_id": str(player), "key": code},
            private=True,
            max_bytes=MOST_BYTES,
        )
        answer = response.json(dict[str, Any])
    except FetchError as error:
        # It is a page like any other: a number or a key that it does not know has a status.
        if error.http_status in (401, 403):
            raise _wrong_key(number) from error
        if error.http_status in (404, 410):
            raise _no_such_game(number) from error
        raise_for(error, SITE)
    if "error" in answer and "stars" not in answer:
        words = clean.text(str(answer["error"]), 200)
        if "key" in words.lower() or "code" in words.lower():
            raise _wrong_key(number)
        if "game" in words.lower():
            raise _no_such_game(number)
        raise Silent(f"{SITES[SITE]} does not answer: it says “{words}”", hint="try again later")
    return read(answer)


def read(answer: object) -> Story:
    """An answer as a story; raises BadAnswer."""
    try:
        return _story(msgspec.convert(answer, _Told))
    except (ValueError, msgspec.ValidationError) as error:
        raise BadAnswer(
            f"{SITES[SITE]} sent something that is no story of a game: {error}",
            hint="nothing of it was recorded; it is asked again",
        ) from None


def _wrong_key(game: str) -> WrongKey:
    return WrongKey(
        f"{SITES[SITE]} does not know this key for game {game}",
        hint="look at the player's number, too: a key belongs to a player",
    )


def _no_such_game(game: str) -> NoSuchGame:
    return NoSuchGame(f"{SITES[SITE]} knows no game {game}", hint="look at the number")


def _story(told: _Told) -> Story:
    if len(told.stars) > MOST_STARS:
        raise ValueError(f"more than {MOST_STARS} stars")
    if sum(len(one.owners) for one in told.stars.values()) > MOST_CHANGES:
        raise ValueError(f"more than {MOST_CHANGES} changes")
    stars, owners = [], []
    for star_id, one in sorted((number(key), one) for key, one in told.stars.items()):
        name = clean.text(one.name, 100)
        stars.append(SeenStar(star_id, name, coordinate(one.x), coordinate(one.y), None))
        for tick, player in one.owners.items():
            if number(tick) > MOST_TICK or not NOBODY <= player < MOST_PLAYERS:
                raise ValueError(f"star {star_id} belongs to player {player} at tick {tick}")
            owners.append((number(tick), star_id, player))
    return Story(
        name=clean.text(told.name, 100),
        game_over=bool(told.game_over),
        stars=tuple(stars),
        owners=tuple(sorted(owners)),
    )
