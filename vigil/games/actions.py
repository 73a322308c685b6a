"""What can be done with a game now, and why not the rest: the same on pages and in the API."""

from __future__ import annotations

from vigil.games.model import Game

Actions = dict[str, str | None]
"""Name → ``None`` when it can be done, else the reason in words."""


def actions(game: Game, *, admin: bool) -> Actions:
    """For a game, as the one who asks may do it."""
    signed_out = None if admin else "only an admin can do this"
    over = "the game is finished" if game.game_over else None
    ended = {
        "finished": over or "its recording was ended already",
        "gone": "the game is gone from its site",
    }.get(game.state)
    nothing = "nothing was recorded yet" if game.tick is None else None
    waits = "no key is valid: give it a new one" if game.state == "needs_key" else None
    return {
        "key": signed_out or over,
        "fetch": signed_out or ended or waits,
        "close": signed_out or ended,
        "delete": signed_out or (None if ended or over else "end the recording first"),
        "export": nothing,
        "film": signed_out or nothing,
    }
