"""PostgreSQL is restarted under load: quick refusals while it is away, answers when it is back."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from app import create_app
from tests.conftest import FAST
from tests.streams.test_views import stream
from vigil import postgres
from vigil.context import open_context
from vigil.serving import serving
from vigil.settings import Settings
from vigil.streams.writing import store as writing

PATHS = (
    "/stream",
    "/stream/tw:7",
    "/stream?include=mario",
    "/stats/counts",
    "/api/v1/streams?limit=5",
    "/api/v1/streams?mode=random&limit=5",
    "/api/v1/streams/tw/7",
    "/api/v1/stats/languages",
    "/api/v1/sources",
    "/feeds/streams.rss",
)
ASKING = 3  # clients for each address
QUICK_S = 2.0
BACK_S = 2.0


@dataclass
class Seen:
    """What the clients were answered: path, status, seconds it took, when it had been asked."""

    answers: list[tuple[str, int, float, float]] = field(default_factory=list)


async def ask(client: aiohttp.ClientSession, path: str, seen: Seen) -> None:
    loop = asyncio.get_running_loop()
    while True:
        asked_at = loop.time()
        async with client.get(path) as response:
            await response.read()
        seen.answers.append((path, response.status, loop.time() - asked_at, asked_at))
        await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def load(url: str, seen: Seen) -> AsyncIterator[None]:
    timeout = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(url, timeout=timeout) as client:
        asking = [asyncio.create_task(ask(client, path, seen)) for path in PATHS * ASKING]
        try:
            yield
            assert not any(task.done() for task in asking)  # nobody was hung up on
        finally:
            for task in asking:
                task.cancel()
            await asyncio.gather(*asking, return_exceptions=True)


class Server:
    """The embedded PostgreSQL of this test alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running = contextlib.ExitStack()

    async def start(self) -> None:
        running = postgres.running(self._folder, FAST)
        await asyncio.to_thread(self._running.enter_context, running)

    async def stop(self) -> None:
        await asyncio.to_thread(self._running.close)


@pytest.mark.slow
async def test_a_restart_under_load(unused_tcp_port: int) -> None:
    folder = Path(tempfile.mkdtemp(prefix="vigil-"))
    folder.chmod(0o755)  # PostgreSQL runs as a user of its own where we are root
    server = Server(folder)
    await server.start()
    try:
        settings = Settings(data_dir=folder, port=unused_tcp_port, rate_limit=0)
        async with open_context(settings, "test") as context:
            source_id = await context.pool.fetchval(
                "INSERT INTO sources (name, kind) VALUES ('tw', 'twitch') RETURNING id"
            )
            streams = [stream(n) for n in range(300)]
            now = context.clock.now()
            await writing.write_batch(context.pool, source_id, streams, now, 3600)
            seen = Seen()
            url = f"http://127.0.0.1:{unused_tcp_port}"
            clock = asyncio.get_running_loop().time
            async with serving(create_app(context, "restarted")), load(url, seen):
                await asyncio.sleep(2)
                before = clock()
                await server.stop()
                away_at = clock()
                await asyncio.sleep(3)
                starting_at = clock()
                await server.start()
                back_at = clock()
                await asyncio.sleep(BACK_S + 3)
    finally:
        await server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    good = [one for one in seen.answers if one[3] + one[2] < before]
    assert {path for path, *_ in good} == set(PATHS)
    assert {status for _, status, _, _ in good} == {200}
    assert {status for _, status, _, _ in seen.answers} <= {200, 503}
    away = [one for one in seen.answers if away_at < one[3] < starting_at - 0.5]
    refused = {path for path, status, _, _ in away if status == 503}
    assert refused >= {"/stream/tw:7", "/api/v1/streams/tw/7", "/api/v1/sources"}
    slow = [one for one in seen.answers if one[2] > QUICK_S]
    assert not slow, slow[:5]
    late = [one for one in seen.answers if one[3] > back_at + BACK_S]
    assert {path for path, *_ in late} == set(PATHS)
    assert {status for _, status, _, _ in late} == {200}, [one for one in late if one[1] != 200][:9]
