"""Forgets a game that is not recorded any more."""

from __future__ import annotations

import db_utils
from vigil.errors import Conflict
from vigil.games import filming
from vigil.games.model import Game
from vigil.games.writing import store


async def forget(db: db_utils.Database, game: Game) -> None:
    """Remove a game and all that was recorded of it; raises Conflict.

    Its films come first: they are drawn from what was recorded.
    """
    films = await filming.films_of(db, game.id)
    if films:
        several = f"{len(films)} films show it" if len(films) > 1 else "a film shows it"
        raise Conflict(several, hint="delete its films first, or keep the game")
    if not await store.remove(db, game.id):
        raise Conflict("it is recorded again by now", hint="end the recording first")
