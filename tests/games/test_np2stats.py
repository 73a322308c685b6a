"""Games that another recorder tells of, from the beginning, as they grow and end."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import pytest

from tests.games.helpers import KEY, Play, everything, owners, play, served
from tests.servers.neptunes_pride import NeptunesPride
from tests.servers.universe import Universe
from vigil.context import Context
from vigil.games import scan, store
from vigil.games.errors import BadAnswer, NoSuchGame, Silent, WrongKey
from vigil.games.model import Coverage
from vigil.games.register import register
from vigil.sources.np2stats import read


async def begun(context: Context, server: NeptunesPride, **more: Any) -> Play:
    game = await play(context, server, server.games["123"].universe)
    await game.register(site="np2stats", player=1, **more)
    return game


async def test_all_that_was_before_is_there_at_once_and_grows(context: Context) -> None:
    universe = Universe.made_up(20, 3, tick=3)
    universe.advance(60)
    async with served(universe) as server:
        game = await begun(context, server)
        assert owners(await game.history()) == universe.owners
        assert [who.uid for who in (await game.history()).players] == [0, 1, 2]
        assert (await game.game()).site == "np2stats"
        for _ in range(5):
            await game.pass_time(await game.look())
            await game.look()
            assert owners(await game.history()) == universe.owners
        waits = await game.look()
        assert 0 < waits <= 3600
        universe.game_over = True
        await game.pass_time(waits)
        await game.look()
        over = await game.game()
        assert (over.state, over.game_over) == ("finished", True)
        assert await game.kinds() == ["game.finished"]
        assert await scan.targets(game.context) == []
        found = (await store.coverage(context.pool, [game.game_id]))[game.game_id]
        last = max(max(changes) for changes in universe.owners.values())
        assert found == Coverage(
            first_tick=3,
            last_tick=last,
            recorded=last - 2,
            missed=0,
            players=3,
            stars=len(universe.owners),
        )
        assert await store.gaps(context.pool, game.game_id) == []


async def test_a_finished_game_is_told_to_the_end(context: Context) -> None:
    universe = Universe.made_up(20, 3, tick=3)
    universe.advance(30)
    universe.game_over = True
    async with served(universe) as server:
        game = await begun(context, server)
        assert (await game.game()).state == "finished"
        assert owners(await game.history()) == universe.owners


async def test_what_can_go_wrong(context: Context) -> None:
    universe = Universe.made_up(10, 3, tick=3)
    async with served(universe) as server:
        mine = (await play(context, server, universe)).context

        async def fails(kind: type[Exception], number: str = "123", player: int = 1) -> None:
            with pytest.raises(kind) as caught:
                await register(mine, number, KEY, "np2stats", player)
            assert type(caught.value) is kind

        await fails(WrongKey, player=2)
        await fails(NoSuchGame, number="9")
        server.faults.html = 1
        await fails(BadAnswer)
        server.faults.says = "out of order"
        await fails(Silent)
    assert await store.page(context.pool) == []


async def test_what_was_told_stays_told(context: Context) -> None:
    """A story that forgets, goes back or rewrites changes nothing that is known."""
    universe = Universe.made_up(20, 3, dark=0, tick=3)
    universe.advance(60)
    async with served(universe) as server:
        game = await begun(context, server)
        before, stars = await everything(context), universe.story()["stars"]
        told, last = copy.deepcopy(universe.owners), (await game.game()).tick or 0
        lost = dict(list(stars.items())[1:])
        back = copy.deepcopy(stars)
        for one in back.values():
            one["owners"] = {tick: who for tick, who in one["owners"].items() if int(tick) < 9}
        future = copy.deepcopy(stars)
        future["1"]["owners"]["900000"] = 0
        elsewhere = copy.deepcopy(stars)
        for one in elsewhere.values():
            one["x"] += 1
        for change in ({}, lost, back, future, elsewhere):
            game.hosted.change = {"stars": change}
            failures = (await game.game()).failures
            while (await game.game()).failures == failures:
                await game.pass_time(await game.look())
            assert await everything(context) == before
        rewritten = copy.deepcopy(stars)
        for one in rewritten.values():
            one["owners"] = {tick: 2 for tick in one["owners"]}
        game.hosted.change = {"stars": rewritten}
        await game.pass_time(await game.look())
        await game.look()
        history = owners(await game.history())
        for star_id, changes in told.items():
            assert {t: o for t, o in history[star_id].items() if t <= last} == changes
            values = list(history[star_id].values())
            assert all(a != b for a, b in itertools.pairwise(values))


STAR = {"x": 1, "y": 2, "owners": {"1": 0}}


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        {},
        {"stars": []},
        {"stars": {"1": []}},
        {"stars": {"x": STAR}},
        {"stars": {"01": STAR}},
        {"stars": {"1": STAR | {"x": "NaN"}}},
        {"stars": {"1": STAR | {"x": None}}},
        {"stars": {"1": STAR | {"owners": {"-1": 0}}}},
        {"stars": {"1": STAR | {"owners": {"1.5": 0}}}},
        {"stars": {"1": STAR | {"owners": {"1": "0"}}}},
        {"stars": {"1": STAR | {"owners": {"1": -2}}}},
        {"stars": {"1": STAR | {"owners": {"1": 10**6}}}},
        {"stars": {"1": STAR | {"owners": {"99999999": 0}}}},
        {"stars": {str(n): STAR for n in range(10_001)}},
    ],
)
def test_what_is_no_story_is_refused(answer: object) -> None:
    with pytest.raises(BadAnswer):
        read(answer)


def test_a_story() -> None:
    story = read({"name": "A\x00 game", "stars": {"2": STAR, "1": {"x": "0.5", "y": 0}}})
    assert (story.name, story.game_over, story.tick) == ("A game", False, 1)
    assert [(one.id, one.x, one.owner) for one in story.stars] == [(1, 0.5, None), (2, 1.0, None)]
    assert story.owners == ((1, 2, 0),)
