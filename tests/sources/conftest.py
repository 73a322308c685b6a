"""What the adapters' tests share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio

from vigil.clock import SystemClock
from vigil.context import Context
from vigil.fetch import Fetcher
from vigil.settings import Settings


@pytest_asyncio.fixture
async def outside(tmp_path: Path) -> AsyncIterator[Context]:
    """A context for what only talks to the outside: it has no database and no blobs.

    Loopback counts as public, so that an Owncast instance of the tests may be asked.
    """
    nothing: Any = None
    async with Fetcher(clock=SystemClock(), is_public=lambda _: True) as fetcher:
        yield Context(
            settings=Settings(data_dir=tmp_path),
            clock=SystemClock(),
            pool=nothing,
            storage=nothing,
            fetcher=fetcher,
            listener=nothing,
        )
