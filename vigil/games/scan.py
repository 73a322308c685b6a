"""What the scanner does for games: each that goes on is asked for and recorded, tick by tick."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import datetime, timedelta

import db_utils
from vigil import log
from vigil.context import Context
from vigil.errors import VigilError
from vigil.games import recording, store, timing
from vigil.games.asking import Answers, ask
from vigil.games.errors import AskingFailed, NoSuchGame
from vigil.games.keys import store as keys
from vigil.games.model import Game, Snapshot
from vigil.games.writing import store as writing
from vigil.loop import Target
from vigil.notifications import store as notifications

RETRY_MIN_S, RETRY_MAX_S = 60.0, 1800.0
MISSING_MOST = 6
"""Looks in a row, an hour from each other, at which its site did not know a game: it is gone."""
IDLE_S = 60.0
"""A target that has nothing to do is about to be taken off the table."""


async def targets(context: Context) -> Sequence[Target]:
    """One for each game that is recorded."""
    return [
        Target(
            key=f"game:{game.id}",
            name=f"game {game.id}",
            version=game.changed_at.isoformat(),
            run_once=functools.partial(look, context, game.id),
            on_failure=functools.partial(note_failure, context, game.id),
            retry_min_s=RETRY_MIN_S,
            retry_max_s=RETRY_MAX_S,
        )
        for game in await store.running(context.pool)
    ]


async def look(context: Context, game_id: int, *, early: bool = False) -> float:
    """Ask for a game, if it is time or ``early``, and record it; returns the seconds until next.

    Raises AskingFailed when its site did not give its state.
    """
    game = await store.get(context.pool, game_id)
    if game is None or game.state != "running":
        return IDLE_S
    now = context.clock.now()
    if not early and game.next_at is not None and game.next_at > now:
        return (game.next_at - now).total_seconds()
    try:
        answers = await ask(context, game)
    except NoSuchGame as error:
        return await _missing(context, game, error)
    await record(context, game, answers, asked_at=now)
    after = await store.get(context.pool, game_id)
    if after is None or after.next_at is None:
        return IDLE_S
    return max(0.0, (after.next_at - context.clock.now()).total_seconds())


async def record(context: Context, game: Game, answers: Answers, *, asked_at: datetime) -> None:
    """Write down what came of asking, of the game and of its keys, in one transaction."""
    now, seen = context.clock.now(), answers.seen
    async with db_utils.transaction(context.pool) as connection:
        await writing.lock(connection, game.id)  # first of all, as everybody who writes does
        refused = await keys.note(
            connection, answered=answers.answered, refused=answers.refused, now=now
        )
        if seen is None:
            if not await keys.of_game(connection, game.id, "ok"):  # none was given meanwhile
                await _need_key(connection, game, answers, now)
            return
        if refused:
            many = "a key that is" if len(refused) == 1 else f"{len(refused)} keys that are"
            await _tell(connection, game, "game.key_refused", f"has {many} no longer valid", now)
        if isinstance(seen, Snapshot):
            await recording.record(connection, game.id, seen, now, asked_at=asked_at)
        else:
            await recording.record_story(connection, game.id, seen, now, asked_at=asked_at)


async def fetch(context: Context, game_id: int) -> None:
    """Look at a game now because a person wants it; raises AskingFailed, and notes that."""
    try:
        await look(context, game_id, early=True)
    except VigilError as error:
        await note_failure(context, game_id, error, RETRY_MIN_S)
        raise


async def note_failure(context: Context, game_id: int, error: Exception, delay_s: float) -> None:
    """Write down why a game could not be asked for and when it is tried next."""
    if isinstance(error, VigilError):
        message, hint = error.message, error.hint
    else:
        message, hint = "a fault in Vigil itself", "the scanner's log says more"
    now = context.clock.now()
    await writing.note_failure(
        context.pool,
        game_id,
        error=message,
        hint=hint,
        trouble=error.trouble if isinstance(error, AskingFailed) else None,
        missing=False,
        now=now,
        next_at=now + timedelta(seconds=delay_s),
    )
    await recording.tell(context.pool, game_id)


async def _missing(context: Context, game: Game, error: NoSuchGame) -> float:
    """The site says that there is no such game: believed when it says so again and again."""
    now = context.clock.now()
    next_at = timing.each(game.id, timing.HOUR_S, now)
    async with db_utils.transaction(context.pool) as connection:
        times = await writing.note_failure(
            connection,
            game.id,
            error=error.message,
            hint=f"{game.missing + 1} times in a row; after {MISSING_MOST} it is taken for gone",
            trouble=error.trouble,
            missing=True,
            now=now,
            next_at=next_at,
        )
        if times >= MISSING_MOST and await recording.end(
            connection, game, "gone", now, error=error.message
        ):
            await _tell(connection, game, "game.gone", "is gone from its site", now)
        await recording.tell(connection, game.id)
    log.warning(f"game {game.id}", f"{error.message} ({times} of {MISSING_MOST} times)")
    return (next_at - now).total_seconds()


async def _need_key(
    connection: db_utils.Connection, game: Game, answers: Answers, now: datetime
) -> None:
    message = answers.error.message if answers.error else "it has no key"
    hint = "register the game again, with a key that is valid now"
    if await writing.need_key(connection, game.id, error=message, hint=hint, now=now):
        await _tell(connection, game, "game.needs_key", "needs a new key", now)
        await recording.tell(connection, game.id)


async def _tell(
    connection: db_utils.Connection, game: Game, kind: str, what: str, now: datetime
) -> None:
    await notifications.add(
        connection,
        kind,
        f"game:{game.id}",
        f"The game {game.name} {what}.",
        {"game": game.id, "name": game.name},
        at=now,
    )
