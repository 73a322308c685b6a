"""camera_ffmpeg: a real ffmpeg on real files, playlists and a real RTSP server."""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest
from aiohttp import web

from tests.cameras.helpers import see
from tests.running import free_port
from tests.servers.loopback import Loopback
from tests.servers.rtsp import RtspServer, available
from tests.servers.video import bikes, make_hls, make_video, make_white, repeated
from vigil import ffmpeg
from vigil.cameras import jpeg
from vigil.cameras.model import Camera, RawFrame
from vigil.context import Context
from vigil.errors import Invalid, SourceError
from vigil.sources import camera_ffmpeg

START = datetime(2026, 1, 1, tzinfo=UTC)
needs_rtsp = pytest.mark.skipif(available() is not None, reason=str(available()))


def camera(url: str, interval_s: float = 0.5, options: Mapping[str, Any] | None = None) -> Camera:
    return Camera(
        id=1, name="test", title="", kind="ffmpeg", url=url, options=options or {},
        interval_s=interval_s, retention_s=3600, enabled=True, deleting_at=None,
        created_at=START, changed_at=START,
    )  # fmt: skip


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("video") / "pattern.mp4")


async def take(context: Context, seen: Camera, number: int) -> list[RawFrame]:
    found: list[RawFrame] = []
    async with asyncio.timeout(60), aclosing(camera_ffmpeg.frames(context, seen)) as frames:
        async for raw in frames:
            assert raw is not None
            found.append(raw)
            if len(found) == number:
                break
    return found


async def error(context: Context, seen: Camera) -> SourceError:
    with pytest.raises(SourceError) as caught:
        await take(context, seen, 1000)
    for secret in ("secret", "joe", "127.0.0.1", "://"):
        assert secret not in str(caught.value)
    return caught.value


async def exhaust(frames: AsyncIterator[RawFrame | None]) -> None:
    async for _ in frames:
        pass


def encoders() -> list[psutil.Process]:
    """Our ffmpegs that are alive."""
    name = os.path.basename(ffmpeg.executable())
    children = psutil.Process().children(recursive=True)
    return [one for one in children if one.is_running() and one.name() in (name, name[:15])]


async def test_a_file_plays_at_its_own_speed_over_and_over(context: Context, video: Path) -> None:
    started = time.monotonic()
    found = await take(context, camera(str(video)), 11)  # 5 s of a video of 4 s
    assert 4 < time.monotonic() - started < 30
    for raw in found:
        shape = jpeg.measure(raw.data)
        assert (shape.width, shape.height, shape.end) == (320, 240, len(raw.data))
    assert len({raw.data for raw in found[:8]}) == 8
    gaps = [b.taken_at - a.taken_at for a, b in itertools.pairwise(found)]
    assert sorted(gaps)[len(gaps) // 2].total_seconds() == pytest.approx(0.5, abs=0.2)
    assert encoders() == []


async def test_a_picture_comes_when_it_was_taken(context: Context, video: Path) -> None:
    """Not when the next one does: an interval later."""
    async with aclosing(camera_ffmpeg.frames(context, camera(str(video), 40))) as frames:
        assert await asyncio.wait_for(anext(frames), 20) is not None


async def test_white_stays_white(context: Context, tmp_path: Path) -> None:
    """Video is in limited range, JPEG in full: 235 becomes 255."""
    (raw,) = await take(context, camera(str(make_white(tmp_path / "white.mp4"))), 1)
    assert see(raw.data).look.luma == pytest.approx(255, abs=1)


async def test_leaving_kills_ffmpeg_at_once(context: Context, video: Path) -> None:
    frames = camera_ffmpeg.frames(context, camera(str(video)))
    await anext(frames)
    assert len(encoders()) == 1
    await frames.aclose()
    assert encoders() == []

    async def endless() -> None:
        await take(context, camera(str(video)), 1000)

    taking = asyncio.create_task(endless())
    while not encoders():
        await asyncio.sleep(0.01)
    taking.cancel()
    await asyncio.gather(taking, return_exceptions=True)
    assert encoders() == []


async def test_hls(context: Context, video: Path, tmp_path: Path) -> None:
    make_hls(tmp_path, video)

    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        return web.FileResponse(tmp_path / request.path.strip("/"))

    async with Loopback(serve) as server:
        seen = camera(server.url + "/live.m3u8")
        found = await take(context, seen, 5)
        assert len({raw.data for raw in found}) == 5
        assert "ended" in (await error(context, seen)).message
        assert server.requests[0].headers["user-agent"].startswith("Vigil/")


@pytest.mark.parametrize("scheme", ["file://", "file:", "concat:", "subfile,,start,0,end,0,,:"])
async def test_a_playlist_cannot_reach_the_disk(
    context: Context, video: Path, tmp_path: Path, scheme: str
) -> None:
    """The playlist names a video that is really there; not one picture of it comes."""
    segment = make_hls(tmp_path, video).with_name("live0.ts")
    assert segment.stat().st_size > 1000

    async def playlist(_request: web.BaseRequest) -> web.StreamResponse:
        text = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{scheme}{segment}\n#EXT-X-ENDLIST\n"
        return web.Response(text=text, content_type="application/vnd.apple.mpegurl")

    async with Loopback(playlist) as server:
        frames = camera_ffmpeg.frames(context, camera(server.url + "/evil.m3u8"))
        with pytest.raises(SourceError):
            await asyncio.wait_for(anext(frames), 30)


async def test_what_is_wrong_is_said(context: Context, tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video at all, " * 1000)
    no_video = await error(context, camera(str(tmp_path / "text.mp4")))
    assert "no video" in no_video.message
    missing = await error(context, camera(str(tmp_path / "missing.mp4")))
    assert "no such file" in missing.message
    nobody = await error(context, camera(f"rtsp://joe:secret@127.0.0.1:{free_port()}/x"))
    assert "refuses the connection" in nobody.message
    assert nobody.hint

    async def forbidden(_request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=403)

    async with Loopback(forbidden) as server:
        url = server.url.replace("http://", "http://joe:secret@") + "/live.m3u8"
        assert "let us in" in (await error(context, camera(url))).message


async def test_a_silent_camera_is_given_up(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes the connection and says nothing."""
    monkeypatch.setattr(camera_ffmpeg, "SILENCE_S", 1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        started = time.monotonic()
        seen = camera(f"rtsp://127.0.0.1:{server.getsockname()[1]}/x")
        assert "does not answer" in (await error(context, seen)).message
        assert time.monotonic() - started < 20


def test_arguments_for_each_scheme() -> None:
    arguments, protocols = camera_ffmpeg.command(camera("rtsp://joe:secret@10.0.0.1/live"))
    assert arguments[:4] == ["-rtsp_transport", "tcp", "-timeout", "10000000"]
    assert "-skip_frame" not in arguments
    assert "http" not in protocols
    assert "file" not in protocols
    arguments, protocols = camera_ffmpeg.command(camera("/dev/video0"))
    assert arguments[:4] == ["-f", "v4l2", "-i", "/dev/video0"]
    for url in ("/a/b.mp4", "file:///a/b.mp4", "/a/-i http:x"):
        arguments, protocols = camera_ffmpeg.command(camera(url))
        assert arguments[arguments.index("-i") + 1].startswith("file:/a/")
        assert protocols == ("file",)
    _, protocols = camera_ffmpeg.command(camera("https://x/live.m3u8"))
    assert "file" not in protocols
    for url in ("concat:/etc/passwd", "subfile,,start,0,end,0,,:/etc/passwd", "-i", "", "x"):
        with pytest.raises(Invalid):
            camera_ffmpeg.command(camera(url))


def test_keyframes_alone_where_the_interval_allows() -> None:
    sparse = camera("rtsp://x/y", interval_s=10)
    arguments, _ = camera_ffmpeg.command(sparse)
    assert arguments[arguments.index("-skip_frame") + 1] == "nokey"
    assert arguments.index("-skip_frame") < arguments.index("-i")
    arguments, _ = camera_ffmpeg.command(replace(sparse, options={"keyframes": False}))
    assert "-skip_frame" not in arguments


def test_whose_address_it_is() -> None:
    yes = ("rtsp://x", "rtsps://x", "rtmp://x/y", "https://x/live.m3u8?t=1", "http://x/a.mpd",
           "/tmp/a.mp4", "file:///tmp/a.mp4", "/dev/video0")  # fmt: skip
    no = ("http://x/a.jpg", "testcard", "relative.mp4", "ftp://x/y", "concat:/a|/b", "-i")
    assert all(camera_ffmpeg.accepts(url) for url in yes)
    assert not any(camera_ffmpeg.accepts(url) for url in no)


@pytest.mark.rtsp
@needs_rtsp
async def test_rtsp_with_a_password_and_a_reconnect(
    context: Context, video: Path, tmp_path: Path
) -> None:
    """Frames come, the server dies, that is noticed; when it is back, so are the frames."""
    port = free_port()
    long = repeated(tmp_path / "long.mp4", video, 30)
    server = RtspServer(long, port, user="joe", password="secret")
    seen = camera(f"rtsp://joe:secret@127.0.0.1:{port}/camera")
    with server:
        frames = camera_ffmpeg.frames(context, seen)
        pictures = [await asyncio.wait_for(anext(frames), 30) for _ in range(5)]
        assert len({raw.data for raw in pictures if raw}) == 5
        times = [raw.taken_at for raw in pictures if raw]
        # Two seconds, but for what came while the stream was recognised: no burst of it.
        assert (times[-1] - times[0]).total_seconds() > 1.2
        server.stop()
        stopped = time.monotonic()
        with pytest.raises(SourceError):
            await asyncio.wait_for(exhaust(frames), 30)
        assert time.monotonic() - stopped < 15
        assert encoders() == []
        assert "refuses the connection" in (await error(context, seen)).message
        server.start()
        assert len(await take(context, seen, 2)) == 2
        wrong = await error(context, camera(f"rtsp://joe:wrong@127.0.0.1:{port}/camera"))
        assert "let us in" in wrong.message
        path = await error(context, camera(f"rtsp://joe:secret@127.0.0.1:{port}/nothing"))
        assert "no such stream" in path.message


@pytest.mark.rtsp
@needs_rtsp
async def test_rtsp_keyframes_only(
    context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only every tenth picture is a keyframe: a frame a second comes of ten."""
    monkeypatch.setattr(camera_ffmpeg, "KEYFRAMES_FROM_S", 0.2)
    video = make_video(tmp_path / "sparse.mp4", seconds=8)
    with RtspServer(video, free_port()) as server:
        found = await take(context, camera(server.url, 0.2), 4)
    gaps = [b.taken_at - a.taken_at for a, b in itertools.pairwise(found)]
    assert sum(gap.total_seconds() for gap in gaps) > 2
    assert len({raw.data for raw in found}) == 4


@pytest.mark.rtsp
@needs_rtsp
async def test_with_a_long_interval_it_connects_for_each_picture(
    context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(camera_ffmpeg, "GRAB_FROM_S", 0.5)
    video = make_video(tmp_path / "v.mp4", seconds=8)
    with RtspServer(video, free_port()) as server:
        frames = camera_ffmpeg.frames(context, camera(server.url, 3))
        for _ in range(2):
            assert await asyncio.wait_for(anext(frames), 30) is not None
        await asyncio.wait_for(frames.aclose(), 10)
    assert encoders() == []


@pytest.mark.rtsp
@needs_rtsp
@pytest.mark.skipif(bikes() is None, reason="bikes.mp4 is not here; BIKES_MP4 may name it")
async def test_a_real_picture_over_rtsp(context: Context) -> None:
    video = bikes()
    assert video is not None
    with RtspServer(video, free_port()) as server:
        found = await take(context, camera(server.url, 0.4), 6)
    assert len({raw.data for raw in found}) == 6
    assert all(jpeg.measure(raw.data).width == 640 for raw in found)
    assert all(20 < see(raw.data).look.luma < 200 for raw in found)
