"""What an operator blocks: never kept again, gone at once, whichever way it is asked for."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

import db_utils
from tests.conftest import Site
from tests.servers.helix import Helix, channel
from tests.sources.test_cli import vigil
from tests.streams.test_scan import add_source, held, pointed_at, state, the_source
from vigil.context import Context
from vigil.errors import Conflict, Invalid, NotFound
from vigil.sources import blocking
from vigil.sources.blocks import store
from vigil.sources.blocks.model import Blocks
from vigil.streams.model import SeenStream
from vigil.streams.writing import store as writing

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def stream(number: int, title: str = "t", login: str = "login", tag: str = "x") -> SeenStream:
    return SeenStream(
        external_id=str(number),
        title=title,
        viewers=0,
        page_url="https://x.example/",
        player="hls",
        player_url="https://x.example/",
        tags=(tag,),
        channel_id=f"c{number}",
        channel_login=f"{login}{number}",
    )


@pytest.mark.parametrize(
    ("title", "blocked"),
    [
        ("Spam here", True),
        ("no SPAM!", True),
        ("spam", True),
        ("spammer", False),
        ("antispam", False),
        ("ham", False),
        ("buy  now", False),
        ("buy now", True),
        ("a.b", True),
        ("axb", False),
        ("Жара", True),
        ("Жаран", False),
    ],
)
def test_a_word_is_a_whole_word(title: str, blocked: bool) -> None:
    blocks = Blocks(frozenset(), ("spam", "buy now", "a.b", "жара"))
    assert blocks.has(stream(1, title)) is blocked


def test_a_channel_is_its_login_id_or_name() -> None:
    for value in ("login7", "c7"):
        blocks = Blocks(frozenset({value}), ())
        assert blocks.has(stream(7))
        assert not blocks.has(stream(8))
    assert not Blocks(frozenset(), ()).has(stream(7))


async def test_what_is_stored_goes_at_once(pool: db_utils.Pool) -> None:
    source = await pool.fetchval(
        "INSERT INTO sources (name, kind) VALUES ('s', 'twitch') RETURNING id"
    )
    seen = [
        stream(1, "100% spam_here"),
        stream(2, "100 spam"),
        stream(3, tag="Spam"),
        stream(4, "spammer"),
        stream(5),
    ]
    await writing.write_batch(pool, source, seen, NOW, 600)
    _, gone = await blocking.block(pool, "word", " SPAM ", "me")
    assert gone == 2  # "spam_here" is another word
    assert (await blocking.block(pool, "word", "100% spam_here", "me"))[1] == 1
    assert (await blocking.block(pool, "channel", "LOGIN5", "me"))[1] == 1
    assert [r[0] for r in await pool.fetch("SELECT external_id FROM streams")] == ["4"]
    with pytest.raises(Conflict):
        await blocking.block(pool, "word", "Spam", "me")
    for kind, value in (("word", "  "), ("word", "--"), ("game", "x"), ("word", "x" * 201)):
        with pytest.raises(Invalid):
            await blocking.block(pool, kind, value, "me")
    await blocking.unblock(pool, "word", "SPAM")
    with pytest.raises(NotFound):
        await blocking.unblock(pool, "word", "spam")
    assert {one.value for one in await store.list_all(pool)} == {"100% spam_here", "login5"}


async def test_a_pass_refuses_what_is_blocked(context: Context) -> None:
    async with Helix([channel(n, 0) for n in range(100)]) as helix:
        scanner = pointed_at(context, helix)
        await add_source(scanner)
        target = await the_source(scanner)
        await blocking.block(context.pool, "channel", "Channel_7", "me")
        await target.run_once()
        assert len(await held(scanner)) == 99
        assert (await state(scanner)).refusals == {"blocked": 1}
        word = helix.live[50].title.split()[0]
        wanted = {
            one.id
            for one in helix.live
            if word not in (*one.title.split(), *(one.tags or ())) and one.user_login != "channel_7"
        }
        wanted -= {one.id for one in helix.live if word in one.game_name.lower().split()}
        await blocking.block(context.pool, "word", word, "me")
        assert await held(scanner) == wanted
        await target.run_once()
        assert await held(scanner) == wanted
        await blocking.unblock(context.pool, "channel", "channel_7")
        await blocking.unblock(context.pool, "word", word)
        await target.run_once()
        assert len(await held(scanner)) == 100


async def test_a_batch_that_is_being_written_does_not_slip_through(pool: db_utils.Pool) -> None:
    source = await pool.fetchval(
        "INSERT INTO sources (name, kind) VALUES ('s', 'twitch') RETURNING id"
    )
    async with pool.acquire() as connection, connection.transaction():
        assert not (await store.held(connection)).has(stream(1))
        blocking_it = asyncio.create_task(blocking.block(pool, "channel", "login1", "me"))
        await asyncio.sleep(0.2)
        assert not blocking_it.done()
        await writing.write_batch(connection, source, [stream(1)], NOW, 600)
    assert (await blocking_it)[1] == 1
    assert await pool.fetchval("SELECT count(*) FROM streams") == 0


async def test_in_the_browser_and_the_api(site: Site) -> None:
    admin = site.admin_headers
    async with site.client.get("/sources/blocks") as response:
        assert response.status == 401 or response.status == 403
    form = {"kind": "word", "value": "<b>Spam</b> & co"}
    async with site.client.post("/sources/blocks", data=form, headers=admin) as response:
        assert response.status == 200
        page = await response.text()
    assert "&lt;b&gt;spam&lt;/b&gt; &amp; co" in page
    async with site.client.post("/sources/blocks/remove", data=form, headers=admin) as response:
        assert "Nothing is blocked" in await response.text()
    async with site.client.post("/api/v1/blocks", json={"kind": "channel", "value": "Bob"}) as r:
        assert r.status in (401, 403)
    body = {"kind": "channel", "value": "Bob"}
    async with site.client.post("/api/v1/blocks", json=body, headers=admin) as response:
        assert response.status == 201
        made = await response.json()
    assert (made["value"], made["created_by"]) == ("bob", "test")
    async with site.client.post("/api/v1/blocks", json=body, headers=admin) as response:
        assert response.status == 409
    async with site.client.post("/api/v1/blocks", json={"kind": "x"}, headers=admin) as response:
        assert response.status == 400
    async with site.client.get("/api/v1/blocks", headers=admin) as response:
        assert [one["value"] for one in (await response.json())["items"]] == ["bob"]
    address = f"/api/v1/blocks/{made['id']}"
    async with site.client.delete(address, headers=admin) as response:
        assert response.status == 204
    async with site.client.delete(address, headers=admin) as response:
        assert response.status == 404


async def test_on_the_command_line(context: Context) -> None:
    settings = context.settings
    ran = await vigil(settings, "block", "add", "word", "Spam")
    assert ran.out == "blocked the word spam; 0 live streams removed\n", ran.err
    assert "spam" in (await vigil(settings, "block", "list")).out
    assert (await vigil(settings, "block", "add", "word", "spam")).status == 1
    assert (await vigil(settings, "block", "remove", "word", "spam")).status == 0
    assert (await vigil(settings, "block", "list")).out == "nothing is blocked\n"


async def test_criteria_are_changed_on_the_command_line(context: Context) -> None:
    await add_source(context, languages=["de"])
    ran = await vigil(
        context.settings, "change", "twitch", "--option", "max_viewers=5", "--ttl", "1000"
    )
    assert ran.status == 0, ran.err
    source = (await state(context)).source
    assert source.options == {"languages": ["de"], "categories": [], "max_viewers": 5}
    assert (source.interval_s, source.ttl_s) == (30, 1000)
    ran = await vigil(context.settings, "change", "twitch", "--option", "languages=")
    assert (await state(context)).source.options["languages"] == []
    assert (await vigil(context.settings, "change", "nobody")).status == 1
