"""The commands of jobs and of admin, as a person types them."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys

from tests.jobs.test_store import put, read, take
from vigil.context import Context
from vigil.jobs import store
from vigil.settings import ROOT


async def vigil(context: Context, *arguments: str, **more: str) -> tuple[int, str, str]:
    """Run a command, with ``more`` settings; returns status, stdout, stderr."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("VIGIL_")}
    settings = {
        "VIGIL_DATABASE_URL": context.settings.database_url or "",
        "VIGIL_DATA_DIR": str(context.settings.data_dir),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "vigil",
        *arguments,
        cwd=ROOT,
        env=environment | settings | more,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await process.communicate()
    return process.returncode or 0, out.decode(), errors.decode()


async def test_jobs(context: Context) -> None:
    status, out, _ = await vigil(context, "job", "list")
    assert (status, out) == (0, "no jobs\n")
    first, second = await put(context.pool), await put(context.pool, subject="film:2")
    worker_id, _ = await take(context.pool)
    await store.finish(context.pool, first, worker_id, "failed", "it broke")
    status, out, _ = await vigil(context, "job", "list")
    assert status == 0
    assert "it broke" in out
    assert len(out.splitlines()) == 3
    status, out, _ = await vigil(context, "job", "list", "--json", "--subject", "film:2")
    assert [job["id"] for job in json.loads(out)] == [second]
    status, out, _ = await vigil(context, "job", "show", str(first))
    assert re.search(r"^error +it broke$", out, re.MULTILINE)
    status, out, _ = await vigil(context, "job", "retry", str(first))
    assert (status, out) == (0, f"job {first}: waiting\n")
    status, out, _ = await vigil(context, "job", "cancel", str(second))
    assert (status, out) == (0, f"job {second}: cancelled\n")
    assert (await read(context.pool, second)).state == "cancelled"
    status, _, errors = await vigil(context, "job", "cancel", str(second))
    assert status == 1
    assert "already ended" in errors
    status, _, errors = await vigil(context, "job", "show", "999")
    assert status == 1
    assert "there is no job 999" in errors
    status, _, _ = await vigil(context, "job", "show", "x")
    assert status == 2
