"""Asking for films over HTTP: for programs, and the pages."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.conftest import Site
from tests.films import making

RANGE = {"from": "2026-03-01T12:00Z", "to": "2026-03-01T12:01Z"}
FIELDS = [("camera", "garden"), ("range", "between"), *RANGE.items(), ("pace", "every")]


async def post(site: Site, path: str, admin: bool = True, **kwargs: Any) -> tuple[int, Any]:
    headers = site.admin_headers if admin else {}
    async with site.client.post(path, headers=headers, allow_redirects=False, **kwargs) as answer:
        kind = answer.headers.get("content-type", "")
        body = await answer.json() if "json" in kind else await answer.text()
        return answer.status, body if answer.status != 303 else answer.headers["location"]


async def garden(site: Site) -> int:
    camera = await making.camera(site.context)
    await making.add_frames(site.context, camera, range(40), size=(320, 180))
    return camera


async def test_a_program_plans_and_makes(site: Site) -> None:
    await garden(site)
    order = {"camera": "garden", **RANGE, "fps": 10, "look": {"stamp": {"corner": "top-left"}}}
    status, plan = await post(site, "/api/v1/films/plan?strip=5&at=3", json=order)
    assert status == 200, plan
    assert (plan["pictures"], plan["duration_s"], plan["frames"]) == (40, 4, 40)
    assert (len(plan["strip"]), plan["strip_at"]) == (5, 3)
    assert [look["which"] for look in plan["looks"]] == ["first", "middle", "last"]
    assert plan["options"]["look"] == {"stamp": {"corner": "top-left"}}
    thumbnail = plan["strip"][0]["thumbnail"]
    assert re.fullmatch(r"/api/v1/cameras/garden/frames/\d+-160\.jpg", thumbnail)
    async with site.client.get(plan["looks"][1]["url"], headers=site.admin_headers) as answer:
        assert answer.status == 200
        assert answer.content_type == "image/jpeg"
        assert (await answer.read())[:2] == b"\xff\xd8"
    async with site.client.get(plan["looks"][1]["url"]) as answer:
        assert answer.status == 401
    status, made = await post(site, "/api/v1/films", json=order)
    assert status == 201
    assert made["fps"] == 10
    assert made["notes"] == plan["notes"]
    status, again = await post(site, "/api/v1/films/plan", json=order)
    assert again["strip"] == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"camera": "garden", "last": "soon"}, '"last"'),
        ({"camera": "garden", **RANGE, "look": {"denoise": 9}}, '"denoise"'),
        ({"camera": "garden", "color": "red"}, "color"),
        ([], "object"),
        ({"camera": "garden", "from": "2020-01-01", "to": "2020-01-02"}, "hold no frames"),
    ],
)
async def test_what_is_refused(site: Site, body: Any, said: str) -> None:
    await garden(site)
    for path in ("/api/v1/films/plan", "/api/v1/films"):
        status, answer = await post(site, path, json=body)
        assert status == 400
        assert said in answer["error"]["message"]
    status, answer = await post(site, "/api/v1/films/plan", data=b"{")
    assert status == 400


async def test_only_an_admin_asks(site: Site) -> None:
    await garden(site)
    for path in ("/api/v1/films/plan", "/api/v1/films"):
        assert (await post(site, path, admin=False, json={"camera": "garden"}))[0] == 401
    for path in ("/films/plan", "/films/make", "/films"):
        assert (await post(site, path, admin=False, data={"camera": "garden"}))[0] == 401
    async with site.client.get("/films/make") as answer:
        assert answer.status == 401


async def test_from_the_form_to_the_plan_and_back_and_made(site: Site) -> None:
    await garden(site)
    async with site.client.get("/films/make?camera=garden", headers=site.admin_headers) as answer:
        page = await answer.text()
        assert answer.status == 200
    assert re.search(r'name="scene" value="garden"[^>]* checked', page)
    assert re.search(r'name="range" value="last" checked', page)
    fields = [
        *FIELDS,
        ("fps", "10"),
        ("card", "May & <June>"),
        ("weekdays", "6"),
        ("weekdays", "0"),
    ]
    status, page = await post(site, "/films/plan", data=fields)
    assert status == 200, page
    assert "<strong>7 s</strong>" in page  # a card of three seconds
    assert 'name="card" value="May &amp; &lt;June&gt;"' in page
    assert page.count('name="weekdays"') == 2
    moments = re.findall(r'name="exclude" value="(\d+)"', page)
    assert len(moments) == 40
    fields += [("exclude", moments[3]), ("exclude", "1-5")]
    status, page = await post(site, "/films/plan", data=fields)
    assert "<strong>6.9 s</strong>" in page
    assert re.search(rf'value="{moments[3]}"[^>]* checked', page)
    assert 'name="exclude" value="1-5"' in page
    status, page = await post(site, "/films/make", data=fields)
    assert status == 200
    assert re.search(r'name="card"[^>]* value="May &amp; &lt;June&gt;"', page)
    assert re.search(r'name="weekdays" value="6" checked', page)
    assert f'value="{moments[3]}-{int(moments[3]) + 1}"' in page
    status, where = await post(site, "/films", data=fields)
    assert (status, where) == (303, "/films/1")
    film = await making.get(site.context, 1)
    moment = int(moments[3])
    assert film.making.choice.exclude == ((1, 5), (moment, moment + 1))
    assert film.making.look.card is not None
    assert film.making.look.card.text == "May & <June>"


async def test_the_strip_has_pages(site: Site) -> None:
    camera = await making.camera(site.context)
    await making.add_frames(site.context, camera, range(58))
    _, page = await post(site, "/films/plan", data=FIELDS)
    assert (page.count('id="out-'), "Later frames" in page) == (48, True)
    assert "Earlier frames" not in page
    moments = re.findall(r'id="out-(\d+)"', page)
    out = [("exclude", moments[0])]
    _, page = await post(site, "/films/plan", data=[*FIELDS, *out, ("strip", "48")])
    assert (page.count('id="out-'), "Earlier frames" in page) == (9, True)
    assert f'name="exclude" value="{moments[0]}-' in page


async def test_a_form_with_something_wrong_comes_back_with_it(site: Site) -> None:
    await garden(site)
    wrong = [("camera", "garden"), ("range", "last"), ("last", "a while"), ("speed", "7")]
    for path in ("/films", "/films/plan"):
        status, page = await post(site, path, data=wrong)
        assert status == 400
        assert 'data-error-field="last"' in page
        assert 'value="a while"' in page
    status, page = await post(site, "/films/plan", data=[*wrong, ("part", "1")])
    assert status == 200
    assert 'data-error-field="last"' in page
    assert "<form" not in page
    status, page = await post(site, "/films", data={"camera": "gardn"})
    assert status == 404
    assert "there are: garden" in page.lower()


async def test_a_plan_has_an_address(site: Site) -> None:
    await garden(site)
    url = "/films/plan?scene=garden&range=all&pace=every&fps=8"
    async with site.client.get(url, headers=site.admin_headers) as answer:
        assert answer.status == 200
        assert "<strong>5 s</strong>" in await answer.text()


async def test_a_page_without_cameras(site: Site) -> None:
    async with site.client.get("/films/make", headers=site.admin_headers) as answer:
        assert "There is nothing to film yet" in await answer.text()


async def test_pictures_are_kept_for_a_moment(site: Site, monkeypatch: Any) -> None:
    await garden(site)
    order = {"camera": "garden", **RANGE, "size": "320x180"}
    _, plan = await post(site, "/api/v1/films/plan", json=order)
    url = plan["looks"][0]["url"]
    async with site.client.get(url, headers=site.admin_headers) as answer:
        first = await answer.read()
    await site.context.pool.execute("DELETE FROM frames")
    async with site.client.get(url, headers=site.admin_headers) as answer:
        assert await answer.read() == first
    async with site.client.get(
        "/api/v1/films/plan/picture.jpg?film=x&at=1", headers=site.admin_headers
    ) as answer:
        assert answer.status == 400
