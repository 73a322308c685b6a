"""Answers that are broken or made to harm: a recorded game stays as it was, and goes on after."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.games.helpers import everything, expected, owners, play, served
from tests.servers.neptunes_pride import NeptunesPride
from tests.servers.universe import Universe
from vigil.context import Context
from vigil.games import store

Harm = Callable[[NeptunesPride, dict[str, Any]], None]
"""Breaks the server; given a good answer, too."""


def fault(name: str) -> Harm:
    return lambda server, good: setattr(server.faults, name, -1)


def field(*path: str, value: Any) -> Harm:
    """A good answer, but for one value."""

    def harm(server: NeptunesPride, good: dict[str, Any]) -> None:
        place = good
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        server.faults.body = json.dumps({"scanning_data": good}).encode()

    return harm


def body(data: bytes) -> Harm:
    return lambda server, good: setattr(server.faults, "body", data)


def text(old: str, new: str) -> Harm:
    """A good answer in which a piece of text was replaced."""

    def harm(server: NeptunesPride, good: dict[str, Any]) -> None:
        sent = json.dumps({"scanning_data": good}, separators=(",", ":"))
        assert old in sent
        server.faults.body = sent.replace(old, new, 1).encode()

    return harm


def strings(server: NeptunesPride, good: dict[str, Any]) -> None:
    good |= {"tick": str(good["tick"]), "tick_rate": "30"}
    server.faults.body = json.dumps({"scanning_data": good}).encode()


def another_game(server: NeptunesPride, good: dict[str, Any]) -> None:
    other = Universe.made_up(20, 3, tick=good["tick"], seed=99)
    server.faults.body = json.dumps({"scanning_data": other.answer()}).encode()


HARMS: dict[str, Harm] = {
    "HTML": fault("html"),
    "huge": fault("huge"),
    "cut": fault("cut"),
    "half of it": fault("not_json"),
    "something else": fault("wrong_shape"),
    "500": fault("server_error"),
    "NaN": text('"tick":', '"tick":NaN,"tock":'),
    "NaN as text": field("stars", "3", "x", value="NaN"),
    "a negative tick": field("tick", value=-5),
    "a tick that went back": field("tick", value=7),
    "a tick from the far future": field("tick", value=900_000),
    "an owner who is nobody": field("stars", "3", "puid", value=77),
    "a fleet of nobody": field("fleets", "1", "puid", value=77),
    "nobody at all": field("players", value={}),
    "text where numbers are": strings,
    "nested": body(b'{"scanning_data":' + b'{"a":[' * 200_000),
    "the same star twice": text('"3":{"uid":3', '"03":{"uid":3'),
    "a star that is another": text('"3":{"uid":3', '"3":{"uid":4'),
    "a million stars": body(
        b'{"scanning_data":{"tick":500,"players":{},"stars":{'
        + b",".join(b'"%d":{"x":1,"y":1,"puid":-1}' % n for n in range(1_000_000))
        + b"}}}"
    ),
    "ten thousand and one stars": field(
        "stars", value={str(n): {"x": 1, "y": 1} for n in range(10_001)}
    ),
    "another game": another_game,
    "stars that moved": field("stars", value={"1": {"x": 1, "y": 1}, "2": {"x": 1, "y": 2}}),
    "ships beyond counting": field("players", "0", "total_strength", value=2**31),
    "nothing": body(b""),
    "an error that is a list": body(b'{"error": [1]}'),
    "null": body(b'{"scanning_data": null}'),
}


async def test_a_recorded_game_is_not_harmed(context: Context) -> None:
    """One game, all of it, one after the other."""
    universe = Universe.made_up(20, 3, dark=0, tick=7)
    async with served(universe) as server:
        game = await play(context, server, universe)
        await game.register()
        await game.watch(9)
        for name, harm in HARMS.items():
            before, missed = await everything(context), len(await game.ticks())
            harm(server, json.loads(json.dumps(universe.answer())))
            while (await game.game()).failures < 2:
                await game.pass_time(await game.look())
            assert await everything(context) == before, name
            failing = await game.game()
            assert failing.state == "running", name
            assert failing.error, name
            assert failing.trouble in ("answer", "site"), name

            server.faults = type(server.faults)()
            await game.pass_time(1800)
            await game.look()
            recovered = await game.game()
            assert (recovered.error, recovered.failures) == (None, 0), name
            *_, gap = await store.gaps(context.pool, game.game_id)
            assert gap.to_tick == universe.tick - 1, name
            assert gap.reason in (failing.trouble, "down"), name
            assert len(await game.ticks()) == missed + 1
        assert owners(await game.history()) == expected(universe, await game.ticks())


async def test_the_last_of_two_values_of_one_name_is_read(context: Context) -> None:
    """As JSON parsers do; it is one answer like any other."""
    universe = Universe.made_up(20, 3, dark=0, tick=7)
    async with served(universe) as server:
        game = await play(context, server, universe)
        await game.register()
        text('"tick":7', '"tick":5000,"tick":8')(server, universe.answer())
        await game.pass_time(1800)
        await game.look()
        assert (await game.game()).tick == 8


async def test_a_sky_that_is_empty_takes_nothing_away(context: Context) -> None:
    universe = Universe.made_up(20, 3, dark=0, tick=7)
    async with served(universe) as server:
        game = await play(context, server, universe)
        await game.register()
        game.hosted.change = {"stars": {}, "fleets": {}}
        await game.watch(9)
        history = await game.history()
        assert len(history.stars) == 20
        assert owners(history) == expected(universe, [7])
