from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from tests.conftest import Site
from vigil.sources import store as sources_store
from vigil.streams import store
from vigil.streams.dealing import store as dealing
from vigil.streams.dealing.store import Card
from vigil.streams.model import SeenStream

TITLES = ("Painting a shed", "Super Mario 64", "Mario Kart", "Nothing at all")


def stream(number: int, **changed: Any) -> SeenStream:
    made = SeenStream(
        external_id=str(number),
        title=TITLES[number % len(TITLES)],
        viewers=0,
        page_url=f"https://www.twitch.tv/login{number}",
        player="twitch",
        player_url=f"login{number}",
        category="Art",
        tags=("English",),
        channel_login=f"login{number}",
        channel_name=f"Login{number}",
        thumbnail_url=f"https://x.example/{number}-{{width}}x{{height}}.jpg",
        started_at=datetime.now(UTC) - timedelta(hours=1),
    )
    return replace(made, **changed)


async def show(site: Site, *streams: SeenStream, source: str = "tw", ttl_s: float = 600) -> int:
    db = site.context.pool
    source_id: int = await db.fetchval(
        """
        INSERT INTO sources (name, kind) VALUES ($1, 'twitch')
        ON CONFLICT (name) DO UPDATE SET kind = 'twitch' RETURNING id
        """,
        source,
    )
    await store.write_batch(db, source_id, streams, site.context.clock.now(), ttl_s)
    return source_id


async def get(site: Site, path: str) -> tuple[int, Any]:
    async with site.client.get(path) as response:
        assert response.content_type == "application/json", await response.text()
        return response.status, await response.json()


async def ids(site: Site, query: str) -> list[str]:
    status, answer = await get(site, f"/stream?{query}")
    assert status == 200, answer
    return sorted(one["id"] for one in answer)


async def test_random_streams_as_the_peer_gives_them(site: Site) -> None:
    await show(site, *(stream(n) for n in range(200)), stream(999, viewers=3))
    status, answer = await get(site, "/stream")
    assert status == 200
    (one,) = answer
    assert one["type"] == "live"
    assert one["viewer_count"] == 0
    assert one["source"] == "tw"
    assert one["user_login"] == f"login{one['id']}"
    assert len(set(await ids(site, "count=64"))) == 64
    assert await ids(site, "count=0") == []
    assert len(await ids(site, "count=")) == 1
    assert len(await ids(site, "count=many")) == 1
    assert len(await ids(site, "count=64&unknown=1")) == 64
    drawn = set()
    for _ in range(30):
        drawn.update(await ids(site, "count=64&max_viewers=5"))
    assert len(drawn) == 201


async def test_nothing_live_is_an_empty_list_until_something_is(site: Site) -> None:
    assert await get(site, "/stream") == (200, [])
    await show(site, stream(1))
    assert await ids(site, "") == ["1"]  # at once: that there is nothing is not remembered


async def test_filters(site: Site) -> None:
    await show(
        site,
        *(stream(n) for n in range(4)),
        stream(4, title="With viewers", viewers=2),
        stream(5, title="Just begun", started_at=datetime.now(UTC)),
    )
    assert await ids(site, "count=9&include=mario") == ["1", "2"]
    assert await ids(site, "count=9&include=MARIO,64") == ["1"]
    assert await ids(site, "count=9&include=kart,64") == []
    assert await ids(site, "count=9&include=kart,64&search_operator=any") == ["1", "2"]
    assert await ids(site, "count=9&include=kart+64&search_operator=nonsense") == []
    assert await ids(site, "count=9&exclude=mario") == ["0", "3", "5"]
    assert await ids(site, "count=9&exclude=mario&search_operator=any") == ["0", "3", "5"]
    assert await ids(site, "count=9&max_viewers=2&include=with") == ["4"]
    assert await ids(site, "count=9&max_viewers=-3") == ["0", "1", "2", "3", "5"]
    assert await ids(site, "count=9&max_viewers=" + "9" * 50) == ["0", "1", "2", "3", "4", "5"]
    assert await ids(site, "count=9&min_age=30") == ["0", "1", "2", "3"]
    assert await ids(site, "count=9&min_age=" + "9" * 50) == []
    assert await ids(site, "count=9&min_age=-1") == ["0", "1", "2", "3", "5"]
    assert await ids(site, "count=9&include=login1") == ["1"]


async def test_whole_categories_tags_languages_and_sources(site: Site) -> None:
    await show(
        site,
        stream(0, title="Music", category="Art", tags=("Chill", "Für alle"), language="en"),
        stream(1, title="Art", category="Music", tags=("Art",), language="de", channel_name="Zoé"),
        stream(2, title="x", category="Art & Craft", tags=(), language="de", channel_name="Chill"),
    )
    await show(site, stream(3, title="y", category="", tags=("chill", "a_b")), source="other")
    for query, found in {
        "category=art": ["0"],
        "category=ART+": ["0"],
        "category=art+%26+craft": ["2"],
        "category=%25": [],
        "category=chill": [],
        "tags=chill": ["0", "3"],
        "tags=art": ["1"],
        "tags=music": [],
        "tags=f%C3%BCr+ALLE,a_b": ["0", "3"],
        "tags=a%25": [],
        "tags=,": ["0", "1", "2", "3"],
        "languages=de": ["1", "2"],
        "languages=DE,en": ["0", "1", "2"],
        "languages=d": [],
        "sources=other": ["3"],
        "sources=other,tw&languages=de&category=music": ["1"],
        "sources=nowhere": [],
        "include=art&category=art": ["0"],
        "exclude=music&category=art": [],
    }.items():
        assert await ids(site, f"count=9&{query}") == found, query


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("count=65", 413, "too_large"),
        ("count=99999999999999999999999", 413, "too_large"),
        ("include=" + "a" * 65, 413, "too_large"),
        ("include=" + "a" * 33 + "&exclude=" + "b" * 32, 413, "too_large"),
        ("include=" + "a" * 7000, 413, "too_large"),
        ("include=" + "a" * 10_000, 413, "too_large"),
        ("tags=" + "a," * 101, 413, "too_large"),
        ("category=" + "a" * 201, 413, "too_large"),
        ("sources=%00", 400, "invalid"),
        ("include=a%00b", 400, "invalid"),
        ("exclude=%00", 400, "invalid"),
        ("include=%ff%fe", 400, "invalid"),
        ("include=%ed%a0%80", 400, "invalid"),
        ("%ff=1", 400, "invalid"),
    ],
)
async def test_what_cannot_be_used_is_refused(
    site: Site, query: str, status: int, code: str
) -> None:
    for path in ("/stream", "/api/v1/streams"):
        if query.startswith("count") and path != "/stream":
            continue
        got, answer = await get(site, f"{path}?{query}")
        assert (got, answer["error"]["code"]) == (status, code), path
        assert answer["error"]["message"]
    async with site.client.get(f"/?{query}", headers={"accept": "text/html"}) as page:
        if not query.startswith("count"):
            assert page.status == status
            too_long_to_read = len(query) > 8000  # so nobody knows what was accepted
            assert page.content_type == "text/html" or too_long_to_read


@pytest.mark.parametrize(
    "word",
    ["%", "_", "\\", "%%%%", "a_%b", "'; DROP TABLE streams; --", "🎈" * 30, "\u202e", "q\tz", "ß"],
)
async def test_strange_words_are_only_words(site: Site, word: str) -> None:
    await show(site, stream(1, title=f"x {word.split()[0]} y"), stream(2))
    for operator in ("all", "any"):
        found = await ids(site, f"count=9&include={quote(word)}&search_operator={operator}")
        assert "2" not in found
        assert found == ["1"] or word not in f"x {word.split()[0]} y"
    assert "1" not in await ids(site, f"count=9&exclude={quote(word.split()[0])}")


async def test_expired_streams_are_never_shown(site: Site) -> None:
    await show(site, stream(1), ttl_s=1.5)
    assert await ids(site, "count=9&max_viewers=7") in (["1"], [])
    await asyncio.sleep(1.6)
    assert await ids(site, "count=9") == []
    assert await ids(site, "count=9&max_viewers=7") == []
    assert (await get(site, "/stream/1"))[0] == 410
    assert (await get(site, "/stats/counts"))[1]["streams"] == 0
    assert (await get(site, "/api/v1/streams"))[1]["items"] == []


async def test_one_stream(site: Site) -> None:
    await show(site, stream(1, external_id="host.example:ab/c d"), stream(2))
    for key in ("tw:2", "2"):
        status, answer = await get(site, f"/stream/{key}")
        assert (status, answer["id"]) == (200, "2")
    strange = quote("host.example:ab/c d", safe="")
    for key in (strange, f"tw:{strange}", "host.example:ab/c%20d"):
        status, answer = await get(site, f"/stream/{key}")
        assert (status, answer["id"]) == (200, "host.example:ab/c d"), key
    for key in ("3", "tw:3", "other:2", ":2", "tw:", "%00", "a%00b", "%25", "x" * 3000):
        status, answer = await get(site, f"/stream/{key}")
        assert (status, answer["error"]["code"]) == (410, "gone"), key
    for key in ("%ff", "%ed%a0%80"):
        assert (await get(site, f"/stream/{key}"))[0] == 400


async def test_statistics(site: Site) -> None:
    await show(site, *(stream(n) for n in range(5)), stream(5, viewers=1), stream(6, viewers=70))
    await show(site, stream(1, category="Go", tags=("a", "b"), viewers=10), source="other")
    status, counts = await get(site, "/stats/counts")
    assert status == 200
    assert counts["streams"] == counts["total_count"] == 8
    assert counts["viewers"] == {
        "0": 5, "1": 1, "2": 0, "3": 0, "4": 0, "5": 0, "6": 0, "7": 0, "8": 0, "9": 0, "10+": 2,
    }  # fmt: skip
    assert counts["sources"] == {"tw": 7, "other": 1}
    assert (counts["zero_viewer_count"], counts["one_viewer_count"]) == (5, 1)
    assert counts["unique_games"] == 2
    status, games = await get(site, "/stats/games")
    assert [(game["name"], game["count"]) for game in games] == [("Art", 7), ("Go", 1)]
    status, tags = await get(site, "/stats/tags")
    assert [(t["name"], t["count"]) for t in tags] == [("English", 7), ("a", 1), ("b", 1)]


async def test_lists_page_through_everything(site: Site) -> None:
    await show(site, *(stream(n, viewers=n) for n in range(25)))
    seen, cursor = [], ""
    while True:
        status, answer = await get(site, f"/api/v1/streams?limit=10{cursor}")
        assert status == 200
        seen += [one["id"] for one in answer["items"]]
        if answer["next"] is None:
            break
        cursor = f"&cursor={answer['next']}"
    assert len(seen) == len(set(seen)) == 25
    _, few = await get(site, "/api/v1/streams?include=kart&max_viewers=5")
    assert [one["id"] for one in few["items"]] == ["2"]
    for bad in ("x", "00", b"[-1]".hex(), b"[99999999999999999999]".hex(), b'["1"]'.hex()):
        status, answer = await get(site, f"/api/v1/streams?cursor={bad}")
        assert (status, answer["error"]["code"]) == (400, "invalid"), bad
    assert (await get(site, "/api/v1/streams?limit=0"))[0] == 400


async def front(site: Site, query: str = "") -> str:
    async with site.client.get(f"/{query}", headers={"accept": "text/html"}) as response:
        assert response.status == 200, await response.text()
        assert response.content_type == "text/html"
        return await response.text()


async def test_front_page_shows_streams_without_javascript(site: Site) -> None:
    nasty = "<script>alert(1)</script>\"' \u202egnp"
    await show(
        site,
        stream(1, title=nasty, tags=("<b>",), player="hls", player_url="https://x.example/a.m3u8"),
        stream(2, viewers=12_345, mature=True),
        stream(3, title="", category="", thumbnail_url=None, started_at=None, tags=()),
    )
    page = await front(site)
    assert "alert(1)" in page
    assert "<script>alert" not in page
    assert "<b>" not in page
    assert ">Login3</bdi>" in page
    assert "12,345 watching" in page
    assert page.count('href="https://www.twitch.tv/login') == 1  # the one on top
    assert page.count('href="/streams/tw/') == 3  # two cards, and the one on top
    assert "3 live now, 2 of them with nobody watching" in page
    assert "x.example/2-440x247.jpg" in page or "x.example/2-1280x720.jpg" in page
    assert "https://x.example/3" not in page


async def test_front_page_prefers_what_nobody_watches(site: Site) -> None:
    await show(
        site,
        *(stream(n, viewers=n % 2) for n in range(30)),
        *(stream(n, viewers=500) for n in range(100, 300)),
    )
    assert "500 watching" not in await front(site)
    assert "500 watching" in await front(site, "?max_viewers=1000")
    found = await front(site, "?include=mario&exclude=64")
    assert "Mario Kart" in found
    assert "Super Mario" not in found
    assert 'href="/?include=mario&amp;exclude=64"' in found


async def test_front_page_says_how_to_go_on_where_nothing_is(site: Site) -> None:
    assert "No live streams now." in await front(site)
    await show(site, stream(1))
    await asyncio.sleep(1.1)  # counts are kept for a second
    page = await front(site, "?include=%22%3Exyzzy")
    assert "Nothing live matches." in page
    assert 'value="&#34;&gt;xyzzy"' in page


async def test_front_page_says_which_source_failed_why_and_when_it_is_tried_next(
    site: Site,
) -> None:
    source_id = await show(site)
    now = site.context.clock.now()
    next_at = now + timedelta(minutes=3)
    db = site.context.pool
    await sources_store.begin_pass(db, source_id, now)
    assert "looked through for the first time" in await front(site)
    await sources_store.fail_pass(db, source_id, now, "api <x> is silent", "is it up?", next_at)
    page = await front(site)
    assert "(tw) could not be read" in page
    assert "api &lt;x&gt; is silent" in page
    assert "is it up?" in page
    assert f'datetime="{next_at.isoformat(timespec="milliseconds")}"' in page
    assert "They come by themselves" in page
    await sources_store.begin_pass(db, source_id, now + timedelta(seconds=9))
    await sources_store.finish_pass(db, source_id, now + timedelta(seconds=10), True, next_at)
    assert "could not be read" not in await front(site)


async def test_many_at_once_are_served_from_few_queries(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    await show(site, *(stream(n) for n in range(3000)))
    queries = 0
    draw = dealing.draw

    async def counted(*arguments: Any, **named: Any) -> list[Card]:
        nonlocal queries
        queries += 1
        return await draw(*arguments, **named)

    monkeypatch.setattr(dealing, "draw", counted)
    drawn = [
        one
        for _ in range(5)
        for answer in await asyncio.gather(*(ids(site, "count=3") for _ in range(60)))
        for one in answer
    ]
    assert len(drawn) == 900
    assert len(set(drawn)) > 600  # dealt, not drawn anew: hardly any comes twice
    assert 1 <= queries <= 25
