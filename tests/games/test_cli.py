"""``vigil game``, as a person types it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.games.helpers import KEY, NEW_KEY, everything, served
from tests.jobs.test_cli import vigil
from tests.servers.universe import Universe
from vigil.context import Context
from vigil.games import store

SITES = ("VIGIL_NEPTUNES_PRIDE_URL", "VIGIL_NEPTUNES_PRIDE4_URL", "VIGIL_NP2STATS_URL")


async def test_a_game_from_beginning_to_end(context: Context, tmp_path: Path) -> None:
    universe = Universe.made_up(20, 3, tick=7)
    async with served(universe) as server:
        key, file = tmp_path / "key", tmp_path / "game.json"
        key.write_text(KEY + "\n")

        async def game(*arguments: str) -> tuple[int, str, str]:
            sites = {name: server.url for name in SITES}
            return await vigil(context, "game", *arguments, **sites)

        status, out, _ = await game("list")
        assert (status, out) == (0, "no games yet: vigil game add NUMBER\n")
        status, out, _ = await game("fetch")
        assert (status, out) == (0, "no game is being recorded\n")

        status, out, _ = await game("add", "123", "--key-file", str(key))
        assert status == 0
        (found,) = await store.page(context.pool)
        assert f"game {found.id}, Far and Dark, is recorded from now on" in out
        assert f"/games/{found.id}" in out
        status, out, _ = await game("add", "123", "--key-file", str(key))
        assert "is recorded already, with this key" in out
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
        assert (status, out) == (
            0,
            f"game {found.id}, Far and Dark: tick 7 → 9, running\n",
        )
        status, out, _ = await game("list", "--json")
        (listed,) = json.loads(out)
        assert (listed["tick"], listed["recorded"], listed["missed"]) == (9, 2, 1)
        assert KEY not in out
        status, out, _ = await game("list")
        assert "Far and Dark" in out

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
        status, _, errors = await game("fetch", str(found.id))
        assert status == 1
        assert "no key is valid: give it a new one" in errors

        status, out, errors = await game("export", str(found.id), str(file))
        assert (status, out, errors) == (0, "", "")
        status, _, errors = await game("import", str(file))
        assert status == 1
        assert "is here already" in errors
        assert (await game("close", str(found.id)))[0] == 0
        status, _, errors = await game("close", str(found.id))
        assert status == 1
        assert "its recording was ended already" in errors
        await context.pool.execute("DELETE FROM games")
        status, out, _ = await game("import", str(file))
        assert status == 0
        assert "to go on recording it: vigil game add 123 --site np" in out
        (brought,) = await store.page(context.pool)
        assert (brought.tick, brought.state) == (9, "needs_key")
        file.write_text("{}")
        status, _, errors = await game("import", str(file))
        assert status == 1
        assert "no recorded game" in errors
        status, _, errors = await game("export", "999", str(tmp_path / "no.json"))
        assert status == 1
        assert "there is no game 999" in errors
        assert not (tmp_path / "no.json").exists()
