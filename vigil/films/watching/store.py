"""The SQL of what pages ask of a film's segments. It only reads.

*Shown* are, of a film that is over, all segments that are rendered; of one that goes on, those
from its beginning to the first that is not, or that may yet change: what its playlist has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import db_utils
from vigil.films import playlist
from vigil.films.model import Film
from vigil.films.timeline import Piece

_SHOWN = """
    WITH shown AS (
        SELECT l.hash, l.start AS window_start, l.first_moment, l.last_moment, l.lost,
            s.frames, s.bytes, s.duration_s,
            row_number() OVER line + $3 AS number,
            (sum(round(s.duration_s * $5)) OVER line - round(s.duration_s * $5))::bigint + $4
                AS start,
            round(s.duration_s * $5)::bigint AS ticks
        FROM film_segments l JOIN segments s ON s.hash = l.hash
        WHERE l.film_id = $1 AND ($2 OR l.start < coalesce(
            (SELECT min(start) FROM film_segments
                WHERE film_id = $1 AND (hash IS NULL OR NOT closed)), 9223372036854775807))
        WINDOW line AS (ORDER BY l.start)
    )
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A segment that a film shows, and its place there."""

    hash: str
    window_start: int
    """The moment at which its window begins."""
    number: int
    """From 1."""
    start: int
    """Ticks since the film began."""
    ticks: int
    frames: int
    bytes: int
    first_moment: int
    last_moment: int
    lost: int

    @property
    def address(self) -> str:
        """As the playlist has it."""
        return playlist.address(self.hash, self.number, self.start)


def piece(one: Shown, moments: bytes | None) -> Piece:
    """A segment as the timeline takes it."""
    return Piece(
        number=one.number,
        start=one.start,
        ticks=one.ticks,
        frames=one.frames,
        first=one.first_moment,
        last=one.last_moment,
        moments=moments,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A segment with which something is not as it should be."""

    first_moment: int
    last_moment: int
    error: str | None
    """Why it could not be rendered."""
    lost: int
    """Frames that could not be read."""
    again_at: datetime | None
    """When it is tried again by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Who is at a film, and how quickly it gets on."""

    jobs: Sequence[int]
    """Of segments that are being rendered."""
    hosts: Mapping[str, int]
    """The machines that do it, by their names, and how many of these jobs each does now."""
    frames: int
    """Rendered in the last minute."""
    seconds: float
    """In how many seconds they were."""
    again: int | None
    """The job of a segment that waits for another attempt: the last one that failed."""


def _of_shown(select: str) -> str:
    """A statement that asks of what a film shows; its first five arguments are ``_args``."""
    return _SHOWN + select


def _args(film: Film, everything: bool) -> tuple[int, bool, int, int, float]:
    scale = float(film.timescale)
    return film.id, everything, film.dropped_segments, film.dropped_ticks, scale


async def shown(
    db: db_utils.Database,
    film: Film,
    everything: bool,
    after: int = 0,
    limit: int | None = None,
) -> list[Shown]:
    """Segments that a film shows, in order, from the one after number ``after`` on.

    Args:
        db: the database.
        film: whose.
        everything: whether all that is rendered counts: it is over.
        after: a number.
        limit: at most so many; ``None``: all.
    """
    rows = await db.fetch(
        _of_shown(
            """
            SELECT hash, window_start, number, start, ticks, frames, bytes, first_moment,
                last_moment, lost
            FROM shown WHERE number > $6 ORDER BY number LIMIT $7
            """
        ),
        *_args(film, everything),
        after,
        limit,
    )
    return [Shown(**row) for row in rows]


async def is_anything_shown(db: db_utils.Database, film: Film, everything: bool) -> bool:
    """Whether a film shows anything yet."""
    found: bool = await db.fetchval(
        _of_shown("SELECT EXISTS (SELECT FROM shown)"), *_args(film, everything)
    )
    return found


async def pieces_at(
    db: db_utils.Database, film: Film, everything: bool, ticks: int | None, moment: int | None
) -> list[Piece]:
    """The piece of a film that is on at a time of it; or the two between which a moment lies,
    which may be the same. None when it shows nothing yet."""
    rows = await db.fetch(
        _of_shown(
            """
        SELECT p.number, p.start, p.ticks, p.frames, p.first_moment AS first,
            p.last_moment AS last, l.moments
        FROM shown p JOIN film_segments l ON l.film_id = $1 AND l.start = p.window_start
        WHERE p.number IN (
            coalesce((SELECT max(number) FROM shown WHERE start <= $6 OR first_moment < $7),
                $3 + 1),
            (SELECT min(number) FROM shown WHERE first_moment >= $7))
        ORDER BY p.number
            """
        ),
        *_args(film, everything),
        ticks,
        moment,
    )
    return [Piece(**row) for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """A rendered segment that may stand for its film."""

    hash: str
    luma: float | None
    """Brightness of the frame in its middle, 0 to 255; ``None``: it is gone, or there is none."""


async def picked(db: db_utils.Database, wanted: Sequence[tuple[int, int]]) -> dict[int, list[Pick]]:
    """The rendered segments at these places of films, counted from 0; in order, by film."""
    rows = await db.fetch(
        """
        SELECT w.film_id, l.hash, frame.luma
        FROM unnest($1::bigint[], $2::integer[]) AS w (film_id, place)
        CROSS JOIN LATERAL (
            SELECT hash, first_moment / 2 + last_moment / 2 AS middle FROM film_segments
            WHERE film_id = w.film_id AND hash IS NOT NULL ORDER BY start OFFSET w.place LIMIT 1
        ) AS l
        LEFT JOIN films ON films.id = w.film_id
        LEFT JOIN LATERAL (
            SELECT luma FROM frames
            WHERE scene_id = films.scene_id AND deleting_at IS NULL
                AND taken_at <= to_timestamp(l.middle / 1e6)
            ORDER BY taken_at DESC, sha256 DESC LIMIT 1
        ) AS frame ON true
        ORDER BY w.film_id, w.place
        """,
        [film_id for film_id, _ in wanted],
        [place for _, place in wanted],
    )
    found: dict[int, list[Pick]] = {}
    for row in rows:
        found.setdefault(row["film_id"], []).append(Pick(hash=row["hash"], luma=row["luma"]))
    return found


async def content_key(db: db_utils.Database, film: Film, everything: bool) -> str | None:
    """Names all that a film shows: SHA-256 of its segments' names; ``None``: nothing yet."""
    found: str | None = await db.fetchval(
        _of_shown(
            """
            SELECT encode(sha256(string_agg(hash, '' ORDER BY number)::bytea), 'hex') FROM shown
            """
        ),
        *_args(film, everything),
    )
    return found


async def troubles(db: db_utils.Database, film_id: int, limit: int) -> list[Trouble]:
    """The first segments of a film that could not be rendered, or lack frames."""
    rows = await db.fetch(
        """
        SELECT first_moment, last_moment, error, lost, again_at FROM film_segments
        WHERE film_id = $1 AND (error IS NOT NULL OR lost > 0) ORDER BY start LIMIT $2
        """,
        film_id,
        limit,
    )
    return [Trouble(**row) for row in rows]


async def work(db: db_utils.Database, film_id: int) -> Work:
    """Who renders segments of a film now, and how quick that was in the last minute."""
    row = await db.fetchrow(
        """
        SELECT
            (SELECT coalesce(array_agg(j.id ORDER BY j.id), '{}')
                FROM film_segments l JOIN procrastinate_jobs j ON j.id = l.job_id
                WHERE l.film_id = $1 AND j.status = 'doing') AS jobs,
            (SELECT coalesce(jsonb_object_agg(host, number), '{}') FROM (
                SELECT p.host, count(*) AS number
                FROM film_segments l JOIN procrastinate_jobs j ON j.id = l.job_id
                    JOIN job_progress p ON p.job_id = j.id
                WHERE l.film_id = $1 AND j.status = 'doing' AND p.host IS NOT NULL
                GROUP BY p.host) AS at_it) AS hosts,
            coalesce(sum(s.frames), 0)::bigint AS frames,
            coalesce(extract(epoch FROM max(s.created_at)
                - min(s.created_at - make_interval(secs => coalesce(s.render_s, 0)))), 0)::float8
                AS seconds,
            (SELECT j.id
                FROM film_segments l JOIN procrastinate_jobs j ON j.id = l.job_id
                    JOIN job_progress p ON p.job_id = j.id
                WHERE l.film_id = $1 AND j.status = 'todo' AND p.error IS NOT NULL
                ORDER BY p.updated_at DESC LIMIT 1) AS again
        FROM film_segments l JOIN segments s ON s.hash = l.hash
        WHERE l.film_id = $1 AND s.created_at > now() - interval '1 minute'
        """,
        film_id,
    )
    assert row is not None  # noqa: S101  # an aggregate always has a row
    return Work(**row)


async def joining(db: db_utils.Database, film_ids: Sequence[int]) -> dict[int, int]:
    """The jobs that make, or are to make, the files of films; also one that has just failed."""
    rows = await db.fetch(
        """
        SELECT f.id, f.file_job_id FROM films f JOIN procrastinate_jobs j ON j.id = f.file_job_id
        WHERE f.id = ANY ($1) AND j.status IN ('todo', 'doing', 'failed')
        """,
        list(film_ids),
    )
    return {row["id"]: row["file_job_id"] for row in rows}
