"""m3u: lists of channels as they are found, and lists that are none."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest

from tests.servers.playlist import Playlist
from tests.sources.looking import Pass, look_through, make_source
from vigil.context import Context
from vigil.errors import SourceError
from vigil.sources import m3u
from vigil.streams.model import SeenStream


async def look(context: Context, server: Playlist, **options: Any) -> Pass:
    return await look_through(context, make_source("m3u", server.address, **options))


async def read(context: Context, body: str | bytes, content_type: str = "text/plain") -> Pass:
    async with Playlist(body, content_type) as server:
        return await look(context, server)


async def test_what_an_entry_becomes(outside: Context) -> None:
    async with Playlist() as server:
        seen = await look(outside, server)
        one = "https://cdn.example/one/index.m3u8"
        assert seen.streams[0] == SeenStream(
            external_id="one.de",
            title="One",
            viewers=0,
            page_url=one,
            player="hls",
            player_url=one,
            category="News",
            tags=("Talk",),
            language="de",
            channel_name="One",
            thumbnail_url=f"{server.url}/logo/1.png",
        )
        assert seen.streams[1].player_url == f"{server.url}/lists/two/index.m3u8"
        assert (seen.streams[1].title, seen.streams[1].language) == ("Deux", "fr")
        assert len(seen.streams[2].external_id) == 16  # no id: known by its address
        assert seen.streams[2].player_url.endswith("?token=abc")
        again = await look(outside, server)
        assert again.streams == seen.streams


async def test_why_an_entry_is_refused(outside: Context) -> None:
    async with Playlist() as server:
        server.faults.bad_items = 1
        seen = await look(outside, server)
    assert len(seen.streams) == 3
    assert seen.refused == {
        "malformed: no address": 1,
        "not HLS": 1,
        "no proper address": 1,
        "listed twice": 1,
    }


async def test_two_channels_with_one_id_are_two(outside: Context) -> None:
    entry = '#EXTINF:-1 tvg-id="x",{0}\nhttps://a.example/{0}.m3u8\n'
    seen = await read(outside, "#EXTM3U\n" + entry.format("hd") + entry.format("sd"))
    assert [stream.title for stream in seen.streams] == ["hd", "sd"]
    assert seen.streams[0].external_id == "x"
    assert len({stream.external_id for stream in seen.streams}) == 2


async def test_criteria(outside: Context) -> None:
    async with Playlist() as server:
        assert [s.title for s in (await look(outside, server, languages="de")).streams] == ["One"]
        seen = await look(outside, server, categories="music")
        assert [s.title for s in seen.streams] == ["Deux"]
        assert seen.refused == {"another category": 2}
        assert len((await look(outside, server, max_viewers=0)).streams) == 3


TEXT = "#EXTM3U\n#EXTINF:-1 group-title=\"Zürich\",Café\nhttps://a.example/1.m3u8\n"  # fmt: skip


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (TEXT.encode(), "text/plain"),
        (TEXT.encode("utf-8-sig"), "text/plain"),
        (TEXT.replace("\n", "\r\n").encode("utf-8-sig"), "audio/x-mpegurl; charset=latin-1"),
        (TEXT.replace("\n", "\r").encode(), "text/plain"),
        (TEXT.encode("cp1252"), "text/plain"),
        (TEXT.encode("cp1252"), "text/plain; charset=nonsense"),
        (TEXT.encode("cp1252"), "text/plain; charset=base64"),
        (TEXT.encode("mac-roman"), 'text/plain; charset="macintosh"'),
        (TEXT.encode("utf-16"), "text/plain"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), "text/plain; charset=utf-8"),
    ],
)
async def test_encodings(outside: Context, body: bytes, content_type: str) -> None:
    (stream,) = (await read(outside, body, content_type)).streams
    assert (stream.title, stream.category) == ("Café", "Zürich")


async def test_two_encodings_in_one_list(outside: Context) -> None:
    entry = "#EXTINF:-1,Café {0}\nhttps://a.example/{0}.m3u8\n"
    body = b"#EXTM3U\n" + entry.format(1).encode() + entry.format(2).encode("cp1252")
    assert [s.title for s in (await read(outside, body)).streams] == ["Café 1", "Café 2"]


async def test_bytes_that_are_no_text_in_any_encoding(outside: Context) -> None:
    body = b"#EXTM3U\n#EXTINF:-1,\xff\xfe\x81\x00\xe2\x80\xae x\nhttps://a.example/1.m3u8\n"
    (stream,) = (await read(outside, body)).streams
    assert stream.title.isprintable()


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("", "does not begin with #EXTM3U"),
        ("<html>", "does not begin with #EXTM3U"),
        ("#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n0.ts\n", "a stream itself"),
        ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow.m3u8\n", "a stream itself"),
    ],
)
async def test_what_is_no_list(outside: Context, body: str, told: str) -> None:
    with pytest.raises(SourceError, match="no M3U playlist") as caught:
        await read(outside, body)
    assert told in str(caught.value)
    assert "user=me" not in str(caught.value)


async def test_nothing_is_listed(outside: Context) -> None:
    seen = await read(outside, "#EXTM3U\n")
    assert (seen.found, len(seen.pages), seen.streams) == (0, 1, [])


async def test_a_long_list_is_not_held_whole(outside: Context) -> None:
    entry = '#EXTINF:-1 tvg-id="c{0}" x="{1}",{0}\nhttps://a.example/{0}.m3u8\n'
    body = ("#EXTM3U\n" + "".join(entry.format(n, "g" * 2000) for n in range(5000))).encode()
    async with Playlist(body) as server:
        source = make_source("m3u", server.address)
        tracemalloc.start()
        try:
            found, answers = 0, 0
            async for page in m3u.pages(outside, source):
                if not found:
                    tracemalloc.reset_peak()  # the peer of this test holds it all
                    before = tracemalloc.get_traced_memory()[0]
                found, answers = found + page.found, answers + page.answers
            peak = tracemalloc.get_traced_memory()[1] - before
        finally:
            tracemalloc.stop()
    assert (found, answers) == (5000, 1)
    assert peak < len(body) / 3


async def test_a_list_that_is_too_long(outside: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Playlist() as server:
        monkeypatch.setattr(m3u, "MOST_ENTRIES", 2)
        with pytest.raises(SourceError, match="more than 2 entries"):
            await look(outside, server)
        server.faults.two_gigabytes = 1
        with pytest.raises(SourceError, match=r"sent more than 67\.1 MB"):
            await look(outside, server)


async def test_a_list_that_never_ends_is_left(
    outside: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(m3u, "SLOWEST_S", 0.0)
    async with Playlist() as server:
        with pytest.raises(SourceError, match="took more than 0 s"):
            await look(outside, server)


async def test_the_test_of_a_source(outside: Context) -> None:
    async with Playlist() as server:
        said = await m3u.KIND.test(outside, make_source("m3u", server.address))
    assert said == "the list answers; its first 3 entries are 3 streams"
