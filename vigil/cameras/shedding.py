"""What intake gives up first when the disk is nearly full; the steps are those of vigil.reserve.

A thumbnail can be made again when it is asked for, a test card whenever somebody likes. Then the
cameras go for which a single frame means least: those that take many.
"""

from __future__ import annotations

from vigil import reserve
from vigil.cameras.model import Camera
from vigil.context import Context
from vigil.notifications import store as notifications

SUBJECT, KIND = "disk", "disk.full"

OFTEN_S = {2: 5.0, 3: 60.0}
"""Level → cameras with at most so many seconds between frames are refused."""


def makes_thumbnails(level: int) -> bool:
    """Whether thumbnails are made on arrival."""
    return level == 0


def refuses(camera: Camera, level: int) -> bool:
    """Whether a camera's frames are refused at this level of shedding."""
    if level >= reserve.MOST:
        return True
    if camera.kind == "testcard":
        return level > 0
    return camera.interval_s <= OFTEN_S.get(level, 0.0)


async def tell(context: Context) -> None:
    """Raise an event when shedding begins or becomes more, and another when it is over."""
    space = await context.storage.space()
    kept_free = context.settings.disk_reserve
    level = kept_free.level(space)
    last = await notifications.page(context.pool, subject=SUBJECT, limit=1)
    before = int(last[0].details.get("level", 0)) if last else 0
    if space is None or level == before or 0 < level < before:
        return
    message = f"of the disk {space.free / 1e9:.1f} GB are free"
    if level:
        message += (
            f", and {kept_free.of(space) / 1e9:.1f} GB are kept in reserve:"
            f" given up are {reserve.GIVEN_UP[level]}"
        )
    else:
        message += " again: everything is kept"
    await notifications.add(
        context.pool,
        KIND if level else f"{KIND}.over",
        SUBJECT,
        message,
        {"level": level, "free": space.free, "reserve": kept_free.of(space)},
        at=context.clock.now(),
    )
