"""What the scanner does for trials: asks each camera once, and forgets them after an hour."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from vigil.cameras import scan
from vigil.cameras.looking import days
from vigil.cameras.model import Camera
from vigil.cameras.trying import asking, store
from vigil.cameras.trying.model import Trial
from vigil.context import Context
from vigil.errors import VigilError
from vigil.loop import Target

KEPT = timedelta(hours=1)
TIDY_EACH_S = 60.0
MOST_ATTEMPTS = 3
LONG_S = 3600.0


async def targets(context: Context) -> Sequence[Target]:
    """One target for each trial that nobody has finished, and one that removes old ones."""
    tidy = Target(
        key="cameras:trials", name="old trials", run_once=functools.partial(forget, context)
    )
    return [
        tidy,
        *(
            Target(
                key=f"camera-trial:{trial_id}",
                name=f"trial {trial_id} of a camera",
                run_once=functools.partial(run, context, trial_id),
            )
            for trial_id in await store.unfinished(context.pool)
        ),
    ]


async def forget(context: Context) -> float:
    """Remove trials that are over."""
    await store.expire(context.pool, context.clock.now() - KEPT)
    return TIDY_EACH_S


async def run(context: Context, trial_id: int) -> float:
    """Ask the camera of a trial for a picture and write down what came."""
    trial = await store.begin(context.pool, trial_id, context.clock.now())
    if trial is None:
        return LONG_S
    if trial.attempts > MOST_ATTEMPTS:
        await store.fail(
            context.pool,
            trial_id,
            "the scanner stopped each time it asked this camera",
            "the scanner's log says more",
            context.clock.now(),
        )
        return LONG_S
    camera = as_camera(trial)
    zone = days.zone(str(trial.form.get("time_zone") or "UTC"))
    try:
        found = await asking.ask(context, camera, ZoneInfo(zone.key))
    except VigilError as error:
        message = scan.without_address(error.message, camera)
        await store.fail(context.pool, trial_id, message, error.hint, context.clock.now())
    else:
        await store.succeed(context.pool, trial_id, found, context.clock.now())
    return LONG_S


def as_camera(trial: Trial) -> Camera:
    """The camera as it would be."""
    return Camera(
        id=0,
        name="trial",
        title="",
        kind=trial.kind,
        url=trial.url,
        options=trial.options,
        interval_s=trial.interval_s,
        retention_s=60.0,
        enabled=True,
        deleting_at=None,
        created_at=_LONG_AGO,
        changed_at=_LONG_AGO,
    )


_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
