"""A game that a person brings: what is said when it cannot be, and what becomes of the key."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from tests.games.helpers import KEY, NEW_KEY, OTHER_KEY, everything, play, served
from tests.running import NOBODY_HOME
from tests.servers.neptunes_pride import Hosted, NeptunesPride
from tests.servers.universe import Universe
from vigil.context import Context
from vigil.errors import Invalid, VigilError
from vigil.games import recording, store
from vigil.games.actions import actions
from vigil.games.errors import (
    BadAnswer,
    GameOver,
    NoSuchGame,
    Silent,
    UnsupportedVersion,
    WrongKey,
)
from vigil.games.keys import store as keys
from vigil.games.register import register
from vigil.sealing import Sealer


def galaxy() -> Universe:
    return Universe.made_up(20, 3, tick=7)


async def test_each_failure_has_words_of_its_own_and_writes_nothing(context: Context) -> None:
    messages = set()
    async with served(galaxy()) as server:
        game = await play(context, server, server.games["123"].universe)
        mine, faults = game.context, server.faults

        async def fails(kind: type[VigilError], number: str = "123", code: str = KEY) -> None:
            with pytest.raises(kind) as caught:
                await register(mine, number, code)
            assert type(caught.value) is kind
            assert caught.value.hint
            messages.add(caught.value.message)

        await fails(WrongKey, code="nonsense")
        await fails(NoSuchGame, number="124")
        faults.says = "api_version not supported"
        await fails(UnsupportedVersion)
        faults.says = None
        game.universe.game_over = True
        await fails(GameOver)
        game.universe.game_over = False
        faults.server_error = -1
        await fails(Silent)
        faults.server_error, faults.html = 0, -1
        await fails(BadAnswer)
        faults.html = 0
        game.hosted.change = {"tick": -3}
        await fails(BadAnswer)
        mine = replace(mine, settings=replace(mine.settings, neptunes_pride_url=NOBODY_HOME))
        await fails(Silent, number="124")
    assert len(messages) == 8
    assert await store.page(context.pool) == []
    assert await context.pool.fetchval("SELECT count(*) FROM game_keys") == 0


@pytest.mark.parametrize(
    ("number", "code", "more", "words"),
    [
        ("", KEY, {}, "game's number"),
        ("12 3", KEY, {}, "game's number"),
        ("https://np.ironhelmet.com/games", KEY, {}, "game's number"),
        ("1" * 41, KEY, {}, "game's number"),
        ("https://np.ironhelmet.com/game/", KEY, {}, "game's number"),
        ("123", "", {}, "cannot be a key"),
        ("123", "a b", {}, "cannot be a key"),
        ("123", "a\x00b", {}, "cannot be a key"),
        ("123", "x" * 201, {}, "cannot be a key"),
        ("123", KEY, {"site": "np5"}, "no site np5"),
        ("123", KEY, {"site": "np2stats"}, "player's number is missing"),
        ("123", KEY, {"site": "np2stats", "player": -1}, "no player -1"),
    ],
)
async def test_what_cannot_be_right_is_not_even_asked(
    context: Context, number: str, code: str, more: dict[str, Any], words: str
) -> None:
    async with served(galaxy()) as server:
        game = await play(context, server, server.games["123"].universe)
        with pytest.raises((Invalid, NoSuchGame), match=words):
            await register(game.context, number, code, **more)
        assert server.asked["123"] == 0


async def test_the_site_is_found(context: Context) -> None:
    """np is asked first, then np4; an address says which one it is."""
    four = Universe.made_up(20, 3, tick=7, seed=2)
    async with (
        served(galaxy()) as server,
        NeptunesPride({"123": Hosted(four, {KEY: 1}, 4), "77": Hosted(four, {KEY: 1}, 4)}) as other,
    ):
        game = await play(context, server, galaxy())
        mine = replace(
            game.context, settings=replace(game.context.settings, neptunes_pride4_url=other.url)
        )
        assert (await register(mine, " 123 ", KEY)).game.site == "np"
        assert other.asked["123"] == 0
        assert (await register(mine, "77", KEY)).game.site == "np4"
        found = (await register(mine, f"{other.url}/game/123/", KEY)).game
        assert (found.site, found.number, found.version) == ("np4", "123", 4)
        assert server.asked["123"] == 1
        server.faults.server_error = -1
        with pytest.raises(Silent):  # np may know it: that np4 does not says nothing
            await register(mine, "55", KEY)


async def test_a_known_game_takes_a_new_key(context: Context) -> None:
    async with served(galaxy(), **{KEY: 1, NEW_KEY: 1, OTHER_KEY: 2}) as server:
        game = await play(context, server, server.games["123"].universe)
        first = await game.register()
        again = await game.register()
        assert (first.fresh, again.fresh) == (True, False)
        assert (first.new_key, again.new_key, again.reopened) == (True, False, False)
        assert len(await keys.of_game(context.pool, game.game_id)) == 1

        async def opened() -> list[tuple[str, int | None]]:
            sealer = Sealer.of(context.settings)
            found = await keys.of_game(context.pool, game.game_id)
            return [(sealer.open(one.sealed), one.player_uid) for one in found]

        assert (await game.register(OTHER_KEY)).new_key
        assert await opened() == [(KEY, 1), (OTHER_KEY, 2)]
        assert (await game.register(NEW_KEY)).new_key  # the same player's: it replaces the first
        assert await opened() == [(OTHER_KEY, 2), (NEW_KEY, 1)]
        assert await keys.counts(context.pool, [game.game_id]) == {game.game_id: (2, 0)}
        for key in await keys.of_game(context.pool, game.game_id):
            assert "sealed" not in repr(key)


async def test_many_who_bring_it_at_once_bring_one_game(context: Context) -> None:
    codes = {f"key{uid}": uid for uid in range(3)}
    async with served(galaxy(), **codes) as server:
        game = await play(context, server, server.games["123"].universe)
        done = await asyncio.gather(*(register(game.context, "123", code) for code in codes))
        assert len({one.game.id for one in done}) == 1
        assert all(one.new_key for one in done)
        assert await keys.counts(context.pool, [done[0].game.id]) == {done[0].game.id: (3, 0)}
        assert await store.gaps(context.pool, done[0].game.id) == []


async def test_what_was_closed_is_recorded_again(context: Context) -> None:
    async with served(galaxy()) as server:
        game = await play(context, server, server.games["123"].universe)
        await game.register()
        assert await recording.end(context.pool, await game.game(), "finished", game.clock.now())
        closed = await game.game()
        assert (closed.state, closed.game_over) == ("finished", False)
        assert actions(closed, admin=True)["close"] == "its recording was ended already"
        assert not await keys.of_game(context.pool, game.game_id)
        await game.pass_time(5 * 30 * 60)
        again = await game.register()
        assert (again.fresh, again.reopened, again.game.state) == (False, True, "running")
        (gap,) = await store.gaps(context.pool, game.game_id)
        assert (gap.from_tick, gap.to_tick, gap.reason) == (8, 11, "down")


async def test_a_finished_game_is_not_asked_for_again(context: Context) -> None:
    async with served(galaxy()) as server:
        game = await play(context, server, server.games["123"].universe)
        await game.register()
        game.universe.game_over = True
        await game.pass_time(1800)
        await game.look()
        before, asked = await everything(context), server.asked["123"]
        with pytest.raises(GameOver, match="is finished, and was recorded"):
            await game.register()
        assert (await everything(context), server.asked["123"]) == (before, asked)


async def test_another_game_under_a_known_number_is_refused(context: Context) -> None:
    async with served(galaxy()) as server:
        game = await play(context, server, server.games["123"].universe)
        await game.register()
        before = await everything(context)
        game.hosted.universe = Universe.made_up(20, 3, tick=8, seed=99)
        with pytest.raises(BadAnswer, match="sent another game"):
            await game.register()
        assert await everything(context) == before


async def test_actions_say_why_not(context: Context) -> None:
    async with served(galaxy()) as server:
        game = await play(context, server, server.games["123"].universe)
        running = (await game.register()).game
        mine = actions(running, admin=True)
        assert mine.pop("delete") == "end the recording first"
        assert set(mine.values()) == {None}
        visitor = actions(running, admin=False)
        assert visitor["export"] is None
        assert {visitor[name] for name in ("key", "fetch", "close", "delete", "film")} == {
            "only an admin can do this"
        }
        over = replace(running, state="finished", game_over=True, tick=None)
        assert actions(over, admin=True) == {
            "key": "the game is finished",
            "fetch": "the game is finished",
            "close": "the game is finished",
            "delete": None,
            "export": "nothing was recorded yet",
            "film": "nothing was recorded yet",
        }
