"""200 HTTP cameras, a frame each 5 s: lost frames, late ones, and CPU a frame against curl.

A server in a process of its own answers with JPEGs of 1280×720, each request another one. The real
scanner takes them, into a real database and a folder of blobs. An hour is compressed: with
``--factor 2`` the cameras have an interval of 2.5 s. curl fetches the same addresses and writes
them to files, a process for each frame as a cron job would; and, as what the network and the disk
cost at least, one process for all over one connection.

    .venv/bin/python -m bench.cameras_many [--cameras 200] [--factor 1] [--seconds 60] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from PIL import Image

from bench.harness import machine
from vigil import postgres
from vigil.cameras import adding
from vigil.context import Context, open_context
from vigil.settings import ROOT, Settings

INTERVAL_S = 5.0
PICTURES = 40
SLOWEST_START_S = 60.0
SLOWEST_END_S = 10.0
CURLS = 200


class Peer(asyncio.Protocol):
    """As many cameras as one likes: any path that begins with /camera answers with a picture."""

    pictures: tuple[bytes, ...] = ()
    served = 0
    closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer; requests are small and come whole on loopback."""
        path = data.split(b" ", 2)[1]
        if path == b"/served":
            self._answer(b"200 OK", str(Peer.served).encode(), b"text/plain")
        elif path == b"/close":
            Peer.closed = True
            self._answer(b"200 OK", b"closed", b"text/plain")
        elif Peer.closed:
            self._answer(b"503 Service Unavailable", b"closed", b"text/plain")
        else:
            Peer.served += 1
            note = b"\xff\xfe\x00\x12" + Peer.served.to_bytes(16, "big")  # a comment: other bytes
            picture = Peer.pictures[Peer.served % len(Peer.pictures)]
            self._answer(b"200 OK", picture[:2] + note + picture[2:], b"image/jpeg")

    def _answer(self, status: bytes, body: bytes, kind: bytes) -> None:
        head = b"HTTP/1.1 %b\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n"
        self._transport.write(head % (status, kind, len(body)) + body)


def pictures() -> tuple[bytes, ...]:
    """JPEGs as a camera writes them: soft shapes and noise, about 150 kB."""
    chance, found = random.Random(1), []
    noise = Image.effect_noise((1280, 720), 24).convert("RGB")
    for _ in range(PICTURES):
        small = Image.new("RGB", (16, 9))
        small.putdata([tuple(chance.randrange(40, 220) for _ in "rgb") for _ in range(144)])
        image = Image.blend(small.resize((1280, 720), Image.Resampling.BICUBIC), noise, 0.2)
        written = io.BytesIO()
        image.save(written, "JPEG", quality=80)
        found.append(written.getvalue())
    return tuple(found)


async def serve() -> None:
    """Be the cameras; prints the port."""
    Peer.pictures = pictures()
    server = await asyncio.get_running_loop().create_server(Peer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def running(*command: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """A process, ended with the block."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("VIGIL_")}
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=ROOT,
        env=kept | environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def ask(port: int, path: str) -> str:
    """What the peer says."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=30) as answer:
        text: str = answer.read().decode()
        return text


def cpu_s(process: psutil.Process) -> float:
    """CPU seconds of a process and of those it started, ended ones included."""
    total = 0.0
    for one in (process, *process.children(recursive=True)):
        try:
            times = one.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
        if one.pid == process.pid:
            total += times.children_user + times.children_system
    return total


async def measure(context: Context, options: argparse.Namespace, port: int) -> dict[str, Any]:
    """Let the scanner take frames for a while; what came of it."""
    interval_s = INTERVAL_S / options.factor
    for number in range(options.cameras):
        wanted = adding.Wanted(
            name=f"camera-{number}",
            url=f"http://127.0.0.1:{port}/camera/{number}",
            interval_s=interval_s,
        )
        await adding.add(context.pool, wanted)
    # no test card, no directories of streams: nobody else shall have a part in the figures
    await context.pool.execute(
        "INSERT INTO planted (name) VALUES ('camera:testcard') ON CONFLICT DO NOTHING"
    )
    settings = context.settings
    environment = {
        "VIGIL_DATABASE_URL": postgres.dsn(settings.data_dir),
        "VIGIL_DATA_DIR": str(settings.data_dir),
        "VIGIL_OWNCAST_URL": "http://127.0.0.1:9/",
        "VIGIL_PEERTUBE_URL": "http://127.0.0.1:9/",
        "VIGIL_LOG_LEVEL": "error",
    }
    with running("scanner.py", **environment) as scanner:
        async with asyncio.timeout(SLOWEST_START_S):
            while (
                await context.pool.fetchval("SELECT count(*) FROM camera_state WHERE frames >= 2")
                < options.cameras
            ):
                await asyncio.sleep(0.2)
        process, database = psutil.Process(scanner.pid), server_of(settings)
        began = await context.pool.fetchval("SELECT clock_timestamp()")
        before = cpu_s(process), cpu_s(database), int(ask(port, "served"))
        await asyncio.sleep(options.seconds)
        after = cpu_s(process), cpu_s(database), int(ask(port, "served"))
        ended = await context.pool.fetchval("SELECT clock_timestamp()")
        ask(port, "close")
        served = int(ask(port, "served")) - options.served_before
        for _ in range(round(SLOWEST_END_S / 0.2)):  # what is in hand
            kept = await context.pool.fetchval("SELECT count(*) FROM frames")
            if kept >= served:
                break
            await asyncio.sleep(0.2)
        rss = process.memory_info().rss
    late = await context.pool.fetchrow(
        """
        SELECT count(*) FILTER (WHERE after - taken_at > make_interval(secs => 2 * $3)) AS late,
            extract(epoch FROM max(after - taken_at))::float8 AS longest
        FROM (
            SELECT taken_at, lead(taken_at) OVER (PARTITION BY camera_id ORDER BY taken_at) AS after
            FROM frames
        ) pairs WHERE taken_at >= $1 AND after <= $2
        """,
        began,
        ended,
        interval_s,
    )
    assert late is not None
    frames = after[2] - before[2]
    return {
        "interval_s": interval_s,
        "seconds": options.seconds,
        "frames": frames,
        "frames_wanted": round(options.cameras * (ended - began).total_seconds() / interval_s),
        "served": served,
        "kept": kept,
        "lost": served - kept,
        "late": late["late"],
        "longest_s": late["longest"],
        "scanner_ms": 1000 * (after[0] - before[0]) / frames,
        "postgres_ms": 1000 * (after[1] - before[1]) / frames,
        "memory_mb": rss / 1e6,
    }


def server_of(settings: Settings) -> psutil.Process:
    """The embedded PostgreSQL's first process."""
    pid_file = postgres.folder(settings.data_dir) / "cluster" / "postmaster.pid"
    return psutil.Process(int(pid_file.read_text().split()[0]))


def curl(port: int, folder: Path, *, together: bool) -> float:
    """Milliseconds of CPU a frame that curl takes to fetch and write them."""
    folder.mkdir()
    pairs = [(f"http://127.0.0.1:{port}/camera/{n}", folder / f"{n}.jpg") for n in range(CURLS)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    if together:
        plan = folder / "curl.conf"
        plan.write_text("".join(f'url = "{url}"\noutput = "{file}"\n' for url, file in pairs))
        subprocess.run(["curl", "-s", "-K", str(plan)], check=True)
    else:
        for url, file in pairs:
            subprocess.run(["curl", "-s", "-o", str(file), url], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return 1000 * used / CURLS


async def run(options: argparse.Namespace) -> None:
    """Measure, print."""
    with tempfile.TemporaryDirectory(prefix="vigil-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        settings = Settings(data_dir=folder / "data")
        with (
            postgres.running(settings.data_dir),
            running("-m", "bench.cameras_many", "--serve") as peer,
        ):
            assert peer.stdout is not None
            port = int(peer.stdout.readline())
            curls = {
                "curl_ms": curl(port, folder / "each", together=False),
                "curl_together_ms": curl(port, folder / "together", together=True),
            }
            options.served_before = int(ask(port, "served"))
            async with open_context(settings, "bench", pool_size=2) as context:
                found = await measure(context, options, port)
    found |= curls
    found["ratio"] = found["scanner_ms"] / found["curl_ms"]
    found["ratio_with_postgres"] = (found["scanner_ms"] + found["postgres_ms"]) / found["curl_ms"]
    if options.json:
        print(json.dumps(found))
        return
    print(machine())
    for key, value in found.items():
        print(f"  {key:20} {value:,.4g}" if isinstance(value, float) else f"  {key:20} {value:,}")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=200)
    parser.add_argument("--factor", type=float, default=1.0, help="how much an hour is compressed")
    parser.add_argument("--seconds", type=float, default=60.0, help="of measuring")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    asyncio.run(serve() if options.serve else run(options))


if __name__ == "__main__":
    main()
