"""The chore that looks how cameras are doing."""

from __future__ import annotations

from collections.abc import Sequence

from vigil.cameras.health.judging import Judge
from vigil.context import Context
from vigil.loop import Target


async def targets(context: Context) -> Sequence[Target]:
    """Look at every camera."""
    judge = Judge(context)
    return (Target(key="cameras:health", name="health of cameras", run_once=judge.look),)
