"""Taking segments apart and placing them."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.films import looking
from tests.films.looking import Album, film, plain, texture
from vigil.films.segments import fmp4, presented
from vigil.films.segments.fmp4 import Damaged


async def make(number: int) -> bytes:
    album = Album()
    return await album.render(film(), album.shots(plain(shade) for shade in range(number)))


@pytest.fixture(scope="module")
def segment() -> bytes:
    return asyncio.run(make(20))


def test_a_segment_taken_apart(segment: bytes) -> None:
    found = fmp4.split(segment)
    assert (found.frames, found.ticks) == (20, 20_000)
    assert found.init + found.media == segment
    assert found.init[4:8] == b"ftyp"
    assert found.media[4:8] == b"moof"
    assert fmp4.decode_time(found.media) == (1, 0)


async def test_one_picture_makes_a_segment() -> None:
    found = fmp4.split(await make(1))
    assert (found.frames, found.ticks) == (1, 1000)


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**63 - 1))
def test_placing_changes_number_and_time_and_nothing_else(
    segment: bytes, number: int, ticks: int
) -> None:
    media = fmp4.split(segment).media
    placed = fmp4.place(media, number, ticks)
    assert fmp4.decode_time(placed) == (number, ticks)
    assert len(placed) == len(media)
    different = [i for i, (a, b) in enumerate(zip(media, placed, strict=True)) if a != b]
    assert len(different) <= 12
    assert fmp4.place(placed, 1, 0) == media


@settings(max_examples=300)
@given(st.data())
def test_damage_is_noticed_or_harmless(segment: bytes, data: st.DataObject) -> None:
    """Whatever is broken in the boxes: an answer or Damaged, never anything else."""
    broken = bytearray(segment[:1500] if data.draw(st.booleans()) else segment)
    for _ in range(data.draw(st.integers(0, 4))):
        broken[data.draw(st.integers(0, 1200))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(broken)))
    try:
        found = fmp4.split(bytes(broken[:cut]))
        fmp4.place(found.media, 2, 5)
    except Damaged:
        return
    assert found.frames > 0


@given(st.binary(max_size=200))
def test_nonsense_is_no_segment(data: bytes) -> None:
    with pytest.raises(Damaged):
        fmp4.split(data)
    with pytest.raises(Damaged):
        fmp4.place(data, 1, 0)


def test_two_fragments_are_refused(segment: bytes) -> None:
    found = fmp4.split(segment)
    with pytest.raises(Damaged, match="not a segment of one fragment"):
        fmp4.split(found.init + found.media + found.media)


async def test_segments_that_reorder_differently_are_even_when_delayed() -> None:
    """One picture, noise, what stands still: ffmpeg places them right only without negatives."""
    album, one = Album(), film()
    shots = [
        album.shots([plain(30)]),
        album.shots(texture(seed=seed) for seed in range(10)),
        album.shots([plain(90)] * 30),
        album.shots(plain(shade) for shade in range(0, 200, 10)),
    ]
    joined = {False: b"", True: b""}
    ticks = 0
    for number, some in enumerate(shots, 1):
        part = fmp4.split(await album.render(one, some))
        placed = fmp4.place(part.media, number, ticks)
        later = fmp4.delayed(placed, 2000)
        assert fmp4.split(part.init + later).ticks == part.ticks
        for late, media in ((False, placed), (True, later)):
            joined[late] += (part.init if number == 1 else b"") + media
        ticks += part.ticks
    rows = await looking.times(joined[True], one)
    assert sorted(pts for _, pts, _ in rows) == [n * 1000 for n in range(61)]
    assert [dts for dts, _, _ in rows] == [n * 1000 for n in range(-2, 59)]
    uneven = sorted(pts for _, pts, _ in await looking.times(joined[False], one))
    assert uneven != [n * 1000 for n in range(61)]  # else there is no need for all this
    assert len(await looking.seen(joined[True], one)) == 61


async def test_players_get_no_picture_before_it_is_decoded() -> None:
    """Whatever a segment reorders, it begins and ends where it did, and shows the same."""
    album, one, known = Album(), film(), set()
    for number in (1, 2, 3, 4, 9, 48):
        for seeds in (1, 4, number):  # everything differs, some does, nothing
            shots = album.shots(texture((160, 90), seed=n // seeds) for n in range(number))
            part = fmp4.split(await album.render(one, shots))
            given = part.init + presented.media(part, 3, 0)
            again = fmp4.split(given)
            assert (again.frames, again.ticks) == (part.frames, part.ticks)
            rows = await looking.times(given, one)
            assert sorted(pts for _, pts, _ in rows) == [n * 1000 for n in range(number)]
            times = [dts for dts, _, _ in rows]
            assert times == sorted(set(times))
            assert times[0] == 0
            assert all(dts <= pts < pts + length <= part.ticks for dts, pts, length in rows)
            assert fmp4.settled(again.media) == again.media
            pictures = await looking.seen(given, one)
            assert (pictures == await looking.seen(part.init + part.media, one)).all()
            known.add(min(offset for _, offset in fmp4._times(part.media)))
    assert known == {0, -1000, -2000}, "all that there is"


async def test_vp9_is_served_as_it_is() -> None:
    album, one = Album(), film("vp9")
    part = fmp4.split(await album.render(one, album.shots(texture(seed=n) for n in range(9))))
    assert presented.media(part, 3, 5) == fmp4.place(part.media, 3, 5)


@given(st.integers(0, 5000))
def test_delaying_moves_every_picture_alike(segment: bytes, ticks: int) -> None:
    media = fmp4.split(segment).media
    once = fmp4.delayed(media, 2000)
    assert fmp4.delayed(once, ticks) == fmp4.delayed(media, 2000 + ticks)
    assert once[-1000:] == media[-1000:]
    with pytest.raises(Damaged, match="before it is decoded"):
        fmp4.delayed(media, 0)
