"""PostgreSQL is killed (SIGKILL, all of it) and started again in the middle of a film."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest
import pytest_asyncio

import db_utils
from tests.films import making
from tests.films.test_renderer import NOW, is_joined, listed, renderer, until
from tests.films.wholeness import begun, file_wanted, is_whole
from vigil import postgres
from vigil.clock import FakeClock
from vigil.context import Context, open_context
from vigil.films.segments import store as segments
from vigil.settings import ROOT, Settings

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


class Database:
    """An embedded PostgreSQL as ``bin/vigil run`` starts it, with every setting as it is there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._start()

    def _start(self) -> None:
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "vigil.postgres"],
                env={k: v for k, v in os.environ.items() if not k.startswith("VIGIL_")}
                | {"VIGIL_DATA_DIR": str(self.folder), "PYTHONPATH": str(ROOT)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        """At once, as a power cut does."""
        server = psutil.Process(self._process.pid)
        for process in [server, *server.children()]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.wait()

    async def start(self) -> None:
        """Again; returns when it takes statements."""
        self._start()
        async with asyncio.timeout(100):
            while True:
                if self._process.poll() is not None:  # what is left of the old one is in its way
                    self._start()
                with contextlib.suppress(*db_utils.GONE, asyncpg.PostgresError):
                    await (await asyncpg.connect(postgres.dsn(self.folder))).close()
                    return
                await asyncio.sleep(0.1)


@pytest.fixture
def database() -> Iterator[Database]:
    folder = Path(tempfile.mkdtemp(prefix="vigil-"))
    folder.chmod(0o755)
    try:
        found = Database(folder)
        yield found
        found.kill()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture
async def context(database: Database, tmp_path: Path) -> AsyncIterator[Context]:
    """A day after START."""
    settings = Settings(database_url=postgres.dsn(database.folder), data_dir=tmp_path / "data")
    await db_utils.wait_until_up(settings)
    await db_utils.migrate(settings)
    async with open_context(settings, "test", clock=FakeClock(NOW)) as opened:
        yield opened


def patient(look: Callable[[], Awaitable[bool]]) -> Callable[[], Awaitable[bool]]:
    """The same, but no while the connections of before are found to be cut."""

    async def looked() -> bool:
        with contextlib.suppress(*db_utils.GONE, asyncpg.PostgresError):
            return await look()
        return False

    return looked


async def test_while_segments_are_rendered(
    context: Context, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded = tmp_path / "encoded"
    monkeypatch.setenv("VIGIL_TEST_ENCODED", str(encoded))
    camera = await making.camera(context)
    await making.add_frames(context, camera, range(400), size=(640, 360))
    film_id = await making.film(context, camera, until=400, width=640, height=360)
    async with renderer(context) as process:

        async def some() -> bool:
            return len(await listed(context, film_id)) >= 3

        await until(some, "three segments")
        there = await listed(context, film_id)
        database.kill()

        async def rests() -> bool:
            return not psutil.Process(process.pid).children()

        await until(rests, "what was in hand is encoded, and cannot be kept")
        await database.start()
        await until(patient(is_joined(context, film_id)), "the film is done and joined", 180)
    found = await segments.listed(context.pool, film_id)
    assert {*there} <= {one.hash for one in found}, "what was said to be there is there"
    assert [one.lost for one in found] == [0] * 20
    await is_whole(context, film_id, tmp_path, 400)
    rendered = Counter(encoded.read_text().split())
    assert len(rendered) == 20
    assert max(rendered.values()) <= 2
    assert rendered.total() <= 22, "only what was in hand was rendered again"


async def test_while_a_film_is_joined(context: Context, database: Database, tmp_path: Path) -> None:
    film_id = await file_wanted(context)
    async with renderer(context) as process:
        await begun(context.settings.data_dir)
        (encoder,) = psutil.Process(process.pid).children()
        encoder.send_signal(signal.SIGSTOP)
        database.kill()
        encoder.send_signal(signal.SIGCONT)
        await asyncio.sleep(2)
        await database.start()
        await until(patient(is_joined(context, film_id)), "the film is joined", 180)
    assert not any(context.settings.data_dir.glob("tmp/*"))
    await is_whole(context, film_id, tmp_path, 1000)
