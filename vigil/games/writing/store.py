"""SQL that records: a state of a game goes in as what changed. Each stands in a transaction that
holds the game's row (``lock``)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import db_utils
from vigil.games.model import Game, Player, SeenFleet, SeenStar, Snapshot, Totals


async def lock(db: db_utils.Database, game_id: int) -> Game | None:
    """The game, for this transaction alone to write."""
    row = await db.fetchrow("SELECT * FROM games WHERE id = $1 FOR UPDATE", game_id)
    return Game(**row) if row else None


async def create(
    db: db_utils.Database, site: str, number: str, *, name: str, version: int, now: datetime
) -> Game:
    """Begin a game, or find the one that is there, for this transaction alone to write."""
    await db.execute(
        """
        INSERT INTO games (site, number, name, version, state, created_at, changed_at)
        VALUES ($1, $2, $3, $4, 'running', $5, $5) ON CONFLICT (site, number) DO NOTHING
        """,
        site,
        number,
        name,
        version,
        now,
    )
    row = await db.fetchrow(
        "SELECT * FROM games WHERE site = $1 AND number = $2 FOR UPDATE", site, number
    )
    assert row is not None  # noqa: S101 - it was there, or is now
    return Game(**row)


async def reopen(db: db_utils.Database, game_id: int, now: datetime) -> None:
    """A person brought the game: it is recorded from now on, whatever was before."""
    await db.execute(
        """
        UPDATE games SET state = 'running', closed_at = NULL, error = NULL, hint = NULL,
            missing = 0, changed_at = $2
        WHERE id = $1
        """,
        game_id,
        now,
    )


async def close(
    db: db_utils.Database, game_id: int, state: str, now: datetime, *, error: str | None = None
) -> bool:
    """End the recording; False when it had ended, or there is no such game."""
    done = await db.execute(
        """
        UPDATE games SET state = $2, closed_at = $3, next_at = NULL, error = $4, hint = NULL
        WHERE id = $1 AND closed_at IS NULL
        """,
        game_id,
        state,
        now,
        error,
    )
    return done == "UPDATE 1"


async def remove(db: db_utils.Database, game_id: int) -> bool:
    """Forget a game that is not recorded any more, with all that was; False when it is, or gone."""
    done = await db.execute("DELETE FROM games WHERE id = $1 AND closed_at IS NOT NULL", game_id)
    return done == "DELETE 1"


async def touch(db: db_utils.Database, game_id: int, now: datetime) -> None:
    """A person changed what is done with the game."""
    await db.execute("UPDATE games SET changed_at = $2 WHERE id = $1", game_id, now)


async def need_key(
    db: db_utils.Database, game_id: int, *, error: str, hint: str | None, now: datetime
) -> bool:
    """No key is valid any more; False when that was known, or the game is closed."""
    done = await db.execute(
        """
        UPDATE games SET state = 'needs_key', error = $2, hint = $3, trouble = 'key',
            failures = failures + 1, scanned_at = $4, next_at = NULL
        WHERE id = $1 AND state = 'running'
        """,
        game_id,
        error,
        hint,
        now,
    )
    return done == "UPDATE 1"


async def note_failure(
    db: db_utils.Database,
    game_id: int,
    *,
    error: str,
    hint: str | None,
    trouble: str | None,
    missing: bool,
    now: datetime,
    next_at: datetime,
) -> int:
    """Write down why a look failed; returns how often in a row the site did not know the game."""
    found: int | None = await db.fetchval(
        """
        UPDATE games SET error = $2, hint = $3, trouble = coalesce($4, trouble),
            failures = failures + 1, missing = CASE WHEN $5 THEN missing + 1 ELSE missing END,
            scanned_at = $6, next_at = $7
        WHERE id = $1 AND state = 'running' RETURNING missing
        """,
        game_id,
        error,
        hint,
        trouble,
        missing,
        now,
        next_at,
    )
    return found or 0


async def places(db: db_utils.Database, game_id: int) -> dict[int, tuple[float, float]]:
    """Where the known stars are."""
    rows = await db.fetch("SELECT star_id, x, y FROM game_stars WHERE game_id = $1", game_id)
    return {row["star_id"]: (row["x"], row["y"]) for row in rows}


async def current(db: db_utils.Database, game_id: int) -> dict[int, int]:
    """Whose the stars are now."""
    rows = await db.fetch(
        """
        SELECT DISTINCT ON (star_id) star_id, player_uid FROM game_owners
        WHERE game_id = $1 ORDER BY star_id, tick DESC
        """,
        game_id,
    )
    return {row["star_id"]: row["player_uid"] for row in rows}


async def describe(
    db: db_utils.Database, game_id: int, seen: Snapshot, now: datetime, next_at: datetime | None
) -> None:
    """What the game is like now, after a good answer."""
    await db.execute(
        """
        UPDATE games SET name = coalesce(nullif($2, ''), name), version = $3, tick = $4,
            tick_rate_s = $5, production_rate = $6, started = $7, paused = $8, game_over = $9,
            turn_based = $10, start_at = coalesce($11, start_at), total_stars = $12,
            stars_for_victory = $13, error = NULL, hint = NULL, trouble = NULL, failures = 0,
            missing = 0, next_at = $14, scanned_at = $15, seen_at = $15
        WHERE id = $1
        """,
        game_id,
        seen.name,
        seen.version,
        seen.tick,
        seen.tick_rate_s,
        seen.production_rate,
        seen.started,
        seen.paused,
        seen.game_over,
        seen.turn_based,
        seen.start_at,
        seen.total_stars,
        seen.stars_for_victory,
        next_at,
        now,
    )


async def cover(
    db: db_utils.Database, game_id: int, last: int | None, tick: int, reason: str, now: datetime
) -> None:
    """Note that a tick was recorded, and why those since the ``last`` one were not."""
    if last == tick:
        return
    if last is not None and tick == last + 1:
        await extend_span(db, game_id, last, tick, now)
        return
    if last is not None:
        await db.execute(
            """
            INSERT INTO game_gaps (game_id, from_tick, to_tick, reason)
            VALUES ($1, $2::integer + 1, $3::integer - 1, $4)
            """,
            game_id,
            last,
            tick,
            reason,
        )
    await add_span(db, game_id, tick, tick, now)


async def extend_span(
    db: db_utils.Database, game_id: int, last: int, tick: int, now: datetime
) -> None:
    """Note that the ticks after the ``last`` one were recorded, up to ``tick``."""
    await db.execute(
        """
        UPDATE game_spans SET to_tick = $3, to_at = greatest(to_at, $4)
        WHERE game_id = $1 AND from_tick = (SELECT max(from_tick) FROM game_spans
                                            WHERE game_id = $1 AND from_tick <= $2)
        """,
        game_id,
        last,
        tick,
        now,
    )


async def add_span(
    db: db_utils.Database, game_id: int, from_tick: int, to_tick: int, now: datetime
) -> None:
    """Note ticks that were recorded at once."""
    await db.execute(
        """
        INSERT INTO game_spans (game_id, from_tick, to_tick, from_at, to_at)
        VALUES ($1, $2, $3, $4, $4)
        """,
        game_id,
        from_tick,
        to_tick,
        now,
    )


async def add_players(db: db_utils.Database, game_id: int, seen: Sequence[Player]) -> None:
    """Add players who are new, and change what changed of the others."""
    await db.execute(
        """
        INSERT INTO game_players (game_id, uid, alias, colour, shape)
        SELECT $1, seen.* FROM unnest($2::integer[], $3::text[], $4::text[], $5::text[])
            AS seen (uid, alias, colour, shape)
        LEFT JOIN game_players AS known ON known.game_id = $1 AND known.uid = seen.uid
        WHERE (known.alias, known.colour, known.shape)
            IS DISTINCT FROM (seen.alias, seen.colour, seen.shape) OR known.uid IS NULL
        ON CONFLICT (game_id, uid) DO UPDATE
            SET alias = excluded.alias, colour = excluded.colour, shape = excluded.shape
        """,
        game_id,
        [one.uid for one in seen],
        [one.alias for one in seen],
        [one.colour for one in seen],
        [one.shape for one in seen],
    )


async def add_stars(
    db: db_utils.Database, game_id: int, stars: Sequence[SeenStar], ticks: Sequence[int]
) -> None:
    """Add stars that are new, each seen first at its tick, and names that were not known."""
    await db.execute(
        """
        INSERT INTO game_stars (game_id, star_id, name, x, y, first_tick)
        SELECT $1, seen.* FROM unnest(
            $2::integer[], $3::text[], $4::double precision[], $5::double precision[],
            $6::integer[]) AS seen (star_id, name, x, y, first_tick)
        LEFT JOIN game_stars AS known ON known.game_id = $1 AND known.star_id = seen.star_id
        WHERE known.star_id IS NULL OR (known.name = '' AND seen.name <> '')
        ON CONFLICT (game_id, star_id) DO UPDATE SET name = excluded.name
        """,
        game_id,
        [one.id for one in stars],
        [one.name for one in stars],
        [one.x for one in stars],
        [one.y for one in stars],
        list(ticks),
    )


async def add_owners(
    db: db_utils.Database, game_id: int, tick: int, seen: Sequence[tuple[int, int]]
) -> int:
    """Write whose stars are at a tick (star, player), where that is not as it was before.

    Another answer of the same tick may take back what the first one said. Returns the number of
    rows that were written.
    """
    done = await db.execute(
        """
        WITH seen AS (
            SELECT star_id, owner, (
                SELECT player_uid FROM game_owners AS old
                WHERE old.game_id = $1 AND old.star_id = one.star_id AND old.tick < $2
                ORDER BY old.tick DESC LIMIT 1
            ) AS before
            FROM unnest($3::integer[], $4::integer[]) AS one (star_id, owner)
        ), taken_back AS (
            DELETE FROM game_owners AS now USING seen
            WHERE now.game_id = $1 AND now.tick = $2 AND now.star_id = seen.star_id
                AND seen.before = seen.owner
        )
        INSERT INTO game_owners (game_id, star_id, tick, player_uid)
        SELECT $1, star_id, $2, owner FROM seen WHERE before IS DISTINCT FROM owner
        ON CONFLICT (game_id, star_id, tick) DO UPDATE SET player_uid = excluded.player_uid
            WHERE game_owners.player_uid <> excluded.player_uid
        """,
        game_id,
        tick,
        [star_id for star_id, _ in seen],
        [owner for _, owner in seen],
    )
    return int(done.split()[-1])


async def add_changes(
    db: db_utils.Database, game_id: int, changes: Sequence[tuple[int, int, int]]
) -> None:
    """Write changes of owners (tick, star, player) as they were told; known ones stay."""
    await db.execute(
        """
        INSERT INTO game_owners (game_id, tick, star_id, player_uid)
        SELECT $1, * FROM unnest($2::integer[], $3::integer[], $4::integer[])
        ON CONFLICT (game_id, star_id, tick) DO NOTHING
        """,
        game_id,
        [tick for tick, _, _ in changes],
        [star_id for _, star_id, _ in changes],
        [owner for _, _, owner in changes],
    )


async def add_totals(db: db_utils.Database, game_id: int, tick: int, seen: Sequence[Totals]) -> int:
    """Write what players have at a tick where that is not as before; returns the rows written."""
    done = await db.execute(
        """
        WITH seen AS (
            SELECT one.*, before.tick IS NOT NULL AND (
                one.stars, one.ships, one.economy, one.industry, one.science) = (
                before.stars, before.ships, before.economy, before.industry, before.science)
                AS same
            FROM unnest($3::integer[], $4::integer[], $5::integer[], $6::integer[], $7::integer[],
                $8::integer[]) AS one (player_uid, stars, ships, economy, industry, science)
            LEFT JOIN LATERAL (
                SELECT * FROM game_totals AS old
                WHERE old.game_id = $1 AND old.player_uid = one.player_uid AND old.tick < $2
                ORDER BY old.tick DESC LIMIT 1
            ) AS before ON true
        ), taken_back AS (
            DELETE FROM game_totals AS now USING seen
            WHERE now.game_id = $1 AND now.tick = $2 AND now.player_uid = seen.player_uid
                AND seen.same
        )
        INSERT INTO game_totals
            (game_id, tick, player_uid, stars, ships, economy, industry, science)
        SELECT $1, $2, player_uid, stars, ships, economy, industry, science
        FROM seen WHERE NOT same
        ON CONFLICT (game_id, tick, player_uid) DO UPDATE SET stars = excluded.stars,
            ships = excluded.ships, economy = excluded.economy, industry = excluded.industry,
            science = excluded.science
        WHERE (game_totals.stars, game_totals.ships, game_totals.economy, game_totals.industry,
            game_totals.science) <> (excluded.stars, excluded.ships, excluded.economy,
            excluded.industry, excluded.science)
        """,
        game_id,
        tick,
        [one.player_uid for one in seen],
        [one.stars for one in seen],
        [one.ships for one in seen],
        [one.economy for one in seen],
        [one.industry for one in seen],
        [one.science for one in seen],
    )
    return int(done.split()[-1])


async def add_fleets(
    db: db_utils.Database, game_id: int, tick: int, fleets: Sequence[SeenFleet]
) -> None:
    """Write the fleets of a tick, unless they are as they were before."""
    arrays: tuple[list[Any], ...] = (
        [one.id for one in fleets],
        [one.owner for one in fleets],
        [one.x for one in fleets],
        [one.y for one in fleets],
        [one.ships for one in fleets],
    )
    await db.execute(
        """
        WITH before AS (
            SELECT * FROM game_fleets WHERE game_id = $1 AND tick < $2 ORDER BY tick DESC LIMIT 1
        ), same AS (
            SELECT coalesce(
                (SELECT (ids, owners, xs, ys, ships)
                    = ($3::integer[], $4::smallint[], $5::real[], $6::real[], $7::integer[])
                 FROM before), $3::integer[] = '{}') AS same
        ), taken_back AS (
            DELETE FROM game_fleets WHERE game_id = $1 AND tick = $2 AND (SELECT same FROM same)
        )
        INSERT INTO game_fleets (game_id, tick, ids, owners, xs, ys, ships)
        SELECT $1, $2, $3, $4, $5, $6, $7 FROM same WHERE NOT same
        ON CONFLICT (game_id, tick) DO UPDATE SET ids = excluded.ids, owners = excluded.owners,
            xs = excluded.xs, ys = excluded.ys, ships = excluded.ships
        """,
        game_id,
        tick,
        *arrays,
    )
