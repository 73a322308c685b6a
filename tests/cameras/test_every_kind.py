"""Cameras of every kind at once, each of something real, under a real scanner: all deliver, all
lose what they hang on for a while, all come back, and that while is one gap of each."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web

from tests.cameras.helpers import add_camera, at, health, until
from tests.cameras.test_accounts_way import Later
from tests.cameras.test_kill import every_frame_has_its_blob, scanner
from tests.conftest import Site
from tests.running import free_port
from tests.servers.ftp import Ftp
from tests.servers.loopback import Loopback
from tests.servers.mjpeg import Mjpeg
from tests.servers.pictures import jpeg
from tests.servers.rtsp import RtspServer, available
from tests.servers.snapshot import Snapshot
from tests.servers.video import make_hls, make_video, repeated
from vigil import auth
from vigil.cameras.accounts import scan, store
from vigil.cameras.accounts.model import Gap
from vigil.cameras.model import Camera
from vigil.cameras.plan import at as moment_of
from vigil.context import Context
from vigil.controllers import store as controllers
from vigil.controllers.model import PUSH

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl"),
]

AWAY_S = 15.0
DEVICES = sorted(Path("/dev").glob("video[0-9]*"))


@dataclass
class Peer:
    """What a camera hangs on."""

    camera: Camera
    running: Callable[[], AbstractAsyncContextManager[object]]
    """Up while this is open."""


@asynccontextmanager
async def repeating(work: Callable[[int], Awaitable[object]]) -> AsyncIterator[None]:
    """Do something each second, as a camera with a timer does."""

    async def repeat() -> None:
        number = 0
        while True:
            await asyncio.gather(work(number), asyncio.sleep(1))
            number += 1

    task = asyncio.create_task(repeat())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def snapshots(context: Context) -> list[Peer]:
    basic, digest, plain = Snapshot(), Snapshot(), Mjpeg(period_s=0.2)
    basic.basic = digest.digest = ("joe", "se:cret")
    found = []
    for name, server in (("basic", basic), ("digest", digest), ("mjpeg", plain)):
        async with server:
            url = server.url.replace("//", "//joe:se%3Acret@" if name != "mjpeg" else "//")
        camera = await add_camera(context, name, url=url, interval_s=1)
        found.append(Peer(camera, lambda server=server: server))  # type: ignore[misc]  # mypy cannot type defaults of a lambda
    return found


async def videos(context: Context, folder: Path) -> list[Peer]:
    video = make_video(folder / "short.mp4")
    long = repeated(folder / "long.mp4", video, 60)
    make_hls(folder, long)

    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        return web.FileResponse(folder / request.path.strip("/"))

    hls = Loopback(serve)
    async with hls:
        url = f"{hls.url}/live.m3u8"
    found = [Peer(await add_camera(context, "hls", url=url, interval_s=1), lambda: hls)]
    if available() is None:
        rtsp = RtspServer(long, free_port(), user="joe", password="secret")

        @asynccontextmanager
        async def serving() -> AsyncIterator[None]:
            await asyncio.to_thread(rtsp.start)
            try:
                yield
            finally:
                rtsp.stop()

        url = rtsp.url.replace("//", "//joe:secret@")
        camera = await add_camera(context, "rtsp", url=url, interval_s=1)
        found.append(Peer(camera, serving))
    return found


async def folder_by_ftp(context: Context) -> Peer:
    root = context.settings.data_dir / "drop" / "ftp"
    root.mkdir(parents=True)
    server = Ftp(root)

    async def upload(number: int) -> None:
        # The folder of each hour, as such cameras have them.
        await server.upload(jpeg(number), f"hour-{number // 3600}/{number}.jpg")

    @asynccontextmanager
    async def serving() -> AsyncIterator[None]:
        async with server, repeating(upload):
            yield

    camera = await add_camera(context, "ftp", url=f"folder:{root}", interval_s=1)
    return Peer(camera, serving)


async def push_by_curl(site: Site) -> Peer:
    camera = await add_camera(site.context, "push", url="push", interval_s=1)
    token = auth.new_secret(PUSH)
    await controllers.set_push_token(site.context.pool, camera.id, auth.hash_secret(token))
    url = f"{site.url}/api/v1/cameras/push/frames"

    async def push(number: int) -> None:
        assert await curl(jpeg(number), "-H", f"Authorization: Bearer {token}", url) == 0

    return Peer(camera, lambda: repeating(push))


async def curl(data: bytes, *arguments: str) -> int:
    process = await asyncio.create_subprocess_exec(
        *("curl", "-sSf", "--max-time", "20", "-H", "Content-Type: image/jpeg"),
        *("--data-binary", "@-", "-o", "/dev/null", *arguments),
        stdin=asyncio.subprocess.PIPE,
    )
    await process.communicate(data)
    assert process.returncode is not None
    return process.returncode


async def more(context: Context, camera: Camera, number: int) -> None:
    before = (await health(context, camera)).frames

    async def came() -> bool:
        return (await health(context, camera)).frames >= before + number

    await until(came, f"more frames of {camera.name}", 90)


async def gaps_of(context: Context, camera: Camera) -> Sequence[Gap]:
    """Its gaps between its first frame and its last, but for those that a busy machine made."""
    row = await context.pool.fetchrow(
        "SELECT min(taken_at), max(taken_at) FROM frames WHERE camera_id = $1", camera.id
    )
    assert row is not None
    gaps = await store.gaps(context.pool, camera.id, from_at=row[0], to_at=row[1])
    return [gap for gap in gaps if gap.missed > AWAY_S / 2 and moment_of(gap.from_us) > row[0]]


@pytest.mark.timeout(400)
async def test_every_kind_comes_back_and_its_absence_is_one_gap(site: Site, tmp_path: Path) -> None:
    context = site.context
    peers = [
        *await snapshots(context),
        *await videos(context, tmp_path),
        await folder_by_ftp(context),
        await push_by_curl(site),
    ]
    film = make_video(tmp_path / "film.mp4")
    lasting = [
        await add_camera(context, "file", url=str(film), interval_s=1),
        await add_camera(context, "card", url="testcard", interval_s=1),
    ]
    cameras = [peer.camera for peer in peers] + lasting
    with scanner(context):
        async with AsyncExitStack() as up:
            for peer in peers:
                await up.enter_async_context(peer.running())
            await asyncio.gather(*(more(context, camera, 5) for camera in cameras))
        gone = context.clock.now()
        await asyncio.sleep(AWAY_S)
        async with AsyncExitStack() as up:
            for peer in peers:
                await up.enter_async_context(peer.running())
            back = context.clock.now()
            await asyncio.gather(*(more(context, camera, 5) for camera in cameras))
            again = context.clock.now()
    while await scan.account(at(context, clock=Later()), scan.Schedules()):
        pass
    await every_frame_has_its_blob(context)
    slack = timedelta(seconds=8)
    for peer in peers:
        gaps = await gaps_of(context, peer.camera)
        assert len(gaps) == 1, (peer.camera.name, gaps)
        assert gaps[0].reason == "source", peer.camera.name
        assert not gaps[0].is_open
        assert abs(moment_of(gaps[0].from_us) - gone) < slack, peer.camera.name
        assert back - slack < moment_of(gaps[0].to_us) < again + slack, peer.camera.name
        assert "secret" not in gaps[0].detail
        assert "127.0.0.1" not in gaps[0].detail
    for camera in lasting:
        assert await gaps_of(context, camera) == [], camera.name


@pytest.mark.skipif(not DEVICES, reason="there is no V4L2 device (modprobe v4l2loopback)")
async def test_a_v4l2_device(context: Context) -> None:
    """The first device; for a loop device somebody has to write to it."""
    camera = await add_camera(context, "device", url=str(DEVICES[0]), interval_s=1)
    with scanner(context):
        await more(context, camera, 3)
    await every_frame_has_its_blob(context)
    assert (await health(context, camera)).error is None
