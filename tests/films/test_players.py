"""What ffmpeg and GStreamer make of films: each picture in its place, none lost, no break."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Site
from tests.films import joins, making, second
from tests.films.test_views import FILMS, get
from vigil.films.model import TICKS, segment_blob
from vigil.films.segments import fmp4
from vigil.films.segments import store as segments


async def agree(
    site: Site, film_id: int, number: int, fps: float, folder: Path, codec: str
) -> None:
    """Of the playlist and of the file, both players: number, times, length, no break."""
    shown = await get(site, f"{FILMS}/{film_id}")
    path = folder / Path(shown["file"]["url"]).name
    async with site.client.get(shown["file"]["url"]) as answer:
        path.write_bytes(await answer.read())
    even = [n / fps for n in range(number)]
    within = 0.001 if path.suffix == ".webm" else 2e-6
    assert shown["frames"] == number
    assert shown["duration_s"] == pytest.approx(number / fps, abs=0.001)
    for source in (f"{site.url}{shown['playlist']}", str(path)):
        packets = await making.packets(source)
        decoded = [at for at, _ in packets]
        assert decoded == sorted(set(decoded)), source
        assert sorted(at for _, at in packets) == pytest.approx(even, abs=within), source
        assert all(dts <= pts for dts, pts in packets), source
        first = await making.decode(source)
        assert first.pts == pytest.approx(even, abs=within), source
        assert first.duration_s == pytest.approx(number / fps, abs=0.011), source
        played = await second.play(source, codec)
        assert played.pts == pytest.approx(even, abs=within), source
        assert played.duration_s == pytest.approx(number / fps, abs=within), source
        assert played.breaks == 0, source
        if source.startswith("http"):
            assert played.begin == 0


@pytest.mark.parametrize("fps", [10, 29.97])
async def test_segments_that_reorder_differently(site: Site, tmp_path: Path, fps: float) -> None:
    film_id, number = await joins.film(site.context, fps)
    listed = await segments.listed(site.context.pool, film_id)
    assert len(listed) == joins.SEGMENTS
    reordered = set()
    for one in listed:
        data = await site.context.storage.get(segment_blob(str(one.hash)))
        reordered.add(-min(offset for _, offset in fmp4._times(fmp4.split(data).media)) // TICKS)
    assert reordered == {0, 1, 2}
    await agree(site, film_id, number, fps, tmp_path, "h264")


@pytest.mark.parametrize("fps", [12, 24])
async def test_a_header_that_changes(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fps: float
) -> None:
    """Also players that keep to the first one show every picture."""
    film_id, number = await joins.film(site.context, fps, monkeypatch)
    async with site.client.get(f"{FILMS}/{film_id}/playlist.m3u8") as answer:
        assert (await answer.text()).count("#EXT-X-MAP") == 2
    await agree(site, film_id, number, fps, tmp_path, "h264")


@pytest.mark.parametrize(
    ("codec", "container"), [("vp9", "webm"), ("vp9", "mp4"), ("av1", "webm"), ("av1", "mp4")]
)
async def test_other_codecs(site: Site, tmp_path: Path, codec: str, container: str) -> None:
    film_id, number = await joins.film(site.context, 12, codec=codec, container=container)
    await agree(site, film_id, number, 12, tmp_path, codec)
