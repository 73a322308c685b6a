"""Cameras that push: 50 clients at once, batches of 20; and what a killed site loses: nothing.

Pictures of 1280×720 with the noise of a small camera, each request acknowledged before a client
sends its next; one process of the site, a real database, a real disk. Printed are requests and
pictures a second and how long a request takes; pictures a second against Pillow alone, which
decodes each scaled and makes the three thumbnails in memory, one thread a core.

With ``--kills`` nothing is measured: the site is killed so often, at random moments, while clients
push smaller pictures and bring again what got no answer; then each acknowledged picture has to be
one frame with its blob. The exit status is 1 where one is not.

    .venv/bin/python -m bench.camera_push [--clients 50] [--batch 20] [--seconds 20] [--rounds 3]
    .venv/bin/python -m bench.camera_push --kills 50
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import random
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from bench.camera_intake import plain
from bench.harness import Side, compare, machine
from tests.controllers.pushers import Pusher, SiteProcess, lost, push_and_kill, pushers, running
from tests.running import free_port
from vigil import ffmpeg, postgres
from vigil.context import Context, open_context
from vigil.settings import Settings


async def pictures(folder: Path, number: int, size: str) -> list[bytes]:
    """JPEGs of something with the noise of a small camera; 90 kB each at 1280x720."""
    folder.mkdir()
    source = f"testsrc2=size={size}:rate=1,noise=alls=8:allf=t"
    output = [str(folder / "%02d.jpg")]
    await ffmpeg.run(
        [
            *("-f", "lavfi", "-i", source, "-frames:v", str(number), "-pix_fmt", "yuvj420p"),
            *("-q:v", "5", *output),
        ]
    )
    return [file.read_bytes() for file in sorted(folder.iterdir())]


async def push_for(site: SiteProcess, clients: list[Pusher], seconds: float) -> tuple[float, int]:
    """Let all push for so long; returns the seconds it took and the pictures acknowledged."""
    stop = asyncio.Event()
    before = sum(len(one.acknowledged) for one in clients)
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=120)
    async with aiohttp.ClientSession(site.url, connector=connector, timeout=timeout) as client:
        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for one in clients:
                group.create_task(one.push(client, stop))
            await asyncio.sleep(seconds)
            stop.set()
        took = time.perf_counter() - began
    return took, sum(len(one.acknowledged) for one in clients) - before


async def measure(context: Context, some: list[bytes], options: argparse.Namespace) -> None:
    """Requests a second, how long they take, and the ratio."""
    clients = await pushers(context, options.clients, batch=options.batch, pictures=some)
    cpu_s: list[float] = []
    with running(context, free_port()) as site, ThreadPoolExecutor(os.cpu_count()) as threads:
        await site.up()

        async def ours() -> float:
            process = psutil.Process(site.pid)
            before = sum(process.cpu_times()[:2])
            took, number = await push_for(site, clients, options.seconds)
            cpu_s.append((sum(process.cpu_times()[:2]) - before) / number)
            return number / took

        async def pillow() -> float:
            wanted = list(itertools.islice(itertools.cycle(some), 400))
            began = time.perf_counter()
            await asyncio.to_thread(lambda: list(threads.map(plain, wanted)))
            return len(wanted) / (time.perf_counter() - began)

        await push_for(site, clients, 1)
        await pillow()
        for one in clients:
            one.took_s.clear()
        result = await compare(
            f"pictures brought by {options.clients} clients, {options.batch} a request",
            Side("Pillow alone", pillow),
            Side("vigil", ours),
            unit="pictures/s",
            rounds=options.rounds,
            warm_up=False,
        )
    took = sorted(itertools.chain.from_iterable(one.took_s for one in clients))
    wrong = await lost(context, clients)
    figures: dict[str, Any] = {
        "requests/s": result.median("vigil") / options.batch,
        "median_s": statistics.median(took),
        "p99_s": took[int(len(took) * 0.99)],
        "requests": len(took),
        "cpu_ms_a_picture": statistics.median(cpu_s) * 1000,
        "bytes": statistics.mean(len(data) for data in some),
        "wrong": wrong,
    }
    if options.json:
        print(json.dumps(result.as_object() | figures))
        return
    print(machine())
    print(result)
    for name, value in figures.items():
        print(f"  {name}: {value if isinstance(value, list) else f'{value:,.4g}'}")


async def kill(context: Context, some: list[bytes], options: argparse.Namespace) -> None:
    """Kill the site again and again; exits with 1 when something is lost."""
    seed = random.randrange(1_000_000) if options.seed is None else options.seed
    clients = await pushers(context, options.clients, batch=options.batch, pictures=some)
    with running(context, free_port()) as site:
        await push_and_kill(site, clients, options.kills, random.Random(seed), most_s=5)
    wrong = await lost(context, clients)
    told = {
        "seed": seed,
        "kills": options.kills,
        "acknowledged": sum(len(one.acknowledged) for one in clients),
        "acknowledged when it came again": sum(one.known for one in clients),
        "requests without an answer": sum(one.broken for one in clients),
        "lost or doubled": len(wrong),
    }
    print(json.dumps(told) if options.json else "\n".join(f"{k}: {v}" for k, v in told.items()))
    if wrong:
        raise SystemExit("\n".join(wrong[:10]))


async def main(options: argparse.Namespace) -> None:
    """Set everything up."""
    with tempfile.TemporaryDirectory(prefix="vigil-bench-") as folder:
        scratch = Path(folder)
        scratch.chmod(0o755)
        settings = Settings(data_dir=scratch / "data")
        size = "320x240" if options.kills else "1280x720"
        some = await pictures(scratch / "pictures", options.batch, size)
        with postgres.running(settings.data_dir):
            async with open_context(settings, "bench") as context:
                await (kill if options.kills else measure)(context, some, options)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--batch", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--json", action="store_true")
    asyncio.run(main(parser.parse_args()))
