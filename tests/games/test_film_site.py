"""A film of a game on the pages and in the API of films."""

from __future__ import annotations

import re

import msgspec

from tests.conftest import Site
from tests.films.making import get, render
from tests.games.test_filming import SMALL, record, replace_wishes, sky
from vigil.games import filming

FIRST, LAST = 3, 40


async def test_whatever_films_answer_they_answer_for_a_film_of_a_game(site: Site) -> None:
    context = site.context
    game_id = await record(context, sky(), LAST, over=True)
    film_id = await filming.order(context, game_id, replace_wishes(SMALL, from_tick=FIRST))
    api, page = f"/api/v1/films/{film_id}", f"/films/{film_id}"

    async def text(path: str, status: int = 200) -> str:
        async with site.client.get(path) as answer:
            body = await answer.read()
            assert answer.status == status, (path, body[:500])
            return body.decode("utf-8", "replace")

    for path in (page, api, "/films", "/api/v1/films", f"{api}/segments"):
        assert await text(path)
    await render(context, film_id)
    assert (await get(context, film_id)).state == "done"
    shown = await text(page)
    assert "A game, from tick 3" in shown
    assert "A game, from tick 3" in await text("/films")
    async with site.client.get(api) as answer:
        film = await answer.json()
    assert (film["state"], film["camera"], film["frames"]) == ("done", None, LAST - FIRST + 1)
    assert film["actions"]["resume"] == "only an admin can do that"
    async with site.client.get(api, headers=site.admin_headers) as answer:
        assert (await answer.json())["actions"]["resume"] is None
    playlist = await text(f"{api}/playlist.m3u8")
    pieces = re.findall(r"^segments/.*$", playlist, re.MULTILINE)
    assert len(pieces) == 1
    for piece in (*pieces, *re.findall(r'URI="([^"]*)"', playlist)):
        assert await text(f"{api}/{piece}")
    timeline = msgspec.json.decode(await text(f"{api}/timeline"))
    assert timeline["unit"] == "ticks"
    assert timeline["spans"] == {"at_s": [0.0], "first": [FIRST], "last": [LAST]}
    moments = msgspec.json.decode(await text(f"{api}/moments?at=20"))
    assert moments["moments"] == list(range(FIRST, LAST + 1))
    assert moments["moment"] == 20
    (segment,) = msgspec.json.decode(await text(f"{api}/segments"))["items"]
    assert segment["first_at"] == "2026-05-01T03:05:00Z"
    assert segment["last_at"] == "2026-05-02T16:05:00Z"
    (sheet, *_) = re.findall(r"^sheets/[^#\n]*", await text(f"{api}/thumbnails.vtt"), re.MULTILINE)
    assert await text(f"{api}/{sheet}")
    assert await text(f"{api}/film.mp4")
