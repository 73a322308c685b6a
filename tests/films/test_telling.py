"""Films tell that they are done or failed, once, to whoever wants to know."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.films import making
from tests.films.standing_stage import add, camera, editions, finish, look, then
from tests.notifications.test_sending import Receiver, webhook
from vigil.context import Context
from vigil.films.telling import work
from vigil.notifications import scan


@pytest.fixture
def now(context: Context) -> Context:
    """The first of May."""
    return then(context, "2026-05-01T12:00Z")


async def test_a_webhook_is_told_once(now: Context, unused_tcp_port: int) -> None:
    await camera(now)
    await add(now)
    await look(now)
    (one,) = await editions(now)
    receiver = Receiver()
    async with receiver.running(unused_tcp_port) as url:
        await webhook(now, url, "film.")
        await work.tell(now)
        await scan.deliver(then(now, "2027-05-01T12:00Z"))
        assert receiver.got == []
        await finish(now, one.film_id)
        await asyncio.gather(*(work.tell(now) for _ in range(5)))
        for _ in range(3):
            await work.tell(now)
            await scan.deliver(then(now, "2027-05-01T12:00Z"))
        # Late frames are worked in: that is no new film.
        await finish(now, one.film_id, "rendering")
        await finish(now, one.film_id)
        await work.tell(now)
        await scan.deliver(then(now, "2027-05-01T12:00Z"))
    ((_, body),) = receiver.got
    told = json.loads(body)
    site = now.settings.site_url
    assert told["type"] == "film.done"
    assert told["timestamp"] == "2026-05-01T12:00:00Z"
    assert told["data"]["subject"] == f"film:{one.film_id}"
    assert told["data"]["url"] == f"{site}/films/{one.film_id}"
    assert told["data"]["message"] == "Garden, 2026-05-01 is done"
    assert told["data"]["details"] == {
        "film": one.film_id,
        "title": "Garden, 2026-05-01",
        "file": f"{site}/api/v1/films/{one.film_id}/film.mp4",
        "bytes": 1000 + one.film_id,
        "standing": "garden",
        "feed": f"{site}/films/standing/garden/feed.xml",
    }


async def kinds(context: Context) -> list[str]:
    rows = await context.pool.fetch("SELECT kind FROM events ORDER BY id")
    return [row["kind"] for row in rows]


async def test_a_failure_is_told_once_until_it_is_done(now: Context) -> None:
    number = await making.camera(now)
    film_id = await making.film(now, number)
    for state in ("failed", "rendering", "failed", "rendering"):
        await finish(now, film_id, state)
        await now.pool.execute("UPDATE films SET error = 'no disk' WHERE state = 'failed'")
        await work.tell(now)
    assert await kinds(now) == ["film.failed"]
    await finish(now, film_id)
    await work.tell(now)
    await work.tell(now)
    assert await kinds(now) == ["film.failed", "film.done"]


async def test_a_film_is_told_of_when_its_file_is_there(now: Context) -> None:
    number = await making.camera(now)
    film_id = await making.film(now, number)
    await finish(now, film_id)
    await now.pool.execute("UPDATE films SET file_bytes = NULL, changed_at = now()")
    await work.tell(now)
    assert await kinds(now) == []
    await now.pool.execute("UPDATE films SET changed_at = now() - interval '2 hours'")
    await work.tell(now)
    assert await kinds(now) == ["film.done"]


async def test_nobody_is_told_where_nobody_wants_to_know(now: Context) -> None:
    await camera(now)
    await add(now, announce=False)
    await look(now)
    (one,) = await editions(now)
    await finish(now, one.film_id)
    await work.tell(now)
    await now.pool.execute("UPDATE standing_films SET announce = true")
    await work.tell(now)
    assert await kinds(now) == []
