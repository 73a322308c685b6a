"""What an admin asks for, checked; and the start: the one way for page, API and command line."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import get_args
from zoneinfo import ZoneInfo

import db_utils
from vigil.cameras import adding
from vigil.cameras import store as cameras
from vigil.cameras.importing import places, store
from vigil.cameras.importing.model import Import, Rule
from vigil.cameras.importing.timing import Ruling
from vigil.cameras.looking import days
from vigil.cameras.model import Camera
from vigil.cameras.scenes import describing
from vigil.cameras.scenes import store as scenes
from vigil.context import Context
from vigil.errors import Conflict, Invalid, NotFound

MOST_CLOCK_OFFSET_S = 10 * 365 * 86_400.0


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """An import as somebody describes it; ``check`` says what is wrong with it."""

    camera: str
    """Its name."""
    place: str
    new: bool = False
    """Whether to make the camera, of kind push."""
    pattern: str = ""
    rule: str = "auto"
    time_zone: str | None = None
    """Of times that name none; ``None``: the scene's. A new camera's scene gets it, too."""
    clock_offset_s: float = 0.0
    keep: bool = False
    retention_s: float | None = None
    """Raises the camera's retention to this; ``None``: leaves it."""


@dataclass(frozen=True, kw_only=True)
class Checked:
    """An import that can be had."""

    name: str
    camera: Camera | None
    """``None``: it is made."""
    place: str
    pattern: str
    ruling: Ruling
    keep: bool
    retention_s: float
    """Of the camera, raised as wanted."""


async def check(context: Context, wanted: Wanted) -> Checked:
    """What can be had; raises Invalid, NotFound, Conflict."""
    camera = None
    if adding.NAME.fullmatch(wanted.camera):
        camera = await cameras.by_name(context.pool, wanted.camera)
    elif wanted.new:
        raise Invalid(
            f"{wanted.camera[:70]!r} cannot be a camera's name",
            hint="lower-case letters, digits and dashes, at most 63, e.g. garden-2",
        )
    if camera is None and not wanted.new:
        raise NotFound(f"there is no camera {wanted.camera[:70]}", hint="or is it to be made?")
    if camera is not None and wanted.new:
        raise Conflict(f"there is a camera {wanted.camera} already", hint="import into that one")
    if camera is not None and camera.deleting_at is not None:
        raise Conflict(f"camera {wanted.camera} is being removed")
    if wanted.rule not in get_args(Rule):
        raise Invalid(f"there is no rule {wanted.rule[:20]!r}", hint=", ".join(get_args(Rule)))
    if len(wanted.pattern) > 200 or not wanted.pattern.isprintable():
        raise Invalid("that is no pattern of file names", hint="*.jpg, or 2026/*/cam1_*")
    if not abs(wanted.clock_offset_s) <= MOST_CLOCK_OFFSET_S:
        raise Invalid("the clock's offset is in seconds, at most ten years")
    least, most = adding.LEAST_RETENTION_S, adding.MOST_RETENTION_S
    if wanted.retention_s is not None and not least <= wanted.retention_s <= most:
        raise Invalid(f"the retention is from {least:g} to {most:g} seconds")
    place = await asyncio.to_thread(places.canonical, context.settings, wanted.place)
    rule: Rule = wanted.rule  # type: ignore[assignment]  # checked above
    return Checked(
        name=wanted.camera,
        camera=camera,
        place=place,
        pattern=wanted.pattern.strip(),
        ruling=Ruling(
            rule, await _zone(context, wanted, camera), timedelta(seconds=wanted.clock_offset_s)
        ),
        keep=wanted.keep,
        retention_s=max(
            camera.retention_s if camera else adding.RETENTION_S, wanted.retention_s or 0
        ),
    )


async def start(context: Context, wanted: Wanted) -> Import:
    """Begin an import, with its camera if that is new; raises as ``check`` does."""
    checked = await check(context, wanted)
    async with db_utils.transaction(context.pool) as connection:
        camera = checked.camera or await _new_camera(connection, context, checked)
        await store.raise_retention(connection, camera.id, checked.retention_s)
        import_id = await store.add(
            connection,
            camera_id=camera.id,
            place=checked.place,
            pattern=checked.pattern,
            rule=checked.ruling.rule,
            time_zone=checked.ruling.zone.key,
            clock_offset_s=checked.ruling.ahead.total_seconds(),
            keep=checked.keep,
            now=context.clock.now(),
        )
        found = await store.get(connection, import_id)
    assert found is not None  # noqa: S101 - just added
    return found


async def _new_camera(
    connection: db_utils.Connection, context: Context, checked: Checked
) -> Camera:
    camera = await adding.add(
        connection,
        adding.Wanted(name=checked.name, url="push", kind="push", retention_s=checked.retention_s),
    )
    scene = await scenes.of_camera(connection, camera.id, context.clock.now())
    if scene.time_zone == "UTC":  # nobody said where it is
        said = vars(describing.about(scene)) | {"time_zone": checked.ruling.zone.key}
        await scenes.change(connection, scene.id, **said)
    return camera


async def _zone(context: Context, wanted: Wanted, camera: Camera | None) -> ZoneInfo:
    if wanted.time_zone:
        return ZoneInfo(days.check_zone(wanted.time_zone))
    if camera is None:
        return ZoneInfo("UTC")
    scene = await scenes.of_camera(context.pool, camera.id, context.clock.now())
    return ZoneInfo(scene.time_zone)
