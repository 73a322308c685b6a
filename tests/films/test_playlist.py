"""The playlist's text."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.films.shown import START, a_film, hash_of, segment
from vigil.films import playlist
from vigil.films.model import Listed, State, at_moment


def missing(number: int) -> Listed:
    return segment(number, hash=None, frames=0, bytes=0, duration_s=0.0, init=None)


def test_a_film_that_is_done() -> None:
    assert playlist.render(a_film(), [segment(0), segment(1, 1.3)]) == (
        "#EXTM3U\n"
        "#EXT-X-VERSION:7\n"
        "#EXT-X-TARGETDURATION:2\n"
        "#EXT-X-MEDIA-SEQUENCE:1\n"
        "#EXT-X-INDEPENDENT-SEGMENTS\n"
        "#EXT-X-PLAYLIST-TYPE:VOD\n"
        f'#EXT-X-MAP:URI="segments/init-{hash_of(0)}.mp4"\n'
        "#EXTINF:2.000000,\n"
        f"segments/1-0-{hash_of(0)}.m4s\n"
        "#EXTINF:1.300000,\n"
        f"segments/2-20000-{hash_of(1)}.m4s\n"
        "#EXT-X-ENDLIST\n"
    )


@pytest.mark.parametrize("state", ["waiting", "rendering", "growing"])
def test_a_film_that_goes_on_has_no_end(state: State) -> None:
    text = playlist.render(a_film(state=state), [segment(0)])
    assert "#EXT-X-PLAYLIST-TYPE:EVENT\n" in text
    assert "ENDLIST" not in text
    assert playlist.render(a_film(state=state), [segment(0)], tail=True).endswith("ENDLIST\n")


def test_a_film_that_failed_is_over_unless_it_is_tried_again() -> None:
    assert playlist.is_over(a_film(state="failed"))
    assert not playlist.is_over(a_film(state="failed", next_at=START))


@given(some.lists(some.tuples(some.booleans(), some.booleans()), max_size=12))
def test_while_a_film_is_rendered_its_playlist_only_gets_longer(
    states: list[tuple[bool, bool]],
) -> None:
    """Segments come in any order, from any number of renderers."""
    film = a_film(state="rendering", to_at=START + timedelta(hours=1))
    listed = [
        segment(number, closed=closed) if there else missing(number)
        for number, (there, closed) in enumerate(states)
    ]
    before: list[Listed] = []
    for number, (there, _) in enumerate(states):
        if not there:
            shown = playlist.playable(film, listed)
            assert shown[: len(before)] == before
            if before:
                assert playlist.render(film, shown).startswith(playlist.render(film, before))
            before, listed[number] = shown, segment(number, closed=states[number][1])
    shown = playlist.playable(film, listed)
    assert shown == listed[: len(shown)]
    assert len(shown) == len(listed) or not listed[len(shown)].closed
    assert playlist.playable(replace(film, state="done"), listed) == listed
    assert playlist.playable(film, listed, tail=True) == listed


def test_holes_are_closed_up_when_a_film_is_over() -> None:
    film = a_film(state="cancelled")
    shown = playlist.playable(film, [segment(0), missing(1), segment(2)])
    assert [p.address for p in playlist.place(film, shown)] == [
        f"1-0-{hash_of(0)}.m4s",
        f"2-20000-{hash_of(2)}.m4s",
    ]


def test_another_encoder_has_a_header_of_its_own() -> None:
    inits = ["a", "a", "b", "b", "a", None, None]
    shown = [segment(number, init=init) for number, init in enumerate(inits)]
    lines = playlist.render(a_film(), shown).splitlines()
    maps = [line for line in lines if line.startswith("#EXT-X-MAP")]
    assert maps == [f'#EXT-X-MAP:URI="segments/init-{hash_of(n)}.mp4"' for n in (0, 2, 4, 5)]
    for index, line in enumerate(lines):
        if line.startswith("#EXT-X-MAP") and line != maps[0]:
            assert lines[index - 1] == "#EXT-X-DISCONTINUITY"
    assert lines.count("#EXT-X-DISCONTINUITY") == 3


def test_dates_stand_in_a_film_as_fast_as_life_only() -> None:
    assert "DATE" not in playlist.render(a_film(), [segment(0)], at=at_moment)
    text = playlist.render(a_film(speed=1), [segment(0), segment(1)], at=at_moment)
    assert "#EXT-X-PROGRAM-DATE-TIME:2026-03-01T12:00:00.000Z\n" in text
    assert "#EXT-X-PROGRAM-DATE-TIME:2026-03-01T12:00:20.000Z\n" in text
    assert "DATE" not in playlist.render(a_film(speed=1), [segment(0)], at=lambda _: None)


def test_players_look_as_often_as_segments_come() -> None:
    def target(**values: float | None) -> int:
        return playlist.target_duration(a_film(**values))

    assert target() == 2
    assert target(to_at=None) == 20
    assert target(to_at=None, speed=4000, fps=25, window_s=8000) == 20
    assert target(to_at=None, speed=1, fps=25, window_s=2) == 2
    assert target(speed=10, fps=3.333, window_s=7 * 3.0003) == 3
    assert playlist.target_duration(a_film(), [segment(0, 5.2)]) == 6, "frames are held or blended"


def test_addresses() -> None:
    film = a_film(fps=29.97, dropped_segments=7, dropped_ticks=123_456)
    (placed,) = playlist.place(film, [segment(0, 20 / 29.97)])
    assert (placed.sequence, placed.start) == (8, 123_456)
    assert playlist.parse_address(placed.address) == (hash_of(0), 8, 123_456)
    assert playlist.parse_header(placed.header_address) == hash_of(0)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "x.m4s",
        f"1-2-{hash_of(1)}.mp4",
        f"1-2-{hash_of(10).upper()}.m4s",
        f"1--2-{hash_of(1)}.m4s",
        f"1-2-{hash_of(1)}.m4s\n",
        f"../1-2-{hash_of(1)}.m4s",
        f"1-9999999999999999999-{hash_of(1)}.m4s",
        f"init-{hash_of(1)[1:]}.mp4",
        f"init-{hash_of(1)}.mp4\n",
    ],
)
def test_what_is_no_address(name: str) -> None:
    assert playlist.parse_address(name) is None
    assert playlist.parse_header(name) is None
