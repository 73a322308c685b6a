"""A renderer asks nobody: it has no way out, and does not carry what one takes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from vigil.context import open_context
from vigil.settings import ROOT, Settings


async def test_it_has_no_way_out(settings: Settings) -> None:
    async with open_context(settings, "test", asks=False) as context:
        assert await context.pool.fetchval("SELECT 1") == 1
        with pytest.raises(RuntimeError, match="makes no requests"):
            await context.fetcher.get("https://vigil.example/")


def test_it_does_not_load_one() -> None:
    said = (
        "import sys, renderer; print(sorted({'aiohttp', 'vigil.fetch', 'sanic'} & {*sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", said], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.strip() == "[]"
