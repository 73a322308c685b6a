"""Days, moments, tags and downloads of a scene, on the real site."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.cameras.helpers import add_camera, add_frame
from tests.conftest import Site
from tests.servers.pictures import jpeg
from vigil.cameras import store as cameras
from vigil.cameras.looking import days, zipped
from vigil.cameras.model import Camera, Frame
from vigil.cameras.scenes import store as scenes
from vigil.errors import Invalid

BERLIN = ZoneInfo("Europe/Berlin")
DAY = date(2026, 3, 28)  # the day before the clocks go forward there


async def get(site: Site, path: str, *, admin: bool = False, status: int = 200) -> Any:
    async with site.client.get(path, headers=site.admin_headers if admin else {}) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()


async def send(site: Site, method: str, path: str, body: Any = None, status: int = 200) -> Any:
    async with site.client.request(method, path, json=body, headers=site.admin_headers) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json() if answer.content_type == "application/json" else None


async def page(site: Site, path: str, *, admin: bool = False) -> str:
    headers = {"accept": "text/html"} | (site.admin_headers if admin else {})
    async with site.client.get(path, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.text()


async def garden(site: Site) -> Camera:
    """A camera in Berlin that keeps everything."""
    camera = await add_camera(site.context, title="The garden")
    await site.context.pool.execute("UPDATE cameras SET retention_s = 3e9")
    await site.context.pool.execute("UPDATE scenes SET time_zone = 'Europe/Berlin'")
    found = await cameras.by_id(site.context.pool, camera.id)
    assert found is not None
    return found


async def at(site: Site, camera: Camera, day: date, text: str, number: int = 1) -> Frame:
    """A frame taken at a local time."""
    moment = days.at(day, time.fromisoformat(text), BERLIN)
    return await add_frame(site.context, camera, jpeg(number), moment)


def test_a_day_has_23_24_or_25_hours() -> None:
    def hours(day: date) -> float:
        begin, end = days.bounds(day, BERLIN)
        return (end - begin) / timedelta(hours=1)

    assert [hours(date(2026, 3, n)) for n in (28, 29, 30)] == [24, 23, 24]
    assert hours(date(2026, 10, 25)) == 25
    assert hours(date(2028, 2, 29)) == 24
    assert len(days.hour_wishes(date(2026, 10, 25), BERLIN)) == 25
    assert days.at(date(2026, 3, 29), time(2, 30), BERLIN) == datetime(
        2026, 3, 29, 1, 30, tzinfo=UTC
    )
    assert [str(days.Month(2026, 12).next), str(days.Month(2026, 1).previous)] == [
        "2027-01",
        "2025-12",
    ]
    assert days.Month(2028, 2).weeks[4][1] == date(2028, 2, 29)


@pytest.mark.parametrize("text", ["", "x", "2026-13", "2026-00", "0001-01", "2026-1", "99999-01"])
def test_what_is_no_month(text: str) -> None:
    with pytest.raises(Invalid):
        days.parse_month(text)


@pytest.mark.parametrize("text", ["", "x", "2026-02-30", "20260201", "0001-01-01", "2026-1-1"])
def test_what_is_no_day(text: str) -> None:
    with pytest.raises(Invalid):
        days.parse_day(text)


async def test_a_day_in_key_frames(site: Site) -> None:
    camera = await garden(site)
    times = ("05:10", "06:20", "08:30", "09:10", "12:31", "16:30", "18:59:59", "20:00")
    made = {text: await at(site, camera, DAY, text, n) for n, text in enumerate(times)}
    await at(site, camera, DAY + timedelta(days=1), "00:00", 99)
    whole = await get(site, f"/api/v1/scenes/garden/days/{DAY}")
    strip = [one["frame"] and one["frame"]["id"] for one in whole["strip"]]
    ids = {text: frame.id for text, frame in made.items()}
    assert strip == [ids["06:20"], ids["09:10"], ids["12:31"], None, ids["18:59:59"]]
    assert whole["cover"]["id"] == ids["16:30"]
    assert (whole["frames"], whole["previous"], whole["next"]) == (8, None, "2026-03-29")
    assert len(whole["hours"]) == 24
    assert whole["hours"][12]["frame"] is None  # 12:31 is closer to 13:00
    assert whole["hours"][13]["frame"]["id"] == ids["12:31"]
    assert whole["hours"][16]["frame"] is None
    assert {one["frame"]["id"] for one in whole["hours"] if one["frame"]} <= set(ids.values())
    [first, second] = (await get(site, "/api/v1/scenes/garden/days?month=2026-03"))["items"]
    assert (first["day"], first["frames"], first["cover"]["id"]) == (str(DAY), 8, ids["16:30"])
    assert (second["day"], second["frames"]) == ("2026-03-29", 1)
    assert (await get(site, "/api/v1/scenes/garden/days?month=2026-04"))["items"] == []
    text = await page(site, f"/scenes/garden/days/{DAY}")
    assert "nothing near 15:00" in text
    assert "8 frames" in text
    text = await page(site, "/cameras/garden?month=2026-03")
    assert f'data-day="{DAY}"' in text
    assert "No frames of this day" in await page(site, "/scenes/garden/days/2026-03-01")


async def test_closest_looks_both_ways(site: Site) -> None:
    camera = await garden(site)
    await get(site, "/api/v1/scenes/garden/closest?at=2026-03-28T12:00", status=404)
    early = await at(site, camera, DAY, "10:00")
    late = await at(site, camera, DAY, "11:00", 2)

    async def closest(text: str) -> int:
        found: int = (await get(site, f"/api/v1/scenes/garden/closest?at={text}"))["id"]
        return found

    assert await closest("2026-03-28T10:29:59") == early.id
    assert await closest("2026-03-28T10:30:01") == late.id
    assert await closest("2026-03-28T09:31:00Z") == late.id
    assert await closest("1999-01-01T00:00") == early.id
    assert await closest("2100-01-01T00:00") == late.id
    assert await closest("2026-03-28T10:00") == early.id
    for bad in ("x", "2026-02-30T10:00", "0001-01-01T00:00", ""):
        await get(site, f"/api/v1/scenes/garden/closest?at={bad}", status=400)
    async with site.client.get(
        "/scenes/garden/closest?date=2026-03-28&time=10:50", allow_redirects=False
    ) as answer:
        assert answer.headers["location"] == f"/scenes/garden/frames/{late.id}"
    async with site.client.get(
        f"/scenes/garden/closest?date=2026-03-28&time=10:50&compare={early.id}",
        allow_redirects=False,
    ) as answer:
        assert answer.headers["location"] == f"/scenes/garden/compare?a={early.id}&b={late.id}"
    text = await page(site, f"/scenes/garden/frames/{early.id}")
    assert f'rel="next" href="/scenes/garden/frames/{late.id}"' in text
    assert 'rel="prev"' not in text
    text = await page(site, f"/scenes/garden/compare?a={early.id}&b_at=2026-03-28T10:50")
    assert text.count("<figure>") == 2
    await get(site, "/api/v1/scenes/garden/frames/999999", status=404)


async def test_views_are_not_mixed(site: Site) -> None:
    camera = await garden(site)
    first = await at(site, camera, DAY, "10:00")
    second = await at(site, camera, DAY, "12:00", 2)
    answer = await send(
        site, "POST", "/api/v1/scenes", {"name": "yard", "time_zone": "Europe/Berlin"}, 201
    )
    assert answer["actions"]["delete"] is None
    yard = await scenes.by_name(site.context.pool, "yard")
    assert yard is not None
    await scenes.move(site.context.pool, camera.id, yard.id, second.taken_at, most=9)
    for name, frame in (("garden", first), ("yard", second)):
        [only] = (await get(site, f"/api/v1/scenes/{name}/frames"))["items"]
        assert only["id"] == frame.id
        [day] = (await get(site, f"/api/v1/scenes/{name}/days?month=2026-03"))["items"]
        assert day["frames"] == 1
        text = await page(site, f"/scenes/{name}/frames/{frame.id}")
        assert 'rel="next"' not in text
        assert 'rel="prev"' not in text
    await get(site, f"/api/v1/scenes/garden/frames/{second.id}", status=404)
    shown = {one["name"]: one for one in (await get(site, "/api/v1/scenes"))["items"]}
    assert shown["yard"]["cameras"] == ["garden"]
    assert shown["garden"]["cameras"] == []
    assert shown["garden"]["actions"]["delete"] == "only an admin can do this"
    assert "yard" in await page(site, "/scenes")
    assert "Cameras over time" not in await page(site, "/scenes/yard")


async def test_scenes_are_described_and_removed(site: Site) -> None:
    await send(site, "POST", "/api/v1/scenes", {"name": "yard"}, 201)
    await send(site, "POST", "/api/v1/scenes", {"name": "yard"}, 409)
    change = {"title": "Yard", "latitude": 52.5, "longitude": 13.4, "time_zone": "Asia/Kathmandu"}
    changed = await send(site, "PATCH", "/api/v1/scenes/yard", change)
    assert {key: changed[key] for key in change} == change
    assert (await send(site, "PATCH", "/api/v1/scenes/yard", {"notes": "n"}))["title"] == "Yard"
    for bad in (
        {"latitude": None},
        {"latitude": 91},
        {"longitude": 181},
        {"time_zone": "Mars/Base"},
        {"time_zone": "../etc"},
        {"title": "x" * 201},
        {"notes": "x" * 10_001},
        {"name": "other"},
    ):
        await send(site, "PATCH", "/api/v1/scenes/yard", bad, 400)
    for name in ("", "Yard", "a/b", "-"):
        await send(site, "POST", "/api/v1/scenes", {"name": name}, 400)
    assert "Asia/Kathmandu" in await page(site, "/scenes/yard/edit", admin=True)
    await send(site, "DELETE", "/api/v1/scenes/yard", status=204)
    await send(site, "DELETE", "/api/v1/scenes/yard", status=404)
    await add_camera(site.context)
    await send(site, "DELETE", "/api/v1/scenes/garden", status=409)
    async with site.client.patch("/api/v1/scenes/garden", json={"title": "x"}) as answer:
        assert answer.status == 401


async def test_tags(site: Site) -> None:
    camera = await garden(site)
    await at(site, camera, DAY, "10:00")
    path = "/api/v1/scenes/garden/tags"
    wanted = {"name": " snow  ball ", "from": "2026-03-28T06:00", "to": "2026-03-28T09:00"}
    snow = await send(site, "POST", path, wanted, 201)
    assert (snow["name"], snow["from_at"]) == ("snow ball", "2026-03-28T05:00:00Z")
    going = await send(site, "POST", path, {"name": "scaffold", "from": "2026-03-01T00:00"}, 201)
    assert going["to_at"] is None
    for bad in (
        {"name": "", "from": "2026-03-28T06:00"},
        {"name": "x" * 61, "from": "2026-03-28T06:00"},
        {"name": "x", "from": "soon"},
        {"name": "x", "from": "2026-03-28T06:00", "to": "2026-03-28T06:00"},
        {"name": "x"},
    ):
        await send(site, "POST", path, bad, 400)
    [day] = (await get(site, "/api/v1/scenes/garden/days?month=2026-03"))["items"]
    assert day["tags"] == ["scaffold", "snow ball"]
    changed = await send(site, "PATCH", f"{path}/{snow['id']}", {"to": "2026-03-27T00:00"}, 400)
    changed = await send(site, "PATCH", f"{path}/{snow['id']}", {"name": "ice", "to": None})
    assert (changed["name"], changed["to_at"]) == ("ice", None)
    await send(site, "PATCH", f"{path}/999", {"name": "ice"}, 404)
    for text in (
        await page(site, "/scenes/garden"),
        await page(site, f"/scenes/garden/days/{DAY}"),
    ):
        assert "scaffold" in text
        assert "ice" in text
    await send(site, "DELETE", f"{path}/{snow['id']}", status=204)
    await send(site, "DELETE", f"{path}/{snow['id']}", status=404)
    assert [tag["name"] for tag in (await get(site, path))["items"]] == ["scaffold"]
    form = {"name": "fog", "from": "2026-03-28T06:00", "to": ""}
    async with site.client.post(
        "/scenes/garden/tags", data=form, headers=site.admin_headers, allow_redirects=False
    ) as answer:
        assert answer.headers["location"] == "/scenes/garden#tags"
    assert len((await get(site, path))["items"]) == 2


async def test_frames_are_kept_for_ever(site: Site) -> None:
    frame = await at(site, await garden(site), DAY, "10:00")
    path = f"/api/v1/scenes/garden/frames/{frame.id}"
    assert (await get(site, path))["actions"]["keep"] == "only an admin can do this"
    assert (await get(site, path, admin=True))["actions"]["keep"] is None
    kept = await send(site, "POST", f"{path}/keep")
    assert (kept["kept"], kept["actions"]["release"]) == (True, None)
    assert "Release it" in await page(site, f"/scenes/garden/frames/{frame.id}", admin=True)
    assert (await send(site, "POST", f"{path}/release"))["kept"] is False
    async with site.client.post(f"{path}/keep") as answer:
        assert answer.status == 401
    day = f"/api/v1/scenes/garden/days/{DAY}"
    assert (await send(site, "POST", f"{day}/keep"))["frames"] == 1
    assert (await get(site, path))["kept"] is True
    assert (await send(site, "POST", f"{day}/keep"))["frames"] == 0
    passing = "SELECT passing_frames FROM camera_state"
    assert await site.context.pool.fetchval(passing) == 0
    assert (await send(site, "POST", f"{day}/release"))["frames"] == 1
    assert await site.context.pool.fetchval(passing) == 1
    await send(site, "POST", "/api/v1/scenes/garden/days/soon/keep", status=400)


async def test_a_day_is_downloaded(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    camera = await garden(site)
    monkeypatch.setattr(zipped, "PAGE", 3)
    for n in range(7):
        await at(site, camera, DAY, f"10:0{n}", n)
    await at(site, camera, DAY, "10:06", 50)  # another of the same moment
    await at(site, camera, DAY + timedelta(days=1), "00:00", 51)
    gone = await at(site, camera, DAY, "11:00", 52)
    await site.context.storage.delete(gone.blob)
    path = "/api/v1/scenes/garden/frames.zip"
    async with site.client.get(f"{path}?day={DAY}") as answer:
        assert answer.status == 200
        assert f'filename="garden-{DAY}.zip"' in answer.headers["content-disposition"]
        data = await answer.read()
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert file.testzip() is None
        names = file.namelist()
        assert len(names) == len(set(names)) == 8
        assert names[0] == "2026-03-28_10-00-00.000+0100.jpg"
        assert file.read(names[0]) == jpeg(0)
        assert file.infolist()[0].compress_type == zipfile.ZIP_STORED
        assert file.infolist()[0].date_time == (2026, 3, 28, 10, 0, 0)
    async with site.client.get(f"{path}?from=2026-03-28T10:01&to=2026-03-28T10:03") as answer:
        with zipfile.ZipFile(io.BytesIO(await answer.read())) as file:
            assert len(file.namelist()) == 2
    await get(site, f"{path}?day=2026-01-01", status=404)
    for bad in (
        "",
        "day=x",
        "from=2026-03-28T10:00",
        "day=2026-03-28&from=2026-03-01&to=2026-04-01",
        "from=2026-03-28&to=2026-03-01",
    ):
        await get(site, f"{path}?{bad}", status=400)
    monkeypatch.setattr(zipped, "MOST_FRAMES", 5)
    answer = await get(site, f"{path}?day={DAY}", status=413)
    assert "more than 5 frames" in answer["error"]["message"]


async def test_a_month_asked_wrongly(site: Site) -> None:
    await add_camera(site.context)
    await get(site, "/api/v1/scenes/garden/days?month=soon", status=400)
    await get(site, "/api/v1/scenes/garden/days/soon", status=400)
    await get(site, "/api/v1/scenes/none/days", status=404)
    async with site.client.get("/scenes/garden?month=soon") as answer:
        assert answer.status == 400
