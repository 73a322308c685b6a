"""The form of a source and the preview: nothing is saved by a test, no secret comes back."""

from __future__ import annotations

import html
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.conftest import Site
from tests.servers.json_api import JsonApi, station
from tests.servers.playlist import Playlist
from tests.sources.test_views import API, get, page, post, state_of
from vigil.sources import adding, blocking, forms, preview, store
from vigil.sources.kinds import DIRECTORIES

SECRET = "correct-horse-battery"
HTML = {"accept": "text/html"}


@pytest_asyncio.fixture
async def api() -> AsyncIterator[JsonApi]:
    async with JsonApi(25, way="cursor", key=SECRET) as server:
        yield server


def filled(server: JsonApi, **more: str) -> dict[str, str]:
    options = {forms.OPTION + name: str(value) for name, value in server.options.items()}
    secret = {"secret_name": "X-Api-Key", "secret_value": SECRET}
    return {
        "name": "radio",
        "kind": "json_feed",
        "base_url": server.address,
        **options,
        **secret,
    } | more


async def send(site: Site, path: str, form: Any, status: int) -> str:
    headers = HTML | site.admin_headers
    async with site.client.post(path, data=form, headers=headers, allow_redirects=False) as answer:
        text = await answer.text()
        assert answer.status == status, text
        return html.unescape(text)


async def read(site: Site, path: str) -> str:
    async with site.client.get(path, headers=HTML | site.admin_headers) as answer:
        assert answer.status == 200
        return html.unescape(await answer.text())


@pytest.mark.parametrize("kind", DIRECTORIES)
async def test_each_kind_has_a_form_with_each_of_its_options(site: Site, kind: str) -> None:
    text = await read(site, f"/sources/new/{kind}")
    for option in DIRECTORIES[kind].form:
        assert f'name="option.{option.name}"' in text
        assert option.label in text
    assert ('name="secret_value"' in text) == DIRECTORIES[kind].secrets
    assert f"/sources/new/{kind}" in await page(site, admin=True)


async def test_forms_are_for_admins(site: Site) -> None:
    for path in ("/sources/new/json_feed", "/sources/one/change"):
        async with site.client.get(path) as answer:
            assert answer.status == 401
    async with site.client.post(f"{API}/one/preview", json={"kind": "m3u"}) as answer:
        assert answer.status == 401
    async with site.client.get("/sources/new/gopher", headers=site.admin_headers) as answer:
        assert answer.status == 404


async def test_a_test_shows_the_first_items_and_saves_nothing(site: Site, api: JsonApi) -> None:
    api.faults.bad_items = 4
    await blocking.block(site.context.pool, "word", "Show 3", "me")
    form = filled(api, **{"option.max_viewers": "5"})
    text = await send(site, "/sources", form | {"do": "test"}, 200)
    assert "Show 1" in text
    assert 'data-preview="s00003"' not in text
    assert "refused: blocked" in text
    assert "refused: malformed: no object" in text
    assert "refused: more than 5 viewers" in text
    assert "Nothing was saved" in text
    assert 'value="show.genre.name"' in text  # the form is as it was left
    assert SECRET not in text  # but for this
    assert await store.list_states(site.context.pool) == []
    assert api.pages <= 2  # no more than what is shown


async def test_what_is_wrong_is_said_beside_what_was_typed(site: Site, api: JsonApi) -> None:
    form = filled(api, **{"option.viewers": "listeners-count"})
    for more in ({}, {"do": "test"}):
        text = await send(site, "/sources", form | more, 400)
        assert "option viewers is wrong at character 10" in text
        assert "listeners ▸here▸ -count" in text
        assert 'value="listeners-count"' in text
        assert SECRET not in text
    text = await send(site, "/sources", filled(api, secret_value="wrong") | {"do": "test"}, 200)
    assert "answered 401" in text
    assert await store.list_states(site.context.pool) == []


async def test_added_and_edited_without_javascript(site: Site, api: JsonApi) -> None:
    await send(site, "/sources", filled(api), 303)
    source = (await state_of(site, "radio")).source
    assert source.secrets == {"X-Api-Key": SECRET}
    assert source.options["cursor"] == "meta.after"
    text = await read(site, "/sources/radio/change")
    assert 'value="meta.after"' in text
    assert "Forget the secret header X-Api-Key" in text
    assert SECRET not in text
    form = filled(api, secret_name="", secret_value="", **{"option.title": "name"})
    text = await send(site, "/sources/radio/change", form | {"do": "test"}, 200)
    assert ">Station 1<" in text  # with the secret that is there
    assert (await state_of(site, "radio")).source.options["title"] == "show.title"
    await send(site, "/sources/radio/change", form | {"interval_s": "300", "ttl_s": "2000"}, 303)
    source = (await state_of(site, "radio")).source
    assert (source.options["title"], source.interval_s, source.ttl_s) == ("name", 300, 2000)
    assert source.secrets == {"X-Api-Key": SECRET}
    await send(site, "/sources/radio/change", form | {"forget": "X-Api-Key"}, 303)
    assert (await state_of(site, "radio")).source.secrets == {}


async def test_no_secret_goes_to_another_host(site: Site, api: JsonApi) -> None:
    await send(site, "/sources", filled(api), 303)
    async with JsonApi(3) as other:
        form = filled(api, base_url=other.address, secret_name="", secret_value="")
        for more in ({}, {"do": "test"}):
            text = await send(site, "/sources/radio/change", form | more, 400)
            assert "another host: give X-Api-Key again" in text
        assert not other.requests
        form |= {"secret_name": "X-Api-Key", "secret_value": "other"}
        await send(site, "/sources/radio/change", form | {"do": "test"}, 200)
        assert {request.headers["x-api-key"] for request in other.requests} == {"other"}


class TestApi:
    async def test_no_answer_holds_a_secret(self, site: Site, api: JsonApi) -> None:
        body = {
            "name": "radio", "kind": "json_feed", "base_url": f"{api.address}&token=t0ken",
            "options": api.options, "secrets": {"X-Api-Key": SECRET},
        }  # fmt: skip
        made = await post(site, API, 201, json=body)
        assert made["secrets"] == ["X-Api-Key"]
        assert made["options"]["items"] == "stations"
        assert made["base_url"].endswith("t0ken")
        told = json.dumps(made) + await page(site, admin=True)
        anybody = await get(site, f"{API}/radio")
        assert (anybody["secrets"], anybody["options"].keys()) == (
            [], {"languages", "categories", "max_viewers"},
        )  # fmt: skip
        told += json.dumps(anybody) + await page(site)
        assert SECRET not in told
        assert "t0ken" not in json.dumps(anybody) + await page(site)

    async def test_preview(self, site: Site, api: JsonApi) -> None:
        body = {
            "kind": "json_feed", "base_url": api.address, "options": api.options,
            "secrets": {"X-Api-Key": SECRET},
        }  # fmt: skip
        seen = await post(site, f"{API}/radio/preview", 200, json=body)
        assert (len(seen["items"]), seen["found"], seen["complete"]) == (12, 20, False)
        assert seen["items"][1]["category"] == "Jazz"
        assert (await get(site, API))["items"] == []
        await post(site, API, 201, json=body | {"name": "radio"})
        changed = {"options": api.options | {"categories": "talk"}}
        seen = await post(site, f"{API}/radio/preview", 200, json=changed)
        assert {item["category"] for item in seen["items"]} == {"Talk"}
        assert seen["refused"] == [{"reason": "another category", "count": 12}]
        bad = {"options": {"items": "a["}}
        assert "ends too early" in json.dumps(
            await post(site, f"{API}/radio/preview", 400, json=bad)
        )
        await post(site, f"{API}/nobody/preview", 404, json={})
        api.faults.server_error = -1
        error = await post(site, f"{API}/radio/preview", 502, json={})
        assert "answered 500" in error["error"]["message"]

    async def test_secrets_are_changed_one_by_one(self, site: Site, api: JsonApi) -> None:
        body = {
            "name": "radio", "kind": "json_feed", "base_url": api.address,
            "secrets": {"X-Api-Key": SECRET, "Cookie": "a=b"},
        }  # fmt: skip
        await post(site, API, 201, json=body)
        for secrets, names in (
            ({"x-api-key": "new"}, ["Cookie", "x-api-key"]),
            ({"Cookie": None}, ["x-api-key"]),
            ({}, ["x-api-key"]),
        ):
            async with site.client.patch(
                f"{API}/radio", json={"secrets": secrets}, headers=site.admin_headers
            ) as answer:
                assert (await answer.json())["secrets"] == names
        assert (await state_of(site, "radio")).source.secrets == {"x-api-key": "new"}
        wrong = {"name": "x", "kind": "m3u", "base_url": api.address, "secrets": {"A": "b"}}
        assert "sends no headers" in json.dumps(await post(site, API, 400, json=wrong))
        no_address = await post(site, API, 400, json={"name": "x", "kind": "m3u"})
        assert "give the address" in json.dumps(no_address)

    async def test_a_playlist(self, site: Site) -> None:
        async with Playlist() as server:
            body = {"kind": "m3u", "base_url": server.address, "options": {"languages": "de"}}
            seen = await post(site, f"{API}/tv/preview", 200, json=body)
        assert [item["title"] for item in seen["items"]] == ["One"]
        assert (seen["found"], seen["kept"], seen["complete"]) == (3, 1, True)


async def test_nobody_waits_for_ever(
    site: Site, api: JsonApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "PATIENCE_S", 0.2)
    api.faults.slow_s = 5
    text = await send(site, "/sources", filled(api) | {"do": "test"}, 200)
    assert "did not show anything within 0.2 s" in text


async def test_strangers_titles_are_shown_harmlessly(site: Site) -> None:
    bad = station(1, show={"title": "<script>alert(1)</script>", "genre": {"name": "<b>"}})
    async with JsonApi([bad]) as server:
        form = filled(server) | {"do": "test"}
        headers = HTML | site.admin_headers
        async with site.client.post("/sources", data=form, headers=headers) as answer:
            text = await answer.text()
    assert "&lt;script&gt;alert(1)" in text
    assert "<script>alert" not in text


def test_what_nobody_changes_stays() -> None:
    source = adding.checked(
        adding.Wanted(
            name="x", kind="json_feed", base_url="http://x.example/?a=b",
            options={"headers": {"A": "b", "C": "d"}, "languages": ["de", "fr"]},
        )
    )  # fmt: skip
    fields = {name: [value] for name, value in forms.filled(source).items()}
    wanted = forms.wanted(fields, DIRECTORIES["json_feed"], source)
    assert adding.checked(wanted, source) == source
