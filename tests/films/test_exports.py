"""Films in other containers."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from tests.films import looking
from tests.films.looking import QUARTERS, Album, film, quarters
from vigil import ffmpeg
from vigil.errors import Invalid
from vigil.films import exports
from vigil.films.model import Film
from vigil.films.options import Container
from vigil.films.segments import fmp4


async def joined(film: Film, album: Album, number: int = 3) -> AsyncIterator[bytes]:
    """So many segments of five pictures, as they are joined for a download."""
    ticks = 0
    for sequence in range(number):
        data = await album.render(film, album.shots([quarters()] * 5))
        part = fmp4.split(data)
        if sequence == 0:
            yield part.init
        yield fmp4.place(part.media, sequence + 1, ticks)
        ticks += part.ticks


@pytest.mark.parametrize("codec", ["vp9", "av1"])
async def test_webm_holds_the_same_pictures(codec: str, tmp_path: Path) -> None:
    album, one, out = Album(), film(codec), tmp_path / "film.webm"
    await exports.export(one, "webm", joined(one, album), out)
    assert out.read_bytes()[:4] == b"\x1a\x45\xdf\xa3"
    listing = (await ffmpeg.read(["-i", str(out), "-f", "framemd5", "pipe:1"])).decode()
    rows = [line.split(",") for line in listing.splitlines() if not line.startswith("#")]
    assert len(rows) == 15
    with pytest.raises(ffmpeg.FfmpegError) as described:
        await ffmpeg.read(["-loglevel", "info", "-i", str(out)])
    assert "Duration: 00:00:01.5" in described.value.stderr


@pytest.mark.parametrize("container", ["webp", "gif"])
async def test_animations_show_the_film(container: Container, tmp_path: Path) -> None:
    album, out = Album(), tmp_path / f"film.{container}"
    one = film(width=640, height=360, fps=25)
    await exports.export(one, container, joined(one, album), out)
    with Image.open(io.BytesIO(out.read_bytes())) as image:
        assert image.format == container.upper()
        assert image.size == ((640, 360) if container == "webp" else (480, 270))
        frames = getattr(image, "n_frames", 1)
        assert frames >= 1
        shown = image.convert("RGB")
    width, height = shown.size
    for number, wanted in enumerate(QUARTERS):
        place = (width // 4 + number % 2 * width // 2, height // 4 + number // 2 * height // 2)
        found = shown.getpixel(place)
        assert isinstance(found, tuple)
        assert looking.near(found, wanted, 20)


async def test_an_animation_moves(tmp_path: Path) -> None:
    album, one = Album(), film(fps=10)
    views = [looking.plain(shade) for shade in range(0, 250, 25)]
    data = await album.render(one, album.shots(views))

    async def whole() -> AsyncIterator[bytes]:
        yield data

    for container in ("webp", "gif"):
        out = tmp_path / f"film.{container}"
        await exports.export(one, container, whole(), out)
        with Image.open(out) as image:
            assert getattr(image, "n_frames", 1) == 10
            lengths = []
            for number in range(10):
                image.seek(number)
                image.load()
                lengths.append(image.info["duration"])
            assert sum(lengths) == pytest.approx(1000, abs=20)
            assert image.info.get("loop") == 0


def test_what_cannot_be_had_is_said() -> None:
    with pytest.raises(Invalid, match="WebM"):
        exports.check("webm", "h264", 10)
    with pytest.raises(Invalid, match="60 s"):
        exports.check("gif", "h264", 61)
    exports.check("webm", "av1", 5000)
    exports.check("mp4", "h264", 5000)
    exports.check("webp", "h264", 60)


async def test_a_film_that_breaks_off_is_an_error(tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"nothing of the kind"

    for container in ("webm", "webp", "gif", "mp4"):
        with pytest.raises(ffmpeg.FfmpegError):
            await exports.export(film(), container, broken(), tmp_path / "out")
