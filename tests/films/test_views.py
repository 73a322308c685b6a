"""Films on the real site: JSON, pages, playing."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest

from tests.conftest import Site
from tests.films import making
from vigil import ffmpeg
from vigil.clock import FakeClock
from vigil.films import builtin, store

FILMS = "/api/v1/films"


async def get(site: Site, path: str, *, admin: bool = False, status: int = 200) -> Any:
    async with site.client.get(path, headers=site.admin_headers if admin else {}) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()


async def post(site: Site, path: str, body: Any = None, *, status: int = 200) -> Any:
    async with site.client.post(path, json=body, headers=site.admin_headers) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()


async def page(site: Site, path: str, *, admin: bool = False, status: int = 200) -> str:
    headers = {"accept": "text/html"} | (site.admin_headers if admin else {})
    async with site.client.get(path, headers=headers) as answer:
        assert answer.status == status, await answer.text()
        return await answer.text()


async def recent(site: Site, seconds: int = 60, name: str = "garden") -> datetime:
    """A camera with a frame each second until now; the moment."""
    camera = await making.camera(site.context, name)
    now = site.context.clock.now()
    for second in range(seconds):
        taken_at = now - timedelta(seconds=seconds - second)
        await making.add_frame(site.context, camera, taken_at, making.jpeg(second), now)
    return now


async def a_film(site: Site, **body: Any) -> int:
    made = await post(site, FILMS, {"camera": "garden", "speed": 10, "fps": 10} | body, status=201)
    found: int = made["id"]
    return found


async def done(site: Site) -> int:
    """A film of 56 frames that is done."""
    until = await recent(site) - timedelta(seconds=4.5)
    film_id = await a_film(site, **{"from": "5m", "to": until.isoformat()})
    await making.render(site.context, film_id)
    assert (await get(site, f"{FILMS}/{film_id}"))["state"] == "done"
    return film_id


async def test_a_film_is_made(site: Site) -> None:
    await recent(site, 2)
    made = await post(
        site,
        FILMS,
        {"camera": "garden", "from": "1h", "to": "now", "speed": 10, "title": "Mine"},
        status=201,
    )
    assert made["title"] == "Mine"
    assert (made["state"], made["fps"]) == ("waiting", 10)
    assert "10 pictures a second instead of 25" in made["notes"][0]
    assert (made["width"], made["height"]) == (160, 90)
    assert made["job"]["state"] == "waiting"
    assert made["job"]["waiting_for"] == "no renderer is running"
    assert made["segments"] == {"done": 0, "planned": 0}
    assert (made["playlist"], made["file"]) == (None, None)
    assert made["actions"] == {
        "cancel": None,
        "resume": "it goes on by itself",
        "delete": None,
        "file": "there is nothing in it yet",
    }
    shown = await get(site, f"{FILMS}/{made['id']}")
    assert set(shown["actions"].values()) == {"only an admin can do that"}
    one = {name: value for name, value in shown.items() if name not in ("work", "troubles")}
    assert await get(site, FILMS) == {"items": [one], "next": None}
    assert shown["from"].endswith("Z") or shown["from"].endswith("+00:00")


async def test_only_an_admin_makes_and_stops(site: Site) -> None:
    await recent(site, 2)
    film_id = await a_film(site)
    for method, path in (
        ("POST", FILMS),
        ("POST", f"{FILMS}/{film_id}/cancel"),
        ("POST", f"{FILMS}/{film_id}/resume"),
        ("DELETE", f"{FILMS}/{film_id}"),
        ("POST", "/films"),
        ("POST", f"/films/{film_id}/delete"),
    ):
        async with site.client.request(method, path, json={"camera": "garden"}) as answer:
            assert answer.status == 401, (method, path)
    assert len((await get(site, FILMS))["items"]) == 1


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"camera": "nowhere"}, 404, "there is no camera nowhere"),
        ({}, 400, '"camera" is missing'),
        ({"camera": "garden", "speed": "fast"}, 400, "speed"),
        ({"camera": "garden", "from": "soon"}, 400, '"from" is not a moment: soon'),
        ({"camera": "garden", "from": "1h", "to": "2h"}, 400, "lies before the film begins"),
        ({"camera": "garden", "mood": "sad"}, 400, "mood"),
        ([], 400, "this film cannot be made"),
    ],
)
async def test_what_cannot_be_made(site: Site, body: Any, status: int, message: str) -> None:
    await making.camera(site.context)
    error = (await post(site, FILMS, body, status=status))["error"]
    assert message in error["message"]
    assert error["hint"]
    assert (await get(site, FILMS))["items"] == []


async def test_json_that_is_none(site: Site) -> None:
    async with site.client.post(FILMS, data=b"{", headers=site.admin_headers) as answer:
        assert answer.status == 400
        assert "not JSON" in (await answer.json())["error"]["message"]


async def test_pages_of_the_list(site: Site) -> None:
    await making.camera(site.context)
    await making.camera(site.context, "street")
    ids = [await a_film(site, camera=name) for name in ("garden", "street", "garden", "garden")]
    first = await get(site, f"{FILMS}?camera=garden&limit=2")
    assert [film["id"] for film in first["items"]] == [ids[3], ids[2]]
    rest = await get(site, f"{FILMS}?camera=garden&limit=2&cursor={first['next']}")
    assert [film["id"] for film in rest["items"]] == [ids[0]]
    assert rest["next"] is None
    for query in ("cursor=x", "limit=x", "cursor=5b2d315d", "camera=%00"):
        await get(site, f"{FILMS}?{query}", status=400)


async def test_what_is_not_there(site: Site) -> None:
    for number in ("1", "0", "99999999999999999999999"):
        for path in ("", "/playlist.m3u8", "/film.mp4", "/segments", "/timeline"):
            await get(site, f"{FILMS}/{number}{path}", status=404)
    for name in (f"1-0-{'0' * 64}.m4s", f"init-{'0' * 64}.mp4", "init-x.mp4"):
        await get(site, f"{FILMS}/1/segments/{name}", status=404)
    for name in (f"sheets/{'0' * 64}.jpg", "sheets/x.jpg", f"posters/{'0' * 64}.jpg"):
        await get(site, f"{FILMS}/1/{name}", status=404)
    await get(site, f"{FILMS}/1/previews/{'0' * 32}.webp", status=404)
    for path in ("moments?at_s=0", "thumbnails.vtt"):
        await get(site, f"{FILMS}/1/{path}", status=404)
    await get(site, f"{FILMS}/1/segments/..%2f..%2fsecret", status=404)
    assert "no film 1" in await page(site, "/films/1", status=404)


async def test_a_film_before_its_first_segment(site: Site) -> None:
    await recent(site, 2)
    film_id = await a_film(site)
    async with site.client.get(f"{FILMS}/{film_id}/playlist.m3u8") as answer:
        assert answer.status == 404
        assert answer.headers["retry-after"] == "2"
    error = (await get(site, f"{FILMS}/{film_id}/film.mp4", status=409))["error"]
    assert "playlist.m3u8" in error["hint"]
    assert (await get(site, f"{FILMS}/{film_id}/segments"))["items"] == []


async def fetch_all(site: Site, playlist: str, folder: Path) -> Path:
    """Get a playlist and all it names into a folder; the playlist's path there."""
    async with site.client.get(playlist) as answer:
        assert answer.status == 200
        assert answer.content_type == "application/vnd.apple.mpegurl"
        text = await answer.text()
    lines = []
    for line in text.splitlines():
        name = line
        if line.startswith("#EXT-X-MAP"):
            name = line.split('"')[1]
        if name and not name.startswith("#"):
            async with site.client.get(urljoin(playlist, name)) as answer:
                assert answer.status == 200
                local = name.rpartition("/")[2]
                (folder / local).write_bytes(await answer.read())
            line = line.replace(name, local)
        lines.append(line)
    path = folder / "list.m3u8"
    path.write_text("\n".join(lines) + "\n")
    return path


async def test_the_playlist_plays(site: Site, tmp_path: Path) -> None:
    film_id = await done(site)
    shown = await get(site, f"{FILMS}/{film_id}")
    local = await fetch_all(site, shown["playlist"], tmp_path)
    assert "#EXT-X-ENDLIST" in local.read_text()
    found = await ffmpeg.run(
        [
            *("-allowed_extensions", "ALL", "-extension_picky", "0", "-i", str(local)),
            *("-fps_mode", "passthrough", "-f", "null", "-"),
        ]
    )
    assert found.frames == shown["frames"] == 56
    assert shown["duration_s"] == pytest.approx(5.6)


async def test_a_playlist_that_did_not_change_is_not_sent_again(site: Site) -> None:
    camera = await making.camera(site.context)
    film_id = await making.film(site.context, camera, until=None)
    await making.add_frames(site.context, camera, range(20))
    then = replace(site.context, clock=FakeClock(making.START + timedelta(seconds=22)))
    await making.render(then, film_id)
    url = f"{FILMS}/{film_id}/playlist.m3u8"
    async with site.client.get(url) as answer:
        headers = {"if-none-match": answer.headers["etag"]}
        assert "EVENT" in await answer.text()
    async with site.client.get(url, headers=headers) as answer:
        assert answer.status == 304
    await making.add_frames(site.context, camera, range(20, 40))
    then = replace(site.context, clock=FakeClock(making.START + timedelta(seconds=42)))
    await making.render_due(then, film_id)
    async with site.client.get(url, headers=headers) as answer:
        assert answer.status == 200
        assert (await answer.text()).count("#EXTINF") == 2
    after = await get(site, f"{FILMS}/{film_id}/segments?after=1")
    assert [one["number"] for one in after["items"]] == [2]
    await get(site, f"{FILMS}/{film_id}/segments?after=x", status=400)


async def test_a_segment_never_changes(site: Site) -> None:
    film_id = await done(site)
    listed = await get(site, f"{FILMS}/{film_id}/segments")
    last = listed["items"][-1]
    assert last["start_s"] + last["duration_s"] == pytest.approx(5.6)
    assert last["first_at"] <= last["last_at"]
    async with site.client.get(last["url"]) as answer:
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.content_type == "video/iso.segment"
        etag = answer.headers["etag"]
        body = await answer.read()
    async with site.client.get(last["url"], headers={"if-none-match": etag}) as answer:
        assert answer.status == 304
    async with site.client.head(last["url"]) as answer:
        assert answer.status == 200
        assert int(answer.headers["content-length"]) == len(body)


async def test_the_file_has_ranges(site: Site, tmp_path: Path) -> None:
    film_id = await done(site)
    shown = await get(site, f"{FILMS}/{film_id}")
    url = shown["file"]["url"]
    async with site.client.get(url) as answer:
        assert answer.content_type == "video/mp4"
        whole = await answer.read()
    assert len(whole) == shown["file"]["bytes"]
    async with site.client.get(url, headers={"range": "bytes=10-19"}) as answer:
        assert answer.status == 206
        assert await answer.read() == whole[10:20]
    async with site.client.get(url + "?download=1") as answer:
        assert f"vigil-garden-{film_id}.mp4" in answer.headers["content-disposition"]
    path = tmp_path / "film.mp4"
    path.write_bytes(whole)
    assert whole.index(b"moov") < whole.index(b"mdat"), "it plays before it is loaded"
    assert len((await making.decode(path)).pts) == 56


async def test_cancel_resume_delete(site: Site) -> None:
    await recent(site)
    film_id = await a_film(site, **{"from": "90s", "to": "-5s"})
    film = f"{FILMS}/{film_id}"
    shown = await post(site, f"{film}/cancel")
    assert shown["state"] == "cancelled"
    assert shown["actions"]["cancel"] == "it is cancelled: there is nothing to cancel"
    await post(site, f"{film}/cancel", status=409)
    shown = await post(site, f"{film}/resume")
    assert shown["state"] == "waiting"
    await post(site, f"{film}/explode", status=404)
    async with site.client.delete(film, headers=site.admin_headers) as answer:
        assert answer.status == 202
        assert await answer.json() == {"id": film_id, "state": "deleting"}
    await get(site, film, status=404)
    assert (await get(site, FILMS))["items"] == []


async def test_the_pages(site: Site) -> None:
    assert "No films yet" in await page(site, "/films")
    film_id = await done(site)
    text = await page(site, "/films")
    assert f'href="/films/{film_id}"' in text
    assert "/films/make" not in text
    assert "/films/make?camera=garden" in await page(site, "/films?camera=garden", admin=True)
    text = await page(site, f"/films/{film_id}")
    assert f'<source src="{FILMS}/{film_id}/film.mp4">' in text
    assert "Delete" not in text
    assert "Make one like it" not in text
    text = await page(site, f"/films/{film_id}", admin=True)
    assert "Look for late frames" in text
    assert '<input type="hidden" name="scene" value="garden">' in text
    assert "Make one like it" in text


async def test_the_form(site: Site) -> None:
    await recent(site, 2)
    fields = {"camera": "garden", "from": "", "to": "", "speed": "10", "fps": "", "title": "<b>"}
    async with site.client.post(
        "/films", data=fields, headers=site.admin_headers, allow_redirects=False
    ) as answer:
        assert answer.status == 303
        place = answer.headers["location"]
    text = await page(site, place)
    assert "&lt;b&gt;" in text
    assert "<b>" not in text
    async with site.client.post(
        f"{place}/delete", headers=site.admin_headers, allow_redirects=False
    ) as answer:
        assert (answer.status, answer.headers["location"]) == (303, "/films")
    await page(site, place, status=404)


async def test_progress_comes_by_itself(site: Site) -> None:
    await recent(site)
    film_id = await a_film(site, **{"from": "90s", "to": "-5s"})
    seen: list[dict[str, Any]] = []
    async with site.client.get(f"/films/{film_id}/events") as answer:

        async def event() -> tuple[str, Any]:
            name = ""
            async for line in answer.content:
                text = line.decode().rstrip()
                if text.startswith("event: "):
                    name = text.removeprefix("event: ")
                if text.startswith("data: "):
                    return name, json.loads(text.removeprefix("data: "))
            raise AssertionError("the line was closed")

        assert (await event())[1]["state"] == "waiting"
        rendering = asyncio.create_task(making.render(site.context, film_id))
        async with asyncio.timeout(30):
            while not seen or not seen[-1]["file"]:
                name, film = await event()
                assert name == "film"
                seen.append(film)
        await rendering
        assert "done" in [film["state"] for film in seen]
        await store.mark_deleting(site.context.pool, film_id)
        assert await event() == ("gone", {"id": film_id})


async def test_the_test_cards_film_is_planted_once(site: Site) -> None:
    await making.camera(site.context, "testcard", interval_s=1)
    await builtin.register_testcard_film(site.context)
    (film,) = (await get(site, FILMS))["items"]
    assert (film["title"], film["to"], film["fps"]) == ("Test card", None, 10)
    assert (film["width"], film["height"], film["window_s"]) == (960, 540, 20)
    await builtin.register_testcard_film(site.context)
    assert len((await get(site, FILMS))["items"]) == 1
    await store.mark_deleting(site.context.pool, film["id"])
    await builtin.register_testcard_film(site.context)
    assert (await get(site, FILMS))["items"] == []
