"""When a game is asked for again: once in each of its ticks, and at least once an hour.

Each game has a share of its own, 0 to 0.8, at which it is asked in every tick, or hour, so that
games whose ticks turn at the same moment are spread.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from vigil.games.model import Game, Snapshot

HOUR_S = 3600.0
SOONEST_S = 60.0
SETTLE_S = 5.0
"""A tick that has just turned is still being counted."""


def share(game_id: int) -> float:
    """Where in a tick or hour a game is asked for, 0 to 0.8."""
    digest = hashlib.sha256(f"game:{game_id}".encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32 * 0.8


def next_look(game_id: int, seen: Snapshot, now: datetime) -> datetime:
    """When to ask again after this answer.

    While the game goes on: in the next tick, at the moment of the game's own. Else (paused, not
    begun, in turns) once an hour, or once in what would be a tick if that is shorter.
    """
    tick_s = float(seen.tick_rate_s)
    if seen.started and not seen.paused and not seen.turn_based and tick_s > 0:
        mine = SETTLE_S + share(game_id) * max(0.0, tick_s - SETTLE_S)
        this_tick = mine - seen.fragment * tick_s
        # Where the tick should have turned and has not, asking more often would not turn it.
        next_tick = max(this_tick + tick_s, tick_s / 4, SOONEST_S)
        if next_tick <= HOUR_S:
            return now + timedelta(seconds=next_tick)
        # This tick is known, but its moment is within the hour, and brings the game back to it.
        wait = this_tick if SOONEST_S <= this_tick <= HOUR_S else HOUR_S
        return now + timedelta(seconds=wait)
    period = min(HOUR_S, tick_s) if tick_s > 0 and not seen.turn_based else HOUR_S
    return each(game_id, max(period, SOONEST_S), now)


def each(game_id: int, period_s: float, now: datetime) -> datetime:
    """The next moment of a game's own in every period, at least a minute from now."""
    into = now.timestamp() - share(game_id) * period_s
    wait = period_s - into % period_s
    return now + timedelta(seconds=wait if wait >= SOONEST_S else period_s)


def missed_because(game: Game, seen: Snapshot, now: datetime) -> str:
    """Why ticks since the last good answer were missed: a word of ``games.model.REASONS``.

    Where both are so, that we did not look and that looking failed, what took longer is named.
    """
    looked, good = game.scanned_at or now, game.seen_at or now
    due = game.next_at or good
    if game.trouble == "key" or (game.trouble == "missing" and game.next_at is None):
        return game.trouble  # we did not look since, but that is why
    away, failing = now - due, looked - good
    late = timedelta(seconds=max(120.0, seen.tick_rate_s / 4))
    if away > late and (game.trouble is None or away > failing):
        return "down"
    if game.trouble is not None:
        return game.trouble
    return "turn" if seen.turn_based else "fast"
