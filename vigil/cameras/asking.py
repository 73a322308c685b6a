"""What every handler of the cameras needs: the camera of a request, its fields and numbers."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from sanic import Request

from vigil import auth, responses, sent
from vigil.cameras import adding, shown, store
from vigil.cameras.health import store as finding
from vigil.cameras.health.shown import findings_json
from vigil.cameras.model import Camera, Health
from vigil.cameras.scenes import store as scenes
from vigil.cameras.shown import CameraJson
from vigil.errors import Invalid, NotFound


async def camera_of(request: Request, name: str) -> Camera:
    """The camera of this name; raises NotFound."""
    camera = None
    if adding.NAME.fullmatch(name):
        camera = await store.by_name(responses.context(request).pool, name)
    if camera is None:
        raise NotFound(f"there is no camera {name[:70]}")
    return camera


async def camera_json(request: Request, camera: Camera) -> CameraJson:
    """A camera as the one who asks may see it."""
    context = responses.context(request)
    health = (await store.health(context.pool, camera.id)).get(camera.id, Health())
    identity, now = await auth.identify(request), context.clock.now()
    scene = await scenes.of_camera(context.pool, camera.id, now)
    found = shown.camera_json(camera, health, identity, now, scene.name)
    findings = await finding.findings(context.pool, [camera.id])
    found["findings"] = findings_json(findings.get(camera.id, ()))
    return found


async def all_cameras(request: Request) -> list[CameraJson]:
    """Every camera, by name."""
    context = responses.context(request)
    identity, now = await auth.identify(request), context.clock.now()
    cameras, health = await store.all_cameras(context.pool), await store.health(context.pool)
    showing = await scenes.shown_now(context.pool, now)
    findings = await finding.findings(context.pool)
    found = []
    for camera in cameras:
        if camera.id in showing:  # not yet gone since we asked
            how, scene = health.get(camera.id, Health()), showing[camera.id].name
            one = shown.camera_json(camera, how, identity, now, scene)
            one["findings"] = findings_json(findings.get(camera.id, ()))
            found.append(one)
    return found


def number(text: str | None, what: str, default: float) -> float:
    """A number; raises Invalid naming it."""
    try:
        return float(text) if text else default
    except ValueError:
        raise Invalid(f"{what} is a number") from None


def optional(request: Request, name: str) -> float | None:
    """A number of a form that may be left out; raises Invalid naming it."""
    text = sent.field(request, name)
    return number(text, f"the {name}", 0.0) if text else None


def moment(text: str | None, what: str) -> datetime | None:
    """A time such as 2026-05-01T12:00:00Z; one without a zone is UTC."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(re.sub(r" (?=\d\d:?\d\d$)", "+", text))
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise Invalid(f"{what} is no time", hint="write it like 2026-05-01T12:00:00Z") from None


def frames_cursor(text: str) -> tuple[Any, bytes]:
    """The (taken_at, sha256) that a cursor of frames stands for."""
    taken_at, digest = responses.cursor_decode(text, datetime, str)
    try:
        return taken_at, bytes.fromhex(digest)
    except ValueError:
        raise Invalid("this cursor is not one of ours", hint="begin without it") from None
