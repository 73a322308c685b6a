"""playlists: playlists as they are found, not as anybody specified them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.sources.playlists import Entry, parse


def one(text: str) -> Entry:
    entries, broken = parse(text)
    assert (len(entries), broken) == (1, 0)
    return entries[0]


def test_the_usual() -> None:
    entry = one(
        '#EXTM3U\n#EXTINF:-1 tvg-ID="7" tvg-logo="https://x/l" group-title="News",Seven\nhttps://x/7'
    )
    assert entry == Entry(
        "Seven", "https://x/7", {"tvg-id": "7", "tvg-logo": "https://x/l", "group-title": "News"}
    )


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_bom_blank_lines_and_other_directives(end: str) -> None:
    lines = ["\ufeff#EXTM3U", "", "#EXTINF:0,A", "#EXTVLCOPT:http-user-agent=x", "", "http://a", ""]
    assert one(end.join(lines)) == Entry("A", "http://a", {})


def test_a_comma_inside_quotes() -> None:
    entry = one('#EXTM3U\n#EXTINF:-1 tvg-tags="a, b,c" x-y="1",Name, with comma\nhttps://a/')
    assert entry.attributes == {"tvg-tags": "a, b,c", "x-y": "1"}
    assert entry.name == "Name, with comma"


def test_line_breaks_inside_a_name_and_inside_quotes() -> None:
    entry = one('#EXTM3U\n#EXTINF:-1 tvg-tags="a\nb",First\nsecond\n\nthird\nhttps://a/1')
    assert entry.name == "First second  third"
    assert entry.attributes["tvg-tags"] == "a\nb"


def test_a_name_that_holds_an_address_on_a_line_of_its_own() -> None:
    entry = one("#EXTM3U\n#EXTINF:-1,Look\nhttps://elsewhere.example\nat this\nhttps://real/1")
    assert entry.url == "https://real/1"
    assert entry.name == "Look https://elsewhere.example at this"


def test_a_quote_inside_quotes() -> None:
    entry = one('#EXTM3U\n#EXTINF:-1 tvg-name="the "best" one" tvg-logo="x",Name\nhttps://a/')
    assert (entry.name, entry.url) == ("Name", "https://a/")


def test_entries_without_an_address_are_counted() -> None:
    entries, broken = parse("#EXTM3U\n#EXTINF:-1,A\n#EXTINF:-1,B\nhttps://b\n#EXTINF:-1,C\nno url")
    assert [entry.name for entry in entries] == ["B"]
    assert broken == 2


def test_nothing_is_live() -> None:
    assert parse("#EXTM3U\n") == ([], 0)


@pytest.mark.parametrize("text", ["", "<html>", '{"a": 1}', "http://a/"])
def test_no_playlist(text: str) -> None:
    with pytest.raises(ValueError, match="EXTM3U"):
        parse(text)


@given(st.text())
def test_anything_after_the_header(text: str) -> None:
    entries, broken = parse("#EXTM3U\n" + text)
    assert broken >= 0
    assert all("://" in entry.url and "\n" not in entry.url for entry in entries)


@pytest.mark.parametrize(
    "piece",
    ['a="', 'a="b" ', "x\n", "#EXTINF:", "#EXTINF:-1,a\n", '",', "h://", "https://a\n", " "],
)
def test_time_grows_no_faster_than_the_text(piece: str) -> None:
    began = time.perf_counter()
    parse("#EXTM3U\n#EXTINF:-1 " + piece * 100_000)
    assert time.perf_counter() - began < 3
