"""What the scanner does for cameras: takes frames, and what retention does."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from contextlib import aclosing
from datetime import timedelta
from urllib.parse import urlsplit

from vigil import log
from vigil.cameras import intake, retention, store
from vigil.cameras.accounts import store as accounts
from vigil.cameras.model import Camera, CameraKind, Refusal
from vigil.cameras.turns import Turn, is_our_network
from vigil.context import Context
from vigil.errors import SourceError, StoreAway, VigilError
from vigil.loop import Target
from vigil.sources.kinds import CAMERAS

RETRY_MIN_S = 2.0
RETRY_MAX_S = 30.0


async def targets(context: Context) -> Sequence[Target]:
    """One target for each enabled camera, and one that removes what is no longer kept."""
    cameras = await store.all_cameras(context.pool)
    leaving = [camera.id for camera in cameras if camera.deleting_at]
    found = [
        Target(
            key=f"camera:{camera.id}",
            name=f"camera {camera.name}",
            version=camera.changed_at.isoformat(),
            run_once=functools.partial(watch, context, camera),
            on_failure=functools.partial(record_failure, context, camera),
            retry_min_s=RETRY_MIN_S,
            retry_max_s=RETRY_MAX_S,
        )
        for camera in cameras
        if camera.enabled and not camera.deleting_at and is_asked(camera)
    ]
    chore = Target(
        key="cameras:retention",
        name="retention of frames",
        version=str(leaving),  # begins at once when a camera is to be removed
        run_once=functools.partial(retention.expire, context),
        retry_max_s=60,
    )
    return [*found, chore]


def is_asked(camera: Camera) -> bool:
    """Whether the scanner asks a camera for frames, or they are brought."""
    kind = CAMERAS.get(camera.kind)
    return kind is None or kind.asked  # one that nobody knows fails, and so is told of


async def watch(context: Context, camera: Camera) -> float:
    """Take frames from a camera while its plan asks for them, or until its connection breaks.

    Returns the seconds until the next look: until its plan asks again, or, when frames had come,
    until the next try: such a camera is not failing more and more, it lost its connection.
    Raises what went wrong when none had come.
    """
    kind = CAMERAS.get(camera.kind)
    if kind is None:
        raise SourceError(f"there is no kind of camera called {camera.kind}", permanent=True)
    turn = await Turn.begin(context, camera, paced=kind.paced)
    if turn.rests:
        return await turn.rest()
    try:
        await _take(context, camera, kind, turn)
        if turn.over:
            return await turn.rest()
        raise SourceError("the camera ended its stream")
    except SourceError as error:
        if not turn.delivered:
            raise
        delay = max(RETRY_MIN_S, error.retry_after or 0.0)
        log.warning(f"camera {camera.name}", f"{error}; next try in {delay:.0f} s")
        await record_failure(context, camera, error, delay)
        return delay


async def _take(context: Context, camera: Camera, kind: CameraKind, turn: Turn) -> None:
    """Take frames until the turn is over or the connection breaks."""
    async with turn.limited(), aclosing(kind.frames(context, camera)) as frames:
        async for raw in frames:
            async with turn.busy:
                if raw is None:
                    await turn.note_same()
                else:
                    result = await intake.accept(context, camera, raw)
                    if not isinstance(result, Refusal):
                        turn.note_frame()
                    if raw.done is not None:
                        await raw.done(result)
            if turn.over:
                return


async def record_failure(
    context: Context, camera: Camera, error: Exception, delay_s: float
) -> None:
    """Write down why a camera could not be read and when it is tried next, without its address."""
    now = context.clock.now()
    next_at = now + timedelta(seconds=delay_s)
    if isinstance(error, VigilError):
        message, hint = without_address(error.message, camera), error.hint
    else:
        message, hint = "a fault in Vigil itself", "the scanner's log says more"
    await store.note_failure(
        context.pool, camera.id, error=message, hint=hint, at=now, next_at=next_at
    )
    state = "network" if is_our_network(error) else "source"
    if isinstance(error, StoreAway):
        state = "disk_full"  # the camera has no part in it
    await accounts.note_span(context.pool, camera.id, state, message, now, next_at)


def without_address(text: str, camera: Camera) -> str:
    """The text with every URL in it replaced: visitors read it, and an address may be a secret."""
    text = re.sub(r"[a-z][a-z0-9+.-]*://[^\s'\"]+", "the camera", text)
    text = re.sub(r"\s*\('[0-9A-Fa-f.:%]+', \d+(, \d+)*\)", "", text)  # asyncio's way
    host = urlsplit(camera.url or "").hostname
    for secret in (host, camera.url if host is None else None):
        text = text.replace(secret, "the camera") if secret else text
    return text
