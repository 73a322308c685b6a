"""What a new installation has: a film of the last day of the test card."""

from __future__ import annotations

import db_utils
from vigil.cameras import store as cameras
from vigil.context import Context
from vigil.films import order

CAMERA = "testcard"
ORDER = order.Order(
    camera=CAMERA, rolling="24h", speed=10, fps=10, size="960x540", title="Test card"
)
PLANTED = "film:testcard"


async def register_testcard_film(context: Context) -> None:
    """Make the film of the test card, once: one that a person deleted stays away."""
    async with db_utils.transaction(context.pool) as connection:
        if not await cameras.plant(connection, PLANTED):
            return
        camera = await cameras.by_name(connection, CAMERA)
        if camera is not None and camera.deleting_at is None:
            await order.make_in(connection, ORDER, context.clock.now())
