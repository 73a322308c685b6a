"""A film that grows with a game from the day it is registered to its end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.films.making import get, render
from tests.games.helpers import NEW_KEY, Play, expected, play, served
from tests.games.slow_map import SlowMap, Star
from tests.games.test_whole_game import universe
from vigil.context import Context
from vigil.films import kinds, work
from vigil.films.segments import store as segments
from vigil.games import filming
from vigil.games.drawing.pictures import pictures
from vigil.games.filming import options, scenery
from vigil.games.filming.options import Wishes

kinds.know(filming.KIND)

WISHES = Wishes(size="96x72", caption="none", legend=False, borders="white")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["real", "made up"])
async def test_300_ticks(context: Context, kind: str) -> None:
    """Conquests, stars that are found, ticks that are missed for want of a key, an end."""
    galaxy = universe(kind)
    begin = galaxy.tick
    async with served(galaxy) as server:
        game = await play(context, server, galaxy)
        await game.register()
        film_id = await filming.order(game.context, game.game_id, WISHES)
        await render(game.context, film_id)
        before = await closed(game, film_id)
        for until in (60, 120, 180, 240, 299):
            if until == 180:
                await without_a_key(game)
            await game.watch(begin + until)
            await bring_up_to_date(game, film_id)
            now = await closed(game, film_id)
            assert now[: len(before)] == before  # what was shown stays
            assert len(now) > len(before)
            before = now
        galaxy.game_over = True
        await game.look()
        await bring_up_to_date(game, film_id)
    film = await get(game.context, film_id)
    assert film.state == "done"
    listed = await segments.listed(game.context.pool, film_id)
    assert [one.hash for one in listed][: len(before)] == before
    assert sum(one.frames for one in listed) == 301
    assert (listed[0].first, listed[-1].last) == (begin, begin + 300)
    await as_it_happened(game, film_id)


async def without_a_key(game: Play) -> None:
    """Some ticks pass before somebody brings another key."""
    game.hosted.keys = {NEW_KEY: 1}
    await game.look()
    await game.pass_time(5 * 30 * 60)
    await game.register(NEW_KEY)


async def bring_up_to_date(game: Play, film_id: int) -> None:
    await game.clock.advance(timedelta(minutes=1).total_seconds())
    await work.look(game.context)
    await render(game.context, film_id)


async def closed(game: Play, film_id: int) -> list[str | None]:
    listed = await segments.listed(game.context.pool, film_id)
    return [one.hash for one in listed if one.closed]


async def as_it_happened(game: Play, film_id: int) -> None:
    """Pictures are those of the simulator's own game, drawn slowly."""
    film = await get(game.context, film_id)
    chosen = options.chosen(film)
    scene = await scenery.load(game.context.pool, game.game_id)
    assert scene is not None
    look = options.look(chosen, film.width, film.height, len(scene.galaxy.players))
    first, last = scene.first_tick, scene.last_tick
    drawn = [bytes(one) for one in pictures(scene.galaxy, look, first, last)]
    stars = [
        Star(star_id, float(real.x), float(real.y), min(owners), real.name, owners)
        for star_id, owners in expected(game.universe, await game.ticks()).items()
        for real in [game.universe.stars[star_id]]
    ]
    assert chosen.wishes == WISHES
    for tick in (first, first + 150, last):
        assert drawn[tick - first] == SlowMap(stars, look, tick).picture()
