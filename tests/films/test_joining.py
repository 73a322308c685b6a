"""One file: what it says of itself, and when it cannot be made."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy
import pytest
from PIL import Image

from tests.films import making, second
from vigil import ffmpeg
from vigil.cameras.looking import store as looking
from vigil.clock import FakeClock
from vigil.context import Context
from vigil.errors import DiskFull
from vigil.films import playlist, work
from vigil.films.describe import describe
from vigil.films.model import Film
from vigil.films.segments import encode
from vigil.films.segments import store as segments
from vigil.films.states import store as states
from vigil.reserve import Space

DAY = 86400


async def joined(context: Context, folder: Path, film_id: int) -> tuple[Path, str]:
    """The file of a film, and what ffmpeg reads of its metadata."""
    film = await making.get(context, film_id)
    path = folder / "film.mp4"
    path.write_bytes(await context.storage.get(str(film.file_blob)))
    told = await ffmpeg.read(["-i", str(path), "-f", "ffmetadata", "pipe:1"])
    return path, told.decode()


def later(context: Context) -> Context:
    return replace(context, clock=FakeClock(making.START + timedelta(days=30)))


async def test_days_are_chapters(context: Context, tmp_path: Path) -> None:
    camera = await making.camera(context)
    await context.pool.execute("UPDATE scenes SET time_zone = 'Asia/Tokyo'")
    await making.add_frames(context, camera, range(0, 3 * DAY, 3600))
    film_id = await making.film(context, camera, until=3 * DAY, speed=36000, fps=10, window_s=72000)
    await making.render(later(context), film_id)
    path, told = await joined(context, tmp_path, film_id)
    assert "title=A film\n" in told
    names = [line for line in told.splitlines() if line.startswith("title=")]
    days = ["1 March 2026", "2 March 2026", "3 March 2026", "4 March 2026"]
    assert names[1:] == [f"title={day}" for day in days]
    with pytest.raises(ffmpeg.FfmpegError) as described:
        await ffmpeg.read(["-loglevel", "info", "-i", str(path)])
    said = described.value.stderr
    assert "creation_time   : 2026-03-01T12:00:00" in said
    starts = [line for line in said.splitlines() if "Chapter #" in line]
    # Noon in UTC is nine in the evening in Tokyo: three pictures of the first day.
    assert [line.split("start ")[1].split(",")[0] for line in starts] == [
        "0.000000",
        "0.300000",
        "2.700000",
        "5.100000",
    ]
    assert len((await making.decode(path)).pts) == 72
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


async def test_tags_are_chapters_of_a_film_of_one_day(context: Context, tmp_path: Path) -> None:
    camera = await making.camera(context)
    await making.add_frames(context, camera, range(60))
    scene_id = await context.pool.fetchval("SELECT id FROM scenes")
    since = making.START + timedelta(seconds=21.5)
    until = since + timedelta(seconds=20)
    await looking.add_tag(context.pool, scene_id, name="=snow;", from_at=since, to_at=until, most=9)
    film_id = await making.film(context, camera)
    await making.render(later(context), film_id)
    _, told = await joined(context, tmp_path, film_id)
    lines = told.splitlines()
    assert [line for line in lines if line.startswith(("START", "title"))] == [
        "title=A film",
        *("START=0", "title=–"),
        *("START=22000", "title=\\=snow\\;"),
        *("START=42000", "title=–"),
    ]


async def test_no_room_for_a_file(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    camera = await making.camera(context)
    await making.add_frames(context, camera, range(60))
    film_id = await making.film(context, camera)
    reserved = context.settings.disk_reserve.of(Space(1 << 40, 0))
    listed: list[int] = []

    async def space() -> Space:
        found = await segments.listed(context.pool, film_id)
        if (await making.get(context, film_id)).state != "done":
            return Space(1 << 40, 1 << 39)
        listed.append(sum(one.bytes for one in found))
        return Space(1 << 40, reserved + listed[-1])  # once, but not twice

    monkeypatch.setattr(context.storage, "space", space)
    with pytest.raises(DiskFull) as raised:
        await making.render(later(context), film_id)
    assert "no room" in str(raised.value)
    film = await making.get(context, film_id)
    assert (film.state, film.file_blob) == ("done", None), "it plays all the same"
    assert listed
    job_id = await context.pool.fetchval("SELECT file_job_id FROM films")
    await context.pool.execute(
        "UPDATE procrastinate_jobs SET status = 'failed' WHERE id = $1", job_id
    )
    await context.pool.execute(
        "UPDATE job_progress SET error = 'no room' WHERE job_id = $1", job_id
    )
    shown = await describe(context, film, admin=True)
    assert shown["file"]
    assert shown["file"]["job"]
    assert shown["file"]["job"]["error"] == "no room"
    assert shown["actions"]["file"] is None, "it can be asked for again"
    monkeypatch.undo()
    async with context.pool.acquire() as connection:
        await connection.execute("UPDATE procrastinate_jobs SET status = 'todo' WHERE id = $1",
            await connection.fetchval("SELECT file_job_id FROM films"))  # fmt: skip
    await making.render(later(context), film_id)
    assert (await making.get(context, film_id)).file_blob is not None


async def test_a_film_that_shows_what_its_file_has_is_not_joined_again(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = await making.camera(context)
    await making.add_frames(context, camera, range(60))
    film_id = await making.film(context, camera)
    await making.render(later(context), film_id)
    runs = []
    original = ffmpeg.run

    async def counted(*arguments: Any, **options: Any) -> ffmpeg.Progress:
        runs.append(arguments)
        return await original(*arguments, **options)

    monkeypatch.setattr(ffmpeg, "run", counted)
    again = "UPDATE films SET planned_id = 0, state = 'growing', next_at = now()"
    await context.pool.execute(again)
    await work.look(replace(context, clock=FakeClock(making.START + timedelta(days=900))))
    await making.render(later(context), film_id)
    assert (await making.get(context, film_id)).state == "done"
    assert runs == []


@pytest.mark.parametrize(
    ("codec", "container", "begin"),
    [("vp9", "webm", b"\x1aE\xdf\xa3"), ("h264", "webp", b"RIFF"), ("h264", "gif", b"GIF89a")],
)
async def test_other_containers(
    context: Context, tmp_path: Path, codec: str, container: str, begin: bytes
) -> None:
    camera = await making.camera(context)
    await making.add_frames(context, camera, range(60))
    options = {"codec": codec, "container": container}
    film_id = await making.film(context, camera, options=options)
    await making.render(later(context), film_id)
    film = await making.get(context, film_id)
    assert str(film.file_blob).endswith(f".{container}")
    data = await context.storage.get(str(film.file_blob))
    assert data.startswith(begin)
    path = tmp_path / f"film.{container}"
    path.write_bytes(data)
    if container == "webm":
        found = await making.decode(path)
        assert found.pts == pytest.approx([n / 10 for n in range(60)], abs=0.001)
        told = (await ffmpeg.read(["-i", str(path), "-f", "ffmetadata", "pipe:1"])).decode()
        assert "title=A film" in told
    else:
        with Image.open(path) as image:
            assert getattr(image, "n_frames", 1) > 30


async def test_an_encoder_that_changed_while_a_film_grew(
    context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One file all the same; and the playlist says where the header changes."""
    camera = await making.camera(context)
    film_id = await making.film(context, camera, until=None)
    await making.add_frames(context, camera, range(40))
    await making.render(at(context, 42), film_id)
    await making.add_frames(context, camera, range(300, 320))
    await making.render_due(at(context, 322), film_id)
    original = encode.arguments

    def other(film: Film) -> list[str]:
        return [*original(film), "-x264-params", "cabac=0:ref=1:bframes=0"]

    monkeypatch.setattr(encode, "arguments", other)
    await making.add_frames(context, camera, range(600, 620))
    await making.render_due(at(context, 622), film_id)
    film = await making.get(context, film_id)
    listed = await segments.listed(context.pool, film_id)
    assert len({one.init for one in listed}) == 2
    text = playlist.render(film, playlist.playable(film, listed))
    assert text.count("#EXT-X-MAP") == 2
    assert text.count("#EXT-X-DISCONTINUITY\n") == 1
    await states.ask_for_file(context.pool, film)
    await making.render(at(context, 622), film_id)
    path, _ = await joined(context, tmp_path, film_id)
    assert (await making.decode(path)).pts == pytest.approx([n / 10 for n in range(80)])
    grey = await making.luma(path)
    seconds = [*range(40), *range(300, 320), *range(600, 620)]
    wanted = [40 + second_ * 10 * 7 % 180 for second_ in seconds]
    assert numpy.corrcoef(grey, wanted)[0, 1] > 0.99
    played = await second.play(str(path))
    assert len(played.pts) == 80


def at(context: Context, second_: float) -> Context:
    return replace(context, clock=FakeClock(making.START + timedelta(seconds=second_)))
