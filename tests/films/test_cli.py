"""``vigil film``, as a person types it."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path

from tests.films import making
from tests.jobs.test_cli import vigil
from vigil.context import Context


async def some_frames(context: Context, count: int = 40) -> None:
    """A camera with a frame a second, the last of them twenty seconds ago."""
    camera = await making.camera(context)
    now = context.clock.now()
    for second in range(count):
        taken_at = now - timedelta(seconds=count + 20 - second)
        await making.add_frame(context, camera, taken_at, making.jpeg(second), now)


async def test_films(context: Context) -> None:
    status, out, _ = await vigil(context, "film", "list")
    assert status == 0
    assert "no films yet" in out
    await some_frames(context)
    status, out, errors = await vigil(
        context, "film", "make", "garden", "--last", "1h", "--speed", "10", "--size", "320x180"
    )
    assert status == 0, errors
    assert out == "film 1 is waiting: http://localhost:8000/films/1\n"
    assert "10 pictures a second instead of 25" in errors
    status, out, errors = await vigil(
        context, "film", "make", "garden", "--title", "For ever", "--fps", "5", "--stamp",
        "--set", "crop=10,0,90,100", "--set", "gaps=hold", "--json",
    )  # fmt: skip
    made = json.loads(out)
    assert (made["title"], made["to"], made["speed"]) == ("For ever", None, 5)
    film = await making.get(context, made["id"])
    look = film.making.look
    assert (look.crop, look.gaps) == ((0.1, 0, 0.9, 1), "hold")
    assert look.stamp is not None
    status, out, _ = await vigil(context, "film", "list", "--json")
    assert [film["id"] for film in json.loads(out)] == [2, 1]
    status, out, _ = await vigil(context, "film", "list", "--camera", "garden")
    assert status == 0
    assert "For ever" in out


async def test_what_is_wrong(context: Context) -> None:
    await making.camera(context)
    for command, status, said in (
        (("make", "gardn", "--last", "1h"), 1, "there are: garden"),
        (("plan", "garden", "--from", "soon"), 1, '"from" is not a moment'),
        (("make", "garden", "--last", "1h"), 1, "has no frames yet"),
        (("plan", "garden", "--set", "colour=red"), 1, '"colour" is not a field'),
        (("make", "garden", "--set", "colour"), 2, "NAME=VALUE"),
        (("plan", "garden", "--fps", "many"), 2, "'many' is not a valid float"),
        (("make",), 1, '"camera" is missing'),
    ):
        ended, _, errors = await vigil(context, "film", *command)
        assert (ended, said in errors) == (status, True), (command, errors)
    assert await context.pool.fetchval("SELECT count(*) FROM films") == 0


async def test_a_plan(context: Context) -> None:
    await some_frames(context)
    status, out, errors = await vigil(
        context, "film", "plan", "garden", "--last", "1h", "--every", "--fps", "10"
    )
    assert status == 0, errors
    lines = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert lines["length"] == "4.0 s, 40 pictures"
    assert lines["frames"] == "40 of 40 go in"
    number, rest = lines["segments"].split(",", 1)
    assert int(number) in (2, 3), "forty pictures, twenty a segment, begun anywhere"
    assert rest == " 0 of them rendered already"
    assert lines["gaps"].startswith("1, together 5")
    assert " min; cut out" in lines["gaps"]
    assert "takes" not in lines, "nothing was rendered yet to go by"
    status, out, _ = await vigil(context, "film", "plan", "garden", "--rolling", "30s", "--json")
    plan = json.loads(out)
    assert plan["to"] is None
    assert plan["rolling_s"] == 30
    assert await context.pool.fetchval("SELECT count(*) FROM films") == 0


async def test_waiting_for_a_film(context: Context) -> None:
    await some_frames(context)
    command = asyncio.create_task(
        vigil(
            context, "film", "make", "garden", "--from", "1h", "--to", "-10s",
            "--speed", "10", "--fps", "10", "--wait",
        )
    )  # fmt: skip
    await films(context, 1)
    await making.render(context, 1)
    status, out, errors = await command
    assert status == 0, errors
    assert out.splitlines()[-1] == "film 1 is done: http://localhost:8000/films/1"
    assert "[#" not in errors  # no bar where there is no terminal

    failing = asyncio.create_task(
        vigil(context, "film", "make", "garden", "--last", "2h", "--wait")
    )
    await films(context, 2)
    await context.pool.execute("UPDATE films SET state = 'failed', error = 'no' WHERE id = 2")
    status, _, errors = await failing
    assert status == 1
    assert "film 2 failed: no" in errors


async def films(context: Context, count: int) -> None:
    """Return once there are so many."""
    async with asyncio.timeout(30):
        while await context.pool.fetchval("SELECT count(*) FROM films") < count:
            await asyncio.sleep(0.05)


async def test_cancel_resume_show_export(context: Context, tmp_path: Path) -> None:
    await some_frames(context)
    await vigil(context, "film", "make", "garden", "--last", "1h", "--fps", "10")
    status, out, _ = await vigil(context, "film", "cancel", "1")
    assert (status, out) == (0, "film 1 is cancelled: http://localhost:8000/films/1\n")
    status, _, errors = await vigil(context, "film", "cancel", "1")
    assert status == 1
    assert "nothing to cancel" in errors
    status, _, errors = await vigil(context, "film", "export", "1", str(tmp_path))
    assert status == 1
    assert "film 1 shows nothing yet" in errors
    status, out, _ = await vigil(context, "film", "resume", "1", "--json")
    assert json.loads(out)["state"] == "waiting"
    await making.render(context, 1)
    status, out, _ = await vigil(context, "film", "show", "1", "--json")
    shown = json.loads(out)
    assert (shown["state"], shown["frames"]) == ("done", 40)
    status, out, _ = await vigil(context, "film", "show", "1")
    assert "http://localhost:8000/films/1" in out

    status, out, errors = await vigil(context, "film", "export", "1", str(tmp_path))
    assert status == 0, errors
    file = tmp_path / "vigil-garden-1.mp4"
    assert out == f"{file}: {file.stat().st_size:,} bytes\n"
    assert len((await making.decode(file)).pts) == 40
    status, _, errors = await vigil(context, "film", "export", "1", str(tmp_path))
    assert status == 1
    assert "is there already" in errors
    status, out, _ = await vigil(
        context, "film", "export", "1", str(tmp_path), "--force", "--wait", "--json"
    )
    assert json.loads(out) == {"path": str(file), "bytes": file.stat().st_size}
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []
    status, _, errors = await vigil(context, "film", "export", "1", str(tmp_path / "no" / "way"))
    assert status == 1
    assert "cannot be written" in errors
    status, _, errors = await vigil(context, "film", "show", "77")
    assert status == 1
    assert "no film 77" in errors
