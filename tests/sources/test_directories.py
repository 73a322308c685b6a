"""Every directory: the same shape, and the same behaviour when its peer misbehaves."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from tests.servers.faults import HttpFaults
from tests.servers.helix import Helix
from tests.servers.json_api import JsonApi
from tests.servers.owncast import Owncast
from tests.servers.peertube import PeerTube
from tests.servers.playlist import Playlist
from tests.sources.looking import look_through, make_source
from vigil.context import Context
from vigil.errors import SourceError
from vigil.fetch import Fetcher
from vigil.settings import ROOT, Settings
from vigil.sources import clean, options
from vigil.sources.kinds import DIRECTORIES
from vigil.sources.model import Source

Peer = tuple[HttpFaults, Context, Source]
Start = Callable[[Context], AbstractAsyncContextManager[Peer]]


def patient_settings(context: Context, **values: Any) -> Context:
    return replace(context, settings=replace(context.settings, **values))


@asynccontextmanager
async def twitch(context: Context) -> AsyncIterator[Peer]:
    async with Helix(5) as server:
        context = patient_settings(
            context,
            twitch_api_url=server.api_url,
            twitch_auth_url=server.auth_url,
            twitch_client_id=server.client_id,
            twitch_client_secret=server.client_secret,
        )
        yield server.faults, context, make_source("twitch", None)


@asynccontextmanager
async def owncast(context: Context) -> AsyncIterator[Peer]:
    async with Owncast() as server:
        context = patient_settings(context, owncast_url=server.url)
        yield server.faults, context, make_source("owncast", None)


@asynccontextmanager
async def peertube(context: Context) -> AsyncIterator[Peer]:
    async with PeerTube() as server:
        context = patient_settings(context, peertube_url=server.url)
        yield server.faults, context, make_source("peertube", None)


@asynccontextmanager
async def json_feed(context: Context) -> AsyncIterator[Peer]:
    async with JsonApi(25, way="cursor") as server:
        yield server.faults, context, make_source("json_feed", server.address, **server.options)


@asynccontextmanager
async def m3u(context: Context) -> AsyncIterator[Peer]:
    async with Playlist() as server:
        yield server.faults, context, make_source("m3u", server.address)


PEERS: dict[str, Start] = {
    "twitch": twitch,
    "owncast": owncast,
    "peertube": peertube,
    "json_feed": json_feed,
    "m3u": m3u,
}
USUAL = [name for name, kind in DIRECTORIES.items() if kind.setting is not None]
"""Kinds whose usual address is a setting."""


def test_every_directory_has_a_peer_here() -> None:
    assert PEERS.keys() == DIRECTORIES.keys()


@pytest.mark.parametrize("name", DIRECTORIES)
def test_shape(name: str) -> None:
    kind = DIRECTORIES[name]
    module = inspect.getmodule(kind.pages)
    assert module is not None
    assert module.__doc__
    assert Path(str(module.__file__)) == ROOT / f"vigil/sources/{name}.py"
    assert (ROOT / f"tests/sources/test_{name}.py").exists()
    assert inspect.isasyncgenfunction(kind.pages)
    assert kind.name == name
    assert kind.title
    assert kind.setting is None or kind.setting in {one.name for one in fields(Settings)}
    assert kind.ttl_s >= 3 * kind.interval_s  # two missed passes expire nothing
    chosen = kind.check_options({})
    assert chosen == kind.check_options(chosen)
    assert chosen.keys() == {option.name for option in kind.form}
    written = {name: options.spelled(value) for name, value in chosen.items()}
    assert kind.check_options(written) == chosen  # as a form has it


@pytest.mark.parametrize("name", DIRECTORIES)
async def test_a_pass_yields_clean_streams(name: str, outside: Context) -> None:
    async with PEERS[name](outside) as (_, context, source):
        seen = await look_through(context, source)
        sentence = await DIRECTORIES[name].test(context, source)
    assert "answers" in sentence
    assert seen.streams
    assert seen.found == len(seen.streams)
    assert len({stream.external_id for stream in seen.streams}) == len(seen.streams)
    for stream in seen.streams:
        assert stream.external_id
        assert stream.title == clean.text(stream.title, clean.TITLE_MOST) != ""
        assert clean.url(stream.page_url)
        assert stream.thumbnail_url is None or clean.url(stream.thumbnail_url)
        assert stream.player == "twitch" or clean.url(stream.player_url)
        assert stream.viewers >= 0
        assert stream.channel_name


@pytest.mark.parametrize("name", DIRECTORIES)
async def test_malformed_items_are_skipped_and_counted(name: str, outside: Context) -> None:
    async with PEERS[name](outside) as (faults, context, source):
        good = await look_through(context, source)
        faults.bad_items = 100
        seen = await look_through(context, source)
    assert {s.external_id for s in seen.streams} == {s.external_id for s in good.streams}
    assert seen.refused.total() >= 1
    assert seen.found == len(seen.streams) + seen.refused.total()
    assert all(reason and len(reason) < 250 for reason in seen.refused)


@pytest.mark.parametrize("name", DIRECTORIES)
@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("html", "HTML instead of JSON|no M3U playlist"),
        ("not_json", "not JSON|no M3U playlist"),
        ("wrong_shape", "not what was expected|no M3U playlist"),
        ("huge", "sent more than"),
    ],
)
async def test_a_bad_page_is_an_error_that_names_the_source(
    name: str, fault: str, why: str, outside: Context
) -> None:
    async with PEERS[name](outside) as (faults, context, source):
        setattr(faults, fault, -1)
        with pytest.raises(SourceError, match=why) as caught:
            await look_through(context, source)
        assert "127.0.0.1" in str(caught.value) or DIRECTORIES[name].title in str(caught.value)
        setattr(faults, fault, 0)
        assert (await look_through(context, source)).streams  # and it recovers by itself


@pytest.mark.parametrize("name", DIRECTORIES)
@pytest.mark.parametrize("fault", ["server_error", "cut"])
async def test_a_passing_fault_is_not_noticed(name: str, fault: str, outside: Context) -> None:
    async with PEERS[name](outside) as (faults, context, source):
        setattr(faults, fault, 2)
        assert (await look_through(context, source)).streams


@pytest.mark.parametrize("name", DIRECTORIES)
async def test_a_lasting_fault_is_an_error(name: str, outside: Context) -> None:
    async with PEERS[name](outside) as (faults, context, source):
        faults.server_error = -1
        with pytest.raises(SourceError, match="answered 500"):
            await look_through(context, source)


@pytest.mark.parametrize("name", DIRECTORIES)
async def test_nobody_is_there(name: str, outside: Context) -> None:
    async with PEERS[name](outside) as (_, context, source):
        pass
    with pytest.raises(SourceError, match="cannot be connected to"):
        await look_through(context, source)


@pytest.mark.parametrize("name", USUAL)
async def test_an_address_of_its_own_goes_before_the_settings(name: str, outside: Context) -> None:
    async with PEERS[name](outside) as (_, context, source):
        setting = DIRECTORIES[name].setting or ""
        here = getattr(context.settings, setting)
        elsewhere = patient_settings(context, **{setting: "http://127.0.0.1:9"})
        source = replace(source, base_url=here)
        assert (await look_through(elsewhere, source)).streams


@pytest.mark.parametrize("name", DIRECTORIES)
async def test_what_an_admin_configured_may_be_private(name: str, outside: Context) -> None:
    async with (
        Fetcher(clock=outside.clock) as guarded,
        PEERS[name](replace(outside, fetcher=guarded)) as (_, context, source),
    ):
        assert (await look_through(context, source)).streams
