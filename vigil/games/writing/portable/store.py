"""SQL of whole games: all rows out, all rows in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import db_utils

_ALL = """
    WITH player AS (
        SELECT coalesce(array_agg((uid, alias, colour, shape) ORDER BY uid), '{}') AS players
        FROM game_players WHERE game_id = $1
    ), star AS (
        SELECT coalesce(array_agg((star_id, name, x, y, first_tick) ORDER BY star_id), '{}')
            AS stars
        FROM game_stars WHERE game_id = $1
    ), owner AS (
        SELECT coalesce(array_agg((tick, star_id, player_uid) ORDER BY tick, star_id), '{}')
            AS owners
        FROM game_owners WHERE game_id = $1
    ), total AS (
        SELECT coalesce(array_agg(
            (tick, player_uid, stars, ships, economy, industry, science)
            ORDER BY tick, player_uid), '{}') AS totals
        FROM game_totals WHERE game_id = $1
    ), span AS (
        SELECT coalesce(array_agg((from_tick, to_tick, from_at, to_at) ORDER BY from_tick), '{}')
            AS spans
        FROM game_spans WHERE game_id = $1
    ), gap AS (
        SELECT coalesce(array_agg((from_tick, to_tick, reason) ORDER BY from_tick), '{}') AS gaps
        FROM game_gaps WHERE game_id = $1
    ), fleet AS (
        SELECT coalesce(
            jsonb_agg(jsonb_build_array(tick, ids, owners, xs, ys, ships) ORDER BY tick), '[]')
            AS fleets
        FROM game_fleets WHERE game_id = $1
    )
    SELECT games.*, player.*, star.*, owner.*, total.*, span.*, gap.*, fleet.*
    FROM games, player, star, owner, total, span, gap, fleet WHERE id = $1
"""


async def read(db: db_utils.Database, game_id: int) -> dict[str, Any] | None:
    """A game's row and all rows that hang on it, of one moment; ``None`` when there is none.

    Fleets are (tick, [(id, player, x, y, ships), …]).
    """
    row = await db.fetchrow(_ALL, game_id)
    if row is None:
        return None
    found = {
        name: [tuple(one) for one in value] if isinstance(value, list) else value
        for name, value in row.items()
    }
    found["fleets"] = [(tick, list(zip(*arrays, strict=True))) for tick, *arrays in found["fleets"]]
    return found


async def create(db: db_utils.Database, about: Mapping[str, Any], now: datetime) -> int | None:
    """Make the row of a game; ``None`` when there is one."""
    made: int | None = await db.fetchval(
        """
        INSERT INTO games (site, number, name, version, tick, tick_rate_s, production_rate, started,
            paused, game_over, turn_based, start_at, total_stars, stars_for_victory, state,
            closed_at, seen_at, created_at, error, hint, trouble, changed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
            $19, $20, $21, $22)
        ON CONFLICT (site, number) DO NOTHING RETURNING id
        """,
        *(about[name] for name in COLUMNS),
        now,
    )
    return made


COLUMNS = (
    "site",
    "number",
    "name",
    "version",
    "tick",
    "tick_rate_s",
    "production_rate",
    "started",
    "paused",
    "game_over",
    "turn_based",
    "start_at",
    "total_stars",
    "stars_for_victory",
    "state",
    "closed_at",
    "seen_at",
    "created_at",
    "error",
    "hint",
    "trouble",
)
"""Of a game, in the order in which ``create`` writes them."""


async def write(db: db_utils.Database, game_id: int, rows: Mapping[str, Sequence[Any]]) -> None:
    """Write all rows of a new game, as ``read`` gives them."""
    async with db_utils.transaction(db) as connection:
        for table, columns in TABLES.items():
            await connection.copy_records_to_table(
                table,
                columns=("game_id", *columns),
                records=((game_id, *one) for one in rows[table.removeprefix("game_")]),
            )
        await connection.copy_records_to_table(
            "game_fleets",
            columns=("game_id", "tick", "ids", "owners", "xs", "ys", "ships"),
            records=(
                (game_id, tick, *(map(list, zip(*fleets, strict=True)) if fleets else [[]] * 5))
                for tick, fleets in rows["fleets"]
            ),
        )


TABLES = {
    "game_players": ("uid", "alias", "colour", "shape"),
    "game_stars": ("star_id", "name", "x", "y", "first_tick"),
    "game_owners": ("tick", "star_id", "player_uid"),
    "game_totals": (
        "tick",
        "player_uid",
        "stars",
        "ships",
        "economy",
        "industry",
        "science",
    ),
    "game_spans": ("from_tick", "to_tick", "from_at", "to_at"),
    "game_gaps": ("from_tick", "to_tick", "reason"),
}
