"""Standing films over HTTP: JSON, pages, addresses that stay, feeds."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec
import pytest
from PIL import Image

from tests.conftest import Site
from tests.films.standing_stage import (
    DAY,
    FILM,
    add,
    at,
    camera,
    editions,
    finish,
    get,
    hours,
    look,
    render,
    then,
)
from tests.films.test_again import CHOICES, LOOKS
from tests.films.test_standing_feed import check_rss, one
from vigil.context import Context
from vigil.films import check
from vigil.films.asking.forms import PRISTINE
from vigil.films.options import Choice, Look
from vigil.films.standing import forms, ordering, store

API = "/api/v1/films/standing"
BEGIN = at("2026-05-01T00:00Z")


async def ask(site: Site, method: str, path: str, body: Any = None, status: int = 200) -> Any:
    """Ask as an admin does; the answer's JSON."""
    options: dict[str, Any] = {} if body is None else {"json": body}
    async with site.client.request(method, path, headers=site.admin_headers, **options) as answer:
        text = await answer.text()
        assert answer.status == status, text
        return json.loads(text) if text else None


async def rendered(context: Context, days: int, **other: Any) -> Context:
    """A standing film and its films of some days, all whole but the one of now."""
    number = await camera(context, "UTC")
    await hours(context, number, BEGIN, BEGIN + days * DAY + timedelta(hours=13))
    await add(then(context, BEGIN), film={"length": "12s"}, **other)  # each segment shows hours
    for day in range(days + 1):
        now = then(context, BEGIN + day * DAY + timedelta(hours=12, minutes=5))
        await look(now)
        for edition in await editions(now):
            if edition.state != "done":
                await render(now, edition.film_id)
    return now


async def test_made_changed_paused_and_deleted(site: Site) -> None:
    await camera(site.context)
    made = await ask(site, "POST", API, {"film": FILM, "title": "Garden", "keep_days": 30}, 201)
    assert made["slug"] == "garden"
    assert made["film"] == FILM
    assert (made["every"], made["state"], made["newest"]) == ("daily", "active", None)
    assert (made["time_zone"], made["keep_days"], made["announce"]) == ("Europe/Berlin", 30, True)
    assert made["feed"] == "/films/standing/garden/feed.xml"
    assert await ask(site, "GET", f"{API}/garden") == made
    assert (await ask(site, "GET", API))["items"] == [made]
    changes = {"title": "The garden", "keep_days": None, "keep_films": 9}
    changed = await ask(site, "PATCH", f"{API}/garden", changes)
    assert (changed["title"], changed["keep_days"], changed["keep_films"]) == (
        "The garden",
        None,
        9,
    )
    assert changed["film"] == FILM
    await ask(site, "PATCH", f"{API}/garden", {"every": "weekly"}, 400)
    await ask(site, "PATCH", f"{API}/garden", {"film": {"camera": "nowhere"}}, 404)
    paused = await ask(site, "POST", f"{API}/garden/pause")
    assert (paused["state"], paused["next_at"]) == ("paused", None)
    assert paused["actions"]["resume"] is None
    await ask(site, "POST", f"{API}/garden/pause", status=409)
    assert (await ask(site, "POST", f"{API}/garden/resume"))["state"] == "active"
    await ask(site, "POST", API, {"film": FILM, "title": "Garden"}, 409)
    assert (await ask(site, "POST", f"{API}/garden/past", {"number": 3}, 202))["past"] == {
        "done": 0,
        "total": 3,
    }
    await ask(site, "POST", f"{API}/garden/past", {"number": 3}, 409)
    await ask(site, "POST", f"{API}/garden/past", {"number": "x"}, 400)
    await ask(site, "DELETE", f"{API}/garden?films=true", status=204)
    await ask(site, "GET", f"{API}/garden", status=404)
    await ask(site, "GET", f"{API}/no/such", status=404)


async def test_writing_is_for_admins(site: Site) -> None:
    await camera(site.context)
    await add(site.context)
    for method, path in (
        ("POST", API),
        ("PATCH", f"{API}/garden"),
        ("DELETE", f"{API}/garden"),
        ("POST", f"{API}/garden/pause"),
        ("POST", f"{API}/garden/past"),
        ("POST", "/films/standing"),
        ("POST", "/films/standing/garden/delete"),
        ("POST", "/films/standing/garden/past"),
        ("POST", "/films/standing/garden/pause"),
        ("POST", "/films/standing/garden/edit"),
        ("GET", "/films/standing/garden/edit"),
    ):
        async with site.client.request(method, path) as answer:
            assert answer.status == 401, (method, path)
    async with site.client.get(f"{API}/garden") as answer:
        reasons = (await answer.json())["actions"].values()
        assert all(reasons)


async def test_addresses_that_stay(site: Site) -> None:
    await rendered(site.context, 2)
    first, second, third = await editions(site.context)
    assert [edition.state for edition in (first, second, third)] == ["done", "done", "growing"]
    page = "/films/standing/garden"
    async with site.client.get(f"{page}/latest.m3u8", allow_redirects=False) as answer:
        assert answer.status == 302
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.headers["location"] == f"/api/v1/films/{third.film_id}/playlist.m3u8"
    async with site.client.get(f"{page}/latest.m3u8") as answer:
        assert (await answer.text()).startswith("#EXTM3U")
    async with site.client.get(f"{page}/latest.mp4", allow_redirects=False) as answer:
        assert answer.headers["location"] == f"/api/v1/films/{second.film_id}/film.mp4"
    async with site.client.head(f"{page}/latest.mp4", allow_redirects=True) as answer:
        assert answer.status == 200
        assert int(answer.headers["content-length"]) == second.file_bytes


async def test_there_is_nothing_yet(site: Site) -> None:
    await camera(site.context)
    await add(site.context)
    await look(site.context)
    for name in ("latest.m3u8", "latest.mp4", "cover.jpg"):
        async with site.client.get(f"/films/standing/garden/{name}") as answer:
            assert answer.status == 404
            assert int(answer.headers["retry-after"]) > 0
    async with site.client.get("/films/standing/garden/feed.xml") as answer:
        assert check_rss(await answer.read()).findall("item") == []
    for path in ("feed.xml", "feed.json", "latest.mp4", "latest.m3u8", ""):
        async with site.client.get(f"/films/standing/nothing/{path}") as answer:
            assert answer.status == 404


async def test_the_feed_is_as_long_as_its_files(site: Site) -> None:
    await rendered(site.context, 2)
    async with site.client.get("/films/standing/garden/feed.xml") as answer:
        assert answer.content_type == "application/rss+xml"
        tag = answer.headers["etag"]
        channel = check_rss(await answer.read())
    items = channel.findall("item")
    assert len(items) == 2
    site_url = site.context.settings.site_url
    for item in items:
        enclosure = one(item, "enclosure")
        address = str(enclosure.get("url"))
        assert address.startswith(f"{site_url}/api/v1/films/")
        async with site.client.get(address.removeprefix(site_url)) as answer:
            data = await answer.read()
            assert answer.content_type == enclosure.get("type") == "video/mp4"
        assert str(len(data)) == enclosure.get("length")
        assert one(item, "{http://www.itunes.com/dtds/podcast-1.0.dtd}duration").text == "12"
    assert parsedate_to_datetime(str(one(items[0], "pubDate").text)) == BEGIN + 2 * DAY
    headers = {"if-none-match": tag}
    async with site.client.get("/films/standing/garden/feed.xml", headers=headers) as answer:
        assert answer.status == 304
    async with site.client.get("/films/standing/garden/feed.json") as answer:
        found = await answer.json(content_type=None)
    assert [item["attachments"][0]["size_in_bytes"] for item in found["items"]] == [
        int(str(one(item, "enclosure").get("length"))) for item in items
    ]


async def test_the_cover_is_what_podcast_apps_want(site: Site) -> None:
    """A square JPEG in RGB, large enough and not too heavy, which HEAD answers, too."""
    await rendered(site.context, 1)
    async with site.client.get("/films/standing/garden/feed.xml") as answer:
        channel = check_rss(await answer.read())
    address = str(one(channel, "{http://www.itunes.com/dtds/podcast-1.0.dtd}image").get("href"))
    path = address.removeprefix(site.context.settings.site_url)
    async with site.client.get(path) as answer:
        assert answer.status == 200
        assert answer.content_type == "image/jpeg"
        data, tag = await answer.read(), answer.headers["etag"]
    assert len(data) < 512_000
    with Image.open(io.BytesIO(data)) as cover:
        assert (cover.format, cover.mode, cover.size) == ("JPEG", "RGB", (1400, 1400))
        small = cover.resize((14, 14)).convert("L").tobytes()
        assert small[7] < 0.8 * small[7 * 14 + 7], "darker above than in it"
    async with site.client.head(path) as answer:
        assert answer.status == 200
        assert int(answer.headers["content-length"]) == len(data)
    async with site.client.get(path, headers={"if-none-match": tag}) as answer:
        assert answer.status == 304
    kept = [info.key async for info in site.context.storage.list("stills")]
    assert [key for key in kept if key.endswith("-cover.jpg")] != []
    assert await check.check(site.context, mend=False) == []


async def test_its_films_as_json(site: Site) -> None:
    await rendered(site.context, 2)
    found = await ask(site, "GET", f"{API}/garden/films?limit=2")
    assert [film["title"] for film in found["items"]] == [
        "Garden, 2026-05-03",
        "Garden, 2026-05-02",
    ]
    rest = await ask(site, "GET", f"{API}/garden/films?limit=2&cursor={found['next']}")
    assert [film["title"] for film in rest["items"]] == ["Garden, 2026-05-01"]
    assert rest["next"] is None
    assert rest["items"][0]["file"]["bytes"] > 1000
    await ask(site, "GET", f"{API}/garden/films?limit=0", status=400)
    await ask(site, "GET", f"{API}/garden/films?cursor=00", status=400)


async def form(site: Site, path: str, status: int = 303, **fields: str) -> str:
    """Send a form as a program of an admin; where it leads, or the page."""
    async with site.client.post(
        path, data=fields, headers=site.admin_headers, allow_redirects=False
    ) as answer:
        text = await answer.text()
        assert answer.status == status, text
        return answer.headers.get("location", text)


async def page(site: Site, path: str) -> str:
    async with site.client.get(path, headers=site.admin_headers) as answer:
        text = await answer.text()
        assert answer.status == 200, text
        return text


async def test_the_forms(site: Site) -> None:
    await camera(site.context)
    fields = {
        "camera": "garden", "every": "rolling", "rolling": "3h", "length": "5s", "fps": "10",
        "title": "Lately <b>", "slug": "lately", "stamp": "on", "keep_films": "3", "pace": "length",
        "speed": "1000", "per_day": "1",
        "more": '{"look": {"deflicker": 31}, "choice": {"skip": ["dark"]}}',
    }  # fmt: skip
    assert await form(site, "/films/standing", 303, **fields) == "/films/standing/lately"
    made = await get(site.context, "lately")
    assert made.wish == {
        "camera": "garden", "rolling": "3h", "length": "5s", "fps": 10,
        "look": {"deflicker": 31, "stamp": {}}, "choice": {"skip": ["dark"]},
    }  # fmt: skip
    assert (made.keep_films, made.announce, made.rolling_s) == (3, False, 10800)
    text = await page(site, "/films/standing/lately/edit")
    assert "Lately &lt;b&gt;" in text
    assert "deflicker" in text
    assert text.count(" checked") == 5, "pace, stamp, deflicker, skip dark, not one frame a day"
    changed = fields | {"more": "", "stamp": "", "title": "Lately", "keep_films": ""}
    await form(site, "/films/standing/lately/edit", 303, **changed)
    after = await get(site.context, "lately")
    assert after.wish.keys() == {"camera", "rolling", "length", "fps"}
    assert (after.title, after.keep_films, after.every) == ("Lately", None, "rolling")
    assert after.ordered_at > made.ordered_at
    # What is wrong stands above the form, which is as it was sent.
    for status, wrong in (
        (400, {"more": "{"}),
        (404, {"camera": "nowhere"}),
        (400, {"fps": "many"}),
        (409, {"slug": "lately"}),
    ):
        text = await form(site, "/films/standing", status, **fields | {"slug": "other"} | wrong)
        assert 'role="alert"' in text
        assert 'value="5s"' in text
    await form(site, "/films/standing/lately/pause")
    assert "paused" in await page(site, "/films/standing")
    await form(site, "/films/standing/lately/resume")
    await form(site, "/films/standing/lately/past", 409, number="3")
    await form(site, "/films/standing/lately/delete", films="1")
    assert await store.page(site.context.pool) == []
    assert "No standing films yet" in await page(site, "/films/standing")


async def test_the_pages(site: Site) -> None:
    now = await rendered(site.context, 1, keep_films=30)
    text = await page(site, "/films/standing/garden")
    assert 'href="/films/standing/garden/feed.xml"' in text
    assert "Garden, 2026-05-01" in text
    assert "Garden, 2026-05-02" in text
    assert text.index("Garden, 2026-05-02") < text.index("Garden, 2026-05-01")
    assert 'value="7"' in text
    assert "Garden" in await page(site, "/films/standing")
    assert "/films/standing" in await page(site, "/films")
    async with site.client.get("/films/standing/garden") as answer:
        visitors = await answer.text()
    assert "/delete" not in visitors
    assert "/past" not in visitors
    await form(site, "/films/standing/garden/past", number="3")
    await look(now)
    assert "Garden, 2026-05-01" in await page(site, "/films/standing/garden")
    with pytest.raises(AssertionError, match="number"):
        await form(site, "/films/standing/garden/past", number="x")


async def test_a_failed_film_says_why(site: Site) -> None:
    await camera(site.context, "UTC")
    await add(then(site.context, BEGIN))
    await look(then(site.context, BEGIN))
    (edition,) = await editions(site.context)
    await finish(site.context, edition.film_id, "failed")
    await site.context.pool.execute("UPDATE films SET error = 'the disk is full'")
    assert "The disk is full." in await page(site, "/films/standing/garden")


async def test_the_form_of_a_film_fills_this_one(site: Site) -> None:
    await camera(site.context)
    text = await form(
        site, "/films/standing/new", 200, scene="garden", range="last", last="30d", pace="per_day",
        per_day="4", length="60s", speed="1000", fade="days", skip_dark="on", title="Slowly",
        daylight="on", fps="", daily="none",
    )  # fmt: skip
    for words in ("the scene garden", "between", "dark", 'value="4"', 'value="Slowly"'):
        assert words in text
    assert '<input type="hidden" name="scene" value="garden">' in text
    assert forms.asked({"scene": "garden"}).film == {"scene": "garden"}
    assert forms.asked({"scene": "garden", "camera": "street"}).film == {"camera": "street"}
    text = await form(site, "/films/standing/new", 400, scene="garden", pace="speed", speed="fast")
    assert 'role="alert"' in text


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("look", LOOKS)
def test_the_form_says_what_is_asked_for(choice: dict[str, Any], look: dict[str, Any]) -> None:
    """Fields, and JSON only for what none of them says: and so it comes back."""
    film = {"camera": "garden", "length": "60s", "format": "webm", "quality": 3}
    film |= {name: part for name, part in (("choice", choice), ("look", look)) if part}
    wanted = ordering.parse({"film": film})
    filled = forms.film_fields(wanted.film)
    more = json.loads(filled.get("more", "{}"))
    assert more == ({"choice": {"exclude": [[5, 9]]}} if "exclude" in choice else {})
    back = forms.asked(dict(PRISTINE) | filled | {"announce": "on"}).film
    assert {name: back[name] for name in ("camera", "length", "format", "quality")} == {
        name: film[name] for name in ("camera", "length", "format", "quality")
    }
    kinds = {"choice": Choice, "look": Look}
    for name, kind in kinds.items():
        assert msgspec.convert(back.get(name, {}), kind) == msgspec.convert(
            film.get(name, {}), kind
        )


def test_what_the_json_says_counts() -> None:
    asked = forms.asked({
        "camera": "garden", "every": "daily", "pace": "every", "stamp": "on",
        "stamp_corner": "top-left", "daylight": "on", "deflicker": "9", "calm": "1",
        "more": '{"look": {"stamp": {"size": 0.1}, "deflicker": 15}, "choice": {"every": true}}',
    })  # fmt: skip
    assert asked.film == {
        "camera": "garden",
        "choice": {"sun_from": 0, "every": True},
        "look": {"stamp": {"corner": "top-left", "size": 0.1}, "deflicker": 15},
    }


async def test_the_edit_form_has_the_fields_of_a_film(site: Site) -> None:
    await camera(site.context)
    wish: dict[str, Any] = {
        "choice": {"weekdays": [0, 6], "hours": [["06:00", "20:00"]]},
        "look": {
            "deflicker": 9,
            "fade": {"between": "days", "hold": 5},
            "crop": [0.1, 0, 0.9, 1],
        },
    }
    made = await add(site.context, film=wish)
    await site.context.pool.execute(
        "UPDATE standing_films SET wish = jsonb_set(wish, '{choice,tags}', '[\"snow\"]')"
    )
    path = f"/films/standing/{made.slug}/edit"
    text = await page(site, path)
    for words in (
        '<input type="checkbox" name="tags" value="snow" checked>',
        '<input type="hidden" name="fade_hold" value="5">',
        '<input type="checkbox" name="deflicker" value="9" checked>',
        '<option value="days" selected>',
        'name="crop_right" min="0" max="100" step="0.1"',
        'class="mono"></textarea>',
    ):
        assert words in text
    said = [("camera", "garden"), ("pace", "every"), ("weekdays", "0"), ("weekdays", "6"),
            ("stamp_format", "%H:%M"), ("fade", "none"), ("daily", "none"), ("format", "mp4"),
            ("quality", "2"), ("hours", ""), ("gaps", "mark")]  # fmt: skip
    for tags, status in (([("tags", "snow")], 400), ([], 303)):
        async with site.client.post(
            path, data=said + tags, headers=site.admin_headers, allow_redirects=False
        ) as answer:
            assert answer.status == status, await answer.text()
    assert (await get(site.context, made.slug)).wish == {
        "camera": "garden",
        "choice": {"weekdays": [0, 6]},
        "look": {"gaps": "mark"},
    }
