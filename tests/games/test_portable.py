"""A game as a file: out and in again the same, and nothing else comes in."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tests.games.helpers import NEW_KEY, Play, everything, owners, play, served
from tests.servers.neptunes_pride import NeptunesPride
from tests.servers.universe import Universe
from vigil.context import Context
from vigil.errors import Conflict, Invalid, NotFound, TooLarge
from vigil.games import portable, store


async def recorded(context: Context, server: NeptunesPride) -> Play:
    """Twelve ticks with a gap."""
    game = await play(context, server, server.games["123"].universe)
    await game.register()
    await game.watch(12)
    await game.pass_time(4 * 1800)
    await game.watch(20)
    return game


async def removed(context: Context) -> None:
    await context.pool.execute("DELETE FROM games")


def without_ids(found: dict[str, list[Any]]) -> dict[str, list[Any]]:
    return {name: [row[1:] for row in rows] for name, rows in found.items() if name != "games"}


@pytest.mark.parametrize("over", [True, False])
async def test_out_and_in_again(context: Context, over: bool) -> None:
    async with served(Universe.made_up(25, 3, tick=7)) as server:
        game = await recorded(context, server)
        if over:
            game.universe.game_over = True
            await game.look()
        before, data = await everything(context), await portable.export(context.pool, game.game_id)
        with pytest.raises(Conflict, match="is here already"):
            await portable.bring(game.context, data)
        assert await everything(context) == before
        await removed(context)
        made = await portable.bring(game.context, data)
        assert without_ids(await everything(context)) == without_ids(before)
        again = await portable.export(context.pool, made.id)
        if over:
            assert again == data
            assert made.state == "finished"
            return
        assert made.state == "needs_key"
        assert json.loads(again) | {"game": 0} == json.loads(data) | {"game": 0}
        game.hosted.keys = {NEW_KEY: 1}
        assert (await game.register(NEW_KEY)).game.id == made.id
        await game.watch(24)
        assert (await game.game()).tick == 24


async def test_no_key_is_in_it(context: Context) -> None:
    async with served(Universe.made_up(5, 2), **{"SECRETkey42": 1}) as server:
        game = await play(context, server, server.games["123"].universe)
        await game.register("SECRETkey42")
        data = await portable.export(context.pool, game.game_id)
        rows = await context.pool.fetch("SELECT sealed, fingerprint FROM game_keys")
    assert b"SECRETkey42" not in data
    assert rows[0]["sealed"] not in data
    assert rows[0]["fingerprint"].hex().encode() not in data


async def test_there_is_no_such_game(context: Context) -> None:
    with pytest.raises(NotFound):
        await portable.export(context.pool, 1)


def at(*path: Any, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(file: dict[str, Any]) -> None:
        place: Any = file
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    return change


BAD: dict[str, Callable[[dict[str, Any]], Any]] = {
    "another format": at("format", value="zip"),
    "a later version": at("version", value=2),
    "another site": at("game", "site", value="np9"),
    "a number that is a path": at("game", "number", value="../1"),
    "a name with a line": at("game", "name", value="a\nb"),
    "a name that turns": at("stars", 0, 1, value="a\u202eb"),
    "a long name": at("players", 0, 1, value="x" * 101),
    "a state that is none": at("game", "state", value="dancing"),
    "a time without its zone": at("game", "created_at", value="2026-05-01T00:00:00"),
    "a star far away": at("stars", 0, 2, value=1e7),
    "a star that is text": at("stars", 0, 2, value="1"),
    "the same star twice": lambda file: file["stars"].insert(0, file["stars"][0]),
    "the same player twice": lambda file: file["players"].append(file["players"][0]),
    "stars out of order": lambda file: file["stars"].reverse(),
    "a change of an unknown star": at("owners", 0, 1, value=999),
    "an owner who is nobody": at("owners", 0, 2, value=99),
    "an owner below nobody": at("owners", 0, 2, value=-2),
    "changes out of order": lambda file: file["owners"].reverse(),
    "a change that is none": lambda file: file["owners"].append([20, *file["owners"][-1][1:]]),
    "a change before its star": at("stars", 0, 4, value=19),
    "a change in the future": lambda file: file["owners"].append([21, 1, 2]),
    "totals of nobody": at("totals", 0, 1, value=99),
    "minus ships": at("totals", 0, 3, value=-1),
    "fleets of nobody": at("fleets", 0, 1, 0, 1, value=99),
    "fleets in the future": at("fleets", -1, 0, value=21),
    "a tick that was not recorded": at("game", "tick", value=21),
    "no spans": at("spans", value=[]),
    "a hole without a reason": at("gaps", value=[]),
    "a reason that is none": at("gaps", 0, 2, value="lazy"),
    "a gap over a span": at("gaps", 0, 0, value=10),
    "a span that goes back": at("spans", 0, 1, value=3),
    "a span that ends before it begins": at("spans", 0, 3, value="2001-01-01T00:00:00Z"),
    "a row too short": at("owners", 0, value=[7, 1]),
    "no stars": lambda file: file.pop("stars"),
}


async def test_what_contradicts_itself_stays_out(context: Context) -> None:
    async with served(Universe.made_up(6, 3, dark=0, tick=7)) as server:
        game = await recorded(context, server)
        data = await portable.export(context.pool, game.game_id)
    await removed(context)
    portable.read(data)
    for name, change in BAD.items():
        file = json.loads(data)
        change(file)
        with pytest.raises(Invalid, match="no recorded game") as caught:
            await portable.bring(game.context, json.dumps(file).encode())
        assert caught.value.hint, name
    assert await store.page(context.pool) == []


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"<html>", b"[" * 100_000, b"\xff\x00", b"NaN"])
def test_what_is_no_file_at_all(data: bytes) -> None:
    with pytest.raises(Invalid):
        portable.read(data)


def test_a_file_that_is_too_large() -> None:
    with pytest.raises(TooLarge):
        portable.read(b" " * (portable.MOST_BYTES + 1))


async def test_a_made_up_history_comes_in_as_it_is(context: Context) -> None:
    """What somebody wrote by hand, or another program."""
    when = "2026-05-01T00:00:00Z"
    file = {
        "format": "vigil-game",
        "version": 1,
        "game": {
            **{"site": "np4", "number": "9", "name": "By hand", "version": 4, "tick": 5},
            **{"tick_rate_s": 60, "production_rate": 0, "started": True, "paused": False},
            **{"game_over": True, "turn_based": False, "start_at": None, "total_stars": 1},
            **{"stars_for_victory": 0, "state": "finished", "closed_at": when},
            **{"seen_at": None, "created_at": when},
        },
        "players": [[0, "Ada", None, None]],
        "stars": [[1, "Sun", 0.5, -0.25, 3]],
        "owners": [[3, 1, -1], [5, 1, 0]],
        "totals": [],
        "spans": [[3, 5, when, when]],
        "gaps": [],
    }
    made = await portable.bring(context, msgspec.json.encode(file))
    history = await store.history(context.pool, made.id)
    assert owners(history) == {1: {3: -1, 5: 0}}
    assert (history.first_tick, history.last_tick, history.stars[0].x) == (3, 5, 0.5)
