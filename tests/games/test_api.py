"""The JSON of games, held against the war that was recorded."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.conftest import Site
from tests.games.recorded import BEGIN, record
from tests.games.wars import NOBODY, War, war
from vigil.games.drawing.colours import player_colour

WAR = war(40, 60, 5, seed=4)


async def answer(site: Site, path: str, status: int = 200) -> Any:
    async with site.client.get(path) as found:
        assert found.status == status, (await found.text())[:300]
        return await found.json()


async def everything(site: Site, path: str) -> list[Any]:
    """All items, page by page."""
    rows: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await answer(site, f"{path}{'&' if '?' in path else '?'}limit=7&cursor={cursor}")
        rows += page["items"]
        cursor = page["next"]
    return rows


def owners_at(war: War, tick: int) -> dict[int, tuple[int, int]]:
    return {star: (owner, at) for at, star, owner in war.changes if at <= tick}


async def test_a_whole_game_is_given_as_its_peer_gave_it(site: Site) -> None:
    game = await record(site.context.pool, WAR, name="Far reaches")
    async with site.client.get(f"/api/game/{game}") as found:
        assert found.headers["access-control-allow-origin"] == "*"
        assert found.headers["content-encoding"] == "gzip"
        tag = found.headers["etag"]
        body = await found.json()
    assert body == WAR.peer_json(game, "Far reaches")
    again = {"if-none-match": tag}
    async with site.client.get(f"/api/game/{game}", headers=again) as found:
        assert found.status == 304
    await site.context.pool.execute("INSERT INTO game_owners VALUES ($1, 1, 61, 4)", game)
    await site.context.pool.execute(
        "UPDATE games SET tick = 61, seen_at = seen_at + interval '1 hour', closed_at = $2,"
        " state = 'finished' WHERE id = $1",
        game,
        BEGIN,
    )
    async with site.client.get(f"/api/game/{game}", headers=again) as found:
        assert found.status == 200
        body = await found.json()
    assert body["stars"]["1"]["owners"]["61"] == 4
    assert body["close_date"] == "2026-03-01T12:00:00+00:00"


async def test_games_that_go_on_come_first(site: Site) -> None:
    pool = site.context.pool
    small = war(10, 5, 2)
    ids = [await record(pool, small, number=str(n), over=n % 2 == 0) for n in range(10)]
    found = await everything(site, "/api/v1/games")
    going, over = ids[1::2][::-1], ids[::2][::-1]
    assert [one["id"] for one in found] == going + over
    first = found[0]
    assert first["coverage"] == {
        "first_tick": 1,
        "last_tick": 5,
        "recorded": 5,
        "missed": 0,
        "share": 1.0,
    }
    assert (first["players"], first["stars"]) == (2, 10)
    assert first["next_at"] is not None
    assert found[-1]["next_at"] is None
    assert set(first["actions"]) >= {"key", "close", "film", "export"}
    assert "admin" in first["actions"]["close"]
    one = await answer(site, f"/api/v1/games/{ids[1]}")
    assert [player["alias"] for player in one["who"]] == ["Ada", "Brahe"]


async def test_what_nobody_has_is_404_and_what_nobody_takes_is_400(site: Site) -> None:
    game = await record(site.context.pool, WAR)
    for path in (
        "/api/game/77",
        "/api/v1/games/0",
        f"/api/v1/games/{2**63}",
        "/api/v1/games/9/gaps",
    ):
        assert (await answer(site, path, 404))["error"]["code"] == "not_found"
    for query in ("tick=-1", "tick=x", "tick=99999999999", "colour=red"):
        await answer(site, f"/api/v1/games/{game}/stars?{query}", 400)
    for path in ("history", "events", "totals"):
        for query in ("cursor=77", "cursor=5b2d312c2d315d", "limit=0"):
            await answer(site, f"/api/v1/games/{game}/{path}?{query}", 400)
    await answer(site, "/api/v1/games?cursor=5b747275652c2d355d", 400)


@pytest.mark.parametrize("tick", [0, 1, 30, 60, 5000])
async def test_whose_the_stars_are_at_a_tick(site: Site, tick: int) -> None:
    game = await record(site.context.pool, WAR)
    found = (await answer(site, f"/api/v1/games/{game}/stars?tick={tick}"))["items"]
    assert {one["id"]: (one["owner"], one["since"]) for one in found} == owners_at(WAR, tick)


async def test_history_is_every_change(site: Site) -> None:
    game = await record(site.context.pool, WAR)
    found = await everything(site, f"/api/v1/games/{game}/history")
    assert [(one["tick"], one["star"], one["player"]) for one in found] == sorted(WAR.changes)
    part = await everything(site, f"/api/v1/games/{game}/history?from_tick=10&to_tick=20")
    assert [one for one in found if 10 <= one["tick"] <= 20] == part


def taken(war: War) -> list[tuple[int, int, int, int]]:
    """(tick, star, from, to), the latest first."""
    before: dict[int, int] = {}
    rows = []
    for tick, star, owner in war.changes:
        if star in before:
            rows.append((tick, star, before[star], owner))
        before[star] = owner
    return sorted(rows, key=lambda row: (-row[0], row[1]))


async def test_events_say_from_whom_and_to_whom(site: Site) -> None:
    game = await record(site.context.pool, WAR)

    def plain(rows: list[Any]) -> list[tuple[int, int, int, int]]:
        return [
            (
                one["tick"],
                one["star"]["id"],
                one["from_player"]["uid"] if one["from_player"] else NOBODY,
                one["to_player"]["uid"] if one["to_player"] else NOBODY,
            )
            for one in rows
        ]

    wanted = taken(WAR)
    assert len(wanted) > 20
    path = f"/api/v1/games/{game}/events"
    found = await everything(site, path)
    assert plain(found) == wanted
    assert found[0]["star"]["name"] == f"Star{found[0]['star']['id']:03}"
    assert plain(await everything(site, f"{path}?player=2")) == [r for r in wanted if 2 in r[2:]]
    star = wanted[5][1]
    assert plain(await everything(site, f"{path}?star={star}")) == [
        r for r in wanted if r[1] == star
    ]


async def test_totals_are_the_changes_of_what_players_have(site: Site) -> None:
    game = await record(site.context.pool, WAR)
    names = ("tick", "player", "stars", "ships", "economy", "industry", "science")
    found = await everything(site, f"/api/v1/games/{game}/totals")
    assert [tuple(one[name] for name in names) for one in found] == WAR.totals()
    part = await everything(site, f"/api/v1/games/{game}/totals?from_tick=10&to_tick=20")
    assert part == [one for one in found if 10 <= one["tick"] <= 20]
    assert await everything(site, f"/api/v1/games/{game}/totals?from_tick=30&to_tick=20") == []


async def test_gaps_have_reasons_in_words(site: Site) -> None:
    game = await record(site.context.pool, WAR)
    await site.context.pool.execute(
        "INSERT INTO game_gaps VALUES ($1, 7, 9, 'site'), ($1, 30, 30, 'down')", game
    )
    first, second = (await answer(site, f"/api/v1/games/{game}/gaps"))["items"]
    assert (first["from_tick"], first["to_tick"], first["reason"]) == (7, 9, "site")
    assert first["message"] == "the game's site did not answer"
    assert "not running" in second["message"]


async def test_the_map_is_a_picture_of_whose_each_place_is(site: Site) -> None:
    pool = site.context.pool
    two = War(
        ticks=9,
        players=2,
        places=[(0.0, 0.0), (1.0, 0.0)],
        changes=[(1, 1, 0), (3, 2, NOBODY), (5, 2, 1)],
    )
    game = await record(pool, two)
    shown = {}
    for tick in (2, 4, 9):
        async with site.client.get(f"/api/v1/games/{game}/map.png?tick={tick}") as found:
            assert found.content_type == "image/png"
            assert found.headers["etag"]
            picture = Image.open(io.BytesIO(await found.read())).convert("RGB")
        shown[tick] = np.asarray(picture)
    counts = {}
    for tick, pixels in shown.items():
        colours, number = np.unique(pixels.reshape(-1, 3), axis=0, return_counts=True)
        counts[tick] = dict(zip(map(tuple, colours.tolist()), number.tolist(), strict=True))
    mine, yours = player_colour("safe", 0), player_colour("safe", 1)
    grey = (64, 64, 64)
    assert not {grey, yours} & set(counts[2])
    assert counts[2][mine] > counts[4][mine]  # the second star took what is nearer to it
    assert abs(counts[4][mine] - counts[4][grey]) < 0.02 * counts[4][mine]
    assert counts[9][yours] == counts[4][grey]


async def test_a_game_of_which_nothing_is_known_yet(site: Site) -> None:
    game = await record(site.context.pool, War(ticks=1, players=0, places=[]))
    await site.context.pool.execute("UPDATE games SET tick = NULL")
    await site.context.pool.execute("DELETE FROM game_spans")
    assert (await answer(site, f"/api/game/{game}"))["stars"] == {}
    for path in ("stars", "history", "events", "totals", "gaps"):
        assert (await answer(site, f"/api/v1/games/{game}/{path}"))["items"] == []
    async with site.client.get(f"/api/v1/games/{game}/map.png") as found:
        assert found.status == 200
    async with site.client.get(f"/games/{game}") as found:
        assert "No tick is recorded yet" in await found.text()
