"""The playlist's text."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.films.making import START, a_film
from vigil.films import playlist
from vigil.films.model import Listed, State, moment_of

HASH = "0123456789abcdef" * 4


def segment(number: int, duration_s: float = 2.0, closed: bool = True) -> Listed:
    at = moment_of(START + timedelta(seconds=20 * number))
    return Listed(
        start=at,
        wanted=HASH,
        hash=HASH,
        pictures=20,
        first=at,
        last=at,
        closed=closed,
        lost=0,
        error=None,
        init=None,
        frames=20,
        bytes=1000,
        duration_s=duration_s,
    )


def test_a_film_that_is_done() -> None:
    film = replace(a_film(), state="done")
    assert playlist.render(film, [segment(0), segment(1, 1.3)]) == (
        "#EXTM3U\n"
        "#EXT-X-VERSION:7\n"
        "#EXT-X-TARGETDURATION:2\n"
        "#EXT-X-MEDIA-SEQUENCE:1\n"
        "#EXT-X-INDEPENDENT-SEGMENTS\n"
        "#EXT-X-PLAYLIST-TYPE:VOD\n"
        '#EXT-X-MAP:URI="init.mp4"\n'
        "#EXTINF:2.000000,\n"
        f"segments/{HASH}-1-0.m4s\n"
        "#EXTINF:1.300000,\n"
        f"segments/{HASH}-2-20000.m4s\n"
        "#EXT-X-ENDLIST\n"
    )


@pytest.mark.parametrize("state", ["waiting", "rendering", "growing"])
def test_a_film_that_goes_on_has_no_end(state: State) -> None:
    text = playlist.render(replace(a_film(), state=state), [segment(0)])
    assert "#EXT-X-PLAYLIST-TYPE:EVENT\n" in text
    assert "ENDLIST" not in text


def test_a_playlist_only_gets_longer() -> None:
    film = replace(a_film(), state="growing")
    shorter = playlist.render(film, [segment(n) for n in range(4)])
    longer = playlist.render(film, [segment(n) for n in range(5)])
    assert longer.startswith(shorter)


def test_a_segment_that_may_change_is_not_shown_before_the_film_is_over() -> None:
    film = replace(a_film(), state="rendering")
    both = [segment(0), segment(1, closed=False)]
    assert playlist.playable(film, both) == both[:1]
    assert playlist.playable(replace(film, state="done"), both) == both


def test_players_look_as_often_as_segments_come() -> None:
    assert playlist.target_duration(a_film()) == 2
    assert playlist.target_duration(a_film(None)) == 20
    assert playlist.target_duration(a_film(None, 4000, 25, 8000)) == 20
    assert playlist.target_duration(a_film(None, 1, 25, 2)) == 2
    assert playlist.target_duration(a_film(3600, 10, 3.333, 7 * 3.0003)) == 3


def test_addresses() -> None:
    film = replace(a_film(fps=29.97), dropped_segments=7, dropped_ticks=123_456)
    (placed,) = playlist.place(film, [segment(0, 20 / 29.97)])
    assert (placed.sequence, placed.start) == (8, 123_456)
    assert playlist.parse_address(placed.address) == (HASH, 8, 123_456)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "x.m4s",
        f"{HASH}-1-2.mp4",
        f"{HASH.upper()}-1-2.m4s",
        f"{HASH}-1--2.m4s",
        f"{HASH}-1-2.m4s\n",
        f"../{HASH}-1-2.m4s",
        f"{HASH}-1-9999999999999999999.m4s",
    ],
)
def test_what_is_no_address(name: str) -> None:
    assert playlist.parse_address(name) is None
