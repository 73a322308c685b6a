"""What was acknowledged is there, however often the site is killed meanwhile."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from tests.cameras.helpers import all_blobs, at
from tests.controllers.pushers import lost, push_and_kill, pushers, running
from tests.running import free_port
from tests.servers.pictures import jpeg
from vigil.cameras import check
from vigil.cameras.keeping import store as keeping
from vigil.clock import FakeClock
from vigil.context import Context

KILLS = 6
"""``bench.camera_push --kills 50`` does what takes longer."""


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_nothing_acknowledged_is_lost(context: Context) -> None:
    clients = await pushers(context, 6, batch=5, pictures=[jpeg(n) for n in range(5)])
    with running(context, free_port()) as site:
        await push_and_kill(site, clients, KILLS, random.Random(7))
    assert all(one.acknowledged for one in clients)
    assert sum(one.broken for one in clients) > 0  # the kills struck
    assert await lost(context, clients) == []
    later = at(context, clock=FakeClock(context.clock.now() + timedelta(hours=1)))
    await check.check(later, mend=True)  # what a kill left between blob and row
    assert await check.check(later, mend=False) == []
    assert await lost(context, clients) == []
    rows = await keeping.after(context.pool, 0, 100_000)
    assert {key for row in rows for key in row.blobs} == await all_blobs(context)
