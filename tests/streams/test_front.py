"""The front page without a browser: what it shows, what comes next, what to loosen."""

from __future__ import annotations

import asyncio
import html
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.conftest import Site
from tests.streams.test_views import show, stream
from vigil.site import store as site_store
from vigil.streams import loosen
from vigil.streams.front import chips, chosen_of
from vigil.streams.visits import store


async def page(site: Site, path: str) -> str:
    async with site.client.get(path, headers={"accept": "text/html"}) as answer:
        text = await answer.text()
        assert answer.status == 200, text
        return text


async def following(site: Site, query: str = "", **body: Any) -> Any:
    async with site.client.post(f"/api/v1/streams/next?{query}", json=body) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


def on_top(text: str) -> str:
    found = re.search(r'id="top-title"[^>]*><bdi[^>]*>([^<]*)<', text)
    assert found, text
    return html.unescape(found[1])


async def test_quiet_streams_come_first_and_each_visitor_gets_another(site: Site) -> None:
    await show(site, *(stream(n, title=f"t{n}", viewers=n % 3) for n in range(30)))
    tops = [on_top(await page(site, "/")) for _ in range(20)]
    assert len(set(tops)) == 20
    assert {int(top[1:]) % 3 for top in tops} == {0, 1}
    assert on_top(await page(site, "/?max_viewers=9&include=t29")) == "t29"


async def test_a_stream_that_was_named_is_on_top_until_it_is_over(site: Site) -> None:
    await show(site, *(stream(n, title=f"t{n}") for n in range(9)))
    for _ in range(3):
        assert on_top(await page(site, "/?watch=tw:7")) == "t7"
    text = await page(site, "/?watch=tw:99")
    assert "That stream is over; here is another." in text
    assert "is over." in await page(site, "/?include=nothing&watch=tw:99")


async def test_next_brings_everything_once_and_then_again(site: Site) -> None:
    await show(site, *(stream(n, viewers=0 if n < 20 else 5) for n in range(40)))
    await show(site, stream(7), source="other")
    seen: list[str] = []
    for turn in range(41):
        answer = await following(site, seen=seen)
        (one,) = answer["items"]
        assert not answer["forget"]
        key = f"{one['source']}:{one['id']}"
        assert key not in seen
        assert (one["viewer_count"] == 0) == (turn < 21)  # the quiet ones first
        seen.append(key)
    assert "other:7" in seen
    assert "tw:7" in seen
    answer = await following(site, seen=[*seen, "tw:gone", "no key"])
    assert len(answer["items"]) == 1
    assert sorted(answer["forget"]) == sorted(seen)


async def test_next_keeps_to_the_filter(site: Site) -> None:
    await show(site, *(stream(n) for n in range(8)))
    answer = await following(site, "include=mario", seen=["tw:1", "tw:0"], count=9)
    assert sorted(one["id"] for one in answer["items"]) == ["2", "5", "6"]
    answer = await following(site, "include=mario+64", seen=["tw:1", "tw:0", "tw:5"])
    assert sorted(answer["forget"]) == ["tw:1", "tw:5"]
    assert await following(site, "include=absent") == {"items": [], "forget": []}


async def test_visitors_are_spread_and_a_small_result_is_not_emptied(site: Site) -> None:
    await show(site, *(stream(n, title=f"t{n}") for n in range(20)))
    shown = Counter()  # type: Counter[str]
    answers = await asyncio.gather(*(following(site) for _ in range(40)))
    for answer in answers:
        shown.update(one["id"] for one in answer["items"])
    assert set(shown.values()) == {2}
    for _ in range(5):  # looking at thumbnails is no visit
        assert len((await following(site, count=20, lease=False))["items"]) == 20
    answers = await asyncio.gather(*(following(site, "include=t19") for _ in range(9)))
    assert all(len(answer["items"]) == 1 for answer in answers)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 200),
        (b"{", 400),
        (b"[]", 400),
        (b'{"seen": "a"}', 400),
        (b'{"seen": [1]}', 400),
        (b'{"seen": ["' + b"a" * 401 + b'"]}', 400),
        (b'{"seen": [' + b'"a",' * 5000 + b'"a"]}', 400),
        (b'{"seen": ["\\u0000"]}', 400),
        (b'{"seen": ["\\ud800"]}', 400),
        (b'{"seen": ["\xff"]}', 400),
        (b'{"count": 0}', 400),
        (b'{"count": 65}', 400),
        (b'{"unknown": 1}', 400),
        (b" " * 1_000_001, 413),
        (b'{"seen": ["%", "\'", "::", ":", ""], "count": 64}', 200),
    ],
)
async def test_what_a_page_sends_is_checked(site: Site, body: bytes, status: int) -> None:
    await show(site, stream(1))
    async with site.client.post("/api/v1/streams/next", data=body) as answer:
        assert answer.status == status, await answer.text()
        found = await answer.json()
    assert found["items"][0]["id"] == "1" if status == 200 else found["error"]["message"]


async def test_strange_filters_of_next_are_refused(site: Site) -> None:
    for query, status in (("include=" + "a" * 65, 413), ("tags=%00", 400), ("include=%ff", 400)):
        async with site.client.post(f"/api/v1/streams/next?{query}") as answer:
            assert answer.status == status


async def test_nothing_found_says_what_to_loosen_and_by_how_many(site: Site) -> None:
    await show(
        site,
        *(stream(n, title=f"chess {n}", language="en") for n in range(12)),
        stream(50, title="chess in bulgaria", language="bg", viewers=9, category="Games"),
        stream(51, title="new chess", language="bg", started_at=datetime.now(UTC)),
    )
    text = await page(site, "/?include=chess+mario&languages=bg")
    assert "Nothing live matches." in text
    found = dict(
        (html.unescape(words), count)
        for words, count in re.findall(
            r'data-loosen><bdi[^>]*>([^<]*)</bdi></a> <span class="badge ok">([^<]*)<', text
        )
    )
    assert found == {
        "with any of the words instead of all": "2 streams",
        "without “mario”": "2 streams",
        "without words to look for": "2 streams",
    }
    text = await page(site, "/?include=chess&category=games&max_viewers=3&min_age=10")
    assert re.findall(r"data-loosen><bdi[^>]*>([^<]*)</bdi></a> <span[^>]*>([^<]*)<", text) == [
        ("in any category", "12 streams"),
        ("however many are watching", "1 stream"),
    ]
    text = await page(site, "/?include=chess+mario&category=sports&tags=nothing&max_viewers=0")
    assert re.findall(r"data-loosen><bdi[^>]*>([^<]*)</bdi></a> <span[^>]*>([^<]*)<", text) == [
        ("only any of the words", "14 streams"),
        ("only as few viewers", "13 streams"),
    ]
    assert "Try without a filter." in await page(site, "/?include=nobodysaysthis")


async def test_loosening_gives_up_what_is_slow(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    await show(site, stream(1))

    async def slow(*_: object) -> int:
        await asyncio.sleep(30)
        return 1

    monkeypatch.setattr(store, "count", slow)
    monkeypatch.setattr(loosen, "PATIENCE_S", 0.05)
    assert "Try without a filter." in await page(site, "/?include=absent&max_viewers=0")


def test_the_filter_in_words() -> None:
    given = {
        "include": "a b",
        "search_operator": "any",
        "languages": "de,tlh",
        "max_viewers": "0",
        "exclude": " ",
        "unknown": "x",
        "watch": "tw:1",
    }
    chosen = chosen_of(given)
    assert chosen.keys() == {"include", "search_operator", "languages", "max_viewers"}
    assert [(chip.label, chip.text, chip.without) for chip in chips(chosen)] == [
        ("with any of", "a b", "/?languages=de%2Ctlh&max_viewers=0"),
        ("in", "German, tlh", "/?include=a+b&max_viewers=0&search_operator=any"),
        ("viewers, at most", "0", "/?include=a+b&languages=de%2Ctlh&search_operator=any"),
    ]
    assert chosen_of({"search_operator": "any"}) == {}


async def test_lists_of_a_form(site: Site) -> None:
    await show(site, *(stream(n, title=f"t{n}", language=("de", "fr", "en")[n]) for n in range(3)))
    text = await page(site, "/?languages=de&languages=fr&include=")
    assert '<strong><bdi dir="auto">German, French</bdi></strong>' in text
    assert "t1</bdi>" in text
    assert "t2</bdi>" not in text
    assert 'value="fr" checked' in text


NASTY = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}",
    "\u202e\u2066 backwards \u2068",
    "🎉" * 120,
    "W" * 500,
    "</bdi></template>",
)


async def test_titles_are_only_text(site: Site) -> None:
    await show(
        site,
        *(
            stream(n, title=title, channel_name=title, category=title, tags=(title[:90],))
            for n, title in enumerate(NASTY)
        ),
    )
    for n, title in enumerate(NASTY):
        text = await page(site, f"/?watch=tw:{n}")
        assert on_top(text) == title
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "49" not in on_top(text)


async def test_the_feeds_of_a_search_are_linked_and_there(site: Site) -> None:
    await show(site, *(stream(n) for n in range(4)))
    text = await page(site, "/?include=mario&languages=de,en&search_operator=any&watch=tw:1")
    links = re.findall(r'<link rel="alternate" type="([^"]+)"[^>]* href="([^"]+)"', text)
    assert len(links) == 3
    for kind, address in links:
        assert html.unescape(address).endswith(
            "?include=mario&languages=de%2Cen&search_operator=any"
        )
        async with site.client.get(html.unescape(address)) as answer:
            assert answer.status == 200
            assert answer.content_type == kind


async def test_the_message_of_the_day(site: Site) -> None:
    await show(site, stream(1, started_at=datetime.now(UTC) - timedelta(hours=1)))
    assert "Message of the day" not in await page(site, "/")
    await site_store.set_message_of_the_day(site.context.pool, "Hello <b>you</b>\nthere", "me")
    assert "Hello &lt;b&gt;you&lt;/b&gt;\nthere" in await page(site, "/")
