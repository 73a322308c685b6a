"""A game from the day it is registered to its end: what is recorded is what happened."""

from __future__ import annotations

import pytest

from tests.games.helpers import (
    NEW_KEY,
    Play,
    expected,
    expected_totals,
    owners,
    play,
    real_answer,
    served,
    totals,
)
from tests.servers.universe import Universe
from vigil.context import Context
from vigil.games import store
from vigil.games.model import Gap


def universe(kind: str) -> Universe:
    if kind == "made up":
        return Universe.made_up(60, 4, tick=149)
    found = real_answer()
    if found is None:
        pytest.skip("no real answer is here; NEPTUNES_PRIDE_ANSWER may name one")
    return Universe.from_answer(found)


@pytest.mark.parametrize("version", [2, 4])
@pytest.mark.parametrize("kind", ["real", "made up"])
async def test_300_ticks(context: Context, kind: str, version: int) -> None:
    """Conquests, stars that are found, a key that changes, an end."""
    galaxy = universe(kind)
    begin = galaxy.tick
    async with served(galaxy, version) as server:
        game = await play(context, server, galaxy)
        done = await game.register()
        assert (done.fresh, done.new_key, done.game.tick) == (True, True, begin)
        assert done.game.version == version
        first_stars = len((await game.history()).stars)

        await game.watch(begin + 100)
        game.hosted.keys = {NEW_KEY: 1}
        await game.look()
        stopped = await game.game()
        assert (stopped.state, stopped.closed_at) == ("needs_key", None)
        assert "does not know this key" in (stopped.error or "")
        assert await game.kinds() == ["game.needs_key"]

        await game.pass_time(5 * 30 * 60)
        again = await game.register(NEW_KEY)
        assert (again.fresh, again.new_key, again.reopened) == (False, True, True)
        assert again.game.state == "running"

        await game.watch(begin + 299)
        galaxy.game_over = True
        await game.look()
        await the_end(game, begin, first_stars)


async def the_end(game: Play, begin: int, first_stars: int) -> None:
    galaxy = game.universe
    closed = await game.game()
    assert (closed.state, closed.game_over, closed.next_at) == ("finished", True, None)
    assert closed.tick == galaxy.tick == begin + 300
    assert await game.context.pool.fetchval("SELECT count(*) FROM game_keys") == 0
    assert await game.kinds() == ["game.needs_key", "game.needs_key.over", "game.finished"]

    ticks = await game.ticks()
    (gap,) = await store.gaps(game.context.pool, game.game_id)
    assert gap == Gap(begin + 101, gap.to_tick, "key")
    assert 4 <= gap.to_tick - gap.from_tick <= 6
    missed = range(gap.from_tick, gap.to_tick + 1)
    assert ticks == [tick for tick in range(begin, begin + 301) if tick not in missed]

    history = await game.history()
    assert owners(history) == expected(galaxy, ticks)
    assert await totals(game) == expected_totals(galaxy, ticks)
    assert len(history.stars) == len(galaxy.stars) > first_stars
    for star in history.stars:
        real = galaxy.stars[star.id]
        assert (star.name, star.x, star.y) == (real.name, float(real.x), float(real.y))
        assert star.first_tick == min(owners(history)[star.id])
    for place, star in enumerate(history.stars):
        assert history.at(galaxy.tick)[place] == galaxy.stars[star.id].owner
    assert [who.alias for who in history.players] == [
        who["alias"] for who in galaxy.players.values()
    ]
    (last,) = await store.fleets(game.context.pool, game.game_id, from_tick=galaxy.tick)
    assert last.ids.tolist() == sorted(galaxy.fleets)
    assert last.x.tolist() == pytest.approx([one.x for one in galaxy.fleets.values()], abs=1e-5)
    # once in each tick, and no more
    assert game.looks <= 300 + 10


async def test_no_key_is_anywhere_in_the_open(
    context: Context, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither in a table, nor in what is logged when things go wrong."""
    galaxy = Universe.made_up(10, 2)
    async with served(galaxy, **{"SECRETkey42": 1}) as server:
        game = await play(context, server, galaxy)
        await game.register("SECRETkey42")
        game.hosted.keys = {}
        await game.look()
        server.faults.html = 1
        await game.look()
        tables = await context.pool.fetch(
            "SELECT tablename AS relname FROM pg_tables WHERE schemaname = 'public'"
        )
        for row in tables:
            rows = await context.pool.fetch(f"SELECT t::text FROM {row['relname']} AS t")
            assert not [one for one in rows if "SECRETkey42" in one[0]]
            assert not [one for one in rows if b"SECRETkey42".hex() in one[0]]
    assert "SECRETkey42" not in capfd.readouterr().err
