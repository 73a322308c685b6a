"""A war as if it had been recorded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import db_utils
from tests.games.wars import War

BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)
TICK = timedelta(hours=1)
ALIASES = ("Ada", "Brahe", "Curie", "Dirac", "Euler", "Fermi", "Galois", "Hypatia")


async def record(
    pool: db_utils.Pool, war: War, *, number: str = "1", name: str = "Made up", over: bool = False
) -> int:
    """Put a war into the database; returns the game's number."""
    now = BEGIN + war.ticks * TICK
    game_id: int = await pool.fetchval(
        """
        INSERT INTO games (site, number, name, version, tick, tick_rate_s, production_rate,
            start_at, total_stars, stars_for_victory, state, closed_at, next_at, scanned_at,
            seen_at, created_at, changed_at)
        VALUES ('np', $1, $2, 2, $3, 3600, 24, $4, $5, $5 / 2, $6, $7, $8, $9, $9, $4, $4)
        RETURNING id
        """,
        number,
        name,
        war.ticks,
        BEGIN,
        len(war.places),
        "finished" if over else "running",
        now if over else None,
        None if over else now + TICK,
        now,
    )
    await pool.executemany(
        "INSERT INTO game_players (game_id, uid, alias) VALUES ($1, $2, $3)",
        [
            (game_id, uid, ALIASES[uid] if uid < len(ALIASES) else f"Player {uid}")
            for uid in range(war.players)
        ],
    )
    first: dict[int, int] = {}
    for tick, star, _ in war.changes:
        first.setdefault(star, tick)
    await pool.executemany(
        "INSERT INTO game_stars VALUES ($1, $2, $3, $4, $5, $6)",
        [
            (game_id, star, f"Star{star:03}", x, y, first[star])
            for star, (x, y) in enumerate(war.places, start=1)
        ],
    )
    await pool.executemany(
        "INSERT INTO game_owners (game_id, tick, star_id, player_uid) VALUES ($1, $2, $3, $4)",
        [(game_id, *change) for change in war.changes],
    )
    await pool.execute(
        "INSERT INTO game_spans VALUES ($1, 1, $2, $3, $4)",
        game_id,
        war.ticks,
        BEGIN + TICK,
        now,
    )
    await pool.executemany(
        "INSERT INTO game_totals VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        [(game_id, *row) for row in war.totals()],
    )
    return game_id
