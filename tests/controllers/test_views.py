"""Controllers that register, bring cameras and report; the page about them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from tests.cameras.helpers import add_camera, count
from tests.conftest import Site
from tests.servers.pictures import jpeg
from vigil import auth
from vigil.controllers import scan, store
from vigil.controllers.cli import controller as commands
from vigil.controllers.model import new_code, normal_code

API = "/api/v1/controllers"


async def call(
    site: Site, path: str, body: Any = None, token: str | None = None, admin: bool = False
) -> tuple[int, Any]:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    headers |= site.admin_headers if admin else {}
    async with site.client.post(path, json=body, headers=headers) as answer:
        return answer.status, await answer.json()


async def registered(site: Site, name: str = "shed") -> str:
    """The token of a new controller."""
    _, answer = await call(site, f"{API}/codes", admin=True)
    status, found = await call(site, API, {"code": answer["code"], "name": name})
    assert status == 201, found
    return str(found["token"])


def test_codes_are_read_however_they_are_typed() -> None:
    code = new_code()
    assert re.fullmatch(r"[A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4}", code)
    assert normal_code(code.lower()) == normal_code(code.replace("-", " ")) == code
    assert normal_code(f"  {code.replace('-', '')} ") == code
    for text in ("", "ABCD", code + "A", "0000-1111-OOOO", "ä" * 12):
        assert normal_code(text) is None


async def test_a_code_registers_one_controller_once(site: Site) -> None:
    _, answer = await call(site, f"{API}/codes", admin=True)
    wish = {"code": answer["code"].lower(), "name": "shed"}
    assert (await call(site, API, wish | {"name": "No Name!"}))[0] == 400
    status, found = await call(site, API, wish)
    assert status == 201
    assert found["token"].startswith("controller_")
    assert (await call(site, API, wish))[0] == 403
    assert (await call(site, API, {"code": new_code(), "name": "attic"}))[0] == 403
    kept = await site.context.pool.fetch("SELECT token_hash FROM controllers")
    assert [row["token_hash"] for row in kept] == [auth.hash_secret(found["token"])]


async def test_a_code_is_good_for_an_hour(site: Site) -> None:
    _, answer = await call(site, f"{API}/codes", admin=True)
    pool = site.context.pool
    await pool.execute("UPDATE controller_codes SET expires_at = now() - interval '1 second'")
    assert (await call(site, API, {"code": answer["code"], "name": "shed"}))[0] == 403
    _, answer = await call(site, f"{API}/codes", admin=True)
    await pool.execute("UPDATE controller_codes SET expires_at = now() - interval '1 second'")
    (target,) = await scan.targets(site.context)
    await target.run_once()
    assert await pool.fetchval("SELECT count(*) FROM controller_codes") == 0


async def test_a_known_controller_registers_again_with_a_new_token(site: Site) -> None:
    old = await registered(site)
    new = await registered(site)
    now = datetime.now(UTC).isoformat()
    report = {"version": "1", "now": now}
    assert (await call(site, f"{API}/me/report", report, old))[0] == 401
    assert (await call(site, f"{API}/me/report", report, new))[0] == 200


async def test_it_brings_its_cameras_and_no_others(site: Site) -> None:
    token = await registered(site)
    status, plan = await call(
        site, f"{API}/me/cameras", {"name": "nest", "title": "The nest", "interval_s": 30}, token
    )
    assert status == 201
    assert (plan["name"], plan["interval_s"], plan["enabled"]) == ("nest", 30, True)
    assert (await call(site, f"{API}/me/cameras", {"name": "nest"}, token))[0] == 201
    await add_camera(site.context, "roof", url="push")
    assert (await call(site, f"{API}/me/cameras", {"name": "roof"}, token))[0] == 409
    assert (await call(site, f"{API}/me/cameras", {"name": "nest"}, await registered(site, "b")))[
        0
    ] == 409
    for name, wanted in (("nest", 201), ("roof", 403)):
        async with site.client.post(
            f"/api/v1/cameras/{name}/frames",
            data=jpeg(1),
            headers={"authorization": f"Bearer {token}"},
        ) as answer:
            assert answer.status == wanted
    assert await count(site.context) == 1


async def test_it_reports_and_is_told_its_plans(site: Site) -> None:
    token = await registered(site)
    await call(site, f"{API}/me/cameras", {"name": "nest"}, token)
    await site.context.pool.execute(
        """
        UPDATE scenes SET time_zone = 'Europe/Berlin', latitude = 52.5, longitude = 13.4;
        UPDATE cameras SET plan = '{"daylight": true}', interval_s = 300 WHERE name = 'nest'
        """
    )
    told = {
        "version": "1.0",
        "now": (datetime.now(UTC) + timedelta(hours=3)).isoformat(),
        "cameras": {"nest": {"frames": 17, "bytes": 1000, "error": None}},
    }
    status, answer = await call(site, f"{API}/me/report", told, token)
    assert status == 200
    (plan,) = answer["cameras"]
    assert plan["plan"] == {"daylight": True}
    assert (plan["time_zone"], plan["latitude"], plan["interval_s"]) == ("Europe/Berlin", 52.5, 300)
    known = await store.by_name(site.context.pool, "shed")
    assert known is not None
    assert known.clock_offset_s == pytest.approx(3 * 3600, abs=30)
    assert known.report["nest"]["frames"] == 17
    async with site.client.get(API, headers=site.admin_headers) as listed:
        (item,) = (await listed.json())["items"]
    assert (item["name"], item["cameras"]) == ("shed", ["nest"])


async def test_bad_bodies_are_explained(site: Site) -> None:
    token = await registered(site)
    for path, body in (
        (API, {"code": 1}),
        (f"{API}/me/cameras", {"name": "Not A Name"}),
        (f"{API}/me/report", {"version": "1", "now": "2026-01-01T00:00:00"}),
        (f"{API}/me/report", []),
    ):
        status, answer = await call(site, path, body, token)
        assert status == 400, (path, answer)
        assert answer["error"]["message"]


async def test_nobody_else_may(site: Site) -> None:
    for path in (f"{API}/codes", "/api/v1/cameras/nest/token"):
        assert (await call(site, path))[0] == 401
    for path in (f"{API}/me/cameras", f"{API}/me/report"):
        assert (await call(site, path, {"name": "x"}, "controller_" + "x" * 43))[0] == 401
    async with site.client.get("/controllers", headers={"accept": "text/html"}) as answer:
        assert answer.status == 401


async def test_the_page_shows_secrets_once(site: Site) -> None:
    await add_camera(site.context, "roof", url="push")
    token = await registered(site)
    await call(site, f"{API}/me/cameras", {"name": "nest"}, token)
    headers = site.admin_headers | {"accept": "text/html"}
    async with site.client.post("/controllers/code", headers=headers) as answer:
        assert re.search(r"[A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4}", await answer.text())
    async with site.client.post(
        "/controllers/token", data={"camera": "roof"}, headers=headers
    ) as answer:
        found = re.search(r"push_[\w-]{43}", await answer.text())
    assert found
    async with site.client.get("/controllers", headers=headers) as answer:
        text = await answer.text()
        assert answer.status == 200
    assert "shed" in text
    assert "nest" in text
    assert found[0] not in text
    assert token not in text
    async with site.client.post("/controllers/shed/remove", headers=headers) as answer:
        assert answer.status == 200
    now = datetime.now(UTC).isoformat()
    assert (await call(site, f"{API}/me/report", {"version": "1", "now": now}, token))[0] == 401


def test_the_commands_say_what_they_do() -> None:
    told = CliRunner().invoke(commands, ["--help"]).output
    for name in ("list", "code", "remove", "token"):
        assert name in told
