"""``vigil film``, as a person types it."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

from tests.films import making
from tests.jobs.test_cli import vigil
from vigil.context import Context


async def test_films(context: Context) -> None:
    status, out, _ = await vigil(context, "film", "list")
    assert status == 0
    assert "no films yet" in out
    await making.camera(context)
    status, out, errors = await vigil(
        context, "film", "make", "garden", "--last", "1h", "--speed", "10", "--size", "320x180"
    )
    assert status == 0, errors
    assert out == "film 1 is waiting: http://localhost:8000/films/1\n"
    assert "10 frames a second instead of 25" in errors
    status, out, _ = await vigil(
        context, "film", "make", "garden", "--title", "For ever", "--fps", "5", "--json"
    )
    made = json.loads(out)
    assert (made["title"], made["to"], made["speed"]) == ("For ever", None, 5)
    status, out, _ = await vigil(context, "film", "list", "--json")
    assert [film["id"] for film in json.loads(out)] == [2, 1]
    status, out, _ = await vigil(context, "film", "list", "--camera", "garden")
    assert status == 0
    assert "For ever" in out


async def test_what_is_wrong(context: Context) -> None:
    await making.camera(context)
    status, _, errors = await vigil(context, "film", "make", "gardn", "--last", "1h")
    assert status == 1
    assert "there is no camera gardn" in errors
    assert "there are: garden" in errors
    status, _, errors = await vigil(context, "film", "make", "garden", "--from", "soon")
    assert status == 1
    assert "not a moment" in errors
    status, _, errors = await vigil(
        context, "film", "make", "garden", "--last", "1h", "--to", "now"
    )
    assert status == 2
    status, _, _ = await vigil(context, "film", "make", "garden", "--fps", "many")
    assert status == 2


async def test_waiting_for_a_film(context: Context) -> None:
    camera = await making.camera(context)
    now = context.clock.now()
    for second in range(40):
        taken_at = now - timedelta(seconds=60 - second)
        await making.add_frame(context, camera, taken_at, making.jpeg(second), now)
    command = asyncio.create_task(
        vigil(
            context, "film", "make", "garden", "--from", "1h", "--to", "-10s",
            "--speed", "10", "--fps", "10", "--wait",
        )
    )  # fmt: skip
    async with asyncio.timeout(30):
        while not await context.pool.fetchval("SELECT count(*) FROM films"):
            await asyncio.sleep(0.05)
    await making.render(context, 1)
    status, out, errors = await command
    assert status == 0, errors
    assert out.splitlines()[-1] == "film 1 is done: http://localhost:8000/films/1"

    failing = asyncio.create_task(
        vigil(context, "film", "make", "garden", "--from", "3h", "--to", "2h", "--wait")
    )
    async with asyncio.timeout(30):
        while await context.pool.fetchval("SELECT count(*) FROM films") < 2:
            await asyncio.sleep(0.05)
    await context.pool.execute("UPDATE films SET state = 'failed', error = 'no' WHERE id = 2")
    status, _, errors = await failing
    assert status == 1
    assert "film 2 failed: no" in errors
