"""Cameras that are tried before they are kept, changed and moved, on the real site."""

from __future__ import annotations

import asyncio
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from PIL import Image

from tests.cameras.helpers import add_camera, add_frame, at
from tests.conftest import Site
from tests.jobs.test_cli import vigil
from tests.servers.pictures import jpeg
from tests.servers.snapshot import Snapshot
from vigil.cameras import store as cameras
from vigil.cameras.trying import asking, scan, store
from vigil.clock import FakeClock
from vigil.context import Context

NOBODY = "http://joe:secret@127.0.0.1:9/hideaway.jpg"


async def get(site: Site, path: str, status: int = 200) -> Any:
    async with site.client.get(path, headers=site.admin_headers) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()


async def send(site: Site, method: str, path: str, body: Any, status: int = 200) -> Any:
    async with site.client.request(method, path, json=body, headers=site.admin_headers) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()


async def post(site: Site, path: str, form: dict[str, str]) -> tuple[int, str, str]:
    """Status, where it leads, and the page."""
    async with site.client.post(
        path, data=form, headers=site.admin_headers | {"accept": "text/html"}, allow_redirects=False
    ) as answer:
        return answer.status, answer.headers.get("location", ""), await answer.text()


async def look(context: Context) -> None:
    """What a scanner does once."""
    for target in await scan.targets(context):
        await target.run_once()


async def test_a_camera_is_tried_before_it_is_kept(site: Site) -> None:
    clock = datetime.now(UTC) - timedelta(hours=3)
    taken = {0x9003: f"{clock:%Y:%m:%d %H:%M:%S}", 0x9011: "+00:00"}
    async with Snapshot() as server:
        server.pictures = [picture(taken)]
        body = {"name": "door", "url": server.url, "time_zone": "UTC"}
        trial = await send(site, "POST", "/api/v1/camera-trials", body, 202)
        assert (trial["state"], trial["message"]) == ("waiting", "Waiting for a scanner.")
        await look(site.context)
        trial = await get(site, f"/api/v1/camera-trials/{trial['id']}")
    assert trial["state"] == "done", trial
    assert (trial["width"], trial["height"], trial["format"]) == (640, 360, "jpeg")
    assert -10_810 < trial["clock_offset_s"] < -10_790
    async with site.client.get(trial["picture"], headers=site.admin_headers) as answer:
        assert Image.open(io.BytesIO(await answer.read())).size == (640, 360)
    async with site.client.get(trial["picture"]) as answer:
        assert answer.status == 401
    assert await cameras.all_cameras(site.context.pool) == []
    assert [target.key for target in await scan.targets(site.context)] == ["cameras:trials"]


def picture(exif: dict[int, str]) -> bytes:
    made = Image.Exif()
    made._ifds[0x8769] = exif
    made[0x8769] = exif
    written = io.BytesIO()
    Image.new("RGB", (640, 360), "#447755").save(written, "JPEG", exif=made)
    return written.getvalue()


async def test_why_there_is_no_picture_is_said_without_the_address(site: Site) -> None:
    body = {"name": "door", "url": NOBODY}
    trial = await send(site, "POST", "/api/v1/camera-trials", body, 202)
    await look(site.context)
    trial = await get(site, f"/api/v1/camera-trials/{trial['id']}")
    assert trial["state"] == "failed"
    assert trial["error"]
    for secret in ("secret", "hideaway", "joe"):
        assert secret not in json.dumps(trial)
    await get(site, f"/api/v1/camera-trials/{trial['id']}/picture.jpg", 404)
    async with site.client.get(f"/api/v1/camera-trials/{trial['id']}") as answer:
        assert answer.status == 401
    pushed = await send(site, "POST", "/api/v1/camera-trials", {"name": "p", "url": "push"}, 202)
    await look(site.context)
    trial = await get(site, f"/api/v1/camera-trials/{pushed['id']}")
    assert "nothing to ask" in trial["error"]


async def test_a_camera_that_never_answers(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "PATIENCE_S", 0.3)
    async with Silent() as url:
        trial = await send(site, "POST", "/api/v1/camera-trials", {"name": "door", "url": url}, 202)
        await look(site.context)
    trial = await get(site, f"/api/v1/camera-trials/{trial['id']}")
    assert "no picture within" in trial["error"]


class Silent:
    """A server that takes connections and says nothing."""

    async def __aenter__(self) -> str:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        self.server = await asyncio.start_server(handle, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}/a.jpg"

    async def __aexit__(self, *_: object) -> None:
        self.server.close()


async def test_trials_end(site: Site) -> None:
    """One whose scanner dies each time is given up; all are forgotten; there are only so many."""
    pool, now = site.context.pool, site.context.clock.now()
    made = await send(site, "POST", "/api/v1/camera-trials", {"name": "a", "url": "testcard"}, 202)
    for _ in range(scan.MOST_ATTEMPTS):
        assert await store.begin(pool, made["id"], now) is not None
    await look(site.context)
    trial = await get(site, f"/api/v1/camera-trials/{made['id']}")
    assert (trial["state"], "stopped" in trial["error"]) == ("failed", True)
    for _ in range(20):
        await send(site, "POST", "/api/v1/camera-trials", {"name": "a", "url": "testcard"}, 202)
    await send(site, "POST", "/api/v1/camera-trials", {"name": "a", "url": "testcard"}, 429)
    later = FakeClock(now + timedelta(hours=2))
    await scan.forget(at(site.context, clock=later))
    assert await pool.fetchval("SELECT count(*) FROM camera_trials") == 0
    await get(site, f"/api/v1/camera-trials/{made['id']}", 404)


FORM = {"name": "door", "kind": "", "url": "testcard", "interval_s": "5", "retention_days": "2",
        "title": "The door", "time_zone": "Europe/Berlin", "latitude": "52.5", "longitude": "13.4",
        "left": "10", "top": "0", "right": "100", "bottom": "90", "rotation": "90",
        "daylight": "true", "hours": "06:00-20:00, 22:00-23:00", "weekdays": "0", "per_day": "",
        "retention_gb": "1.5", "retention_frames": "1000", "notes": "n\r\nm"}  # fmt: skip


async def test_the_form_from_test_to_change(site: Site) -> None:
    status, location, _ = await post(site, "/camera-trials", FORM)
    assert status == 303
    assert location.startswith("/camera-trials/")
    await look(site.context)
    async with site.client.get(location, headers=site.admin_headers) as answer:
        text = await answer.text()
    assert "1280 × 720" in text
    assert 'value="The door"' in text
    assert 'value="Europe/Berlin"' in text
    assert (await post(site, "/cameras", FORM))[:2] == (303, "/cameras/door")
    shown = await get(site, "/api/v1/cameras/door")
    assert (shown["crop"], shown["rotation"]) == ([0.1, 0, 1, 0.9], 90)
    assert shown["plan"] == {
        "daylight": True, "hours": [["06:00", "20:00"], ["22:00", "23:00"]], "weekdays": [0]
    }  # fmt: skip
    assert (shown["retention_bytes"], shown["retention_frames"]) == (1_500_000_000, 1000)
    assert shown["notes"] == "n\nm"
    scene = await get(site, "/api/v1/scenes/door")
    assert (scene["latitude"], scene["time_zone"]) == (52.5, "Europe/Berlin")
    async with site.client.get("/cameras/door/edit", headers=site.admin_headers) as answer:
        text = await answer.text()
    for value in ("06:00-20:00, 22:00-23:00", 'value="1.5"', 'value="52.5"'):
        assert value in text
    change = FORM | {"title": "Other", "enabled": "1", "hours": "", "left": "0", "bottom": "100"}
    assert (await post(site, "/cameras/door/edit", change))[:2] == (303, "/cameras/door")
    shown = await get(site, "/api/v1/cameras/door")
    assert (shown["title"], shown["crop"], shown["enabled"]) == ("Other", None, True)
    del change["enabled"]
    await post(site, "/cameras/door/edit", change)
    assert (await get(site, "/api/v1/cameras/door"))["state"] == "disabled"


async def test_a_form_that_cannot_be_used_is_shown_again(site: Site) -> None:
    for bad in ({"name": "Door"}, {"hours": "soon"}, {"interval_s": "x"}, {"right": "5"},
                {"url": "ftp://x/y"}, {"time_zone": "Mars"}, {"latitude": ""}):  # fmt: skip
        status, _, text = await post(site, "/cameras", FORM | bad)
        assert status == 400, bad
        assert 'role="alert"' in text, bad
        assert "The door" in text
    assert await cameras.all_cameras(site.context.pool) == []
    await add_camera(site.context, "door")
    status, _, text = await post(site, "/cameras", FORM)
    assert (status, "already" in text) == (409, True)


async def test_a_camera_is_changed_by_program(site: Site) -> None:
    await add_camera(site.context, url="rtsp://x/y", options={"keyframes": False})
    path = "/api/v1/cameras/garden"
    changed = await send(site, "PATCH", path, {"interval_s": 30, "plan": {"per_day": 4}})
    assert (changed["interval_s"], changed["plan"]) == (30, {"per_day": 4})
    assert changed["options"] == {"keyframes": False}
    changed = await send(site, "PATCH", path, {"url": "http://x/y.jpg", "kind": "http"})
    assert (changed["kind"], changed["options"]) == ("http", {})
    for bad in (
        {"interval_s": 0},
        {"plan": {"daylight": True}},
        {"crop": [0, 0, 0, 1]},
        {"crop": [0, 1]},
        {"rotation": 45},
        {"retention_frames": 0},
        {"name": "x"},
        {"kind": "ffmpeg", "options": {"more": 1}},
    ):
        await send(site, "PATCH", path, bad, 400)
    place = {"latitude": 52.5, "longitude": 13.4, "plan": {"daylight": True}}
    assert (await send(site, "PATCH", path, place))["plan"] == {"daylight": True}
    await send(site, "PATCH", "/api/v1/cameras/none", {}, 404)
    found = await cameras.by_name(site.context.pool, "garden")
    assert found is not None
    await cameras.begin_removal(site.context.pool, found.id)
    await send(site, "PATCH", path, {"title": "x"}, 409)


async def test_a_camera_is_moved_by_program_and_by_form(site: Site) -> None:
    camera = await add_camera(site.context)
    now = site.context.clock.now()
    for n in range(3):
        await add_frame(site.context, camera, jpeg(n), now - timedelta(minutes=n))
    since = (now - timedelta(seconds=90)).isoformat()
    path = "/api/v1/cameras/garden/move"
    moved = await send(site, "POST", path, {"scene": "yard", "from": since, "title": "Yard"})
    assert (moved["frames"], moved["camera"]["scene"]) == (2, "yard")
    await send(site, "POST", path, {"scene": "yard"}, 409)
    await send(site, "POST", path, {"scene": "No"}, 400)
    ahead = (now + timedelta(days=1)).isoformat()
    await send(site, "POST", path, {"scene": "garden", "from": ahead}, 400)
    spans = (await get(site, "/api/v1/cameras/garden/scenes"))["items"]
    assert [one["scene"] for one in spans] == ["yard", "garden"]
    assert spans[1]["actions"]["unmove"]
    async with site.client.get("/cameras/garden/move", headers=site.admin_headers) as answer:
        assert "Forget this move" in await answer.text()
    form = {"from": spans[0]["from_at"]}
    assert (await post(site, "/cameras/garden/unmove", form))[0] == 303
    assert (await get(site, "/api/v1/cameras/garden"))["scene"] == "garden"
    form = {"scene": "", "new": "roof", "from": "", "title": ""}
    assert (await post(site, "/cameras/garden/move", form))[:2] == (303, "/cameras/garden")
    assert (await get(site, "/api/v1/cameras/garden"))["scene"] == "roof"


async def test_the_command_line(context: Context, tmp_path: Any) -> None:
    file = tmp_path / "seen.jpg"
    status, out, _ = await vigil(context, "camera", "test", "testcard", "--save", str(file))
    assert (status, "1280 × 720, jpeg" in out) == (0, True)
    with Image.open(file) as seen:
        assert seen.size == (1280, 720)
    await vigil(context, "camera", "add", "garden", "testcard")
    status, out, _ = await vigil(
        context, "camera", "edit", "garden", "--place", "52.5,13.4", "--plan",
        '{"daylight": true}', "--crop", "0,0,1,0.5", "--time-zone", "Europe/Berlin", "--disable",
    )  # fmt: skip
    assert status == 0, out
    status, out, _ = await vigil(context, "camera", "show", "garden", "--json")
    shown = json.loads(out)
    assert (shown["crop"], shown["enabled"], shown["scene"]) == ([0, 0, 1, 0.5], False, "garden")
    status, out, _ = await vigil(context, "camera", "test", "garden", "--json")
    assert json.loads(out)["format"] == "jpeg"
    status, out, _ = await vigil(context, "camera", "move", "garden", "yard")
    assert (status, "shows yard" in out) == (0, True)
    for wrong in (("edit", "garden"), ("edit", "none", "--title", "x"), ("move", "none", "yard"),
                  ("edit", "garden", "--crop", "1"), ("test", "http://127.0.0.1:9/")):  # fmt: skip
        status, _, errors = await vigil(context, "camera", *wrong)
        assert (status, errors.startswith("vigil: ")) == (1, True), wrong
