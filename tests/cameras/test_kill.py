"""A scanner that is really killed, again and again: no frame is ever without its picture."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psutil
import pytest

from tests.cameras.helpers import add_camera, all_blobs, at, count, health, until
from tests.running import NOBODY_HOME
from tests.servers.mjpeg import Mjpeg
from tests.servers.video import make_video
from vigil import ffmpeg
from vigil.cameras import check
from vigil.cameras.keeping import store as keeping
from vigil.cameras.model import Camera
from vigil.clock import FakeClock
from vigil.context import Context
from vigil.settings import ROOT

pytestmark = pytest.mark.slow


@contextmanager
def scanner(context: Context) -> Iterator[subprocess.Popen[bytes]]:
    """scanner.py as a process of its own; killed at the end."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("VIGIL_")}
    settings = {
        "VIGIL_DATABASE_URL": context.settings.database_url or "",
        "VIGIL_DATA_DIR": str(context.settings.data_dir),
        "VIGIL_OWNCAST_URL": NOBODY_HOME,
        "VIGIL_PEERTUBE_URL": NOBODY_HOME,
        "VIGIL_LOG_LEVEL": "error",
    }
    process = subprocess.Popen([sys.executable, "scanner.py"], cwd=ROOT, env=environment | settings)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


async def frames_of(context: Context, camera: Camera) -> int:
    return (await health(context, camera)).frames


async def every_frame_has_its_blob(context: Context) -> None:
    after = 0
    while rows := await keeping.after(context.pool, after, 1000):
        after = rows[-1].id
        for frame in rows:
            for key in frame.blobs:
                assert await context.storage.head(key) is not None, key


@pytest.mark.timeout(180)
async def test_killed_while_it_takes_and_expires(context: Context) -> None:
    async with Mjpeg(period_s=0.02) as server:
        cameras = [
            await add_camera(context, f"card-{n}", url="testcard", interval_s=0.1) for n in range(3)
        ]
        cameras.append(await add_camera(context, "mjpeg", url=server.url, interval_s=0.1))
        # what these take expires at once, so that a kill hits removals, too
        await context.pool.execute(
            "ALTER TABLE cameras DROP CONSTRAINT cameras_retention_s_check;"
            "UPDATE cameras SET retention_s = 1.5, retention_frames = 5 "
            "WHERE name IN ('card-1', 'card-2')"
        )
        before = {camera.id: 0 for camera in cameras}
        for turn in range(4):
            with scanner(context) as process:
                for camera in cameras:
                    least = before[camera.id] + 8 + 5 * turn
                    await until(lambda c=camera, n=least: more(context, c, n), "frames", 60)  # type: ignore[misc]  # mypy cannot type defaults of a lambda
                process.send_signal(signal.SIGKILL)
                process.wait()
            await every_frame_has_its_blob(context)
            before = {camera.id: await frames_of(context, camera) for camera in cameras}
    assert await count(context) > 0
    await check.check(context, mend=True)
    assert await check.check(context, mend=False) == []
    await every_frame_has_its_blob(context)


async def more(context: Context, camera: Camera, least: int) -> bool:
    return await frames_of(context, camera) >= least


@pytest.mark.timeout(120)
async def test_a_killed_scanner_leaves_no_ffmpeg_for_long(context: Context) -> None:
    """Nobody reads what it writes any more: it ends at the next picture."""
    video = make_video(context.settings.data_dir / "v.mp4")
    camera = await add_camera(context, "file", url=str(video), interval_s=0.5)
    with scanner(context) as process:
        await until(lambda: more(context, camera, 2), "frames", 60)
        name = os.path.basename(ffmpeg.executable())
        children = psutil.Process(process.pid).children(recursive=True)
        running = [child for child in children if child.name() in (name, name[:15])]
        assert running
        process.kill()
        process.wait()
        await asyncio.to_thread(psutil.wait_procs, running, timeout=10)
        assert not [child for child in running if child.is_running()]


@pytest.mark.timeout(120)
async def test_a_stopped_scanner_stops_everything(context: Context) -> None:
    video = make_video(context.settings.data_dir / "v.mp4")
    camera = await add_camera(context, "file", url=str(video), interval_s=0.5)
    with scanner(context) as process:
        await until(lambda: more(context, camera, 1), "frames", 60)
        children = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        assert await asyncio.to_thread(process.wait, 20) == 0
        assert not [child for child in children if child.is_running()]
    await every_frame_has_its_blob(context)


@pytest.mark.timeout(300)
async def test_a_hundred_kills(context: Context) -> None:
    """Rows, blobs, pictures and thumbnails agree, whenever intake and retention are killed."""
    for n in range(3):
        await add_camera(context, f"camera-{n}")
    await context.pool.execute("UPDATE cameras SET retention_frames = 20 WHERE name <> 'camera-0'")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("VIGIL_")}
    environment |= {
        "VIGIL_DATABASE_URL": context.settings.database_url or "",
        "VIGIL_DATA_DIR": str(context.settings.data_dir),
    }
    chance = random.Random(4)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.cameras.intake_process"),
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        for turn in range(100):
            process.stdin.write(b"again\n")
            said = {await process.stdout.readline(), await process.stdout.readline()}
            assert b"on\n" in said
            (child,) = said - {b"on\n"}
            await asyncio.sleep(0.05 + chance.random() * 0.4)
            os.kill(int(child), signal.SIGKILL)
            assert await process.stdout.readline() == b"gone\n"
            if turn % 20 == 0:
                await every_frame_has_its_blob(context)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    await every_frame_has_its_blob(context)
    assert await count(context) > 30
    expired = await context.pool.fetchval("SELECT sum(expired_frames) FROM camera_state")
    assert expired > 30
    later = at(context, clock=FakeClock(context.clock.now() + timedelta(hours=1)))
    await check.check(later, mend=True)  # what is young now is old enough then
    assert await check.check(later, mend=False) == []
    rows = await keeping.after(context.pool, 0, 100_000)
    assert {key for row in rows for key in row.blobs} == await all_blobs(context)
    assert len(rows) == await count(context)
