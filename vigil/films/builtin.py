"""What a new installation has: a film of the test card that grows from the first start on."""

from __future__ import annotations

from vigil.context import Context
from vigil.films import order, store

ORDER = order.Order(camera="testcard", speed=10, fps=10, size="960x540", title="Test card")
PLANTED = "film:testcard"


async def register_testcard_film(context: Context) -> None:
    """Make the film of the test card, once: one that a person deleted stays away."""
    camera = await store.camera_facts(context.pool, ORDER.camera)
    if camera is None:
        return  # a person removed the camera before; it is not planted again either
    new, _ = order.complete(ORDER, camera, context.clock.now())
    await store.plant(context.pool, PLANTED, new)
