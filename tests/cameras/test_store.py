"""store: what must stay fast keeps its index; counting loses nothing."""

from __future__ import annotations

import ast
import asyncio
import re
from pathlib import Path
from types import ModuleType

import pytest

from tests.cameras.helpers import add_camera, health
from vigil.cameras import store
from vigil.cameras.frames import store as frames
from vigil.cameras.keeping import store as keeping
from vigil.context import Context


async def fill(context: Context, camera_id: int, number: int = 20_000) -> None:
    """Frames a second apart, up to now, without blobs."""
    await context.pool.execute(
        """
        INSERT INTO frames
            (camera_id, scene_id, taken_at, received_at, width, height, bytes, sha256,
                luma, blob)
        SELECT $1, (SELECT scene_id FROM camera_scenes WHERE camera_id = $1),
            now() - make_interval(secs => n), now(), 1, 1, 1, sha256(n::text::bytea), 0,
               'frames/x/' || n
        FROM generate_series(1, $2::integer) n
        """,
        camera_id,
        number,
    )


async def plan_of(context: Context, module: ModuleType, part: str) -> str:
    """The generic plan of the one statement of a store that holds ``part``.

    Generic, because that is what a process that has run it a few times executes.
    """
    source = ast.parse(Path(str(module.__file__)).read_text())
    texts = [node.value for node in ast.walk(source) if isinstance(node, ast.Constant)]
    (sql,) = [text for text in texts if isinstance(text, str) and part in text]
    unknown = ", ".join("NULL" for _ in set(re.findall(r"\$\d", sql)))
    async with context.pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        await connection.execute(f"PREPARE wanted AS {sql}")
        rows = await connection.fetch(f"EXPLAIN EXECUTE wanted ({unknown})")
        await connection.execute("DEALLOCATE wanted")
        return "\n".join(row[0] for row in rows)


KEY, PASSING = "frames_camera_id_taken_at_sha256_key", "frames_passing"


@pytest.mark.parametrize(
    ("module", "part", "index"),
    [
        (frames, "ORDER BY taken_at DESC, sha256 DESC", KEY),
        (keeping, "make_interval(secs => c.retention_s)", PASSING),
        (keeping, "row_number() OVER oldest", PASSING),
        (keeping, "unnest($1::integer[]", KEY),
    ],
    ids=["page", "past", "over", "check"],
)
async def test_queries_of_frames_use_the_index(
    context: Context, module: ModuleType, part: str, index: str
) -> None:
    for name in ("a", "b", "c"):
        camera = await add_camera(context, name)
        await fill(context, camera.id)
    await context.pool.execute("ANALYZE frames")
    plan = await plan_of(context, module, part)
    assert index in plan, plan
    assert "Seq Scan on frames" not in plan, plan
    if part.startswith("ORDER"):
        assert "Sort" not in plan, plan


async def test_pages_of_frames_join_without_gap_or_repetition(context: Context) -> None:
    camera = await add_camera(context)
    await fill(context, camera.id, 250)
    found: list[int] = []
    before = None
    while page := await frames.page(context.pool, camera.id, before=before, limit=100):
        found += [frame.id for frame in page]
        before = (page[-1].taken_at, page[-1].sha256)
    assert len(found) == len(set(found)) == 250


async def test_counting_at_once_loses_nothing(context: Context) -> None:
    camera = await add_camera(context)
    now = context.clock.now()
    await asyncio.gather(
        *(
            store.note_refusal(
                context.pool, camera.id, reason=("html", "empty")[n % 2], error="x", at=now,
                next_at=now,
            )
            for n in range(40)
        )
    )  # fmt: skip
    state = await health(context, camera)
    assert (state.refused, state.refusals) == (40, {"html": 20, "empty": 20})


async def test_state_of_a_camera_that_is_gone_is_not_written(context: Context) -> None:
    now = context.clock.now()
    await store.note_failure(context.pool, 12345, error="x", hint=None, at=now, next_at=now)
    await store.note_refusal(context.pool, 12345, reason="x", error="x", at=now, next_at=now)
    await store.note_answer(context.pool, 12345)
    assert await store.health(context.pool) == {}
