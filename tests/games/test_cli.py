"""``vigil game``, as a person types it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.games.helpers import KEY, NEW_KEY, everything, play, served
from tests.jobs.test_cli import vigil
from tests.servers.universe import Universe
from vigil.context import Context
from vigil.games import store

SITES = ("VIGIL_NEPTUNES_PRIDE_URL", "VIGIL_NEPTUNES_PRIDE4_URL", "VIGIL_NP2STATS_URL")


async def test_a_game_is_brought_and_looked_at(context: Context, tmp_path: Path) -> None:
    universe = Universe.made_up(20, 3, tick=7)
    async with served(universe) as server:
        key = tmp_path / "key"
        key.write_text(KEY + "\n")

        async def game(*arguments: str) -> tuple[int, str, str]:
            sites = {name: server.url for name in SITES}
            return await vigil(context, "game", *arguments, **sites)

        status, out, _ = await game("fetch")
        assert (status, out) == (0, "no game is being recorded\n")
        status, out, _ = await game("add", "123", "--key-file", str(key))
        assert status == 0
        (found,) = await store.page(context.pool)
        assert f"game {found.id}, Far and Dark, is recorded from now on" in out
        assert f"/games/{found.id}" in out
        key.write_text("nonsense")
        status, _, errors = await game("add", "123", "--key-file", str(key))
        assert status == 1
        assert "does not know this key for game 123" in errors
        assert "nonsense" not in errors

        universe.advance(2)
        before = await everything(context)
        status, out, _ = await game("fetch", "--dry-run")
        assert status == 0
        assert "tick 9, " in out
        assert "(nothing was written)" in out
        assert await everything(context) == before
        status, out, _ = await game("fetch", str(found.id))
        assert (status, out) == (0, f"game {found.id}, Far and Dark: tick 7 → 9, running\n")
        status, out, _ = await game("list", "--json")
        (listed,) = json.loads(out)
        assert (listed["tick"], listed["recorded"], listed["missed"]) == (9, 2, 1)
        assert KEY not in out

        server.faults.html = -1
        status, _, errors = await game("fetch")
        assert status == 1
        assert "no state of the game" in errors
        server.faults.html = 0
        server.games["123"].keys = {NEW_KEY: 1}
        status, out, _ = await game("fetch", "--dry-run")
        assert "no key is valid: Neptune's Pride 2 does not know this key" in out
        assert [one.state for one in await store.page(context.pool)] == ["running"]
        status, _, errors = await game("fetch")
        assert status == 1
        assert "does not know this key" in errors
        assert [one.state for one in await store.page(context.pool)] == ["needs_key"]


async def test_a_game_is_ended_and_moved(context: Context, tmp_path: Path) -> None:
    async with served(Universe.made_up(20, 3, tick=7)) as server:
        done = await (await play(context, server, server.games["123"].universe)).register()
    game_id, file, nowhere = str(done.game.id), tmp_path / "game.json", tmp_path / "no.json"
    status, out, errors = await vigil(context, "game", "export", game_id, str(file))
    assert (status, out, errors) == (0, "", "")
    status, _, errors = await vigil(context, "game", "import", str(file))
    assert status == 1
    assert "is here already" in errors
    assert (await vigil(context, "game", "close", game_id))[0] == 0
    status, _, errors = await vigil(context, "game", "close", game_id)
    assert status == 1
    assert "its recording was ended already" in errors
    await context.pool.execute("DELETE FROM games")
    status, out, _ = await vigil(context, "game", "import", str(file))
    assert status == 0
    assert "to go on recording it: vigil game add 123 --site np" in out
    (brought,) = await store.page(context.pool)
    assert (brought.tick, brought.state) == (7, "needs_key")
    status, out, _ = await vigil(context, "game", "list")
    assert "Far and Dark" in out
    status, _, errors = await vigil(context, "game", "fetch", str(brought.id))
    assert status == 1
    assert "no key is valid: give it a new one" in errors
    status, _, errors = await vigil(context, "game", "export", "999", str(nowhere))
    assert status == 1
    assert "there is no game 999" in errors
    assert not nowhere.exists()
