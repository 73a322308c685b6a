"""Pictures of 12 megapixels a second through intake, against Pillow alone in two threads.

4056×3040 JPEGs as a Raspberry Pi's camera writes them. The baseline decodes each scaled down
(``draft``) and makes JPEGs 640, 320 and 160 wide of it, in memory, one thread a core. Ours does
the same, and all the rest: the shape, the digest, what the picture looks like, whether it is
there already, blobs written and synced, the row, the news of it; a real database and a real disk.

    .venv/bin/python -m bench.camera_intake [--pictures 40] [--rounds 5] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import io
import itertools
import json
import os
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

from PIL import Image

from bench.harness import Side, compare, machine
from vigil import ffmpeg, postgres
from vigil.cameras import intake, store
from vigil.cameras.model import Camera, Frame, RawFrame
from vigil.context import Context, open_context
from vigil.settings import Settings

WIDTHS = (640, 320, 160)
AT_ONCE = 8
"""Cameras that deliver at the same time."""


async def pictures(folder: Path) -> list[bytes]:
    """Eight JPEGs of something with the noise of a small camera, 3 to 4 MB each."""
    folder.mkdir()
    source = "testsrc2=size=4056x3040:rate=1,noise=alls=12:allf=t"
    output = [str(folder / "%02d.jpg")]
    await ffmpeg.run(
        [
            *("-f", "lavfi", "-i", source, "-frames:v", "8", "-pix_fmt", "yuvj420p"),
            *("-huffman", "optimal", "-q:v", "3", *output),
        ]
    )
    return [file.read_bytes() for file in sorted(folder.iterdir())]


def plain(data: bytes) -> list[bytes]:
    """What anybody would do with Pillow."""
    made = []
    with Image.open(io.BytesIO(data)) as image:
        image.draft("RGB", (WIDTHS[0], 1))
        for width in WIDTHS:
            image.thumbnail((width, 4 * width))
            written = io.BytesIO()
            image.save(written, "JPEG", quality=80)
            made.append(written.getvalue())
    return made


async def bench(context: Context, scratch: Path, options: argparse.Namespace) -> None:
    """Measure the pair."""
    some = await pictures(scratch / "pictures")
    wanted = list(itertools.islice(itertools.cycle(some), options.pictures))
    camera = await store.add(
        context.pool,
        name="bench",
        title="",
        kind="http",
        url="http://127.0.0.1:9/",
        options={},
        interval_s=1,
        retention_s=86_400,
    )
    pool = ThreadPoolExecutor(os.cpu_count() or 1)
    moments = itertools.count()

    async def plainly() -> float:
        loop, begin = asyncio.get_running_loop(), time.perf_counter()
        await asyncio.gather(*(loop.run_in_executor(pool, plain, data) for data in wanted))
        return len(wanted) / (time.perf_counter() - begin)

    async def through_intake() -> float:
        begin = time.perf_counter()
        queue = iter(wanted)
        await asyncio.gather(*(deliver(context, camera, queue, moments) for _ in range(AT_ONCE)))
        return len(wanted) / (time.perf_counter() - begin)

    result = await compare(
        f"4056×3040 JPEGs of {sum(map(len, some)) / len(some) / 1e6:.1f} MB, with thumbnails",
        Side("Pillow alone", plainly),
        Side("vigil", through_intake),
        unit="a second",
        rounds=options.rounds,
    )
    if options.json:
        print(json.dumps([result.as_object()]))
        return
    print(machine())
    print(result)


async def deliver(
    context: Context, camera: Camera, queue: Iterator[bytes], moments: itertools.count[int]
) -> None:
    """Bring pictures one after the other until there are no more."""
    for data in queue:
        moment = context.clock.now() - timedelta(seconds=next(moments))
        outcome = await intake.accept(context, camera, RawFrame(data=data, taken_at=moment))
        assert isinstance(outcome, Frame), outcome


async def main(options: argparse.Namespace) -> None:
    """Set everything up and measure."""
    with tempfile.TemporaryDirectory(prefix="vigil-bench-") as folder:
        scratch = Path(folder)
        scratch.chmod(0o755)
        settings = Settings(data_dir=scratch / "data")
        with postgres.running(settings.data_dir):
            async with open_context(settings, "bench") as context:
                await bench(context, scratch, options)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pictures", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    asyncio.run(main(parser.parse_args()))
