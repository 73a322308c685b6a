"""Every table and column says what it holds; every foreign key that is walked has an index."""

from __future__ import annotations

from vigil.context import Context

FOREIGN = "procrastinate%"


async def test_every_table_is_explained(context: Context) -> None:
    rows = await context.pool.fetch(
        """
        SELECT c.relname FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
            AND c.relname NOT LIKE $1
            AND coalesce(obj_description(c.oid, 'pg_class'), '') !~ '\\w{3}'
        """,
        FOREIGN,
    )
    assert [row["relname"] for row in rows] == []


async def test_every_column_is_explained(context: Context) -> None:
    rows = await context.pool.fetch(
        """
        SELECT format('%s.%s', c.relname, a.attname) AS name,
            col_description(c.oid, a.attnum) AS told
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
            AND c.relname NOT LIKE $1 AND a.attnum > 0 AND NOT a.attisdropped
        """,
        FOREIGN,
    )
    assert len(rows) > 80
    assert [row["name"] for row in rows if not row["told"] or len(row["told"]) < 7] == []


async def test_no_comment_is_about_something_that_is_gone(context: Context) -> None:
    tables = await context.pool.fetch(
        """
        SELECT relname FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname NOT LIKE $1
        """,
        FOREIGN,
    )
    names = {row["relname"] for row in tables}
    assert names >= {
        "admin_links",
        "camera_state",
        "cameras",
        "film_segments",
        "films",
        "frames",
        "job_progress",
        "migrations",
        "planted",
        "processes",
        "segments",
        "sessions",
        "source_state",
        "sources",
        "stream_liveness",
        "streams",
        "tokens",
    }


async def test_deleting_a_parent_does_not_walk_its_children(context: Context) -> None:
    """Each foreign key has an index that begins with its columns; small tables are excused."""
    excused = {
        "camera_state.last_frame_id": "one row a camera",
        "films.job_id": "a handful of films",
        "films.file_job_id": "a handful of films",
    }
    rows = await context.pool.fetch(
        """
        SELECT format('%s.%s', c.conrelid::regclass, a.attname) AS name
        FROM pg_constraint c
        JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
        WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace
            AND c.conrelid::regclass::text NOT LIKE $1
            AND NOT EXISTS (
                SELECT FROM pg_index i
                WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1] AND i.indpred IS NULL
            )
        """,
        FOREIGN,
    )
    assert {row["name"] for row in rows} <= set(excused)
