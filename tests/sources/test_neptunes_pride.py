"""What is read of an answer, and what is refused of it: all of it, always."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from tests.games.helpers import real_answer
from tests.running import NOBODY_HOME
from tests.servers.loopback import Loopback
from tests.servers.neptunes_pride import Hosted, NeptunesPride
from tests.servers.universe import Universe
from vigil.context import Context
from vigil.errors import VigilError
from vigil.games.errors import (
    BadAnswer,
    NoSuchGame,
    OurNetwork,
    Silent,
    UnsupportedVersion,
    WrongKey,
)
from vigil.games.model import NOBODY, Player, SeenFleet, SeenStar, Snapshot, Totals
from vigil.sources.neptunes_pride import look, read

GALAXY = Universe.made_up(20, 3, dark=0, tick=9)


def test_both_versions_say_the_same() -> None:
    two, four = (read("np", GALAXY.answer(version)) for version in (2, 4))
    assert (two.version, four.version) == (2, 4)
    rounded = tuple(replace(one, x=round(one.x, 8), y=round(one.y, 8)) for one in four.fleets)
    assert replace(four, version=2, fleets=rounded) == two
    assert two.tick == 9
    assert two.tick_rate_s == 1800
    assert two.fragment == 0.5
    assert two.start_at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert two.player_uid == 1
    assert two.players[0] == Player(0, "Player 0")
    assert two.totals[2] == Totals(9, 2, 1, 30, 5, 5, 1)
    assert len(two.stars) == 20
    assert {star.owner for star in two.stars} == {NOBODY, 0, 1, 2}
    assert [star.id for star in two.stars if star.visible] == [
        star.id for star in two.stars if star.owner == 1
    ]
    assert two.fleets[0] == SeenFleet(
        1, 1, float(f"{GALAXY.fleets[1].x:.8f}"), float(f"{GALAXY.fleets[1].y:.8f}"), 10
    )


@pytest.mark.skipif(real_answer() is None, reason="NEPTUNES_PRIDE_ANSWER may name a real answer")
def test_a_real_answer() -> None:
    seen = read("np", real_answer())
    assert (seen.version, seen.name, seen.tick, seen.player_uid) == (2, "Fahim Training", 149, 1)
    assert seen.stars[0] == SeenStar(1, "Hassaleh", -2.1797, 0.9549, 0, False)
    assert len(seen.stars) == 63
    assert seen.totals[1] == Totals(149, 1, 7, 85, 9, 10, 2)
    assert len(seen.fleets) == 6
    assert not seen.game_over
    assert not seen.turn_based


def test_what_may_be_missing() -> None:
    bare = {"tick": 0, "players": {"0": {}}, "stars": {"1": {"x": 1, "y": 2}, "2": {"n": "Far"}}}
    assert read("np", bare) == Snapshot(
        version=2,
        name="",
        tick=0,
        players=(Player(0, ""),),
        stars=(SeenStar(1, "", 1.0, 2.0, None),),
    )


def test_colours_and_shapes_are_kept_as_they_were_sent() -> None:
    answer = GALAXY.answer(4)
    answer["players"]["0"] |= {"color": 3, "shape": 5}
    answer["players"]["1"] |= {"color": "#0ff\u202e", "alias": " A\x00da \ud800"}
    ada = read("np4", answer).players
    assert ada[0] == Player(0, "Player 0", "3", "5")
    assert ada[1] == Player(1, "A da", "#0ff")


def at(*path: str | int, value: Any) -> Callable[[dict[str, Any]], None]:
    """Puts a value into an answer."""

    def change(answer: dict[str, Any]) -> None:
        place: Any = answer
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    return change


IMPOSSIBLE = {
    "no tick": lambda answer: answer.pop("tick"),
    "negative tick": at("tick", value=-1),
    "a tick that cannot be": at("tick", value=10**9),
    "half a tick": at("tick", value=7.5),
    "a tick as text": at("tick", value="7"),
    "a tick that is true": at("tick", value=True),
    "no stars": lambda answer: answer.pop("stars"),
    "stars in a list": at("stars", value=[]),
    "a star that is a list": at("stars", "3", value=[]),
    "no players": lambda answer: answer.pop("players"),
    "players in a list": at("players", value=[]),
    "a player that is null": at("players", "0", value=None),
    "NaN": at("stars", "3", "x", value="NaN"),
    "NaN as a number": at("stars", "3", "x", value=float("nan")),
    "infinity": at("stars", "3", "y", value="Infinity"),
    "infinity as a number": at("stars", "3", "y", value=float("inf")),
    "a coordinate far away": at("stars", "3", "x", value="99999999"),
    "a coordinate with an exponent": at("stars", "3", "x", value="1e5"),
    "a coordinate of digits from elsewhere": at("stars", "3", "x", value="\u0663"),
    "an empty coordinate": at("stars", "3", "x", value=""),
    "a coordinate that is true": at("stars", "3", "x", value=True),
    "a name that is a number": at("stars", "3", "n", value=7),
    "an owner who is nobody": at("stars", "3", "puid", value=8),
    "an owner below nobody": at("stars", "3", "puid", value=-2),
    "an owner as text": at("stars", "3", "puid", value="1"),
    "a fleet of nobody": at("fleets", "2", "puid", value=8),
    "a fleet of minus ships": at("fleets", "2", "st", value=-5),
    "a star with a name for a number": at("stars", "x", value={"x": 1, "y": 1}),
    "a star with a second spelling": at("stars", "03", value={"x": 1, "y": 1}),
    "a star with a negative number": at("stars", "-3", value={"x": 1, "y": 1}),
    "a star that calls itself another": at("stars", "3", "uid", value=4),
    "a player with a huge number": at("players", "70000", value={"alias": "x"}),
    "minus stars": at("players", "0", "total_stars", value=-1),
    "stars without end": at("players", "0", "total_stars", value=2**40),
    "a tick that never ends": at("tick_rate", value=10**9),
    "a tick that goes back": at("tick_rate", value=-30),
    "an asker who is nobody": at("player_uid", value=9),
    "too many stars": at("stars", value={str(n): {"x": 1, "y": 1} for n in range(10_001)}),
    "too many players": at("players", value={str(n): {} for n in range(1_001)}),
}


@pytest.mark.parametrize("change", IMPOSSIBLE.values(), ids=IMPOSSIBLE.keys())
def test_what_cannot_be_is_refused(change: Callable[[dict[str, Any]], None]) -> None:
    answer = copy.deepcopy(GALAXY.answer())
    change(answer)
    with pytest.raises(BadAnswer) as caught:
        read("np", answer)
    assert caught.value.message.startswith("Neptune's Pride 2 sent something that is no state")
    assert len(caught.value.message) < 300


@pytest.mark.parametrize(
    "data", [None, [], "x", 7, {}, {"tickRate": 1}, {"tickRate": 1, "players": 3}]
)
def test_what_is_no_answer_at_all_is_refused(data: object) -> None:
    with pytest.raises(BadAnswer):
        read("np4", data)


def pointed(context: Context, url: str) -> Context:
    return replace(context, settings=replace(context.settings, neptunes_pride_url=url))


async def failure(context: Context, number: str = "123", code: str = "key") -> VigilError:
    with pytest.raises(VigilError) as caught:
        await look(context, "np", number, code)
    return caught.value


@pytest.mark.parametrize(
    ("says", "kind", "words"),
    [
        ("code not found in game", WrongKey, "does not know this key for game 123"),
        ("game not found", NoSuchGame, "knows no game 123"),
        ("api_version not supported", UnsupportedVersion, "no longer answers version 0.1"),
        ("unknown error while retrieving game", Silent, "“unknown error while retrieving game”"),
        ("<b>\x00" + "x" * 10_000, Silent, "it says “<b> xxx"),
    ],
)
async def test_what_the_site_says_against_it(
    context: Context, says: str, kind: type[VigilError], words: str
) -> None:
    async with NeptunesPride({}) as server:
        server.faults.says = says
        error = await failure(pointed(context, server.url))
    assert type(error) is kind
    assert words in error.message
    assert error.hint
    assert len(error.message) < 300


@pytest.mark.parametrize("fault", ["html", "not_json", "wrong_shape", "huge"])
async def test_what_is_no_answer_of_the_game(context: Context, fault: str) -> None:
    async with NeptunesPride({"123": Hosted(GALAXY, {"key": 1})}) as server:
        setattr(server.faults, fault, -1)
        error = await failure(pointed(context, server.url))
    assert type(error) is BadAnswer
    assert error.message.startswith("Neptune's Pride 2 sent something that is no state of the game")


BODIES = {
    "nothing": b"",
    "NaN": b'{"scanning_data": {"tick": NaN}}',
    "a number beyond all": b'{"scanning_data": {"tick": 1e999}}',
    "nested": b'{"scanning_data": ' + b"[" * 100_000,
    "nested objects": b'{"scanning_data": ' + b'{"a":' * 100_000,
    "a list": b"[1, 2]",
    "null": b"null",
    "not even text": b"\xff\xfe\x00\x01",
    "a million stars": b'{"scanning_data": {"tick": 1, "players": {}, "stars": {'
    + b",".join(b'"%d":{"x":1,"y":1}' % n for n in range(1_000_000))
    + b"}}}",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
async def test_bodies_that_are_made_to_harm(context: Context, body: bytes) -> None:
    async with NeptunesPride({}) as server:
        server.faults.body = body
        error = await failure(pointed(context, server.url))
    assert type(error) is BadAnswer


async def test_a_site_that_does_not_answer(context: Context) -> None:
    async with NeptunesPride({}) as server:
        for fault in ("cut", "server_error"):
            setattr(server.faults, fault, -1)
            error = await failure(pointed(context, server.url))
            assert type(error) is Silent, fault
            setattr(server.faults, fault, 0)
    assert type(await failure(pointed(context, NOBODY_HOME))) is Silent
    nowhere = await failure(pointed(context, "http://no-such-host.invalid"))
    assert type(nowhere) is OurNetwork
    assert "from here: the name no-such-host.invalid cannot be found" in nowhere.message


async def test_what_is_sent_stays_with_the_site(context: Context) -> None:
    """A redirect is not followed with the key, and no message repeats it."""
    asked: list[str] = []

    async def redirect(request: Any) -> Any:
        asked.append((await request.post())["code"])
        return web.Response(status=307, headers={"Location": f"{other.url}/api"})

    async with NeptunesPride({}) as other, Loopback(redirect) as server:
        error = await failure(pointed(context, server.url), code="SECRETkey42")
        assert asked == ["SECRETkey42"]
        assert not other.requests
    assert type(error) is Silent
    assert "SECRETkey42" not in repr(error)
