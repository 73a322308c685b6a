"""SQL that reads recorded games. What writes them: writing/store.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import db_utils
from vigil.games.model import (
    Coverage,
    Fleets,
    Game,
    Gap,
    History,
    Player,
    Span,
    Star,
    Taken,
    Totals,
)

MOST_TICKS = 2**31 - 1


async def get(db: db_utils.Database, game_id: int) -> Game | None:
    """One game."""
    row = await db.fetchrow("SELECT * FROM games WHERE id = $1", game_id)
    return Game(**row) if row else None


async def by_number(db: db_utils.Database, site: str, number: str) -> Game | None:
    """The game of a site that has this number there."""
    row = await db.fetchrow("SELECT * FROM games WHERE site = $1 AND number = $2", site, number)
    return Game(**row) if row else None


async def running(db: db_utils.Database) -> list[Game]:
    """Those that the scanner looks at."""
    rows = await db.fetch("SELECT * FROM games WHERE state = 'running' ORDER BY id")
    return [Game(**row) for row in rows]


async def states(db: db_utils.Database) -> dict[str, int]:
    """How many games there are in each state."""
    rows = await db.fetch("SELECT state, count(*) AS games FROM games GROUP BY state")
    return {row["state"]: row["games"] for row in rows}


async def page(
    db: db_utils.Database,
    *,
    after: tuple[bool, int] | None = None,
    limit: int = 50,
) -> list[Game]:
    """Games: those that are recorded first, then finished and gone ones; the newest first.

    ``after`` is (closed, id) of the last one that was shown.
    """
    rows = await db.fetch(
        """
        SELECT * FROM games
        WHERE $1::boolean IS NULL OR (closed_at IS NOT NULL, -id) > ($1, -$2::bigint)
        ORDER BY closed_at IS NOT NULL, -id LIMIT $3
        """,
        after[0] if after else None,
        after[1] if after else 0,
        limit,
    )
    return [Game(**row) for row in rows]


async def players(db: db_utils.Database, game_id: int) -> list[Player]:
    """Who plays, by uid."""
    rows = await db.fetch(
        "SELECT uid, alias, colour, shape FROM game_players WHERE game_id = $1 ORDER BY uid",
        game_id,
    )
    return [Player(**row) for row in rows]


async def stars(db: db_utils.Database, game_id: int) -> list[Star]:
    """The known stars, by id."""
    rows = await db.fetch(
        """
        SELECT star_id, name, x, y, first_tick FROM game_stars
        WHERE game_id = $1 ORDER BY star_id
        """,
        game_id,
    )
    return [Star(*row) for row in rows]


async def history(db: db_utils.Database, game_id: int) -> History:
    """Everything that is known of who owned what; empty when nothing is, or there is no game."""
    row = await db.fetchrow(_HISTORY, game_id)  # one statement, so all of it is of one moment
    assert row is not None  # noqa: S101 - aggregates always have a row
    return History(
        stars=tuple(Star(*one) for one in row["stars"]),
        players=tuple(Player(*one) for one in row["players"]),
        ticks=np.array(row["ticks"], np.int32),
        changed=np.array(row["places"], np.int32),
        owners=np.array(row["owners"], np.int32),
        first_tick=row["first"],
        last_tick=row["last"],
    )


_HISTORY = """
    WITH star AS (
        SELECT *, (row_number() OVER (ORDER BY star_id) - 1)::integer AS place
        FROM game_stars WHERE game_id = $1
    ), change AS (
        SELECT coalesce(array_agg(tick ORDER BY tick, place), '{}') AS ticks,
            coalesce(array_agg(place ORDER BY tick, place), '{}') AS places,
            coalesce(array_agg(player_uid ORDER BY tick, place), '{}') AS owners
        FROM game_owners JOIN star USING (game_id, star_id) WHERE game_id = $1
    ), sky AS (
        SELECT coalesce(array_agg((star_id, star.name, x, y, first_tick) ORDER BY place), '{}')
            AS stars
        FROM star
    ), party AS (
        SELECT coalesce(array_agg((uid, alias, colour, shape) ORDER BY uid), '{}') AS players
        FROM game_players WHERE game_id = $1
    ), ends AS (
        SELECT coalesce(min(from_tick), 0) AS first, coalesce(max(to_tick), 0) AS last
        FROM game_spans WHERE game_id = $1
    )
    SELECT * FROM change, sky, party, ends
"""


async def totals(
    db: db_utils.Database, game_id: int, *, from_tick: int = 0, to_tick: int = MOST_TICKS
) -> list[Totals]:
    """What the players have: the changes in a span of ticks, by (tick, player)."""
    rows = await db.fetch(
        """
        SELECT tick, player_uid, stars, ships, economy, industry, science FROM game_totals
        WHERE game_id = $1 AND tick BETWEEN $2 AND $3 ORDER BY tick, player_uid
        """,
        game_id,
        from_tick,
        to_tick,
    )
    return [Totals(*row) for row in rows]


async def totals_at(db: db_utils.Database, game_id: int, tick: int) -> list[Totals]:
    """What each player has at a tick, by player; those of whom nothing was known then are left
    out."""
    rows = await db.fetch(
        """
        SELECT last.* FROM game_players AS player CROSS JOIN LATERAL (
            SELECT tick, player_uid, stars, ships, economy, industry, science FROM game_totals
            WHERE game_id = $1 AND player_uid = player.uid AND tick <= $2
            ORDER BY tick DESC LIMIT 1
        ) AS last
        WHERE player.game_id = $1 ORDER BY player.uid
        """,
        game_id,
        tick,
    )
    return [Totals(*row) for row in rows]


async def events(
    db: db_utils.Database,
    game_id: int,
    *,
    before: tuple[int, int] | None = None,
    star_id: int | None = None,
    player_uid: int | None = None,
    limit: int = 100,
) -> list[Taken]:
    """Stars that changed hands, the latest first.

    Args:
        db: a connection, or the pool.
        game_id: of which game.
        before: (tick, star) of the last one that was shown.
        star_id: of one star only.
        player_uid: only what this player took or lost.
        limit: how many at most.
    """
    rows = await db.fetch(
        """
        SELECT tick, star_id, name, from_uid, to_uid FROM (
            SELECT tick, star_id, player_uid AS to_uid,
                lag(player_uid) OVER (PARTITION BY star_id ORDER BY tick) AS from_uid
            FROM game_owners WHERE game_id = $1 AND ($4::integer IS NULL OR star_id = $4)
        ) AS changes JOIN game_stars USING (star_id)
        WHERE game_id = $1 AND from_uid IS NOT NULL
            AND ($2::integer IS NULL OR (tick, -star_id) < ($2, -$3::integer))
            AND ($5::integer IS NULL OR $5 IN (from_uid, to_uid))
        ORDER BY tick DESC, star_id LIMIT $6
        """,
        game_id,
        before[0] if before else None,
        before[1] if before else 0,
        star_id,
        player_uid,
        limit,
    )
    return [Taken(*row) for row in rows]


async def spans(db: db_utils.Database, game_id: int) -> list[Span]:
    """The recorded ticks, in order."""
    rows = await db.fetch(
        """
        SELECT from_tick, to_tick, from_at, to_at FROM game_spans
        WHERE game_id = $1 ORDER BY from_tick
        """,
        game_id,
    )
    return [Span(*row) for row in rows]


async def gaps(db: db_utils.Database, game_id: int) -> list[Gap]:
    """The missed ticks between recorded ones, in order."""
    rows = await db.fetch(
        """
        SELECT from_tick, to_tick, reason FROM game_gaps WHERE game_id = $1 ORDER BY from_tick
        """,
        game_id,
    )
    return [Gap(*row) for row in rows]


async def coverage(db: db_utils.Database, game_ids: Sequence[int]) -> dict[int, Coverage]:
    """How much was recorded of each of these games."""
    rows = await db.fetch(
        """
        SELECT id,
            (SELECT min(from_tick) FROM game_spans WHERE game_id = id) AS first_tick,
            (SELECT max(to_tick) FROM game_spans WHERE game_id = id) AS last_tick,
            (SELECT coalesce(sum(to_tick - from_tick + 1), 0)::bigint
             FROM game_spans WHERE game_id = id) AS recorded,
            (SELECT coalesce(sum(to_tick - from_tick + 1), 0)::bigint
             FROM game_gaps WHERE game_id = id) AS missed,
            (SELECT count(*) FROM game_players WHERE game_id = id) AS players,
            (SELECT count(*) FROM game_stars WHERE game_id = id) AS stars
        FROM games WHERE id = ANY ($1::bigint[])
        """,
        list(game_ids),
    )
    return {row["id"]: Coverage(**{name: row[name] for name in Coverage.__slots__}) for row in rows}


async def fleets(
    db: db_utils.Database, game_id: int, *, from_tick: int = 0, to_tick: int = MOST_TICKS
) -> list[Fleets]:
    """The fleets in a span of ticks: each holds from its tick on until the next one's.

    The one that holds at ``from_tick`` already is the first, if there is one.
    """
    rows = await db.fetch(
        """
        SELECT tick, ids, owners, xs, ys, ships FROM game_fleets
        WHERE game_id = $1 AND tick <= $3 AND tick >= coalesce(
            (SELECT max(tick) FROM game_fleets WHERE game_id = $1 AND tick <= $2), $2)
        ORDER BY tick
        """,
        game_id,
        from_tick,
        to_tick,
    )
    return [_fleets(row) for row in rows]


def _fleets(row: Any) -> Fleets:
    return Fleets(
        tick=row["tick"],
        ids=np.array(row["ids"], np.int32),
        owners=np.array(row["owners"], np.int32),
        x=np.array(row["xs"], np.float32),
        y=np.array(row["ys"], np.float32),
        ships=np.array(row["ships"], np.int32),
    )
