"""Segments: their names, their bytes, and that they join."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.films import looking
from tests.films.looking import START, Album, film, jpeg, plain, quarters, texture
from vigil import ffmpeg
from vigil.errors import Invalid
from vigil.films.model import Film, Shot
from vigil.films.segments import encode, fmp4
from vigil.settings import ROOT

SHADES = range(20, 220, 20)
PAN = {"start": (0, 0, 1, 1), "end": (0.2, 0.2, 0.6, 0.6)}
CARD = {"text": "My garden", "seconds": 1}
EVERYTHING: dict[str, Any] = {
    "stamp": {},
    "deflicker": 5,
    "stabilise": True,
    "colours": True,
    "denoise": 1,
    "rotate": 90,
    "crop": (0.1, 0, 1, 0.9),
    "pan": PAN,
    "layout": "side",
}


def rich(album: Album, number: int = 4) -> tuple[Shot, ...]:
    """Shots that use everything."""
    shots = album.shots(texture(seed=seed) for seed in range(number))
    return tuple(
        replace(
            shot,
            frames=(shot.frames[0], None if n == 1 else shot.frames[0]),
            pictures=5,
            fade=3,
            gains=(1.1, 0.9),
            days=(shot.frames[0], None),
            mark="a gap" if n == 2 else "",
        )
        for n, shot in enumerate(shots)
    )


def test_settings_say_everything_that_changes_a_pixel() -> None:
    others = [
        film(),
        film(width=80),
        film(height=80),
        film(fps=5.0),
        film(codec="vp9"),
        film(quality=3),
        film(stamp={}),
        film(stamp={"corner": "top-left"}),
        film(stamp={"zone": "Asia/Tokyo"}),
        film(stamp={}, time_zone="Europe/Berlin"),
        film(gaps="mark"),
        film(gaps="mark", time_zone="Europe/Berlin"),
        film(denoise=1),
        film(rotate=90),
        film(crop=(0, 0, 0.5, 0.5)),
        film(pan=PAN),
        film(pan=PAN, to_at=START + timedelta(hours=2)),
        film(pan=PAN, to_at=None),
        film(stabilise=True),
        film(colours=True),
        film(stabilise=True, reference=7),
        film(layout="side", scenes=(1, 2)),
        film(layout="stack", scenes=(1, 2)),
    ]
    assert len({encode.settings(other) for other in others}) == len(others)


@pytest.mark.parametrize(
    "other",
    [
        film(id=7, title="Another", scene_id=3, state="growing"),
        film(to_at=None, from_at=START - timedelta(days=1), speed=2.0, window_s=60.0),
        film(card=CARD),
        film(reference=7),
        film(time_zone="Europe/Berlin"),
        film(scenes=(5, 6)),
        film(gaps="hold", calm=3, deflicker=9, fade={}),
    ],
)
def test_settings_say_nothing_else(other: Film) -> None:
    assert encode.settings(film()) == encode.settings(other)


def test_a_card_is_named_by_its_words() -> None:
    card = film(card=CARD)
    others = [
        encode.settings(card, card=True),
        encode.settings(film(card={**CARD, "text": "Yours"}), card=True),
        encode.settings(film(card={**CARD, "seconds": 2}), card=True),
        encode.settings(film(card=CARD, width=80), card=True),
        encode.settings(card),
    ]
    assert len(set(others)) == len(others)
    assert encode.settings(film(card=CARD, denoise=2, pan=PAN), card=True) == others[0]


@pytest.mark.parametrize("fps", [1, 3.333, 23.976, 29.97, 60])
async def test_any_frame_rate_is_exact(fps: float) -> None:
    album = Album()
    slow = film(fps=fps)
    data = await album.render(slow, album.shots(plain(shade) for shade in range(7)))
    found = fmp4.split(data)
    assert (found.frames, found.ticks) == (7, 7000)
    rows = await looking.times(data, slow)
    assert sorted(pts for _, pts, _ in rows) == [n * 1000 for n in range(7)]
    assert {b[0] - a[0] for a, b in pairwise(rows)} == {1000}


@pytest.mark.parametrize("codec", ["h264", "vp9", "av1"])
async def test_each_codec_shows_the_frames_and_joins(codec: str) -> None:
    """Three segments, patched and joined by bytes alone, against the same ones on their own."""
    album, one = Album(), film(codec)
    parts = [
        await album.render(one, album.shots(plain(shade) for shade in shades))
        for shades in (range(20, 100, 10), range(100, 180, 10), range(180, 250, 10))
    ]
    split = [fmp4.split(part) for part in parts]
    assert len({part.init for part in split}) == 1
    joined, ticks = split[0].init, 0
    for number, part in enumerate(split, 1):
        joined += fmp4.place(part.media, number, ticks)
        ticks += part.ticks
    alone = np.concatenate([await looking.seen(part, one) for part in parts])
    together = await looking.seen(joined, one)
    assert np.array_equal(alone, together)
    assert looking.luma(together) == pytest.approx(list(range(20, 250, 10)), abs=3)
    rows = await looking.times(joined, one)
    assert {b[0] - a[0] for a, b in pairwise(rows)} == {1000}
    assert sorted(pts for _, pts, _ in rows) == [n * 1000 for n in range(23)]
    assert {length for _, _, length in rows} == {1000}


@pytest.mark.parametrize("codec", ["h264", "vp9", "av1"])
async def test_only_the_first_picture_is_a_keyframe(codec: str) -> None:
    """However much changes: day, night, day."""
    album, one = Album(), film(codec)
    views = [texture(seed=n // 6) for n in range(24)]
    data = await album.render(one, album.shots(views))
    listing = await ffmpeg.read(
        [
            "-f",
            "mp4",
            "-i",
            "pipe:0",
            "-c",
            "copy",
            "-bsf:v",
            "noise=drop=key",
            "-f",
            "framecrc",
            "-",
        ],
        input=_feed(data),
    )
    rows = [line for line in listing.decode().splitlines() if not line.startswith("#")]
    assert len(rows) == 23


async def _feed(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def test_headers_are_the_same_however_long_and_whatever_it_shows() -> None:
    album, one = Album(), film()
    views = album.shots([texture(seed=1)], pictures=300)
    greys = album.shots([plain(3)])
    longer = await album.render(one, views)
    short = await album.render(one, greys)
    assert fmp4.split(longer).init == fmp4.split(short).init


async def test_the_same_recipe_gives_the_same_bytes() -> None:
    album = Album()
    every = film(**EVERYTHING, scenes=(1, 2))
    shots = rich(album)
    reference = album.add(jpeg(texture(seed=9)))
    values = {"before": shots[0], "references": (reference, None)}
    first = await album.render(every, shots, **values)
    assert first == await album.render(every, shots, **values)
    assert fmp4.split(first).frames == 20


@pytest.mark.parametrize("quality", range(4))
async def test_quality_costs_bytes(quality: int) -> None:
    album = Album()
    views = album.shots(texture(seed=n) for n in range(2))
    worse = await album.render(film(quality=quality), views)
    better = await album.render(film(quality=quality + 1), views)
    assert len(worse) < len(better)


async def test_frames_of_every_make_come_out_alike() -> None:
    """Large, small, upright, grey, CMYK, full chroma, progressive: shown whole, in the middle."""
    album = Album()
    colours = quarters((320, 180))
    pictures = [
        jpeg(colours),
        jpeg(quarters((80, 46))),
        jpeg(quarters((90, 160))),
        jpeg(colours.convert("L")),
        jpeg(colours.convert("CMYK")),
        jpeg(colours, subsampling=0),
        jpeg(colours, subsampling=1),
        jpeg(colours, progressive=True),
        jpeg(colours, keep_rgb=True),
    ]
    for order in (pictures, pictures[::-1]):
        seen = await album.see(film(), album.shots(order))
        assert len(seen) == len(pictures)
        if order is not pictures:
            seen = seen[::-1]
        for number in (0, 1, 4, 5, 6, 7, 8):
            for place, wanted in enumerate(looking.QUARTERS):
                x, y = 0.25 + place % 2 / 2, 0.25 + place // 2 / 2
                within = 40 if number == 4 else 14  # CMYK has no profile here
                assert looking.near(looking.colour(seen[number], x, y), wanted, within), number
        upright = seen[2]
        assert looking.near(looking.colour(upright, 0.1, 0.5), (0, 0, 0))
        assert looking.near(looking.colour(upright, 0.9, 0.5), (0, 0, 0))
        assert looking.near(looking.colour(upright, 0.42, 0.25), looking.QUARTERS[0], 14)
        assert looking.near(looking.colour(upright, 0.58, 0.75), looking.QUARTERS[3], 14)
        greys = [looking.colour(seen[3], x, y) for x in (0.25, 0.75) for y in (0.25, 0.75)]
        assert all(max(grey) - min(grey) < 4 for grey in greys)


async def test_frames_of_one_make_are_not_decoded_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("a frame was opened")

    album = Album()
    shots = album.shots(plain(shade) for shade in SHADES)
    look = film(stamp={}, deflicker=5, rotate=180, crop=(0, 0, 0.5, 0.5), denoise=3)
    monkeypatch.setattr(Image, "open", refused)
    monkeypatch.setattr(Image.Image, "load", refused)
    data = await album.render(look, [replace(shot, gains=(1.1,)) for shot in shots])
    assert fmp4.split(data).frames == 10


async def test_limited_range_and_its_colours_are_named() -> None:
    album = Album()
    data = await album.render(film(), album.shots([plain(128)]))
    with pytest.raises(ffmpeg.FfmpegError) as described:
        await ffmpeg.read(["-loglevel", "info", "-f", "mp4", "-i", "pipe:0"], input=_feed(data))
    assert "yuv420p(tv, smpte170m/bt709/bt709" in described.value.stderr


async def test_a_picture_that_cannot_be_decoded_leaves_no_hole() -> None:
    album = Album()
    good = jpeg(plain(200))
    cut = good[: good.index(b"\xff\xda")]  # only its header
    for pictures in ([cut, good, good], [good, cut, good], [good, good, cut]):
        seen = await album.see(film(), album.shots(pictures))
        assert looking.luma(seen) == pytest.approx([200, 200, 200], abs=3)


async def test_nothing_that_can_be_decoded_is_an_error() -> None:
    album = Album()
    good = jpeg(plain(200))
    with pytest.raises(ffmpeg.FfmpegError):
        await album.render(film(), album.shots([good[: good.index(b"\xff\xda")]] * 2))


async def test_no_shot_and_no_card_is_an_error() -> None:
    with pytest.raises(ffmpeg.FfmpegError, match="nothing"):
        await Album().render(film(), ())


@pytest.mark.parametrize("stamp", [{"zone": "Europe/Nowhere"}, {"zone": "../etc"}])
async def test_a_time_that_cannot_be_written_is_said(stamp: dict[str, str]) -> None:
    album = Album()
    with pytest.raises(Invalid):
        await album.render(film(stamp=stamp), album.shots([plain(1)]))


async def test_what_reading_raises_comes_out() -> None:
    album = Album()
    shots = album.shots(plain(shade) for shade in SHADES)
    album.pictures.popitem()
    with pytest.raises(KeyError):
        await album.render(film(), shots)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["held", "many", "blended", "pixels"])
def test_memory_does_not_depend_on_the_length(kind: str) -> None:
    """Pictures of 640×360: 200 more of them would be 69 MB."""

    def most(pictures: int) -> int:
        command = [sys.executable, "-m", "tests.films.looking", kind, str(pictures)]
        return int(subprocess.run(command, check=True, capture_output=True, cwd=ROOT).stdout)

    assert most(240) < most(40) + 25_000  # kilobytes
