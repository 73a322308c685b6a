"""The SQL of lists of jobs."""

from __future__ import annotations

from collections.abc import Collection

import db_utils
from vigil.jobs.model import STATES, Job, State
from vigil.jobs.store import JOBS

_STATUSES: dict[State, list[str]] = {
    "waiting": ["todo"],
    "running": ["doing"],
    "cancelling": ["doing"],
    "done": ["succeeded"],
    "failed": ["failed"],
    "cancelled": ["cancelled", "aborted"],
}


PAGE = (
    JOBS
    + """
    WHERE ($1::procrastinate_job_status[] IS NULL OR j.status = ANY ($1))
        AND ($2::text IS NULL OR p.subject = $2)
        AND ($3::bigint IS NULL OR (p.job_id < $3 AND j.id < $3))
        AND ($4::text IS DISTINCT FROM 'cancelling' OR j.abort_requested)
        AND ($5 OR NOT p.part)
    ORDER BY p.job_id DESC LIMIT $6
    """
)
"""A page of jobs: statuses, subject, before, state, parts, limit."""


FEW_OF_MANY = """
    SET LOCAL plan_cache_mode TO force_custom_plan;
    SET LOCAL enable_mergejoin TO off;
    SET LOCAL enable_hashjoin TO off
"""
"""Has a page found by the index of what is asked for, and a row at a time: other plans hope to
meet enough of it soon while they walk through all jobs."""


async def some(db: db_utils.Database, ids: Collection[int], *, parts: bool = False) -> list[Job]:
    """Those of these jobs that there are, the oldest first; parts of others only with ``parts``."""
    rows = await db.fetch(
        JOBS + "WHERE j.id = ANY ($1) AND ($2 OR NOT p.part) ORDER BY j.id", list(ids), parts
    )
    return [Job(**row) for row in rows]


async def page(
    db: db_utils.Database,
    *,
    state: State | None = None,
    subject: str | None = None,
    parts: bool = False,
    before: int | None = None,
    limit: int = 50,
) -> list[Job]:
    """Jobs, the newest first, from the one before the job ``before`` on.

    Parts of others are among them only with ``parts``.
    """
    async with db_utils.transaction(db) as connection:
        await connection.execute(FEW_OF_MANY)
        rows = await connection.fetch(
            PAGE,
            None if state is None else _STATUSES[state],
            subject,
            before,
            state,
            parts,
            limit,
        )
    return [Job(**row) for row in rows]


async def count_parts(db: db_utils.Database, subject: str | None = None) -> dict[State, int]:
    """How many parts wait, run and have failed, of one subject or of all; zeros are left out."""
    rows = await db.fetch(
        """
        SELECT j.status::text AS status, count(*) AS number
        FROM procrastinate_jobs j JOIN job_progress p ON p.job_id = j.id
        WHERE j.status IN ('todo', 'doing', 'failed') AND p.part
            AND ($1::text IS NULL OR p.subject = $1)
        GROUP BY j.status ORDER BY j.status
        """,
        subject,
    )
    return {STATES[row["status"]]: row["number"] for row in rows}
