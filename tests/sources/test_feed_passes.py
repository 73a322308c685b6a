"""Passes over feeds: what a whole one did not see is over, what a broken one did not see is not."""

from __future__ import annotations

import pytest

from tests.servers.json_api import JsonApi
from tests.servers.playlist import Playlist
from vigil.context import Context
from vigil.errors import SourceError
from vigil.loop import Target
from vigil.sources import adding, store
from vigil.sources.model import SourceState
from vigil.streams import scan


async def added(context: Context, server: JsonApi | Playlist) -> Target:
    kind, options = ("json_feed", server.options) if isinstance(server, JsonApi) else ("m3u", {})
    wanted = adding.Wanted(name="feed", kind=kind, base_url=server.address, options=options)
    await adding.add(context.pool, wanted)
    return await target(context)


async def target(context: Context) -> Target:
    source = (await adding.find(context.pool, "feed")).source
    (found,) = [one for one in await scan.targets(context) if one.key == f"source:{source.id}"]
    return found


async def live(context: Context) -> int:
    return int(await context.pool.fetchval("SELECT count(*) FROM stream_liveness"))


async def state(context: Context) -> SourceState:
    found = await store.get_state(context.pool, "feed")
    assert found is not None
    return found


async def test_a_whole_pass_retires_and_says_what_it_saw(context: Context) -> None:
    async with JsonApi(95, way="cursor") as server:
        looking = await added(context, server)
        server.faults.bad_items = 9
        await looking.run_once()
        seen = await state(context)
        assert (seen.pages, seen.found, seen.kept, seen.refused, seen.fresh) == (10, 104, 95, 9, 95)
        assert (seen.complete, seen.budget_remaining, seen.budget_limit) == (True, 90, 100)
        assert seen.next_at is not None
        server.faults.bad_items = 0
        del server.stations[60:]
        await looking.run_once()
        assert await live(context) == 60
        assert (await state(context)).ended == 35


@pytest.mark.parametrize(
    ("way", "fault", "value", "why"),
    [
        ("cursor", "fail_after", 10 + 4, "answered 500"),
        ("cursor", "circle", True, "circle"),
        ("page", "ignores_pages", True, "circle"),
        ("link", "elsewhere", True, "another server"),
        ("none", "wrong_shape", -1, "not what was expected"),
    ],
)
async def test_a_broken_pass_retires_nothing(
    context: Context, way: str, fault: str, value: object, why: str
) -> None:
    async with JsonApi(95, way=way) as server:
        looking = await added(context, server)
        await looking.run_once()
        setattr(server.faults, fault, value)
        del server.stations[60:]
        with pytest.raises(SourceError, match=why):
            await looking.run_once()
        assert await live(context) == 95


async def test_an_implausibly_small_pass_is_not_believed(context: Context) -> None:
    async with JsonApi(95) as server:
        looking = await added(context, server)
        await looking.run_once()
        del server.stations[10:]
        with pytest.raises(SourceError, match="showed 10 streams where 95 were live"):
            await looking.run_once()
        assert await live(context) == 95


async def test_a_playlist_is_looked_through_the_same_way(context: Context) -> None:
    async with Playlist() as server:
        looking = await added(context, server)
        await looking.run_once()
        assert await live(context) == 3
        body = server.body.decode()
        server.body = body[: body.index("#EXTINF:-1,Three")].encode()
        await looking.run_once()
        assert await live(context) == 2
        server.body = b"<html>"
        with pytest.raises(SourceError, match="no M3U playlist"):
            await looking.run_once()
        assert await live(context) == 2
        seen = await state(context)
        assert (seen.pages, seen.found) == (0, 0)
