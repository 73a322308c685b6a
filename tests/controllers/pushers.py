"""A site as a process of its own, and many clients that push to it until they are believed."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import aiohttp

from vigil import auth
from vigil.cameras import adding
from vigil.context import Context
from vigil.controllers import store
from vigil.controllers.model import PUSH
from vigil.settings import ROOT

RETRY_S = 0.1


class SiteProcess:
    """app.py on the database and the blobs of a context; may be killed and started again."""

    def __init__(self, context: Context, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        environment = {k: v for k, v in os.environ.items() if not k.startswith("VIGIL_")}
        self._environment = environment | {
            "VIGIL_DATA_DIR": str(context.settings.data_dir),
            "VIGIL_PORT": str(port),
            "VIGIL_LOG_LEVEL": "error",
        }
        if context.settings.database_url:
            self._environment["VIGIL_DATABASE_URL"] = context.settings.database_url
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the process that runs."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, not waiting for anything."""
        self._process = subprocess.Popen(
            [sys.executable, "app.py"], cwd=ROOT, env=self._environment
        )

    def stop(self, number: int = signal.SIGKILL) -> None:
        """Kill it."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait()
            self._process = None

    async def up(self) -> None:
        """Wait until it answers."""
        async with asyncio.timeout(60), aiohttp.ClientSession() as client:
            while True:
                with suppress(aiohttp.ClientError):
                    async with client.get(self.url + "/healthz"):
                        return
                await asyncio.sleep(0.05)


@contextmanager
def running(context: Context, port: int) -> Iterator[SiteProcess]:
    """The site for the length of a block."""
    site = SiteProcess(context, port)
    site.start()
    try:
        yield site
    finally:
        site.stop()


@dataclass
class Pusher:
    """A client that brings a camera's pictures in batches, each until it is acknowledged."""

    camera_id: int
    path: str
    token: str
    batch: int
    pictures: Sequence[bytes]
    period: timedelta = timedelta(seconds=1)
    at: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    """When the next picture was taken."""
    acknowledged: list[tuple[datetime, int, str]] = field(default_factory=list)
    """When each picture was taken, its frame and the digest that the answer named."""
    took_s: list[float] = field(default_factory=list)
    """Of each request that was answered."""
    known: int = 0
    """Pictures that were kept, but whose answer got lost: acknowledged when they came again."""
    broken: int = 0
    """Requests that got no answer."""

    async def push(self, client: aiohttp.ClientSession, stop: asyncio.Event) -> None:
        """Bring batch after batch until told to stop; the last one is brought to its end."""
        while not stop.is_set():
            times = [self.at + n * self.period for n in range(self.batch)]
            while not await self._once(client, times):
                self.broken += 1
                await asyncio.sleep(RETRY_S)
            self.at += self.batch * self.period

    async def _once(self, client: aiohttp.ClientSession, times: Sequence[datetime]) -> bool:
        form = aiohttp.FormData()
        for n, moment in enumerate(times):
            form.add_field("taken_at", moment.isoformat())
            data = self.pictures[n % len(self.pictures)]
            form.add_field("frame", data, filename="x.jpg", content_type="image/jpeg")
        headers = {"authorization": f"Bearer {self.token}"}
        began = time.monotonic()
        try:
            async with client.post(self.path, data=form, headers=headers) as answer:
                told = await answer.json()
        except (aiohttp.ClientError, ConnectionError):
            return False
        self.took_s.append(time.monotonic() - began)
        assert answer.status in (200, 201), told
        for moment, item in zip(times, told["items"], strict=True):
            assert item["status"] in ("accepted", "known"), item
            assert datetime.fromisoformat(item["taken_at"]) == moment
            self.acknowledged.append((moment, item["id"], item["sha256"]))
            self.known += item["status"] == "known"
        return True


async def pushers(
    context: Context, number: int, *, batch: int, pictures: Sequence[bytes]
) -> list[Pusher]:
    """So many cameras, each with a token and a client of its own."""
    found = []
    begin = context.clock.now().replace(microsecond=0) - timedelta(days=20)
    for n in range(number):
        wanted = adding.Wanted(name=f"pushed-{n}", url="push", interval_s=1)
        camera = await adding.add(context.pool, wanted)
        token = auth.new_secret(PUSH)
        await store.set_push_token(context.pool, camera.id, auth.hash_secret(token))
        path = f"/api/v1/cameras/{camera.name}/frames"
        found.append(Pusher(camera.id, path, token, batch, pictures, at=begin))
    return found


async def push_and_kill(
    site: SiteProcess,
    clients: Sequence[Pusher],
    kills: int,
    chance: random.Random,
    most_s: float = 1.5,
) -> None:
    """Let all clients push while the site is killed so often, each time at a random moment, at most
    so many seconds after it was up."""
    stop = asyncio.Event()
    timeout = aiohttp.ClientTimeout(total=60)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(site.url, timeout=timeout, connector=connector) as client:
        await site.up()
        async with asyncio.TaskGroup() as group:
            for one in clients:
                group.create_task(one.push(client, stop))
            for _ in range(kills):
                await asyncio.sleep(chance.uniform(0.05, most_s))
                site.stop(signal.SIGKILL)
                site.start()
                await site.up()
            stop.set()


async def lost(context: Context, clients: Sequence[Pusher]) -> list[str]:
    """What is wrong with what was acknowledged: each has to be one frame with all its blobs."""
    found = []
    for one in clients:
        rows = await context.pool.fetch(
            "SELECT id, taken_at, sha256, blob FROM frames WHERE camera_id = $1", one.camera_id
        )
        frames = {row["id"]: row for row in rows}
        if len({(row["taken_at"], row["sha256"]) for row in rows}) != len(rows):
            found.append(f"{one.path}: a picture is there twice")
        for moment, frame_id, digest in one.acknowledged:
            row = frames.get(frame_id)
            if row is None or (row["taken_at"], row["sha256"].hex()) != (moment, digest):
                found.append(f"{one.path}: {moment} was acknowledged and is no frame")
            elif await context.storage.head(row["blob"]) is None:
                found.append(f"{one.path}: {moment} has no picture")
    return found
