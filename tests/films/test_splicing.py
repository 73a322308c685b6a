"""Segments of two encoders in one file, and the pictures made of segments."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from tests.films import making
from vigil import ffmpeg
from vigil.films import stills
from vigil.films.segments import fmp4, splicing

FLAGS = "+frag_custom+empty_moov+default_base_moof+negative_cts_offsets+skip_trailer"


async def rendered(number: int, pictures: int, *settings: str, size: str = "320x180") -> bytes:
    """A segment as encode.py makes it: grey, with a brightness of its own."""
    source = f"color=c=0x{number:02x}{number:02x}{number:02x}:s={size}:r=10"
    return await ffmpeg.read(
        [
            *("-f", "lavfi", "-i", source, "-frames:v", str(pictures), "-pix_fmt", "yuv420p"),
            *("-c:v", "libx264", "-preset", "veryfast", "-g", "50", "-flags", "+cgop"),
            *("-video_track_timescale", "10000", *settings),
            *("-movflags", FLAGS, "-f", "mp4", "pipe:1"),
        ]
    )


OTHER = ("-profile:v", "main", "-x264-params", "cabac=0:ref=1:bframes=0")
"""An encoder whose parameter sets are others."""


@pytest.mark.parametrize("lengths", [(20, 20, 15), (20, 1, 1), (1, 2, 20)])
async def test_pictures_of_two_encoders_in_one_file(
    tmp_path: Path, lengths: tuple[int, int, int]
) -> None:
    settings = (), OTHER, ()
    made = [
        await rendered(60 * number + 60, length, *settings[number])
        for number, length in enumerate(lengths)
    ]
    alone = []
    for data in made:
        (tmp_path / "one.mp4").write_bytes(data)
        alone += await making.luma(tmp_path / "one.mp4")
    parts = [fmp4.split(data) for data in made]
    sets = [splicing.parameter_sets(part.init) for part in parts]
    assert sets[0] == sets[2] != sets[1]

    async def whole() -> AsyncIterator[bytes]:
        yield parts[0].init
        ticks = 0
        for number, part in enumerate(parts):
            media = fmp4.place(part.media, number + 1, ticks)
            media = fmp4.delayed(media, 2000)  # as ``joining`` does
            yield media if number == 0 else splicing.with_parameters(media, sets[number])
            ticks += part.ticks

    path = tmp_path / "film.mp4"
    await ffmpeg.run(
        ["-f", "mp4", "-i", "pipe:0", "-c", "copy", "-f", "mp4", str(path)], input=whole()
    )
    found = await making.decode(path)
    assert found.pts == pytest.approx([n / 10 for n in range(sum(lengths))])
    assert await making.luma(path) == alone


async def test_what_is_no_segment() -> None:
    part = fmp4.split(await rendered(60, 5))
    for cut in (part.init[:-40], b"", b"nonsense" * 20):
        with pytest.raises(fmp4.Damaged):
            splicing.parameter_sets(cut)
    with pytest.raises(fmp4.Damaged):
        splicing.with_parameters(part.init, b"")


@pytest.mark.parametrize("frames", [1, 2, 3, 4, 7, 8, 100])
async def test_a_sheet_is_full(frames: int) -> None:
    sheet = await stills._sheet(await rendered(200, frames))
    shown = stills.cells(frames)
    assert shown == sorted(set(shown))
    assert len(shown) == min(frames, 8 if frames >= 8 else 4 if frames >= 4 else frames)
    with Image.open(io.BytesIO(sheet)) as image:
        size = stills.cell_size(320, 180)
        assert size == (240, 136)
        last = stills.box(len(shown) - 1, size)
        assert image.size == (min(len(shown), 4) * 240, last[1] + 136)
        for cell in range(len(shown)):
            left, top = stills.box(cell, size)
            assert image.convert("L").getpixel((left + 120, top + 68)) == pytest.approx(200, abs=5)


async def test_a_poster_is_no_larger_than_the_film() -> None:
    with Image.open(io.BytesIO(await stills._poster(await rendered(90, 3)))) as image:
        assert image.size == (320, 180)
    with Image.open(io.BytesIO(await stills._poster(await rendered(90, 3, size="1280x720")))) as im:
        assert im.size == (640, 360)


async def test_sheets_become_an_animation() -> None:
    sheets = [await stills._sheet(await rendered(shade, 8)) for shade in (60, 120, 180, 240)]
    made = stills._animate(sheets * 2, stills.cell_size(320, 180))
    with Image.open(io.BytesIO(made)) as image:
        assert image.format == "WEBP"
        assert image.size == (240, 136)
        assert 2 <= getattr(image, "n_frames", 1) <= stills.PREVIEW_PICTURES * 2


def test_what_stands_for_a_film_changes_when_it_has_doubled() -> None:
    assert stills.picks(0) == []
    assert stills.picks(1) == [0]
    assert stills.picks(3) == [0, 1]
    assert stills.picks(8) == stills.picks(15) == list(range(8))
    assert stills.picks(16) == stills.picks(31) == [0, 2, 4, 6, 8, 10, 12, 14]
    changes = [n for n in range(2, 20_000) if stills.picks(n) != stills.picks(n - 1)]
    assert len(changes) == 14


def test_a_long_film_has_fewer_thumbnails() -> None:
    for segments in (1, 10, 187, 188, 1000, 20_000):
        shown, every = stills.thinning(segments)
        assert 1 <= shown <= stills.CELLS
        assert shown * segments / every <= stills.MOST_CUES
    assert stills.thinning(100) == (8, 1)
