"""Requests a second of ``GET /stream`` against Sanic's hello world in the same minute.

    python -m bench.stream_requests [--streams 100000] [--rounds 5] [--seconds 3] [--all] [--json]

Fills a database with live streams of Twitch-like shape (Zipf categories, about 8 tags, 60% that
nobody watches), starts the site and a hello world, each as one process, and loads them in turn
with wrk, or, where there is none, with a client in Python (which is slower than the servers, so
its ratios flatter). The database is made in a folder of its own and thrown away.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import aiohttp

import db_utils
from bench.harness import Side, compare, machine
from vigil import postgres
from vigil.clock import SystemClock
from vigil.settings import ROOT, Settings
from vigil.streams import store
from vigil.streams.model import SeenStream

CONNECTIONS = 64
HELLO = "hello world"
PATHS = {
    "one random": "/stream",
    "64 random": "/stream?count=64",
    "a common word": "/stream?include=mario",
    "by id": "/stream/bench:4000000077",
    "counts": "/stats/counts",
}


def streams(count: int) -> Iterator[SeenStream]:
    """Live streams with the shape of Twitch's."""
    generator = random.Random(1)
    letters = "aaabcdeeefghiiijklmnooopqrstuuuvwxyz"
    words = ["".join(generator.choices(letters, k=generator.randint(3, 9))) for _ in range(20_000)]
    games = [f"{words[n].title()} {words[-n].title()}" for n in range(3_000)]
    by_rank = [1 / (rank + 1) for rank in range(len(games))]
    now = SystemClock().now()
    for number in range(count):
        login = f"{generator.choice(words)}{number}"
        game = generator.choices(range(len(games)), by_rank)[0]
        title = generator.choices(words, k=generator.randint(3, 10))
        if generator.random() < 0.02:
            title.append("Mario")
        yield SeenStream(
            external_id=str(4_000_000_000 + number),
            title=" ".join(title),
            viewers=0 if generator.random() < 0.6 else int(generator.paretovariate(0.8)),
            page_url=f"https://www.twitch.tv/{login}",
            player="twitch",
            player_url=login,
            category_id=str(game),
            category=games[game],
            tags=tuple(generator.sample(words[:5_000], generator.randint(6, 10))),
            language=generator.choice(("en", "en", "es", "de", "fr", "pt", "ja")),
            channel_id=str(number),
            channel_login=login,
            channel_name=login.title(),
            thumbnail_url="https://static-cdn.jtvnw.net/previews-ttv/"
            f"live_user_{login}-{{width}}x{{height}}.jpg",
            started_at=now - timedelta(minutes=generator.randrange(600)),
        )


async def fill(settings: Settings, count: int) -> None:
    """A migrated database with so many live streams."""
    await db_utils.wait_until_up(settings)
    await db_utils.migrate(settings)
    pool = await db_utils.create_pool(settings, "bench", size=1)
    source_id = await pool.fetchval(
        "INSERT INTO sources (name, kind, enabled) VALUES ('bench', 'twitch', false) RETURNING id"
    )
    batch: list[SeenStream] = []
    clock = SystemClock()
    for stream in streams(count):
        batch.append(stream)
        if len(batch) == 5_000:
            await store.write_batch(pool, source_id, batch, clock.now(), 86_400)
            batch = []
    await store.write_batch(pool, source_id, batch, clock.now(), 86_400)
    await store.tidy_search(pool)
    await pool.execute("VACUUM ANALYZE streams")
    await pool.execute("VACUUM ANALYZE stream_liveness")
    await pool.close()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def process(*arguments: str, url: str, environment: dict[str, str]) -> AsyncIterator[None]:
    """A server of our own, from when it answers until the end of the block."""
    server = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=ROOT, env=os.environ | environment
    )
    try:
        await until_it_answers(url, server)
        yield
    finally:
        if server.returncode is None:
            server.send_signal(signal.SIGTERM)
        await server.wait()


async def until_it_answers(url: str, server: asyncio.subprocess.Process) -> None:
    """Return when the URL answers 200; raises when the server ends or nothing comes in 30 s."""
    async with aiohttp.ClientSession() as client:
        for _ in range(300):
            if server.returncode is not None:
                raise RuntimeError(f"the server of {url} ended with {server.returncode}")
            try:
                async with client.get(url) as response:
                    body = await response.read()
                    if response.status == 200 and len(body) > 5:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)
    raise RuntimeError(f"{url} does not answer")


async def load(url: str, seconds: int) -> float:
    """Requests a second; raises when one was answered badly."""
    wrk = shutil.which("wrk")
    arguments = (
        [wrk, "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", url]
        if wrk
        else [sys.executable, "-m", "bench.load_client", url, str(CONNECTIONS), str(seconds)]
    )
    client = await asyncio.create_subprocess_exec(
        *arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    output = (await client.communicate())[0].decode()
    found = re.search(r"Requests/sec:\s+([\d.]+)", output)
    if found is None or client.returncode or "Non-2xx" in output or "Socket errors" in output:
        raise RuntimeError(f"{url} under load: {output}")
    return float(found[1])


async def run(options: argparse.Namespace, settings: Settings) -> None:
    """Fill, serve, measure, print."""
    print(f"filling the database with {options.streams:,} live streams …", file=sys.stderr)
    await fill(settings, options.streams)
    hello_url = f"http://127.0.0.1:{free_port()}"
    ours_url = f"http://127.0.0.1:{settings.port}"
    hello = process(
        "-m", "bench.hello", hello_url.rpartition(":")[2], url=hello_url + "/", environment={}
    )
    environment = {
        "VIGIL_DATA_DIR": str(settings.data_dir),
        "VIGIL_DATABASE_URL": postgres.dsn(settings.data_dir),
        "VIGIL_PORT": str(settings.port),
        "VIGIL_LOG_LEVEL": "warning",
        "VIGIL_RATE_LIMIT": "1000000000",  # counted, never reached
    }
    ours = process("app.py", url=ours_url + "/stream", environment=environment)
    async with hello, ours:
        for title, path in PATHS.items() if options.all else [*PATHS.items()][:1]:
            result = await compare(
                f"GET {path}, {title} of {options.streams:,}",
                Side(HELLO, partial(load, hello_url + "/", options.seconds)),
                Side("vigil", partial(load, ours_url + path, options.seconds)),
                unit="requests/s",
                rounds=options.rounds,
            )
            print(json.dumps(result.as_object()) if options.json else result, flush=True)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--streams", type=int, default=100_000, help="live streams")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of load in a round")
    parser.add_argument("--all", action="store_true", help="every path, not only /stream")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    print(machine(), file=sys.stderr)
    folder = Path(tempfile.mkdtemp(prefix="vigil-bench-"))
    folder.chmod(0o755)
    try:
        with postgres.running(folder):
            asyncio.run(run(options, Settings(data_dir=folder, port=free_port())))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
