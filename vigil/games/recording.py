"""An answer becomes rows, in one transaction: all of it, as what changed, or nothing.

Before that it is held against what is known of the game. What cannot be a later state of the same
game is refused, so that no answer, however it came about, changes what was recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import db_utils
from vigil import events
from vigil.games import timing
from vigil.games.errors import BadAnswer
from vigil.games.keys import store as keys
from vigil.games.model import SITES, Game, Player, SeenStar, Snapshot, Story
from vigil.games.writing import store
from vigil.notifications import store as notifications

FASTEST_TICK_S = 10.0
AT_ONCE = {"np": 240, "np4": 240, "np2stats": 5000}
"""A game in turns goes on by several ticks at once, and a story by all in which no star fell."""
SAME_PLACE = 1e-3
"""In the game's units; no two stars are so close."""


async def record(
    db: db_utils.Database, game_id: int, seen: Snapshot, now: datetime, *, asked_at: datetime
) -> Game | None:
    """Record a state of a game that was asked for at ``asked_at`` and came ``now``.

    Returns the game as it was just before; ``None`` when it is closed, or when somebody else who
    asked meanwhile was told of a later tick, and nothing was written. Raises BadAnswer.
    """
    async with db_utils.transaction(db) as connection:
        game = await store.lock(connection, game_id)
        if game is None or not game.open or _overtaken(game, seen.tick, asked_at):
            return None
        known = await store.places(connection, game_id)
        check(game, seen.tick, seen.stars, known, now)
        next_at = None if seen.game_over else timing.next_look(game_id, seen, now)
        why = timing.missed_because(game, seen, now)
        await store.add_players(connection, game_id, seen.players)
        await store.add_stars(connection, game_id, seen.stars, [seen.tick] * len(seen.stars))
        owners = [(star.id, star.owner) for star in seen.stars if star.owner is not None]
        await store.add_owners(connection, game_id, seen.tick, owners)
        await store.add_totals(connection, game_id, seen.tick, seen.totals)
        await store.add_fleets(connection, game_id, seen.tick, seen.fleets)
        await store.cover(connection, game_id, game.tick, seen.tick, why, now)
        await store.describe(connection, game_id, seen, now, next_at)
        if seen.game_over:
            await _finish(connection, game, now, _standing(seen))
        await tell(connection, game_id)
    return game


async def record_story(
    db: db_utils.Database, game_id: int, story: Story, now: datetime, *, asked_at: datetime
) -> Game | None:
    """Record what another recorder tells of a game; as ``record``.

    What is known already stays as it is: only later ticks, and stars that are new, are added.
    """
    async with db_utils.transaction(db) as connection:
        game = await store.lock(connection, game_id)
        if game is None or not game.open or _overtaken(game, story.tick, asked_at):
            return None
        known = await store.places(connection, game_id)
        check(game, story.tick, story.stars, known, now)
        if lost := known.keys() - {star.id for star in story.stars}:
            raise BadAnswer(f"{SITES[game.site]} lost {len(lost)} stars that it knew")
        last = -1 if game.tick is None else game.tick
        new = (one for one in story.owners if one[0] > last or one[1] not in known)
        changes = list(_changes(new, await store.current(connection, game_id)))
        first: dict[int, int] = {}
        for tick, star_id, _ in story.owners:
            first.setdefault(star_id, tick)
        players = {owner for _, _, owner in story.owners if owner >= 0}
        await store.add_players(connection, game_id, [Player(uid, "") for uid in sorted(players)])
        ticks = [first.get(star.id, story.tick) for star in story.stars]
        await store.add_stars(connection, game_id, story.stars, ticks)
        await store.add_changes(connection, game_id, changes)
        if game.tick is None:
            begin = min(first.values(), default=0)
            await store.add_span(connection, game_id, begin, story.tick, now)
        else:  # they recorded what lies between
            await store.extend_span(connection, game_id, game.tick, story.tick, now)
        seen = Snapshot(
            version=2,
            name=story.name,
            tick=story.tick,
            game_over=story.game_over,
            total_stars=len(story.stars),
        )
        next_at = None if story.game_over else timing.each(game_id, timing.HOUR_S, now)
        await store.describe(connection, game_id, seen, now, next_at)
        if story.game_over:
            await _finish(connection, game, now, "")
        await tell(connection, game_id)
    return game


def check(
    game: Game,
    tick: int,
    stars: Iterable[SeenStar],
    known: Mapping[int, tuple[float, float]],
    now: datetime,
) -> None:
    """Raise BadAnswer where this cannot be a later state of the game."""
    site = SITES[game.site]
    if game.tick is not None:
        if tick < game.tick:
            raise BadAnswer(
                f"{site} sent tick {tick}, but tick {game.tick} was recorded",
                hint="an answer that is older than what is known is not recorded",
            )
        passed_s = max(0.0, (now - (game.seen_at or game.created_at)).total_seconds())
        if tick - game.tick > AT_ONCE[game.site] + passed_s / FASTEST_TICK_S:
            raise BadAnswer(f"{site} sent tick {tick}, more than can have passed since {game.tick}")
    both = [(known[star.id], (star.x, star.y)) for star in stars if star.id in known]
    moved = sum(max(abs(a[0] - b[0]), abs(a[1] - b[1])) > SAME_PLACE for a, b in both)
    if moved * 2 > len(both):
        raise BadAnswer(
            f"{site} sent another game: {moved} of {len(both)} stars are elsewhere",
            hint="has the number been given to a new game?",
        )


async def end(
    db: db_utils.Database, game: Game, state: str, now: datetime, *, error: str | None = None
) -> bool:
    """Stop recording a game, keep what there is, and forget its keys; False when it had ended."""
    async with db_utils.transaction(db) as connection:
        if not await store.close(connection, game.id, state, now, error=error):
            return False
        await keys.forget(connection, game.id)
        await tell(connection, game.id)
    return True


async def tell(db: db_utils.Database, game_id: int) -> None:
    """Notify the topic ``games`` that one of them changed."""
    await events.notify(db, "games", id=game_id)


def _overtaken(game: Game, tick: int, asked_at: datetime) -> bool:
    later = game.seen_at is not None and game.seen_at > asked_at
    return later and game.tick is not None and tick < game.tick


def _changes(
    owners: Iterable[tuple[int, int, int]], before: Mapping[int, int]
) -> Iterable[tuple[int, int, int]]:
    """(tick, star, player), sorted, without what says the same again.

    ``before`` is whose each star was.
    """
    last = dict(before)
    for tick, star_id, owner in owners:
        if last.get(star_id) != owner:
            last[star_id] = owner
            yield tick, star_id, owner


async def _finish(
    connection: db_utils.Connection, game: Game, now: datetime, standing: str
) -> None:
    await store.close(connection, game.id, "finished", now)
    await keys.forget(connection, game.id)
    await notifications.add(
        connection,
        "game.finished",
        f"game:{game.id}",
        f"The game {game.name} is finished{standing}.",
        {"game": game.id, "name": game.name},
        at=now,
    )


def _standing(seen: Snapshot) -> str:
    best = max(seen.totals, key=lambda one: one.stars, default=None)
    names = {who.uid: who.alias for who in seen.players}
    if best is None or not names.get(best.player_uid):
        return ""
    return f": {names[best.player_uid]} has {best.stars} of {seen.total_stars} stars"
