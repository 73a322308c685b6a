"""Imports over HTTP, on pages and on the command line."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cameras.helpers import add_camera
from tests.cameras.importing import done, get, many, picture, put
from tests.conftest import Site
from tests.jobs.test_cli import vigil
from vigil.cameras.importing import previewing, starting
from vigil.cameras.importing.starting import Wanted
from vigil.context import Context

API = "/api/v1/imports"
HTML = {"accept": "text/html"}


async def call(site: Site, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    async with site.client.request(method, path, json=body, headers=site.admin_headers) as answer:
        text = await answer.text()
        return answer.status, json.loads(text) if text else None


def recent(context: Context, hours: float) -> str:
    return f"{context.clock.now() - timedelta(hours=hours):%Y%m%d_%H%M%S}"


async def test_a_preview_says_what_would_come(context: Context, tmp_path: Path) -> None:
    put(tmp_path, f"{recent(context, 3)}.jpg", picture(1))
    put(tmp_path, "a.jpg", picture(2, "2026:05:01 24:10:00"))
    put(tmp_path, "b.jpg", picture(3), datetime(2026, 3, 1, tzinfo=UTC))
    put(tmp_path, "late_20991231_235959.jpg", picture(4))
    put(tmp_path, "broken.jpg", picture(5)[:-200])
    put(tmp_path, "film.mp4", b"x")
    wanted = Wanted(camera="garden", place=str(tmp_path), new=True)
    told = await previewing.preview(context, await starting.check(context, wanted))
    assert (told.files, told.other, told.looked_at, told.counted) == (5, 1, 5, True)
    assert told.ways == {"name": 2, "exif": 1, "mtime": 1}
    assert (told.mended, told.known, told.expired, told.future) == (1, 0, 2, 1)
    assert told.first_at == datetime(2026, 3, 1, tzinfo=UTC)
    assert told.unreadable["truncated"]["examples"] == ["broken.jpg"]
    assert [(one.file, one.way) for one in told.examples][1:3] == [
        ("a.jpg", "exif"),
        ("b.jpg", "mtime"),
    ]
    assert told.retention_needed_s is not None
    assert await context.pool.fetchval("SELECT count(*) FROM cameras") == 0, "nothing is kept"
    kept = await starting.check(
        context, Wanted(camera="garden", place=str(tmp_path), new=True, keep=True)
    )
    assert (await previewing.preview(context, kept)).expired == 0


async def test_a_preview_of_very_many_is_a_sample(
    context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(previewing, "SAMPLE", 20)
    many(tmp_path, 130)
    wanted = Wanted(camera="garden", place=str(tmp_path), new=True)
    checked = await starting.check(context, wanted)
    told = await previewing.preview(context, checked)
    assert (told.files, told.looked_at, told.counted) == (130, 20, True)
    assert len(told.examples) == 10
    monkeypatch.setattr(previewing, "COUNT_S", 0.0)
    told = await previewing.preview(context, checked)
    assert not told.counted
    assert 64 <= told.files < 130


async def test_the_api(site: Site, tmp_path: Path) -> None:
    name = f"{recent(site.context, 3)}.jpg"
    put(tmp_path, name, picture(1))
    wish = {"camera": "garden", "place": str(tmp_path), "new": True}
    for method, path in (
        ("GET", API),
        ("POST", API),
        ("POST", f"{API}/preview"),
        ("GET", f"{API}/1"),
    ):
        async with site.client.request(method, path, json=wish) as answer:
            assert answer.status == 401
    status, told = await call(site, "POST", f"{API}/preview", wish)
    assert (status, told["files"], told["examples"][0]["file"]) == (200, 1, name)
    status, made = await call(site, "POST", API, wish)
    assert (status, made["state"], made["actions"]["cancel"]) == (201, "waiting", None)
    assert (await call(site, "POST", API, wish))[0] == 409
    assert (await call(site, "POST", API, wish | {"new": False, "rule": "guess"}))[0] == 400
    assert (await call(site, "POST", API, wish | {"camera": "other", "new": False}))[0] == 404
    assert (await call(site, "POST", API, {"place": "/"}))[0] == 400
    one = f"{API}/{made['id']}"
    assert (await call(site, "DELETE", one))[0] == 409, "it waits"
    status, stopped = await call(site, "POST", f"{one}/cancel")
    assert (status, stopped["state"]) == (200, "stopped")
    assert (await call(site, "POST", f"{one}/cancel"))[0] == 409
    status, again = await call(site, "POST", f"{one}/continue")
    assert (status, again["state"]) == (200, "waiting")
    assert (await call(site, "POST", f"{one}/continue"))[0] == 409
    await done(site.context, made["id"])
    status, over = await call(site, "GET", one)
    assert (over["state"], over["added"], over["total_files"]) == ("done", 1, 1)
    assert over["actions"] == {
        "cancel": "it is not under way",
        "continue": "it is done",
        "forget": None,
    }
    status, listed = await call(site, "GET", f"{API}?limit=1")
    assert ([item["id"] for item in listed["items"]], listed["next"]) == ([made["id"]], None)
    assert (await call(site, "DELETE", one))[0] == 204
    assert (await call(site, "GET", one))[0] == 404
    assert await site.context.pool.fetchval("SELECT count(*) FROM frames") == 1


async def test_the_pages_work_without_javascript(site: Site, tmp_path: Path) -> None:
    await add_camera(site.context, title="The garden")
    put(tmp_path, f"{recent(site.context, 3)}.jpg", picture(1))
    put(tmp_path, "20250101_120000.jpg", picture(2))
    put(tmp_path, "<b>.jpg", b"<html>")
    headers = site.admin_headers | HTML
    async with site.client.get("/imports?camera=garden", headers=headers) as answer:
        assert answer.status == 200
        assert '<option value="garden" selected>' in await answer.text()
    form = {"camera": "garden", "place": str(tmp_path), "rule": "auto"}
    async with site.client.post("/imports/preview", data=form, headers=headers) as answer:
        text = await answer.text()
        assert answer.status == 200
        assert "3 files" in text
        assert "1 of 3 are older" in text
        assert "&lt;b&gt;.jpg" in text
    bad = form | {"place": str(site.context.settings.data_dir), "time_zone": "Europe/Berlin"}
    async with site.client.post("/imports/preview", data=bad, headers=headers) as answer:
        text = await answer.text()
        assert answer.status == 400
        assert "not one to import from" in text or "cannot be read" in text
        assert 'value="Europe/Berlin"' in text
    for extra in ({"clock_offset_s": "soon"}, {"camera": "nobody"}):
        async with site.client.post("/imports", data=form | extra, headers=headers) as answer:
            assert answer.status in (400, 404)
    async with site.client.post(
        "/imports", data=form | {"keep": "1"}, headers=headers, allow_redirects=False
    ) as answer:
        assert answer.status == 303
        place = answer.headers["location"]
    async with site.client.get(place, headers=headers) as answer:
        assert "waiting" in await answer.text()
    one = await done(site.context, int(place.rpartition("/")[2]))
    assert (one.added, one.refused) == (2, 1)
    async with site.client.get(place, headers=headers) as answer:
        text = await answer.text()
        assert re.search(r"data-added>2 frames", text)
        assert "&lt;b&gt;.jpg" in text
    async with site.client.get(place, headers=HTML) as answer:
        assert answer.status == 401, "visitors see no names of files"
    async with site.client.get(f"{place}/events") as answer:
        assert answer.status == 401
    async with site.client.get(f"{place}/events", headers=site.admin_headers) as answer:
        async for line in answer.content:
            if line.startswith(b"data:"):
                assert json.loads(line[5:])["id"] == one.id
                break
    async with site.client.post(
        f"{place}/forget", headers=headers, allow_redirects=False
    ) as answer:
        assert answer.headers["location"] == "/imports"


async def test_the_command_line(context: Context, tmp_path: Path) -> None:
    put(tmp_path, f"{recent(context, 3)}.jpg", picture(1))
    put(tmp_path, "20200101_250000.jpg", picture(2))
    place = str(tmp_path)
    status, out, _ = await vigil(context, "camera", "import", "garden", ".")
    assert status == 1, "the camera is not there, and --new was not said"
    status, out, errors = await vigil(
        context, "camera", "import", "garden", place, "--new", "--preview"
    )
    assert status == 0
    assert "2 files" in out
    assert "2020-01-02 01:00:00+00:00 by name (mended)" in out
    assert "--keep" in errors
    status, out, _ = await vigil(
        context, "camera", "import", "garden", place, "--new", "--keep", "--json"
    )
    assert status == 0
    made = json.loads(out)
    assert (made["state"], made["keep"]) == ("waiting", True)
    number = str(made["id"])
    status, out, _ = await vigil(context, "camera", "imports", number, "--cancel", "--json")
    assert json.loads(out)["state"] == "stopped"
    status, out, _ = await vigil(context, "camera", "imports", number, "--continue", "--json")
    assert json.loads(out)["state"] == "waiting"
    await done(context, made["id"])
    assert (await get(context, made["id"])).added == 2
    status, out, _ = await vigil(context, "camera", "imports")
    assert re.search(r"1\s+garden\s+done\s+2\s+2\s+2", out)
    assert (await vigil(context, "camera", "imports", "99"))[0] == 1
