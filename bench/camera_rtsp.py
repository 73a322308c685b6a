"""CPU of one RTSP camera at a frame each ten seconds, against the same ffmpeg run by hand.

GStreamer's server sends a video of 1280×720, 25 pictures a second, a keyframe each two seconds.
Both sides watch it at the same time for as long: by hand is ffmpeg with our arguments, its pictures
into a file. Ours is the ffmpeg that the adapter runs, and all that this process does meanwhile:
the adapter, and intake with its thumbnails, a real database (whose CPU is not counted) and a real
disk. ``--without-intake`` leaves intake out: what reading the camera alone costs.

    .venv/bin/python -m bench.camera_rtsp [--seconds 55] [--rounds 2] [--interval 10]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import subprocess
import tempfile
from contextlib import aclosing, suppress
from pathlib import Path

import psutil

from bench.harness import Result, machine
from tests.running import free_port
from tests.servers.rtsp import RtspServer, available
from tests.servers.video import repeated
from vigil import ffmpeg, postgres
from vigil.cameras import adding, intake
from vigil.cameras.model import Camera, Frame
from vigil.context import Context, open_context
from vigil.settings import Settings
from vigil.sources import camera_ffmpeg

HAND, OURS = "ffmpeg by hand", "vigil"


async def video(folder: Path) -> Path:
    """Something that moves, with the noise of a small camera; minutes of it."""
    source = "testsrc2=size=1280x720:rate=25:duration=20,noise=alls=8:allf=t"
    short = folder / "short.mp4"
    await ffmpeg.run(
        [
            *("-f", "lavfi", "-i", source, "-c:v", "libx264", "-preset", "veryfast"),
            *("-pix_fmt", "yuv420p", "-b:v", "2M", "-g", "50", "-sc_threshold", "0", str(short)),
        ],
        timeout_s=120,
    )
    return repeated(folder / "long.mp4", short, 15)


async def by_hand(camera: Camera, out: Path, seconds: float) -> tuple[float, int]:
    """CPU seconds of ffmpeg alone, and its pictures."""
    arguments, protocols = camera_ffmpeg.command(camera)
    arguments = ffmpeg.with_protocols(arguments, protocols)
    command = [ffmpeg.executable(), "-nostdin", "-loglevel", "error", *arguments]
    with out.open("wb") as file:
        process = subprocess.Popen(command, stdout=file)
        await asyncio.sleep(seconds)
        process.terminate()
        _, _, used = await asyncio.to_thread(os.wait4, process.pid, 0)
        process.returncode = 0  # it has been waited for
    return used.ru_utime + used.ru_stime, out.read_bytes().count(b"image/jpeg")


async def ours(
    context: Context, camera: Camera, seconds: float, *, taken_in: bool
) -> tuple[float, int]:
    """CPU seconds of this process and of the ffmpeg it runs, and the frames."""
    number = 0
    child_s = 0.0
    before = resource.getrusage(resource.RUSAGE_SELF)

    async def watch() -> None:
        nonlocal number
        async with aclosing(camera_ffmpeg.frames(context, camera)) as frames:
            async for raw in frames:
                assert raw is not None
                if taken_in:
                    assert isinstance(await intake.accept(context, camera, raw), Frame)
                number += 1

    watching = asyncio.create_task(watch())
    await asyncio.sleep(seconds)
    for child in psutil.Process().children():
        with suppress(psutil.Error):
            if "rtsp" in " ".join(child.cmdline()) and "pipe:1" in child.cmdline():
                parent_is_ours = os.getsid(child.pid) == child.pid  # by hand: our own session
                child_s += sum(child.cpu_times()[:2]) if parent_is_ours else 0.0
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    after = resource.getrusage(resource.RUSAGE_SELF)
    self_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert child_s > 0
    return self_s + child_s, number


async def bench(context: Context, scratch: Path, options: argparse.Namespace) -> None:
    """Both at the same time, round after round."""
    result = Result("CPU of one RTSP camera", "s", HAND, OURS, {HAND: [], OURS: []})
    numbers: list[tuple[int, int]] = []
    with RtspServer(await video(scratch), free_port()) as server:
        wanted = adding.Wanted(name="bench", url=server.url, interval_s=options.interval)
        camera = await adding.add(context.pool, wanted)
        for _ in range(options.rounds):
            hand, mine = await asyncio.gather(
                by_hand(camera, scratch / "by_hand.mjpeg", options.seconds),
                ours(context, camera, options.seconds, taken_in=not options.without_intake),
            )
            result.figures[HAND].append(hand[0])
            result.figures[OURS].append(mine[0])
            numbers.append((hand[1], mine[1]))
    if options.json:
        print(json.dumps(result.as_object() | {"pictures": numbers}))
        return
    print(machine())
    print(result)
    print(f"  pictures by hand and ours, in {options.seconds:g} s: {numbers}")


async def main(options: argparse.Namespace) -> None:
    """Set everything up and measure."""
    missing = available()
    if missing is not None:
        raise SystemExit(missing)
    with tempfile.TemporaryDirectory(prefix="vigil-bench-") as folder:
        scratch = Path(folder)
        scratch.chmod(0o755)
        settings = Settings(data_dir=scratch / "data")
        with postgres.running(settings.data_dir):
            async with open_context(settings, "bench") as context:
                await bench(context, scratch, options)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=55)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--interval", type=float, default=10)
    parser.add_argument("--without-intake", action="store_true")
    parser.add_argument("--json", action="store_true")
    asyncio.run(main(parser.parse_args()))
