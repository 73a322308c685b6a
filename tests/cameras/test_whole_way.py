"""From a camera on the network through the command line and a scanner of its own to its frames."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.cameras.helpers import until
from tests.cameras.test_kill import every_frame_has_its_blob, scanner
from tests.conftest import Site
from tests.jobs.test_cli import vigil
from tests.running import free_port
from tests.servers.mjpeg import Mjpeg
from tests.servers.rtsp import RtspServer, available
from tests.servers.video import bikes, make_video, pictures_of
from vigil.cameras import jpeg, store
from vigil.cameras.frames import store as frames
from vigil.context import Context

pytestmark = pytest.mark.slow


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """The real street where it is at hand, a test pattern elsewhere."""
    return bikes() or make_video(tmp_path / "pattern.mp4", seconds=10)


async def taken(context: Context, name: str, number: int) -> bool:
    camera = await store.by_name(context.pool, name)
    return camera is not None and len(await frames.page(context.pool, camera.id)) >= number


async def add(context: Context, name: str, url: str) -> None:
    status, _, errors = await vigil(context, "camera", "add", name, url, "--interval", "0.4s")
    assert status == 0, errors


async def watch(site: Site, name: str, url: str, seconds: float) -> None:
    """Add a camera while a scanner runs; its pictures come, and are what the API shows."""
    context = site.context
    await add(context, name, url)
    started = time.monotonic()
    await until(lambda: taken(context, name, 1), "the first frame", 60)
    first = time.monotonic() - started
    await until(lambda: taken(context, name, 6), "six frames", 60)
    assert first < seconds
    await every_frame_has_its_blob(context)
    async with site.client.get(f"/api/v1/cameras/{name}/frames") as answer:
        items = (await answer.json())["items"]
    assert len({item["sha256"] for item in items}) >= 5
    assert all(5 < item["luma"] < 250 for item in items)
    async with site.client.get(f"/api/v1/cameras/{name}/latest.jpg") as answer:
        shape = jpeg.measure(await answer.read())
    assert shape.width == items[0]["width"]


@pytest.mark.timeout(180)
async def test_mjpeg_with_a_scanner(site: Site, video: Path, tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    pictures = pictures_of(video, tmp_path / "pictures")
    async with Mjpeg(period_s=0.2, pictures=pictures) as server:
        with scanner(site.context):
            await until(lambda: taken(site.context, "testcard", 1), "the test card", 60)
            await watch(site, "street", server.url + "/video.mjpg", 15)


@pytest.mark.timeout(180)
@pytest.mark.rtsp
@pytest.mark.skipif(available() is not None, reason=str(available()))
async def test_rtsp_with_a_scanner(site: Site, video: Path) -> None:
    with RtspServer(video, free_port(), user="joe", password="secret") as server:
        url = server.url.replace("rtsp://", "rtsp://joe:secret@")
        with scanner(site.context):
            await until(lambda: taken(site.context, "testcard", 1), "the test card", 60)
            await watch(site, "street", url, 20)
            # The film is over after ten seconds: the camera is connected to again by itself.
            await until(lambda: taken(site.context, "street", 30), "frames of a second turn", 60)
