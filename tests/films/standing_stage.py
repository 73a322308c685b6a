"""Standing films for the tests: made, looked after at given times, and their films finished."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.films import making
from vigil.clock import FakeClock
from vigil.context import Context
from vigil.films import work as film_work
from vigil.films.standing import ordering, store, work
from vigil.films.standing.model import Edition, Standing

BERLIN = "Europe/Berlin"
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
FILM = {"camera": "garden", "length": "2s", "fps": 5, "size": "160x90"}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def then(context: Context, now: datetime | str) -> Context:
    """The same at another time."""
    return replace(context, clock=FakeClock(at(now) if isinstance(now, str) else now))


async def camera(context: Context, zone: str = BERLIN) -> int:
    """A camera whose scene is somewhere, and which keeps its frames for ten years."""
    made = await making.camera(context, interval_s=3600, retention_s=3650 * 86400)
    await context.pool.execute("UPDATE scenes SET time_zone = $1", zone)
    return made


async def add(context: Context, every: str = "daily", **other: Any) -> Standing:
    """A standing film of the camera, made at the context's time."""
    film = FILM | other.pop("film", {})
    asked = ordering.parse({"every": every, "film": film, "title": "Garden", **other})
    return await ordering.make(context, asked)


async def frame(context: Context, camera_id: int, taken_at: datetime | str) -> None:
    """A frame; the hour is in its picture."""
    moment = at(taken_at) if isinstance(taken_at, str) else taken_at
    data = making.jpeg(round(moment.timestamp() / 3600) % 250)
    await making.add_frame(context, camera_id, moment, data)


async def hours(context: Context, camera_id: int, since: datetime, until: datetime) -> None:
    """A frame of each hour."""
    while since < until:
        await frame(context, camera_id, since)
        since += HOUR


async def look(context: Context) -> None:
    """What the chores do in a minute, once."""
    await work.keep_up(context)
    await work.let_go(context, context.clock.now())


async def get(context: Context, slug: str = "garden") -> Standing:
    found = await store.by_slug(context.pool, slug)
    assert found is not None
    return found


async def editions(context: Context, slug: str = "garden") -> list[Edition]:
    """Its films, the earliest first."""
    found = await store.editions(context.pool, (await get(context, slug)).id)
    return found[::-1]


async def render(context: Context, film_id: int) -> None:
    """Really render a film, as far as it goes now."""
    await film_work.look(context)
    await making.render(context, film_id)


async def finish(context: Context, film_id: int, state: str = "done") -> None:
    """As if a film had been rendered; what it looks like is for other tests."""
    hash = f"{film_id:064x}"
    await context.pool.execute(
        """
        WITH made AS (
            INSERT INTO segments (hash, blob, bytes, frames, duration_s)
            VALUES ($2, 'segments/' || $2, 10, 10, 2) ON CONFLICT DO NOTHING
        ), listed AS (
            INSERT INTO film_segments
                (film_id, start, hash, wanted, pictures, first_moment, last_moment, closed)
            VALUES ($1, 0, $2, $2, 10, 0, 1, true) ON CONFLICT DO NOTHING
        )
        UPDATE films SET state = $3, next_at = NULL, error = NULL,
            file_blob = CASE WHEN $3 = 'done' THEN 'films/' || $1::bigint || '/x.mp4' END,
            file_bytes = CASE WHEN $3 = 'done' THEN 1000 + $1::bigint END
        WHERE id = $1
        """,
        film_id,
        hash,
        state,
    )
