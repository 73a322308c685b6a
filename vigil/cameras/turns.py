"""A turn: one connection to a camera, for as long as its plan asks for frames.

Where frames are far apart, a turn is one frame, at its moment or as soon after as can be.
"""

from __future__ import annotations

import asyncio
import errno
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Self

from vigil.cameras import store
from vigil.cameras.accounts import store as accounts
from vigil.cameras.frames import store as frames
from vigil.cameras.model import Camera
from vigil.cameras.plan import Schedule, at, micros
from vigil.cameras.scenes import store as scenes
from vigil.context import Context

LOOK_AGAIN_S = 60.0
"""A resting camera looks at its plan and at the clock so often, since both may change."""
SAME_EACH_S = 10.0
"""A picture that stays the same is noted so often."""
_NO_WAY = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN)


class Turn:
    """What a plan says of one connection, and how it went."""

    def __init__(
        self, context: Context, camera: Camera, schedule: Schedule, *, paced: bool
    ) -> None:
        self._context = context
        self._camera = camera
        self._schedule = schedule
        self._paced = paced
        self.delivered = False
        """Whether the camera gave anything that is no failure."""
        self.over = False
        """Whether the plan asks for no more now."""
        self.rests = False
        """Whether it asks for nothing at all now."""
        self.busy = asyncio.Lock()
        """Held while a frame is taken in, which the end of a turn waits for."""
        self._noted_same = float("-inf")

    @classmethod
    async def begin(cls, context: Context, camera: Camera, *, paced: bool = True) -> Self:
        """Look at the plan of a camera and at what it has. One that is not paced goes on always."""
        now = context.clock.now()
        scene = await scenes.of_camera(context.pool, camera.id, now)
        turn = cls(context, camera, Schedule.of(camera, scene), paced=paced)
        if not paced:
            return turn
        schedule, moment = turn._schedule, micros(now)
        turn.rests = schedule.allows(moment) is None
        if schedule.is_sparse and not turn.rests:
            last, due = await frames.latest(context.pool, camera.id), schedule.last_until(moment)
            if last is not None and due is not None:
                turn.rests = micros(last.taken_at) >= due[0] - due[1] // 4
        return turn

    async def rest(self) -> float:
        """Note until when the camera rests; returns the seconds until the next look."""
        now = self._context.clock.now()
        found = self._schedule.next_after(micros(now))
        until = None if found is None else at(found)
        await store.note_rest(self._context.pool, self._camera.id, until)
        if until is None:
            return LOOK_AGAIN_S
        return min(LOOK_AGAIN_S, max(0.0, (until - now).total_seconds()))

    @asynccontextmanager
    async def limited(self) -> AsyncIterator[None]:
        """The block ends when the plan asks for no more; then the turn is ``over``."""
        end = self._schedule.allowed_until(micros(self._context.clock.now()))
        if end is None or not self._paced:
            yield
            return
        limit = asyncio.timeout(None)
        ending = asyncio.create_task(self._end(limit, end))
        try:
            async with limit:
                yield
        except TimeoutError:
            if not limit.expired():
                raise
        finally:
            ending.cancel()

    async def _end(self, limit: asyncio.Timeout, end: int) -> None:
        clock = self._context.clock
        while (left := (at(end) - clock.now()).total_seconds()) > 0:
            await clock.sleep(min(left, LOOK_AGAIN_S))
        async with self.busy:
            self.over = True
            limit.reschedule(asyncio.get_running_loop().time())

    def note_frame(self) -> None:
        """A frame was accepted."""
        self.delivered = True
        self.over = self.over or (self._paced and self._schedule.is_sparse)

    async def note_same(self) -> None:
        """The camera answered with the picture that it had given before."""
        self.delivered = True
        self.over = self.over or (self._paced and self._schedule.is_sparse)
        await store.note_answer(self._context.pool, self._camera.id)
        clock = self._context.clock
        if clock.monotonic() - self._noted_same >= SAME_EACH_S:
            self._noted_same = clock.monotonic()
            now = clock.now()
            await accounts.note_span(
                self._context.pool,
                self._camera.id,
                "unchanged",
                "the same picture again",
                now - timedelta(seconds=self._camera.interval_s),
                now + timedelta(seconds=min(self._camera.interval_s, SAME_EACH_S)),
            )


def is_our_network(error: BaseException | None) -> bool:
    """Whether a failure says that there is no way from here, rather than that nobody is there."""
    while error is not None:
        if isinstance(error, socket.gaierror):
            return True
        if isinstance(error, OSError) and error.errno in _NO_WAY:
            return True
        if re.search(r"No route to host|[Nn]etwork is unreachable", getattr(error, "stderr", "")):
            return True
        error = error.__cause__
    return False
