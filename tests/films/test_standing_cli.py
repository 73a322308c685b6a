"""``vigil film standing``, as a person types it."""

from __future__ import annotations

import json

from tests.films.standing_stage import camera, editions, finish, look
from tests.jobs.test_cli import vigil
from vigil.context import Context
from vigil.films.standing import store


async def test_from_the_shell(context: Context) -> None:
    await camera(context)
    status, out, _ = await vigil(context, "film", "standing", "list")
    assert status == 0
    assert "no standing films yet" in out
    status, out, errors = await vigil(
        context, "film", "standing", "add", "garden", "--length", "20s", "--fps", "10",
        "--title", "The garden", "--keep-days", "30", "--size", "320x180", "--stamp",
        "--more", '{"look": {"deflicker": 31}}', "--past", "3",
    )  # fmt: skip
    assert status == 0, errors
    assert out == "the-garden is active: http://localhost:8000/films/standing/the-garden\n"
    (made,) = await store.page(context.pool)
    assert made.wish["look"] == {"deflicker": 31, "stamp": {}}
    assert (made.past_total, made.keep_s) == (3, 30 * 86400)
    await look(context)
    (one,) = await editions(context, "the-garden")
    await finish(context, one.film_id)
    status, out, _ = await vigil(context, "film", "standing", "list")
    assert "the-garden" in out
    assert one.title in out
    status, out, _ = await vigil(context, "film", "standing", "show", "the-garden")
    assert one.title in out
    assert "/films/standing/the-garden/feed.xml" in out
    lines = dict(line.split(maxsplit=1) for line in out.split("\n\n")[0].splitlines())
    assert (lines["every"], lines["kept"]) == ("daily", "each for 30 days")
    assert " 00:00 " in lines["next"], "midnight there"
    status, out, _ = await vigil(context, "film", "standing", "show", "the-garden", "--json")
    shown = json.loads(out)
    assert shown["films"][0]["film"] == one.film_id
    for command, state in (("pause", "paused"), ("resume", "active")):
        status, _, errors = await vigil(context, "film", "standing", command, "the-garden")
        assert status == 0, errors
        status, out, _ = await vigil(context, "film", "standing", "list", "--json")
        assert json.loads(out)[0]["state"] == state
    status, _, errors = await vigil(context, "film", "standing", "resume", "the-garden")
    assert status == 1
    assert "goes on by itself" in errors
    status, out, errors = await vigil(context, "film", "standing", "past", "the-garden", "5")
    assert (status, out) == (0, "5 past periods are looked at\n"), errors
    status, _, errors = await vigil(context, "film", "standing", "remove", "the-garden", "--yes")
    assert status == 0, errors
    assert await store.page(context.pool) == []
    assert await context.pool.fetchval("SELECT state FROM films") == "done", "its film stays"


async def test_what_is_wrong(context: Context) -> None:
    await camera(context)
    for arguments, words in (
        (("add", "gardn"), "gardn"),
        (("add", "garden", "--fps", "many"), "many"),
        (("add", "garden", "--more", "{"), "JSON"),
        (("show", "garden"), "there is none yet"),
        (("add", "garden", "--time-zone", "Mars"), "Mars"),
    ):
        status, _, errors = await vigil(context, "film", "standing", *arguments)
        assert status == 1, arguments
        assert words in errors
    status, _, _ = await vigil(context, "film", "standing", "add", "garden", "--every", "hour")
    assert status == 2
