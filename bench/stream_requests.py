"""Requests a second of live streams against Sanic's hello world in the same minute.

    python -m bench.stream_requests [--streams 100000] [--rounds 5] [--seconds 3] [--json]
        [--all | --only "by id" …] [--folder FOLDER]

Fills a database with live streams of Twitch-like shape (Zipf categories, about 8 tags, 60% that
nobody watches), starts the site and a hello world, each as one process, and loads them in turn
with wrk, or, where there is none, with a client in Python (which is slower than the servers, so
its ratios flatter). Says how much memory the site's process held at most. The database is made in
a folder of its own and thrown away, or kept for the next run in the one that is given.
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
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from string import ascii_lowercase
from urllib.parse import quote

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
FIRST_ID = 4_000_000_000
KINDS = {
    "one random": 0.90,
    "64 random": 0.30,
    "a common word": 0.60,
    "10,000 different words": 0.15,
    "by id": 0.60,
    "counts": 0.15,
    "games": 0.15,
    "tags": 0.15,
}
"""What is asked for, and the ratio to reach."""
SMALLEST_BY_COPY = 100_000
"""Streams beyond these are copies of them, made by PostgreSQL: a million in minutes."""


def targets(kind: str, count: int) -> list[str]:
    """The addresses of one kind, asked for in turn."""
    generator = random.Random(2)
    if kind == "by id":
        made = min(count, SMALLEST_BY_COPY)
        return [f"/stream/bench:{FIRST_ID + generator.randrange(made)}" for _ in range(20_000)]
    if kind == "10,000 different words":
        return [f"/stream?include={quote(word)}" for word in different_words(10_000)]
    return {
        "one random": ["/stream"],
        "64 random": ["/stream?count=64"],
        "a common word": ["/stream?include=mario"],
    }.get(kind, [f"/stats/{kind}"])


def different_words(count: int) -> list[str]:
    """Words of titles, tags and categories, and all pairs of letters, in random order."""
    generator = random.Random(3)
    pairs = [a + b for a in ascii_lowercase for b in ascii_lowercase]
    words = {
        word.lower()
        for stream in streams(6_000)
        for word in (*stream.title.split(), *stream.category.split(), *stream.tags)
        if len(word) > 2
    }
    chosen = [*pairs, *generator.sample(sorted(words), count - len(pairs))]
    generator.shuffle(chosen)
    return chosen


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
            external_id=str(FIRST_ID + number),
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
    """A migrated database with so many live streams, unless it has them already."""
    await db_utils.wait_until_up(settings)
    await db_utils.migrate(settings)
    pool = await db_utils.create_pool(settings, "bench", size=1)
    alive = "SELECT count(*) FROM stream_liveness WHERE expires_at > now() + interval '1 hour'"
    if await pool.fetchval(alive) == count:
        await read_all(pool)
        await pool.close()
        return
    source_id = await pool.fetchval(
        "INSERT INTO sources (name, kind, enabled) VALUES ('bench', 'twitch', false) RETURNING id"
    )
    batch: list[SeenStream] = []
    clock = SystemClock()
    for stream in streams(min(count, SMALLEST_BY_COPY)):
        batch.append(stream)
        if len(batch) == 5_000:
            await store.write_batch(pool, source_id, batch, clock.now(), 86_400)
            batch = []
    await store.write_batch(pool, source_id, batch, clock.now(), 86_400)
    if count > SMALLEST_BY_COPY:
        await multiply(pool, count // SMALLEST_BY_COPY)
    await store.tidy_search(pool)
    await pool.execute("VACUUM ANALYZE streams")
    await pool.execute("VACUUM ANALYZE stream_liveness")
    await pool.close()


async def read_all(pool: db_utils.Pool) -> None:
    """Have the tables and the index of random keys in memory, as after they were written."""
    await pool.fetchval("SELECT sum(length(search_text)) FROM streams")
    await pool.execute("SET enable_seqscan = off")
    await pool.fetchval("SELECT count(random_key) FROM streams WHERE random_key >= 0")
    await pool.fetchval("SELECT sum(viewers) FROM stream_liveness WHERE stream_id > 0")


async def multiply(pool: db_utils.Pool, times: int) -> None:
    """Put copies of every stream beside it, until there are so many times as many."""
    index = await pool.fetchval("SELECT pg_get_indexdef('streams_search'::regclass)")
    await pool.execute("DROP INDEX streams_search")
    columns = (
        "source_id, title, category_id, category, tags, language, mature, channel_id,"
        " channel_login, channel_name, page_url, thumbnail_url, player, player_url, started_at,"
        " search_text"
    )
    await pool.execute(
        f"INSERT INTO streams (external_id, {columns})"
        f" SELECT external_id || '-' || copy, {columns}"
        " FROM streams, generate_series(2, $1::int) AS copy ORDER BY random()",
        times,
        timeout=3600,
    )
    await pool.execute(
        """
        INSERT INTO stream_liveness
            (stream_id, viewers, seen_at, expires_at, digest, source_id, external_id)
        SELECT streams.id, live.viewers, live.seen_at, live.expires_at, live.digest,
               streams.source_id, streams.external_id
        FROM streams JOIN stream_liveness AS live
            ON live.external_id = split_part(streams.external_id, '-', 1)
        WHERE streams.external_id LIKE '%-%'
        """,
        timeout=3600,
    )
    await pool.execute(index, timeout=3600)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def process(
    *arguments: str, url: str, environment: dict[str, str]
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A server of our own, from when it answers until the end of the block."""
    server = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=ROOT, env=os.environ | environment
    )
    try:
        await until_it_answers(url, server)
        yield server
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


class Load:
    """A server under load, and what that costs it.

    Args:
        url: asked for over and over.
        addresses: a file of addresses to ask for instead, in turn.
        seconds: of each run.
        pid: the server's process.
    """

    def __init__(self, url: str, addresses: Path | None, seconds: int, pid: int) -> None:
        self._url = url
        self._addresses = addresses
        self._seconds = seconds
        self._pid = pid
        self._costs: list[float] = []

    async def run(self) -> float:
        """Requests a second; raises when one was answered badly."""
        before = cpu_s(self._pid)
        rate = await load(self._url, self._addresses, self._seconds)
        self._costs.append((cpu_s(self._pid) - before) / (rate * self._seconds))
        return rate

    def cost_us(self) -> float:
        """Microseconds of CPU a request, the median of the runs after the first."""
        return statistics.median(self._costs[1:]) * 1e6


def cpu_s(pid: int) -> float:
    """Seconds of CPU that a process has used (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def load(url: str, addresses: Path | None, seconds: int) -> float:
    """Requests a second; raises when one was answered badly."""
    wrk = shutil.which("wrk")
    arguments = (
        [wrk, "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-H", "Accept-Encoding: gzip"]
        if wrk
        else [sys.executable, "-m", "bench.load_client", str(CONNECTIONS), str(seconds)]
    )
    if addresses and wrk:
        arguments += ["-s", str(ROOT / "bench" / "addresses.lua")]
    client = await asyncio.create_subprocess_exec(
        *arguments,
        url,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | ({"ADDRESSES": str(addresses)} if addresses else {}),
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
    hello_url = f"http://127.0.0.1:{free_port()}/"
    ours_url = f"http://127.0.0.1:{settings.port}"
    hello = process(
        "-m", "bench.hello", hello_url.strip("/").rpartition(":")[2], url=hello_url, environment={}
    )
    environment = {
        "VIGIL_DATA_DIR": str(settings.data_dir),
        "VIGIL_DATABASE_URL": postgres.dsn(settings.data_dir),
        "VIGIL_PORT": str(settings.port),
        "VIGIL_LOG_LEVEL": "warning",
        "VIGIL_RATE_LIMIT": "1000000000",  # counted, never reached
    }
    ours = process("app.py", url=ours_url + "/stream", environment=environment)
    async with hello as baseline, ours as server:
        for kind in KINDS if options.all else options.only:
            addresses = targets(kind, options.streams)
            several = None
            if len(addresses) > 1:
                several = settings.data_dir / "addresses"
                several.write_text("\n".join(addresses))
            hello_load = Load(hello_url, None, options.seconds, baseline.pid)
            our_load = Load(ours_url + addresses[0], several, options.seconds, server.pid)
            result = await compare(
                f"{kind} of {options.streams:,}: GET {addresses[0]}, wanted {KINDS[kind]:.2f}",
                Side(HELLO, hello_load.run),
                Side("vigil", our_load.run),
                unit="requests/s",
                rounds=options.rounds,
            )
            print(json.dumps(result.as_object()) if options.json else result, flush=True)
            cost, hello_cost = our_load.cost_us(), hello_load.cost_us()
            print(
                f"  CPU of the process a request: {hello_cost:.0f} µs and {cost:.0f} µs, "
                f"ratio {hello_cost / cost:.2f}",
                file=sys.stderr if options.json else sys.stdout,
                flush=True,
            )
        print(f"memory of the site's process at most: {memory(server.pid):.0f} MB")


def memory(pid: int) -> float:
    """MB that a process held at most (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / 1000


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--streams", type=int, default=100_000, help="live streams")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of load in a round")
    parser.add_argument("--all", action="store_true", help="every path, not only /stream")
    parser.add_argument("--only", nargs="+", choices=KINDS, default=["one random"])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--folder", type=Path, help="where the database is kept")
    options = parser.parse_args()
    print(machine(), file=sys.stderr)
    with database(options.folder) as folder:
        asyncio.run(run(options, Settings(data_dir=folder, port=free_port())))


@contextmanager
def database(kept: Path | None) -> Iterator[Path]:
    """A data folder whose PostgreSQL runs; thrown away unless it is one to be kept."""
    folder = kept or Path(tempfile.mkdtemp(prefix="vigil-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    try:
        with postgres.running(folder):
            yield folder
    finally:
        if kept is None:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
