"""What tests share: a real PostgreSQL cloned per test, a real context, the real site."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import asyncpg
import pytest
import pytest_asyncio
from playwright.async_api import expect
from sanic import Sanic

import db_utils
from tests.described import checking
from vigil import auth, postgres
from vigil.context import Context, open_context
from vigil.serving import serving
from vigil.settings import Settings

FAST = {  # a test database need not survive a power cut
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
}
_numbers = itertools.count()
expect.set_options(timeout=20_000)  # ms; pages look again each 5 s, Playwright's own patience


@dataclass(frozen=True)
class Server:
    """A PostgreSQL with a migrated template database."""

    dsn: str

    def database(self, name: str) -> str:
        parts = urlsplit(self.dsn)
        return parts._replace(path=f"/{name}").geturl().replace(":///", "://@/", 1)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The embedded PostgreSQL, or the one at VIGIL_TEST_DATABASE_URL (its user makes databases)."""
    given = os.environ.get("VIGIL_TEST_DATABASE_URL")
    if given:
        _make_template(Server(given))
        yield Server(given)
        return
    folder = Path(tempfile.mkdtemp(prefix="vigil-"))
    folder.chmod(0o755)
    try:
        with postgres.running(folder, FAST):
            found = Server(postgres.dsn(folder, "postgres"))
            _make_template(found)
            yield found
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _template() -> str:
    return f"vigil_template_{os.getpid()}"


def _make_template(server: Server) -> None:
    async def make() -> None:
        await db_utils.wait_until_up(Settings(database_url=server.dsn))
        connection = await asyncpg.connect(server.dsn)
        await connection.execute(f"CREATE DATABASE {_template()}")
        await connection.close()
        await db_utils.migrate(Settings(database_url=server.database(_template())))

    asyncio.run(make())


@pytest_asyncio.fixture
async def settings(server: Server, tmp_path: Path) -> AsyncIterator[Settings]:
    """Settings with a fresh, migrated database and an empty data folder."""
    name = f"vigil_test_{os.getpid()}_{next(_numbers)}"
    connection = await asyncpg.connect(server.dsn)
    try:
        await connection.execute(
            f"CREATE DATABASE {name} TEMPLATE {_template()} STRATEGY file_copy"
        )
        yield Settings(database_url=server.database(name), data_dir=tmp_path / "data")
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await connection.close()


@pytest_asyncio.fixture
async def context(settings: Settings) -> AsyncIterator[Context]:
    """Everything open, on the machine's clock."""
    async with open_context(settings, "test") as opened:
        yield opened


@pytest.fixture
def pool(context: Context) -> db_utils.Pool:
    """The context's pool."""
    return context.pool


@dataclass(frozen=True)
class Site:
    """The real application on a loopback port."""

    url: str
    client: aiohttp.ClientSession
    admin_headers: dict[str, str]
    context: Context
    app: Sanic[Any, Any]


@pytest_asyncio.fixture
async def site(context: Context, unused_tcp_port: int) -> AsyncIterator[Site]:
    """The site, and an admin's token for it."""
    from app import create_app  # late: a broken room must not break every test

    url = f"http://127.0.0.1:{unused_tcp_port}"
    settings = replace(context.settings, port=unused_tcp_port)
    token = auth.new_secret("vigil")
    await context.pool.execute(
        "INSERT INTO tokens (name, role, token_hash) VALUES ('test', 'admin', $1)",
        auth.hash_secret(token),
    )
    site_context = replace(context, settings=settings)
    app = create_app(site_context, name=f"test{next(_numbers)}")
    traces = [checking(app)]
    async with serving(app), aiohttp.ClientSession(base_url=url, trace_configs=traces) as client:
        yield Site(url, client, {"authorization": f"Bearer {token}"}, site_context, app)
