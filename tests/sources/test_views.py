"""Sources in the API and on their page: what everybody sees, what only an admin may do."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from yarl import URL

from tests.conftest import Site
from vigil.settings import ROOT
from vigil.sources import shown, store
from vigil.sources.model import SourceState

HTML = {"accept": "text/html"}
API = "/api/v1/sources"


async def add(site: Site, name: str = "one", kind: str = "twitch", **more: Any) -> None:
    body = {"name": name, "kind": kind, **more}
    async with site.client.post(API, json=body, headers=site.admin_headers) as answer:
        assert answer.status == 201, await answer.text()
        assert answer.headers["location"] == f"{API}/{name}"


async def get(site: Site, path: str, status: int = 200, *, admin: bool = False) -> Any:
    headers = site.admin_headers if admin else {}
    async with site.client.get(path, headers=headers) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()


async def post(site: Site, path: str, status: int, **more: Any) -> Any:
    headers = site.admin_headers
    async with site.client.post(path, headers=headers, allow_redirects=False, **more) as answer:
        text = await answer.text()
        assert answer.status == status, text
        return json.loads(text) if text and "json" in answer.content_type else None


async def page(site: Site, *, admin: bool = False) -> str:
    headers = HTML | (site.admin_headers if admin else {})
    async with site.client.get("/sources", headers=headers) as answer:
        assert answer.status == 200
        return await answer.text()


async def state_of(site: Site, name: str) -> SourceState:
    state = await store.get_state(site.context.pool, name)
    assert state is not None
    return state


class TestApi:
    async def test_empty(self, site: Site) -> None:
        assert await get(site, API) == {"items": [], "next": None}

    async def test_what_an_item_says(self, site: Site) -> None:
        await add(site, options={"languages": ["EN"], "max_viewers": 10})
        (item,) = (await get(site, API))["items"]
        assert item == await get(site, f"{API}/one")
        assert item["title"] == "Twitch"
        assert item["options"] == {"languages": ["en"], "categories": [], "max_viewers": 10}
        assert item["criteria"] == "languages=en max_viewers=10"
        assert item["base_url"] == "https://api.twitch.tv/helix"
        assert (item["state"], item["error"], item["budget"]) == ("waiting", None, None)
        assert item["interval_s"] < item["ttl_s"]
        assert set(item["actions"]) == {"test", "change", "enable", "disable", "delete"}
        assert set(item["actions"].values()) == {shown.ADMIN_ONLY}

    async def test_a_pass_and_its_failure(self, site: Site) -> None:
        await add(site)
        pool, now = site.context.pool, site.context.clock.now()
        number = (await state_of(site, "one")).source.id
        await store.begin_pass(pool, number, now)
        await store.record_progress(pool, number, 3, 300, 250, Counter(x=1, y=49), 700, 800)
        item = await get(site, f"{API}/one", admin=True)
        assert item["state"] == "looking"
        assert item["actions"]["test"] == "it is being looked through right now"
        assert item["refusals"] == [{"reason": "y", "count": 49}, {"reason": "x", "count": 1}]
        assert item["budget"] == {"remaining": 700, "limit": 800}
        next_at = now + timedelta(seconds=40)
        await store.fail_pass(pool, number, now, "it broke", "mend it", next_at)
        item = await get(site, f"{API}/one", admin=True)
        assert (item["state"], item["error"], item["hint"]) == ("failing", "it broke", "mend it")
        assert item["next_at"].startswith(next_at.strftime("%Y-%m-%dT%H:%M:%S"))
        assert item["actions"]["test"] is None

    async def test_credentials_in_an_address_are_for_admins(self, site: Site) -> None:
        await add(site, base_url="http://me:hunter2@192.168.1.2:8080/x/")
        text = json.dumps(await get(site, API)) + await page(site)
        assert "hunter2" not in text
        assert "http://192.168.1.2:8080/x" in text
        seen = await get(site, f"{API}/one", admin=True)
        assert seen["base_url"] == "http://me:hunter2@192.168.1.2:8080/x"

    @pytest.mark.parametrize(
        ("body", "status", "told"),
        [
            ({"name": "Upper", "kind": "twitch"}, 400, "cannot be a source's name"),
            ({"name": "a/b", "kind": "twitch"}, 400, "cannot be a source's name"),
            ({"name": "x", "kind": "myspace"}, 400, "no kind of source called myspace"),
            ({"name": "x", "kind": "twitch", "options": {"lang": 1}}, 400, "no option 'lang'"),
            ({"name": "x", "kind": "owncast", "base_url": "ftp://x"}, 400, "cannot be fetched"),
            ({"name": "x", "kind": "owncast", "base_url": "nonsense"}, 400, "cannot be fetched"),
            ({"name": "x", "kind": "owncast", "base_url": "http://x/?a"}, 400, "without ?"),
            ({"name": "x", "kind": "owncast", "interval_s": 0}, 400, "interval"),
            ({"name": "x", "kind": "owncast", "interval_s": 90, "ttl_s": 60}, 400, "longer than"),
            ({"name": "x", "kind": "owncast", "surprise": 1}, 400, "surprise"),
            ({"kind": "owncast"}, 400, "name"),
            ([], 400, "body"),
            ({"name": "taken", "kind": "owncast"}, 409, "already"),
        ],
    )
    async def test_refused(self, site: Site, body: Any, status: int, told: str) -> None:
        await add(site, "taken")
        error = (await post(site, API, status, json=body))["error"]
        assert told in error["message"]
        assert error["code"]
        assert len((await get(site, API))["items"]) == 1

    async def test_a_slow_source_keeps_its_streams_longer(self, site: Site) -> None:
        await add(site, kind="owncast", interval_s=3600)
        assert (await get(site, f"{API}/one"))["ttl_s"] > 3600

    async def test_change_keeps_what_is_not_told(self, site: Site) -> None:
        await add(site, options={"max_viewers": 3}, base_url="http://x.example")
        async with site.client.patch(
            f"{API}/one", json={"interval_s": 7, "ttl_s": 70}, headers=site.admin_headers
        ) as answer:
            item = await answer.json()
        assert (item["interval_s"], item["ttl_s"], item["enabled"]) == (7, 70, True)
        assert (item["options"]["max_viewers"], item["base_url"]) == (3, "http://x.example")
        async with site.client.patch(
            f"{API}/one", json={"base_url": None, "enabled": False}, headers=site.admin_headers
        ) as answer:
            item = await answer.json()
        assert (item["interval_s"], item["enabled"], item["default_address"]) == (7, False, True)
        for bad in ({"kind": "owncast"}, {"interval_s": 1000}, {"enabled": "no"}):
            async with site.client.patch(
                f"{API}/one", json=bad, headers=site.admin_headers
            ) as answer:
                assert answer.status == 400
        async with site.client.patch(f"{API}/two", json={}, headers=site.admin_headers) as answer:
            assert answer.status == 404

    async def test_enable_disable_delete_and_look_now(self, site: Site) -> None:
        await add(site)
        changed_at = (await state_of(site, "one")).source.changed_at
        assert (await post(site, f"{API}/one/test", 202))["name"] == "one"
        assert (await state_of(site, "one")).source.changed_at > changed_at
        await post(site, f"{API}/one/enable", 409)
        item = await post(site, f"{API}/one/disable", 200)
        assert item["state"] == "disabled"
        assert item["actions"]["enable"] is None
        assert item["actions"]["test"] == "it is disabled"
        await post(site, f"{API}/one/test", 409)
        await post(site, f"{API}/one/enable", 200)
        await post(site, f"{API}/one/explode", 404)
        async with site.client.delete(f"{API}/one", headers=site.admin_headers) as answer:
            assert answer.status == 204
        await get(site, f"{API}/one", 404)
        await post(site, f"{API}/one/test", 404)

    async def test_a_running_pass_is_not_started_again(self, site: Site) -> None:
        await add(site)
        number = (await state_of(site, "one")).source.id
        await store.begin_pass(site.context.pool, number, site.context.clock.now())
        error = (await post(site, f"{API}/one/test", 409))["error"]
        assert "right now" in error["message"]

    async def test_writes_are_for_admins(self, site: Site) -> None:
        await add(site)
        for method, path in (
            ("POST", API),
            ("PATCH", f"{API}/one"),
            ("DELETE", f"{API}/one"),
            ("POST", f"{API}/one/test"),
            ("POST", f"{API}/one/disable"),
            ("POST", "/sources"),
            ("POST", "/sources/one/delete"),
            ("POST", "/sources/one/change"),
        ):
            async with site.client.request(method, path, json={}) as answer:
                assert answer.status == 401, (method, path)
        assert (await state_of(site, "one")).source.enabled

    @pytest.mark.parametrize("name", ["no-such", "A", "%00", "a%2Fb", "x" * 200, "%F0%9F%98%80"])
    async def test_names_that_are_none(self, site: Site, name: str) -> None:
        async with site.client.get(URL(f"{site.url}{API}/{name}", encoded=True)) as one:
            assert one.status in (400, 404)


class TestStates:
    async def test_words(self, site: Site) -> None:
        await add(site)
        fresh = await state_of(site, "one")
        now = site.context.clock.now()
        minutes = timedelta(minutes=1)

        def word(**columns: Any) -> str:
            return shown.state(replace(fresh, **columns), now)

        assert word() == "waiting"
        assert shown.state(fresh, now + 5 * minutes) == "late"
        assert word(started_at=now) == "looking"
        assert word(started_at=now, finished_at=now - minutes) == "looking"
        done = {"started_at": now - 2 * minutes, "finished_at": now - minutes}
        assert word(**done, next_at=now + minutes) == "fine"
        assert word(**done, next_at=now + minutes, error="x") == "failing"
        assert word(**done, next_at=now - 3 * minutes) == "late"
        off = replace(fresh, source=replace(fresh.source, enabled=False))
        assert shown.state(off, now) == "disabled"


class TestPage:
    async def test_what_everybody_sees(self, site: Site) -> None:
        assert "No sources" in await page(site)
        await add(site, "tw", options={"max_viewers": 2})
        await add(site, "oc", "owncast")
        pool, now = site.context.pool, site.context.clock.now()
        for name in ("tw", "oc"):
            await store.begin_pass(pool, (await state_of(site, name)).source.id, now)
        await store.record_progress(
            pool, (await state_of(site, "tw")).source.id, 7, 700, 600,
            Counter({"malformed: <b>": 100}), 12, 800,
        )  # fmt: skip
        await store.fail_pass(
            pool, (await state_of(site, "oc")).source.id, now,
            "https://directory.example answered 503", "wait a little", now + timedelta(seconds=30),
        )  # fmt: skip
        text = await page(site)
        assert "answered 503" in text
        assert "wait a little" in text
        assert "next try" in text
        assert "700 in 7 answers; kept 600, refused 100" in text
        assert "12 of 800 requests are left" in text
        assert "malformed: &lt;b&gt;" in text
        assert "max_viewers=2" in text
        assert '<form method="post" action="/sources' not in text

    async def test_an_admin_adds_changes_and_removes_without_javascript(self, site: Site) -> None:
        form = {
            "name": "mine",
            "kind": "twitch",
            "option.languages": "de",
            "option.max_viewers": "5",
        }
        await post(site, "/sources", 303, data=form)
        text = await page(site, admin=True)
        for part in ("/sources/mine/test", "/sources/mine/disable", "/sources/mine/delete"):
            assert f'action="{part}"' in text
        form = {
            "option.languages": "",
            "interval_s": "45",
            "ttl_s": "450",
            "base_url": "http://x.example/",
        }
        await post(site, "/sources/mine/change", 303, data=form)
        source = (await state_of(site, "mine")).source
        assert (source.interval_s, source.ttl_s, source.base_url) == (45, 450, "http://x.example")
        assert source.options["max_viewers"] is None
        await post(site, "/sources/mine/disable", 303)
        assert 'action="/sources/mine/enable"' in await page(site, admin=True)
        await post(site, "/sources/mine/enable", 303)
        await post(site, "/sources/mine/test", 303)
        await post(site, "/sources/mine/delete", 303)
        assert await store.list_states(site.context.pool) == []

    @pytest.mark.parametrize(
        "form",
        [
            {"name": "x", "kind": "twitch", "option.max_viewers": "many"},
            {"name": "x", "kind": "twitch", "option.languages": "english"},
            {"name": "x", "kind": "json_feed"},
            {"name": "x", "kind": "twitch", "interval_s": "soon"},
            {"name": "x", "kind": "twitch", "interval_s": "nan"},
            {"name": "x", "kind": "twitch", "ttl_s": "inf"},
            {"name": "x"},
            {},
        ],
    )
    async def test_a_form_that_cannot_be_used(self, site: Site, form: dict[str, str]) -> None:
        await post(site, "/sources", 400, data=form)
        assert await store.list_states(site.context.pool) == []

    async def test_the_list_alone(self, site: Site) -> None:
        await add(site)
        async with site.client.get("/sources/list") as answer:
            text = await answer.text()
        assert 'data-source="one"' in text
        assert "<html" not in text

    async def test_news(self, site: Site) -> None:
        await add(site)
        number = (await state_of(site, "one")).source.id
        async with site.client.get("/sources/events") as answer:
            assert await event(answer) == "changed"  # at once: something may have been missed
            await store.begin_pass(site.context.pool, number, site.context.clock.now())
            assert await event(answer) == "changed"
            await post(site, "/sources/one/disable", 303)
            assert await event(answer) == "changed"


async def event(answer: aiohttp.ClientResponse) -> str:
    async with asyncio.timeout(10):
        while True:
            line = (await answer.content.readline()).decode()
            assert line, "the stream ended"
            if line.startswith("event: "):
                return line.removeprefix("event: ").strip()


def test_every_state_has_a_colour_that_the_page_knows() -> None:
    css = (ROOT / "static/css/site.css").read_text()
    for colours in shown.BADGES.values():
        for colour in colours.split():
            assert f".{colour}" in css
