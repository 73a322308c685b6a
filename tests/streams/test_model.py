from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.streams.model import (
    MOST_VIEWERS,
    Refused,
    SeenStream,
    clean,
    is_web_address,
    one_line,
    search_text,
)

STREAM = SeenStream(
    external_id="1",
    title="Painting a shed",
    viewers=0,
    page_url="https://www.twitch.tv/shed",
    player="twitch",
    player_url="shed",
    category="Art",
    tags=("English", "Slow"),
    channel_login="shed",
    channel_name="Shed",
)


def test_a_good_stream_stays_as_it_is() -> None:
    assert clean(STREAM) == STREAM


def test_control_characters_are_removed_and_white_space_joined() -> None:
    assert one_line("a\x00b\ud800 c\n\td\u202e e\x85f", 100) == "ab c d e f"
    assert one_line("👩‍👩‍👧 ünïcode — fine", 100) == "👩‍👩‍👧 ünïcode — fine"
    assert one_line("x" * 600, 500) == "x" * 500
    assert one_line("ab cd", 3) == "ab"


@given(st.text(), st.integers(), st.lists(st.text(max_size=8), max_size=60))
def test_cleaning_twice_changes_nothing(text: str, viewers: int, tags: list[str]) -> None:
    once = clean(replace(STREAM, title=text, viewers=viewers, tags=tuple(tags), category=text))
    assert clean(once) == once
    assert len(once.title) <= 500
    assert len(once.tags) <= 50
    assert 0 <= once.viewers <= MOST_VIEWERS
    assert "\x00" not in once.title + search_text(once)
    (once.title + search_text(once)).encode()  # no lone surrogates: PostgreSQL takes it


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"external_id": "\x00"}, "no usable id"),
        ({"external_id": "9" * 300}, "no usable id"),
        ({"page_url": "javascript:alert(1)"}, "no usable address"),
        ({"page_url": ""}, "no usable address"),
        ({"player_url": 'x" onload="'}, "no usable player"),
        ({"player_url": "shed\n"}, "no usable player"),
        ({"player": "embed", "player_url": "data:text/html,hi"}, "no usable player"),
        ({"player": "hls", "player_url": "https:///x.m3u8"}, "no usable player"),
    ],
)
def test_what_cannot_be_shown_is_refused(changed: dict[str, str], reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        clean(replace(STREAM, **changed))  # type: ignore[arg-type]


def test_what_is_not_needed_is_dropped_instead() -> None:
    stream = replace(
        STREAM,
        thumbnail_url="file:///etc/passwd",
        started_at=datetime(2026, 1, 1),  # noqa: DTZ001 - a time without a zone is the point
        tags=("a", "a", "\x00"),
    )
    cleaned = clean(stream)
    assert cleaned.thumbnail_url is None
    assert cleaned.started_at is None
    assert cleaned.tags == ("a",)
    assert clean(replace(STREAM, started_at=datetime(2026, 1, 1, tzinfo=UTC))).started_at


def test_web_addresses() -> None:
    assert is_web_address("https://x.example/thumb-{width}x{height}.jpg?a=1#b")
    assert is_web_address("http://127.0.0.1:8080/")
    for bad in ("", "x", "ftp://x/", "https://user:pw@x/", "http://[x/", "http://x/\x00", "http:x"):
        assert not is_web_address(bad), bad
    assert not is_web_address("https://x/" + "y" * 2000)


def test_search_text_is_lower_case_and_names_a_channel_once() -> None:
    assert search_text(STREAM) == "painting a shed\nart\nenglish\nslow\nshed"
    assert search_text(replace(STREAM, channel_name="木")).endswith("\n木\nshed")
