"""What is read of a recorded game, from rows as the scanner writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import db_utils
from vigil.games import store
from vigil.games.model import NOBODY, UNKNOWN, Gap, Player, Star, Taken, Totals

AT = datetime(2026, 5, 1, tzinfo=UTC)


async def a_game(pool: db_utils.Pool, number: str = "1", *, closed: bool = False) -> int:
    game_id: int = await pool.fetchval(
        """
        INSERT INTO games (site, number, name, version, state, closed_at, created_at, changed_at)
        VALUES ('np', $1, 'A game', 2, $2, $3, $4, $4) RETURNING id
        """,
        number,
        "finished" if closed else "running",
        AT if closed else None,
        AT,
    )
    return game_id


async def filled(pool: db_utils.Pool) -> int:
    """Two stars and a third that is seen from tick 12 on; ticks 13 and 14 were missed."""
    game_id = await a_game(pool)
    await pool.executemany(
        "INSERT INTO game_players VALUES ($1, $2, $3, $4, $5)",
        [(game_id, 0, "Ada", None, None), (game_id, 1, "Bo", "3", "1")],
    )
    await pool.executemany(
        "INSERT INTO game_stars VALUES ($1, $2, $3, $4, $5, $6)",
        [
            (game_id, 5, "Far", 1.0, 2.0, 12),
            (game_id, 1, "Sun", 0.0, 0.0, 10),
            (game_id, 2, "Moon", -1.0, 0.5, 10),
        ],
    )
    await pool.executemany(
        "INSERT INTO game_owners VALUES ($1, $2, $3, $4)",
        [
            (game_id, 1, 10, 0),
            (game_id, 2, 10, NOBODY),
            (game_id, 5, 12, 1),
            (game_id, 2, 12, 0),
            (game_id, 2, 15, 1),
        ],
    )
    await pool.executemany(
        "INSERT INTO game_totals VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        [(game_id, 10, 0, 1, 9, 3, 2, 1), (game_id, 12, 0, 2, 8, 3, 2, 1)],
    )
    await pool.executemany(
        "INSERT INTO game_spans VALUES ($1, $2, $3, $4, $5)",
        [
            (game_id, 10, 12, AT, AT + timedelta(hours=2)),
            (game_id, 15, 15, AT + timedelta(hours=5), AT + timedelta(hours=5)),
        ],
    )
    await pool.execute("INSERT INTO game_gaps VALUES ($1, 13, 14, 'site')", game_id)
    await pool.executemany(
        "INSERT INTO game_fleets VALUES ($1, $2, $3, $4, $5, $6, $7)",
        [
            (game_id, 10, [7], [0], [0.5], [0.25], [30]),
            (game_id, 12, [7, 9], [0, 1], [0.5, 1], [0.5, 1], [31, -1]),
        ],
    )
    return game_id


async def test_the_history_is_whole(pool: db_utils.Pool) -> None:
    history = await store.history(pool, await filled(pool))
    assert [star.id for star in history.stars] == [1, 2, 5]
    assert history.stars[2] == Star(5, "Far", 1.0, 2.0, 12)
    assert history.players == (Player(0, "Ada"), Player(1, "Bo", "3", "1"))
    assert (history.first_tick, history.last_tick) == (10, 15)
    assert history.ticks.tolist() == [10, 10, 12, 12, 15]
    assert history.changed.tolist() == [0, 1, 1, 2, 1]
    assert history.owners.tolist() == [0, NOBODY, 0, 1, 1]
    assert history.index == {1: 0, 2: 1, 5: 2}


async def test_the_owners_at_a_tick(pool: db_utils.Pool) -> None:
    history = await store.history(pool, await filled(pool))
    assert history.at(9).tolist() == [UNKNOWN] * 3
    assert history.at(10).tolist() == history.at(11).tolist() == [0, NOBODY, UNKNOWN]
    assert history.at(14).tolist() == [0, 0, 1]
    assert history.at(99).tolist() == [0, 1, 1]


async def test_a_game_of_which_nothing_is_known_has_an_empty_history(pool: db_utils.Pool) -> None:
    history = await store.history(pool, await a_game(pool))
    assert (history.stars, history.players, history.ticks.size) == ((), (), 0)
    assert history.at(3).tolist() == []


async def test_events_are_changes_of_hands(pool: db_utils.Pool) -> None:
    game_id = await filled(pool)
    both = [Taken(15, 2, "Moon", 0, 1), Taken(12, 2, "Moon", NOBODY, 0)]
    assert await store.events(pool, game_id) == both
    assert await store.events(pool, game_id, limit=1) == both[:1]
    assert await store.events(pool, game_id, before=(15, 2)) == both[1:]
    assert await store.events(pool, game_id, star_id=1) == []
    assert await store.events(pool, game_id, player_uid=1) == both[:1]


async def test_totals_spans_gaps_and_coverage(pool: db_utils.Pool) -> None:
    game_id = await filled(pool)
    other = await a_game(pool, "2")
    assert [one.tick for one in await store.totals(pool, game_id)] == [10, 12]
    assert await store.totals(pool, game_id, from_tick=11, to_tick=12) == [
        Totals(12, 0, 2, 8, 3, 2, 1)
    ]
    assert await store.totals_at(pool, game_id, 11) == [Totals(10, 0, 1, 9, 3, 2, 1)]
    assert await store.totals_at(pool, game_id, 9) == []
    first, second = await store.spans(pool, game_id)
    assert first.at(11) == AT + timedelta(hours=1)
    assert second.at(15) == AT + timedelta(hours=5)
    assert await store.gaps(pool, game_id) == [Gap(13, 14, "site")]
    found = await store.coverage(pool, [game_id, other])
    assert found[game_id].share == 4 / 6
    assert (found[game_id].first_tick, found[game_id].last_tick) == (10, 15)
    assert (found[game_id].players, found[game_id].stars) == (2, 3)
    assert (found[other].first_tick, found[other].share) == (None, 0.0)


async def test_fleets_hold_until_the_next_ones(pool: db_utils.Pool) -> None:
    game_id = await filled(pool)
    assert [one.tick for one in await store.fleets(pool, game_id)] == [10, 12]
    (held,) = await store.fleets(pool, game_id, from_tick=11, to_tick=11)
    assert (held.tick, held.ids.tolist(), held.x.tolist()) == (10, [7], [0.5])
    assert await store.fleets(pool, game_id, to_tick=9) == []
    assert (await store.fleets(pool, game_id, from_tick=12))[0].ships.tolist() == [31, -1]


async def test_running_games_come_first_then_closed_ones(pool: db_utils.Pool) -> None:
    ids = [await a_game(pool, str(n), closed=n % 2 == 0) for n in range(6)]
    wanted = [ids[5], ids[3], ids[1], ids[4], ids[2], ids[0]]
    assert [game.id for game in await store.page(pool)] == wanted
    seen: list[int] = []
    after = None
    while games := await store.page(pool, after=after, limit=2):
        seen += [game.id for game in games]
        after = (not games[-1].open, games[-1].id)
    assert seen == wanted
    assert [game.id for game in await store.running(pool)] == [ids[1], ids[3], ids[5]]
    assert await store.by_number(pool, "np", "3") == await store.get(pool, ids[3])
    assert await store.get(pool, 10**9) is None
