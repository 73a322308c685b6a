"""The page about what happened, and its API."""

from __future__ import annotations

import re
from typing import Any

from click.testing import CliRunner

from tests.conftest import Site
from vigil.notifications import store
from vigil.notifications.cli import notify

API = "/api/v1/destinations"
HOOK = {"name": "mine", "kind": "webhook", "url": "https://hooks.example/very-secret-path"}


async def call(site: Site, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    async with site.client.request(method, path, json=body, headers=site.admin_headers) as answer:
        return answer.status, await answer.json() if answer.status != 204 else None


async def test_a_destination_from_first_to_last(site: Site) -> None:
    status, made = await call(site, "POST", API, HOOK | {"kinds": ["camera."]})
    assert status == 201
    assert made["secret"].startswith("whsec_")
    assert made["place"] == "https://hooks.example"
    assert (await call(site, "POST", API, HOOK))[0] == 409
    status, listed = await call(site, "GET", API)
    (item,) = listed["items"]
    assert item["secret"] is None
    assert "very-secret" not in str(listed)
    place = f"{API}/{made['id']}"
    assert (await call(site, "POST", f"{place}/test"))[0] == 204
    assert (await call(site, "GET", API))[1]["items"][0]["waiting"] == 1
    assert (await call(site, "POST", f"{place}/disable"))[0] == 204
    await store.add(site.context.pool, "camera.dark", "camera:a", "dark")
    assert (await call(site, "GET", API))[1]["items"][0]["waiting"] == 1
    assert (await call(site, "DELETE", place))[0] == 204
    assert (await call(site, "DELETE", place))[0] == 404
    assert (await call(site, "POST", f"{API}/99999999999/test"))[0] == 404


async def test_bad_ones_are_explained_and_strangers_kept_out(site: Site) -> None:
    for wrong in ({"kind": "x"}, {"url": "nothing"}, {"name": ""}, {"kinds": ["A B"]}):
        status, answer = await call(site, "POST", API, HOOK | wrong)
        assert status == 400, answer
    async with site.client.post(API, json=HOOK) as answer:
        assert answer.status == 401
    async with site.client.get(API) as answer:
        assert answer.status == 401


async def test_events_page_by_page(site: Site) -> None:
    for number in range(5):
        await store.add(site.context.pool, "camera.dark", f"camera:{number % 2}", f"no {number}")
    seen: list[str] = []
    cursor = ""
    while True:
        async with site.client.get(f"/api/v1/events?limit=2&cursor={cursor}") as answer:
            page = await answer.json()
        seen += [item["message"] for item in page["items"]]
        cursor = page["next"]
        if not cursor:
            break
    assert seen == [f"no {number}" for number in range(4, -1, -1)]
    async with site.client.get("/api/v1/events?subject=camera:1") as answer:
        assert [item["message"] for item in (await answer.json())["items"]] == ["no 3", "no 1"]
    async with site.client.get("/api/v1/events?cursor=nonsense") as answer:
        assert answer.status == 400


async def test_the_page(site: Site) -> None:
    headers = {"accept": "text/html"}
    async with site.client.get("/notifications", headers=headers) as answer:
        text = await answer.text()
        assert "Nothing happened yet" in text
        assert "Who is told" not in text
    await store.add(site.context.pool, "camera.dark", "camera:garden", "garden is <dark>")
    admin = headers | site.admin_headers
    async with site.client.post(
        "/notifications/destinations", data=HOOK | {"kinds": "camera., film."}, headers=admin
    ) as answer:
        text = await answer.text()
        assert answer.status == 200, text
    secret = re.search(r"whsec_[\w+/=]+", text)
    assert secret
    async with site.client.get("/notifications", headers=admin) as answer:
        text = await answer.text()
    assert "garden is &lt;dark&gt;" in text
    assert "camera., film." in text
    assert secret[0] not in text
    assert "very-secret" not in text
    (known,) = await store.destinations(site.context.pool)
    path = f"/notifications/destinations/{known.id}"
    for what in ("test", "disable", "enable", "remove"):
        async with site.client.post(f"{path}/{what}", headers=admin) as answer:
            assert answer.status == 200
    assert await store.destinations(site.context.pool) == []


def test_the_commands_say_what_they_do() -> None:
    told = CliRunner().invoke(notify, ["--help"]).output
    for name in ("events", "list", "add", "test", "remove"):
        assert name in told
