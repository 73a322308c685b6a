"""What programs may do with games: register, look, end, take and bring; only with a token."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from tests.conftest import Site
from tests.games.helpers import KEY, NEW_KEY, OTHER_KEY, served
from tests.servers.neptunes_pride import NeptunesPride
from tests.servers.universe import Universe
from vigil.games import store


@asynccontextmanager
async def hosted(site: Site) -> AsyncIterator[NeptunesPride]:
    """The site asks a server of ours instead of the real ones; it hosts game 123."""
    before = site.app.ctx.vigil
    async with served(Universe.made_up(30, 3, tick=7), **{KEY: 1, OTHER_KEY: 2}) as server:
        settings = replace(
            before.settings,
            neptunes_pride_url=server.url,
            neptunes_pride4_url=server.url,
            np2stats_url=server.url,
        )
        site.app.ctx.vigil = replace(before, settings=settings)
        yield server
        site.app.ctx.vigil = before


async def post(site: Site, path: str, body: Any = None, status: int = 200) -> Any:
    async with site.client.post(path, json=body, headers=site.admin_headers) as answer:
        text = await answer.text()
        assert answer.status == status, text[:300]
        assert KEY not in text
        return await answer.json()


async def test_a_program_registers_a_game(site: Site) -> None:
    async with hosted(site) as server:
        made = await post(site, "/api/v1/games", {"number": "123", "key": KEY}, 201)
        assert (made["state"], made["tick"], made["valid_keys"]) == ("running", 7, 1)
        again = await post(site, "/api/v1/games", {"number": "123", "key": OTHER_KEY})
        assert (again["id"], again["valid_keys"]) == (made["id"], 2)
        path = f"/api/v1/games/{made['id']}"
        server.games["123"].universe.advance(1)
        assert (await post(site, f"{path}/fetch"))["tick"] == 8
        server.games["123"].keys = {NEW_KEY: 1}
        found = await post(site, f"{path}/fetch")
        assert found["state"] == "needs_key"
        assert "give it a new one" in found["actions"]["fetch"]
        await post(site, f"{path}/fetch", status=409)
        await post(site, "/api/v1/games", {"number": "123", "key": NEW_KEY})
        closed = await post(site, f"{path}/close")
        assert (closed["state"], closed["valid_keys"]) == ("finished", 0)
        await post(site, f"{path}/close", status=409)


async def test_a_game_is_forgotten_when_nothing_needs_it(site: Site) -> None:
    async with hosted(site):
        made = await post(site, "/api/v1/games", {"number": "123", "key": KEY}, 201)
        path = f"/api/v1/games/{made['id']}"

        async def forget(status: int) -> str:
            async with site.client.delete(path, headers=site.admin_headers) as answer:
                assert answer.status == status
                return await answer.text()

        assert "end the recording first" in await forget(409)
        await post(site, f"{path}/close")
        film = await post(site, f"{path}/films", {}, 201)
        assert "a film shows it" in await forget(409)
        await post(site, f"/api/v1/films/{film['id']}/delete", status=202)
        async with site.client.delete(path) as answer:
            assert answer.status == 401, "not for everybody"
        assert "deleted" in await forget(200)
        assert await site.context.pool.fetchval("SELECT count(*) FROM game_stars") == 0
        await forget(404)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"number": "123", "key": "Wrong99"}, 422, "wrong_key"),
        ({"number": "777", "key": KEY}, 422, "no_such_game"),
        ({"number": "1 2", "key": KEY}, 400, "invalid"),
        ({"number": "123", "key": KEY, "site": "chess"}, 400, "invalid"),
        ({"number": "123", "key": KEY, "site": "np2stats"}, 400, "invalid"),
        ({"number": "123", "key": {"secret": KEY}}, 400, "invalid"),
        ({"number": "123", "key": KEY, "colour": "red"}, 400, "invalid"),
        ({"number": "123"}, 400, "invalid"),
    ],
)
async def test_each_error_has_its_code(
    site: Site, body: dict[str, Any], status: int, code: str
) -> None:
    async with hosted(site):
        answer = await post(site, "/api/v1/games", body, status)
    assert answer["error"]["code"] == code
    assert await store.page(site.context.pool) == []


async def test_nobody_else_may(site: Site) -> None:
    async with hosted(site):
        made = await post(site, "/api/v1/games", {"number": "123", "key": KEY}, 201)
        path = f"/api/v1/games/{made['id']}"
        for address in ("/api/v1/games", "/api/v1/games/import", f"{path}/fetch", f"{path}/close"):
            async with site.client.post(address, json={"number": "123", "key": KEY}) as answer:
                assert answer.status == 401
        forms = (*("key", "fetch", "close"),)
        for address in ("/games", "/games/import", *(f"/games/{made['id']}/{f}" for f in forms)):
            async with site.client.post(address, data={"key": KEY}) as answer:
                assert answer.status == 401
        async with site.client.get(path) as answer:
            shown = await answer.json()
    assert shown["valid_keys"] == 1
    assert {name: shown["actions"][name] for name in ("key", "fetch", "close", "film")} == (
        dict.fromkeys(("key", "fetch", "close", "film"), "only an admin can do this")
    )


async def test_a_game_goes_out_and_comes_back_as_a_file(site: Site) -> None:
    async with hosted(site):
        made = await post(site, "/api/v1/games", {"number": "123", "key": KEY}, 201)
        async with site.client.get(f"/api/v1/games/{made['id']}/export") as answer:
            assert "attachment" in answer.headers["content-disposition"]
            file = await answer.json()
        await post(site, "/api/v1/games/import", file, 409)
        await site.context.pool.execute("DELETE FROM games")
        back = await post(site, "/api/v1/games/import", file, 201)
        assert back["state"] == "needs_key"
        async with site.client.get(f"/api/v1/games/{back['id']}/export") as answer:
            again = await answer.json()
        assert {**again, "game": None} == {**file, "game": None}
        await post(site, "/api/v1/games/import", {**file, "stars": [[1, "x", 1e9, 0, 0]]}, 400)


async def test_a_site_that_is_silent_is_told_and_noted(site: Site) -> None:
    async with hosted(site) as server:
        made = await post(site, "/api/v1/games", {"number": "123", "key": KEY}, 201)
        server.faults.server_error = -1
        answer = await post(site, f"/api/v1/games/{made['id']}/fetch", status=502)
        assert answer["error"]["code"] == "site_silent"
        async with site.client.get(f"/api/v1/games/{made['id']}") as found:
            game = await found.json()
    assert game["state"] == "running"
    assert game["error"]


async def test_films_are_wished_and_listed(site: Site) -> None:
    async with hosted(site) as server:
        made = await post(site, "/api/v1/games", {"number": "123", "key": KEY}, 201)
        path = f"/api/v1/games/{made['id']}"
        server.games["123"].universe.advance(1)
        await post(site, f"{path}/fetch")
        film = await post(site, f"{path}/films", {"size": "320x240", "names": True}, 201)
        assert (film["kind"], film["width"], film["height"]) == ("game", 320, 240)
        again = await post(site, f"{path}/films", {"size": "320x240", "names": True})
        assert again["id"] == film["id"]
        for bad in ({"size": "huge"}, {"colour": 1}, ["size"], {"from_tick": 9, "to_tick": 3}):
            assert (await post(site, f"{path}/films", bad, 400))["error"]["code"] == "invalid"
        async with site.client.post(f"{path}/films", json={}) as answer:
            assert answer.status == 401
        async with site.client.get(f"{path}/films") as answer:
            (listed,) = (await answer.json())["items"]
    assert listed["id"] == film["id"]
    assert "admin" in listed["actions"]["cancel"]
