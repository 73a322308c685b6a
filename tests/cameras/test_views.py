"""Pages and JSON of the cameras, on the real site."""

from __future__ import annotations

import asyncio
import io
import json
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from PIL import Image

from tests.cameras.helpers import add_camera, add_frame, blobs, until
from tests.conftest import Site
from tests.servers.pictures import jpeg
from vigil.cameras import retention, scan, store
from vigil.cameras.model import Camera
from vigil.errors import SourceError

SECRET = "http://joe:secret@10.1.2.3/hideaway.jpg?key=1"
GPS = b"Exif\0\0MM\0*\0\0\0\x08\0\0" + b"somewhere 51.4769N 0.0005W"


async def get(site: Site, path: str, *, admin: bool = False, status: int = 200) -> Any:
    async with site.client.get(path, headers=site.admin_headers if admin else {}) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()


async def page(site: Site, path: str, *, admin: bool = False) -> str:
    headers = {"accept": "text/html"} | (site.admin_headers if admin else {})
    async with site.client.get(path, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        assert "script-src 'nonce-" in answer.headers["content-security-policy"]
        return await answer.text()


async def test_the_list(site: Site) -> None:
    assert await get(site, "/api/v1/cameras") == {"items": [], "next": None}
    await add_camera(site.context, "b", title="Back door", url=SECRET)
    camera = await add_camera(site.context, "a", url="testcard")
    frame = await add_frame(site.context, camera, jpeg(1))
    first, second = (await get(site, "/api/v1/cameras"))["items"]
    assert (first["name"], first["kind"], first["state"]) == ("a", "testcard", "connected")
    assert first["latest"]["id"] == frame.id
    assert (second["title"], second["state"], second["latest"]) == ("Back door", "waiting", None)


async def test_an_address_is_shown_to_an_admin_only(site: Site) -> None:
    camera = await add_camera(site.context, url=SECRET)
    error = SourceError("http://10.1.2.3/hideaway.jpg?… answered 401", hint="look")
    await scan.record_failure(site.context, camera, error, 5)
    for path in ("/api/v1/cameras", "/api/v1/cameras/garden", "/cameras", "/cameras/garden"):
        async with site.client.get(path) as answer:
            text = await answer.text()
        assert "the camera answered 401" in text
        for secret in ("secret", "joe", "10.1.2.3", "hideaway", "key=1"):
            assert secret not in text, path
    assert (await get(site, "/api/v1/cameras/garden", admin=True))["url"] == SECRET
    assert "hideaway.jpg" in await page(site, "/cameras/garden", admin=True)


async def test_what_can_be_done_and_why_not(site: Site) -> None:
    camera = await add_camera(site.context)
    shown = await get(site, "/api/v1/cameras/garden")
    assert set(shown["actions"].values()) == {"only an admin can do this"}
    shown = await get(site, "/api/v1/cameras/garden", admin=True)
    done = {"change": None, "move": None, "delete": None}
    assert shown["actions"] == done | {"film": "it has no frames yet"}
    assert "it has no frames yet" in await page(site, "/cameras/garden", admin=True)
    await add_frame(site.context, camera, jpeg(1))
    shown = await get(site, "/api/v1/cameras/garden", admin=True)
    assert shown["actions"] == done | {"film": None}
    assert "/films/make?camera=garden" in await page(site, "/cameras/garden", admin=True)
    assert "/films/make" not in await page(site, "/cameras/garden")
    await store.begin_removal(site.context.pool, camera.id)
    shown = await get(site, "/api/v1/cameras/garden", admin=True)
    assert shown["state"] == "deleting"
    assert set(shown["actions"].values()) == {"it is being removed"}


async def test_states(site: Site) -> None:
    async def state() -> str:
        found: str = (await get(site, "/api/v1/cameras/garden"))["state"]
        return found

    camera = await add_camera(site.context)
    assert await state() == "waiting"
    await scan.record_failure(site.context, camera, SourceError("gone"), 5)
    assert await state() == "failing"
    frame = await add_frame(site.context, camera, jpeg(1))
    assert await state() == "connected"
    await site.context.pool.execute(
        "UPDATE frames SET received_at = received_at - interval '2 minutes' WHERE id = $1", frame.id
    )
    assert await state() == "quiet"
    await site.context.pool.execute("UPDATE cameras SET enabled = false")
    assert await state() == "disabled"


async def test_frames_by_time_and_page(site: Site) -> None:
    camera = await add_camera(site.context)
    other = await add_camera(site.context, "other")
    now = site.context.clock.now().replace(microsecond=0)
    times = [now - timedelta(minutes=n) for n in range(7)]
    for n, moment in enumerate(times):
        await add_frame(site.context, camera, jpeg(n), moment)
    await add_frame(site.context, camera, jpeg(50), times[3])  # two at the same moment
    await add_frame(site.context, other, jpeg(9), now)
    path = "/api/v1/cameras/garden/frames"
    everything = (await get(site, path))["items"]
    assert [item["taken_at"] for item in everything] == sorted(
        (item["taken_at"] for item in everything), reverse=True
    )
    assert len(everything) == 8
    assert set(everything[0]["actions"]) == {"keep", "release"}
    query = f"?from={times[5].isoformat()}&to={times[1].isoformat()}"  # the + becomes a blank
    some = (await get(site, path + query))["items"]
    assert {item["id"] for item in some} == {item["id"] for item in everything[2:7]}
    zulu = f"?from={times[5]:%Y-%m-%dT%H:%M:%SZ}&to={times[1]:%Y-%m-%dT%H:%M:%S}"
    assert (await get(site, path + zulu))["items"] == some
    found: list[Any] = []
    following: str | None = ""
    while following is not None:
        part = await get(site, f"{path}?limit=3&cursor={following}")
        assert len(part["items"]) <= 3
        found += part["items"]
        following = part["next"]
    assert found == everything


@pytest.mark.parametrize(
    "query",
    ["from=yesterday", "to=1", "limit=0", "limit=1001", "limit=nan", "limit=1.5", "limit=x",
     "limit=inf", "cursor=zz", "cursor=00", "cursor=5b5d",
     "cursor=" + json.dumps(["2026-01-01T00:00:00Z", "xx"]).encode().hex()],
)  # fmt: skip
async def test_bad_questions_are_400(site: Site, query: str) -> None:
    await add_camera(site.context)
    answer = await get(site, f"/api/v1/cameras/garden/frames?{query}", status=400)
    assert answer["error"]["code"] == "invalid"
    assert answer["error"]["message"]


@pytest.mark.parametrize(
    "path",
    ["/api/v1/cameras/none", "/api/v1/cameras/none/frames", "/api/v1/cameras/none/latest.jpg",
     "/api/v1/cameras/garden/latest.jpg", "/api/v1/cameras/garden/frames/1.jpg",
     "/api/v1/cameras/garden/frames/9999999999999999999999.jpg",
     "/api/v1/cameras/garden/frames/x.jpg", "/api/v1/cameras/garden/frames/1.png",
     "/api/v1/cameras/a%00b", "/api/v1/cameras/%F0%9F%8C%B1"],
)  # fmt: skip
async def test_what_is_not_there_is_404(site: Site, path: str) -> None:
    await add_camera(site.context)
    assert (await get(site, path, status=404))["error"]["code"] == "not_found"


async def test_a_frame_of_another_camera_is_404(site: Site) -> None:
    await add_camera(site.context)
    other = await add_camera(site.context, "other")
    frame = await add_frame(site.context, other, jpeg(1))
    wrong = await get(site, f"/api/v1/cameras/garden/frames/{frame.id}.jpg", status=404)
    assert wrong["error"]["code"] == "not_found"
    async with site.client.get(f"/api/v1/cameras/other/frames/{frame.id}.jpg") as answer:
        assert (answer.status, await answer.read()) == (200, jpeg(1))


async def test_pictures(site: Site) -> None:
    camera = await add_camera(site.context)
    await add_frame(site.context, camera, jpeg(1))
    frame = await add_frame(site.context, camera, jpeg(2))
    async with site.client.get("/api/v1/cameras/garden/latest.jpg") as answer:
        assert answer.status == 200
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.headers["x-taken-at"] == frame.taken_at.isoformat()
        assert await answer.read() == jpeg(2)
        etag = answer.headers["etag"]
    async with site.client.get(
        "/api/v1/cameras/garden/latest.jpg", headers={"if-none-match": etag}
    ) as answer:
        assert answer.status == 304
        assert await answer.read() == b""
    async with site.client.head("/api/v1/cameras/garden/latest.jpg") as answer:
        assert answer.status == 200
        assert answer.headers["content-length"] == str(len(jpeg(2)))
    async with site.client.get(f"/api/v1/cameras/garden/frames/{frame.id}.jpg") as answer:
        assert "immutable" in answer.headers["cache-control"]
        assert await answer.read() == jpeg(2)
    await site.context.storage.delete(frame.blob)
    await get(site, f"/api/v1/cameras/garden/frames/{frame.id}.jpg", status=404)


async def test_where_a_camera_stands_is_not_told(site: Site) -> None:
    camera = await add_camera(site.context)
    frame = await add_frame(site.context, camera, jpeg(3, exif=GPS))
    assert b"51.4769N" in await site.context.storage.get(frame.blob)  # the original is kept
    for path in ("latest.jpg", f"frames/{frame.id}.jpg"):
        async with site.client.get(f"/api/v1/cameras/garden/{path}") as answer:
            shown = await answer.read()
        assert b"51.4769N" not in shown
        assert Image.open(io.BytesIO(shown)).tobytes() == Image.open(io.BytesIO(jpeg(3))).tobytes()


async def test_adding_and_removing_by_program(site: Site) -> None:
    body = {"name": "door", "url": SECRET, "title": "Door", "interval_s": 2, "retention_s": 3600}
    async with site.client.post("/api/v1/cameras", json=body) as answer:
        assert answer.status == 401
    async with site.client.post("/api/v1/cameras", json=body, headers=site.admin_headers) as answer:
        assert answer.status == 201
        assert answer.headers["location"] == "/api/v1/cameras/door"
        made = await answer.json()
    assert (made["kind"], made["interval_s"], made["url"]) == ("http", 2, SECRET)
    async with site.client.post("/api/v1/cameras", json=body, headers=site.admin_headers) as answer:
        assert answer.status == 409
    async with site.client.delete("/api/v1/cameras/door") as answer:
        assert answer.status == 401
    async with site.client.delete("/api/v1/cameras/door", headers=site.admin_headers) as answer:
        assert answer.status == 202
        assert (await answer.json())["state"] == "deleting"
    async with site.client.delete("/api/v1/cameras/door", headers=site.admin_headers) as answer:
        assert answer.status == 409
    await retention.expire(site.context)
    await get(site, "/api/v1/cameras/door", status=404)


@pytest.mark.parametrize(
    "body",
    [b"", b"no json", b"[]", b'{"name": "a"}', b'{"name": "a", "url": 5}',
     b'{"name": "a", "url": "http://x", "more": 1}', b'{"name": "A", "url": "http://x"}',
     b'{"name": "a", "url": "http://x", "interval_s": 0}', b'\xff\xfe',
     b'{"name": "a", "url": "ftp://x/y"}',
     b'{"name": "a", "url": "http://x", "options": {"z": true}}'],
)  # fmt: skip
async def test_a_body_that_cannot_be_used_is_400(site: Site, body: bytes) -> None:
    async with site.client.post("/api/v1/cameras", data=body, headers=site.admin_headers) as answer:
        assert answer.status == 400, await answer.text()
        assert (await answer.json())["error"]["message"]
    assert await store.all_cameras(site.context.pool) == []


async def test_the_forms(site: Site) -> None:
    form = {"name": "door", "url": "rtsp://x/y", "title": "", "kind": "", "interval_s": "1.5",
            "retention_days": "2"}  # fmt: skip
    for path in ("/cameras", "/cameras/door/delete"):
        async with site.client.post(path, data=form, allow_redirects=False) as answer:
            assert answer.status == 401
    async with site.client.post(
        "/cameras", data=form, headers=site.admin_headers, allow_redirects=False
    ) as answer:
        assert (answer.status, answer.headers["location"]) == (303, "/cameras/door")
    camera = await store.by_name(site.context.pool, "door")
    assert camera is not None
    assert (camera.kind, camera.interval_s, camera.retention_s) == ("ffmpeg", 1.5, 2 * 86_400)
    async with site.client.post(
        "/cameras/door/delete", headers=site.admin_headers, allow_redirects=False
    ) as answer:
        assert (answer.status, answer.headers["location"]) == (303, "/cameras")
    bad = form | {"interval_s": "soon"}
    async with site.client.post(
        "/cameras", data=bad, headers=site.admin_headers | {"accept": "text/html"}
    ) as answer:
        assert answer.status == 400
        assert "interval is a number" in await answer.text()


async def test_pages(site: Site) -> None:
    assert "No cameras yet" in await page(site, "/cameras")
    camera = await add_camera(site.context, title="<b>Garden</b> & co")
    assert "Add a camera" not in await page(site, "/cameras")
    assert "Add a camera" in await page(site, "/cameras", admin=True)
    assert "&lt;b&gt;Garden&lt;/b&gt; &amp; co" in await page(site, "/cameras/garden")
    for n in range(3):
        await add_frame(site.context, camera, jpeg(n))
    await scan.record_failure(site.context, camera, SourceError("it broke", hint="mend it"), 9)
    for path in ("/cameras", "/cameras/garden"):
        text = await page(site, path)
        assert "it broke" in text
        assert "mend it" in text
        assert "Next try" in text
        assert "<b>Garden" not in text
    text = await page(site, "/cameras/garden")
    assert text.count(">Show</a>") == 4  # three frames and the template of another


async def events(answer: aiohttp.ClientResponse, number: int) -> list[tuple[str, Any]]:
    """The next server-sent events."""
    found: list[tuple[str, Any]] = []
    name = ""
    while len(found) < number:
        line = (await asyncio.wait_for(answer.content.readline(), 20)).decode().rstrip("\n")
        assert answer.content.at_eof() is False or line
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            found.append((name, json.loads(line.removeprefix("data: "))))
    return found


async def listening(site: Site, camera: Camera) -> bool:
    """Whether the site's listener hands on what happens to this camera by now."""
    return any(
        f"camera:{camera.id}" in topics for topics in site.context.listener._subscribers.values()
    )


async def test_the_page_is_told_of_frames_and_trouble(site: Site) -> None:
    camera = await add_camera(site.context, url=SECRET)
    other = await add_camera(site.context, "other")
    async with site.client.get("/cameras/garden/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        ((name, first),) = await events(answer, 1)
        assert (name, first["state"]) == ("camera", "waiting")
        assert "url" not in first
        await until(lambda: listening(site, camera))
        frame = await add_frame(site.context, camera, jpeg(1))
        await add_frame(site.context, other, jpeg(1))
        ((name, told),) = await events(answer, 1)
        assert name == "frame"
        assert told["id"] == frame.id
        assert (told["width"], told["bytes"]) == (frame.width, frame.bytes)
        async with site.client.get(told["url"]) as picture:
            assert await picture.read() == jpeg(1)
        await scan.record_failure(site.context, camera, SourceError("it broke"), 9)
        ((name, told),) = await events(answer, 1)
        assert (name, told["state"], told["error"]) == ("camera", "failing", "it broke")
        await store.begin_removal(site.context.pool, camera.id)
        ((name, told),) = await events(answer, 1)
        assert (name, told["state"]) == ("camera", "deleting")
        await retention.expire(site.context)
        ((name, told),) = await events(answer, 1)
        assert name == "gone"
        assert (await answer.content.read()).strip() == b""  # and that is the end
    assert not await listening(site, camera)
    assert len(await blobs(site.context)) == 1
