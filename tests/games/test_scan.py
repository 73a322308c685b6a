"""Looking again and again: when, with which keys, and what becomes of ticks that were missed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet

from tests.games.helpers import (
    AT,
    KEY,
    NEW_KEY,
    OTHER_KEY,
    Play,
    everything,
    expected,
    owners,
    play,
    served,
)
from tests.servers.neptunes_pride import NeptunesPride
from tests.servers.universe import Universe
from vigil.context import Context
from vigil.games import recording, scan, store, timing
from vigil.games.asking import ask
from vigil.games.keys import store as keys
from vigil.games.model import UNKNOWN, Gap, Snapshot
from vigil.sealing import FILE


def galaxy(**more: object) -> Universe:
    found = Universe.made_up(20, 3, tick=7)
    for name, value in more.items():
        setattr(found, name, value)
    return found


async def begun(context: Context, server: NeptunesPride) -> Play:
    game = await play(context, server, server.games["123"].universe)
    await game.register()
    return game


@pytest.mark.parametrize("minutes", [15, 30, 60])
async def test_every_tick_is_seen_once(context: Context, minutes: int) -> None:
    async with served(galaxy(tick_rate=minutes)) as server:
        game = await begun(context, server)
        await game.watch(7 + 48)
        assert await game.ticks() == list(range(7, 56))
        assert server.asked["123"] == 49
        assert owners(await game.history()) == expected(game.universe, list(range(7, 56)))


@pytest.mark.parametrize(
    "change", [{"tick_rate": 180}, {"paused": True}, {"turn_based": True}, {"tick_rate": 0}]
)
async def test_slow_games_are_asked_for_once_an_hour(
    context: Context, change: dict[str, object]
) -> None:
    async with served(galaxy()) as server:
        game = await begun(context, server)
        game.hosted.change = change
        await game.look()
        waits = []
        for _ in range(6):
            waits.append(await game.look())
            await game.clock.advance(waits[-1])
        most = 1800 if change == {"paused": True} else 3600  # no tick is missed when it goes on
        assert max(waits) <= most
        assert sum(waits) > 4.9 * most


def test_games_are_spread_over_the_hour() -> None:
    seen = Snapshot(version=2, name="", tick=1, fragment=0.0, tick_rate_s=3600)
    for one in (seen, replace(seen, paused=True)):
        looks = sorted((timing.next_look(n, one, AT) - AT).total_seconds() for n in range(200))
        for quarter in range(3):
            assert 20 < sum(900 * quarter < s <= 900 * quarter + 900 for s in looks) < 90
        assert looks[0] > 0
        assert looks[-1] <= 3600


def test_a_tick_that_does_not_turn_is_not_asked_for_without_end() -> None:
    seen = Snapshot(version=2, name="", tick=1, fragment=1.0, tick_rate_s=3600)
    for n in range(100):
        assert timing.next_look(n, seen, AT) - AT >= timedelta(minutes=15)
    quick = replace(seen, tick_rate_s=1)
    assert timing.next_look(1, quick, AT) - AT >= timedelta(seconds=60)


async def test_it_waits_until_it_is_time_also_after_a_restart(context: Context) -> None:
    async with served(galaxy()) as server:
        game = await begun(context, server)
        due = (await game.game()).next_at
        assert due is not None
        wait = await game.look()
        assert wait == (due - game.clock.now()).total_seconds()
        assert server.asked["123"] == 1


async def test_the_site_is_down(context: Context) -> None:
    async with served(galaxy()) as server:
        game = await begun(context, server)
        await game.watch(9)
        before = await everything(context)
        server.faults.server_error = -1
        while game.universe.tick < 13:
            await game.pass_time(await game.look())
        failing = await game.game()
        assert (failing.state, failing.trouble) == ("running", "site")
        assert "does not answer" in (failing.error or "")
        assert failing.failures > 3
        assert await everything(context) == before
        server.faults.server_error = 0
        await game.look()
        assert await store.gaps(context.pool, game.game_id) == [Gap(10, 12, "site")]
        well = await game.game()
        assert (well.error, well.trouble, well.failures) == (None, None, 0)
        assert owners(await game.history()) == expected(game.universe, await game.ticks())


async def test_we_are_down(context: Context) -> None:
    async with served(galaxy()) as server:
        game = await begun(context, server)
        await game.watch(9)
        await game.pass_time(4 * 1800)
        await game.look()
        (gap,) = await store.gaps(context.pool, game.game_id)
        assert gap.reason == "down"
        assert owners(await game.history()) == expected(game.universe, await game.ticks())


async def test_both_were_down_and_what_took_longer_is_named(context: Context) -> None:
    async with served(galaxy()) as server:
        game = await begun(context, server)
        server.faults.server_error = -1
        await game.pass_time(1800)
        await game.look()
        await game.pass_time(10 * 1800)
        server.faults.server_error = 0
        await game.look()
        (gap,) = await store.gaps(context.pool, game.game_id)
        assert gap.reason == "down"


async def test_turns_take_several_ticks_at_once(context: Context) -> None:
    async with served(galaxy(turn_based=True)) as server:
        game = await begun(context, server)
        await game.clock.advance(await game.look())
        game.universe.advance(8)
        await game.look()
        assert await store.gaps(context.pool, game.game_id) == [Gap(8, 14, "turn")]


async def test_several_keys_know_more(context: Context) -> None:
    """Each player knows half of the stars; whoever has one in range is believed about it."""
    universe = galaxy()
    for star in universe.stars.values():
        star.since = 0
        star.seen_by = {1} if star.id % 2 else {2}
    universe.note()
    async with served(universe, **{KEY: 1, OTHER_KEY: 2}) as server:
        game = await begun(context, server)
        assert len((await game.history()).stars) == 10
        await game.register(OTHER_KEY)
        assert len((await game.history()).stars) == 20
        await game.watch(20)
        ticks = await game.ticks()
        assert ticks == list(range(7, 21))
        assert owners(await game.history()) == expected(universe, ticks)
        assert server.asked["123"] == 2 + 2 * 13


async def test_a_tick_that_turns_between_two_answers(context: Context) -> None:
    """Those from before it are asked for again, so that one tick is recorded, whole."""
    universe = galaxy()
    for star in universe.stars.values():
        star.since = 0
        star.seen_by = {1} if star.id % 2 else {2}
    universe.note()
    async with served(universe, **{KEY: 1, OTHER_KEY: 2}) as server:
        game = await begun(context, server)
        await game.register(OTHER_KEY)
        await game.pass_time(await game.look())
        answer, answered = universe.answer, []

        def turning(version: int = 2, player_uid: int = 1) -> dict[str, object]:
            found = answer(version, player_uid)
            answered.append(player_uid)
            if len(answered) == 1:
                universe.advance()
            return found

        universe.answer = turning  # type: ignore[method-assign]  # the game goes on meanwhile
        await game.look()
        assert len(answered) == 3
        history = await game.history()
        assert history.last_tick == universe.tick
        assert UNKNOWN not in history.at(universe.tick)
        assert [universe.stars[one.id].owner for one in history.stars] == history.at(
            universe.tick
        ).tolist()


async def test_one_of_several_keys_is_refused(context: Context) -> None:
    async with served(galaxy(), **{KEY: 1, OTHER_KEY: 2}) as server:
        game = await begun(context, server)
        await game.register(OTHER_KEY)
        del game.hosted.keys[KEY]
        await game.watch(10)
        assert (await game.game()).state == "running"
        assert await keys.counts(context.pool, [game.game_id]) == {game.game_id: (1, 1)}
        assert await game.kinds() == ["game.key_refused"]
        game.hosted.keys[NEW_KEY] = 1
        await game.register(NEW_KEY)
        assert await keys.counts(context.pool, [game.game_id]) == {game.game_id: (2, 0)}
        assert await store.gaps(context.pool, game.game_id) == []


async def test_a_new_key_is_not_lost_to_a_look_with_the_old_one(context: Context) -> None:
    """The look began before the key was given and ends after it."""
    async with served(galaxy()) as server:
        game = await begun(context, server)
        game.hosted.keys = {NEW_KEY: 1}
        before = await game.game()
        answers = await ask(game.context, before)
        await game.register(NEW_KEY)
        await scan.record(game.context, before, answers, asked_at=game.clock.now())
        assert (await game.game()).state == "running"
        assert await game.kinds() == []


async def test_the_sealing_key_is_another_one(context: Context) -> None:
    async with served(galaxy()) as server:
        game = await begun(context, server)
        path = context.settings.data_dir / FILE
        old = path.read_bytes()
        path.write_bytes(Fernet.generate_key())
        await game.watch_failing(10)
        failing = await game.game()
        assert failing.state == "running"
        assert (failing.error or "").startswith("its keys cannot be opened")
        path.write_bytes(old)  # a mistake of the operator costs the ticks meanwhile, and no key
        await game.watch(12)
        (gap,) = await store.gaps(context.pool, game.game_id)
        assert gap.reason == "key"
        path.write_bytes(Fernet.generate_key())
        assert (await game.register()).new_key
        await game.watch(14)


async def test_the_sealing_key_is_changed(context: Context) -> None:
    """A new one in front of the old one: what is used is sealed anew, then the old one can go."""
    async with served(galaxy()) as server:
        game = await begun(context, server)
        path = context.settings.data_dir / FILE
        old, new = path.read_bytes(), Fernet.generate_key()
        path.write_bytes(new + b"\n" + old)
        await game.watch(9)
        path.write_bytes(new)
        await game.watch(11)
        assert not (await game.register()).new_key
        assert len(await keys.of_game(context.pool, game.game_id)) == 1


async def test_a_game_that_vanished_once_is_there(context: Context) -> None:
    async with served(galaxy()) as server:
        game = await begun(context, server)
        server.faults.missing = scan.MISSING_MOST - 1
        await game.watch(20)
        assert await store.gaps(context.pool, game.game_id) == [Gap(8, 16, "missing")]
        assert (await game.game()).missing == 0


async def test_a_game_that_stays_away_is_gone(context: Context) -> None:
    async with served(galaxy()) as server:
        game = await begun(context, server)
        await game.watch(9)
        before = await everything(context)
        server.faults.missing = -1
        began = game.clock.now()
        while (await game.game()).open:
            await game.pass_time(await game.look())
        assert game.clock.now() - began > timedelta(hours=5)
        gone = await game.game()
        assert gone.state == "gone"
        assert gone.error == "Neptune's Pride 2 knows no game 123"
        assert await game.kinds() == ["game.gone"]
        assert not await keys.of_game(context.pool, game.game_id)
        assert await scan.targets(game.context) == []
        after = await everything(context)
        assert {name: rows for name, rows in after.items() if name != "games"} == {
            name: rows for name, rows in before.items() if name != "games"
        }


async def test_a_game_that_is_closed_while_it_is_asked_for(context: Context) -> None:
    async with served(galaxy()) as server:
        game = await begun(context, server)
        found = await game.game()
        await game.pass_time(1800)
        answers = await ask(game.context, found)
        await recording.end(context.pool, found, "finished", game.clock.now())
        before = await everything(context)
        await scan.record(game.context, found, answers, asked_at=game.clock.now())
        assert await everything(context) == before


async def test_two_that_look_at_once_record_one_state(context: Context) -> None:
    """The one with the older answer writes after the other, and nothing."""
    async with served(galaxy()) as server:
        game = await begun(context, server)
        found, asked_at = await game.game(), game.clock.now()
        older = await ask(game.context, found)
        await game.pass_time(3600)
        newer = await ask(game.context, found)
        await scan.record(game.context, found, newer, asked_at=asked_at)
        before = await everything(context)
        await scan.record(game.context, found, older, asked_at=asked_at)
        assert await everything(context) == before
