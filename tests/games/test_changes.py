"""The store of changes, held against a list of whole states."""

from __future__ import annotations

import asyncio
import itertools
from datetime import timedelta

import hypothesis
from hypothesis import HealthCheck, given, strategies

import db_utils
from tests.games.helpers import AT, owners
from vigil.games import recording, store
from vigil.games.model import NOBODY, UNKNOWN, Player, SeenFleet, SeenStar, Snapshot, Totals
from vigil.games.writing import store as writing
from vigil.settings import Settings

STARS, PLAYERS = 3, 2
OWNER = strategies.sampled_from([None, NOBODY, *range(PLAYERS)])
STATE = strategies.tuples(
    strategies.integers(0, 3),  # ticks since the one before; 0: the same tick again
    strategies.dictionaries(strategies.integers(1, STARS), OWNER, max_size=STARS),
    strategies.dictionaries(strategies.integers(0, PLAYERS - 1), strategies.integers(0, 1)),
    strategies.integers(0, 2),  # where the fleet is; 0: there is none
)


def snapshot(tick: int, sky: dict[int, int | None], had: dict[int, int], fleet: int) -> Snapshot:
    return Snapshot(
        version=2,
        name="A game",
        tick=tick,
        tick_rate_s=1800,
        players=tuple(Player(uid, f"Player {uid}") for uid in range(PLAYERS)),
        totals=tuple(Totals(tick, uid, n, n, n, n, n) for uid, n in sorted(had.items())),
        stars=tuple(SeenStar(n, "", float(n), 0.0, owner) for n, owner in sorted(sky.items())),
        fleets=(SeenFleet(1, 0, float(fleet), 0.0, 5),) if fleet else (),
    )


TAKEN_BACK = [(0, {1: 0}, {0: 0}, 1), (1, {1: 1}, {0: 1}, 2), (0, {1: 0}, {0: 0}, 1)]
"""The second answer of a tick says that nothing happened after all."""


@hypothesis.example(states=TAKEN_BACK)
@hypothesis.settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(states=strategies.lists(STATE, min_size=1, max_size=8))
def test_what_is_read_is_what_was_seen(
    settings: Settings, states: list[tuple[int, dict[int, int | None], dict[int, int], int]]
) -> None:
    """Each example is a game of its own in the one database of the test."""
    asyncio.run(_recorded(settings, states))


async def _recorded(
    settings: Settings, states: list[tuple[int, dict[int, int | None], dict[int, int], int]]
) -> None:
    pool = await db_utils.create_pool(settings, "changes", size=1)
    skies: dict[int, dict[int, int]] = {}
    purses: dict[int, dict[int, int]] = {}
    places: dict[int, int] = {}
    number = await pool.fetchval("SELECT count(*)::text FROM games")
    game = await writing.create(pool, "np", number, name="A game", version=2, now=AT)
    sky: dict[int, int] = {}
    purse: dict[int, int] = {}
    tick, now = 5, AT
    for ahead, seen, had, fleet in states:
        tick, now = tick + ahead, now + timedelta(seconds=1800 * ahead)
        made = snapshot(tick, seen, had, fleet)
        assert await recording.record(pool, game.id, made, now, asked_at=now) is not None
        sky = sky | {n: owner for n, owner in seen.items() if owner is not None}
        purse = purse | had
        skies[tick], purses[tick], places[tick] = sky, purse, fleet

    history = await store.history(pool, game.id)
    for at, known in skies.items():
        whose = [known.get(star.id, UNKNOWN) for star in history.stars]
        assert history.at(at).tolist() == whose
        found = {one.player_uid: one.ships for one in await store.totals_at(pool, game.id, at)}
        assert found == purses[at]
        fleets = [one for one in await store.fleets(pool, game.id, from_tick=at, to_tick=at)]
        assert [one.x.tolist() for one in fleets] in (
            ([[float(places[at])]],) if places[at] else ([], [[]])
        )
    # changes only, and ascending
    for changes in owners(history).values():
        values = list(changes.values())
        assert list(changes) == sorted(changes)
        assert all(a != b for a, b in itertools.pairwise(values))
    rows = await store.totals(pool, game.id)
    for uid in range(PLAYERS):
        values = [one.ships for one in rows if one.player_uid == uid]
        assert all(a != b for a, b in itertools.pairwise(values))
    # every tick from the first to the last was recorded or missed
    ticks = [
        n for one in await store.spans(pool, game.id) for n in range(one.from_tick, one.to_tick + 1)
    ]
    gaps = [
        n for one in await store.gaps(pool, game.id) for n in range(one.from_tick, one.to_tick + 1)
    ]
    assert ticks == sorted(skies)
    assert sorted(ticks + gaps) == list(range(min(skies), max(skies) + 1))
    await pool.close()
