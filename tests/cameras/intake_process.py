"""Intake and retention in a process that is made to be killed.

Run as a module: for each line on stdin it forks a child that takes pictures and removes old ones
as fast as it can, says its process id, ``on`` when the child works, and ``gone`` when it is dead.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from dataclasses import replace
from datetime import timedelta

from tests.cameras.corpus import ODD, drawn, turned
from tests.servers.pictures import jpeg
from vigil import settings
from vigil.cameras import intake, retention, store
from vigil.cameras.model import Camera, RawFrame
from vigil.context import Context, open_context

PICTURES = [
    *(jpeg(n, (64, 48)) for n in range(8)),
    *(drawn(kind, (64, 48)) for kind in ("PNG", "WEBP", "HEIF")),
    *(turned(n) for n in (3, 6)),
    ODD["16 bits a pixel"],
]


async def take(context: Context, camera: Camera) -> None:
    """Bring pictures, each twice at once, and some again later."""
    brought: list[RawFrame] = []
    while True:
        if brought and random.random() < 0.2:  # a test's chance
            raw = random.choice(brought)  # a test's chance
        else:
            ago = timedelta(microseconds=random.randrange(10**9))  # a test's chance
            raw = RawFrame(
                data=random.choice(PICTURES),  # a test's chance
                taken_at=context.clock.now() - ago,
            )
            brought.append(raw)
        way = replace(camera, rotation=random.choice((0, 0, 90)))  # a test's chance
        await asyncio.gather(*(intake.accept(context, way, raw) for _ in range(2)))


async def expire(context: Context) -> None:
    """Remove what is due, again and again."""
    while True:
        await retention.step(context)
        await asyncio.sleep(0.005)


async def work() -> None:
    """What the child does until it is killed."""
    retention.FRESH = timedelta(seconds=0.2)
    async with open_context(settings.load(), "killed", pool_size=6) as context:
        cameras = await store.all_cameras(context.pool)
        os.write(1, b"on\n")
        await asyncio.gather(expire(context), *(take(context, camera) for camera in cameras))


def main() -> None:
    """Fork a child for each line."""
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                random.seed()
                asyncio.run(work())
            finally:
                os._exit(1)
        os.write(1, f"{child}\n".encode())
        os.waitpid(child, 0)
        os.write(1, b"gone\n")


if __name__ == "__main__":
    main()
