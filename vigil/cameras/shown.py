"""Cameras and frames as visitors and programs see them, with what can be done and why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NotRequired, TypedDict

from vigil.auth import Identity
from vigil.cameras import plan
from vigil.cameras.health.shown import FindingJson
from vigil.cameras.intake import REASONS
from vigil.cameras.model import Camera, Frame, Health

BADGES = {
    "connected": "ok",
    "waiting": "",
    "resting": "",
    "quiet": "warn",
    "failing": "bad",
    "disabled": "",
    "deleting": "warn",
}
"""State → the badge's colour. The states: ``state``."""


class Refusal(TypedDict):
    """Why frames were not kept."""

    reason: str
    meaning: str
    count: int


class FrameJson(TypedDict):
    """A frame."""

    id: int
    camera: str
    taken_at: datetime
    received_at: datetime
    width: int
    height: int
    bytes: int
    luma: float
    sha256: str
    kept: bool
    url: str
    thumbnails: dict[str, str]
    actions: dict[str, str | None]


class CameraJson(TypedDict):
    """A camera; ``url`` and ``options`` only for an admin."""

    name: str
    title: str
    kind: str
    interval_s: float
    plan: Mapping[str, Any]
    plan_in_words: str
    retention_s: float
    retention_bytes: int | None
    retention_frames: int | None
    rotation: int
    crop: Sequence[float] | None
    notes: str
    scene: str | None
    enabled: bool
    created_at: datetime
    state: str
    badge: str
    error: str | None
    hint: str | None
    failed_at: datetime | None
    next_at: datetime | None
    failures: int
    frames: int
    refused: int
    refusals: list[Refusal]
    latest: FrameJson | None
    actions: dict[str, str | None]
    url: NotRequired[str | None]
    options: NotRequired[Mapping[str, Any]]
    findings: NotRequired[list[FindingJson]]


QUIET_S = 60.0
ADMIN_ONLY = "only an admin can do this"


def state(camera: Camera, health: Health, now: datetime) -> str:
    """How a camera is, in a word.

    ``deleting``, ``disabled``; ``failing``: the last attempt went wrong; ``resting``: its plan asks
    for nothing until ``next_at``; ``waiting``: nothing came yet; ``quiet``: it should have
    delivered by now and nobody says what is wrong, perhaps since no scanner runs; ``connected``.
    """
    if camera.deleting_at:
        return "deleting"
    if not camera.enabled:
        return "disabled"
    if health.error:
        return "failing"
    if camera.plan and health.next_at and health.next_at > now:
        return "resting"
    if not health.last:
        return "waiting"
    patience = timedelta(seconds=max(QUIET_S, 3 * camera.interval_s))
    return "quiet" if now - health.last.received_at > patience else "connected"


def actions(camera: Camera, health: Health, identity: Identity | None) -> dict[str, str | None]:
    """What can be done with a camera: ``None``, or why it cannot be done now."""
    leaving = "it is being removed" if camera.deleting_at else None
    refused = ADMIN_ONLY if identity is None else None
    return {
        "film": refused or leaving or (None if health.last else "it has no frames yet"),
        "change": refused or leaving,
        "move": refused or leaving,
        "delete": refused or leaving,
    }


def camera_json(
    camera: Camera,
    health: Health,
    identity: Identity | None,
    now: datetime,
    scene: str | None = None,
) -> CameraJson:
    """A camera for the API and for the page's script; its address only for an admin.

    ``scene``: the name of the one it shows.
    """
    shown: CameraJson = {
        "name": camera.name,
        "title": camera.title or camera.name,
        "kind": camera.kind,
        "interval_s": camera.interval_s,
        "plan": camera.plan,
        "plan_in_words": plan.in_words(camera.interval_s, camera.plan),
        "retention_s": camera.retention_s,
        "retention_bytes": camera.retention_bytes,
        "retention_frames": camera.retention_frames,
        "rotation": camera.rotation,
        "crop": camera.crop,
        "notes": camera.notes,
        "scene": scene,
        "enabled": camera.enabled,
        "created_at": camera.created_at,
        "state": state(camera, health, now),
        "badge": BADGES[state(camera, health, now)],
        "error": health.error,
        "hint": health.hint,
        "failed_at": health.failed_at,
        "next_at": health.next_at,
        "failures": health.failures,
        "frames": health.frames,
        "refused": health.refused,
        "refusals": [
            {"reason": reason, "meaning": REASONS.get(reason, reason), "count": count}
            for reason, count in sorted(health.refusals.items(), key=lambda item: -item[1])
        ],
        "latest": frame_json(camera.name, health.last, identity) if health.last else None,
        "actions": actions(camera, health, identity),
    }
    if identity is not None:
        shown["url"] = camera.url
        shown["options"] = camera.options
    return shown


def frame_json(camera: str, frame: Frame, identity: Identity | None = None) -> FrameJson:
    """A frame of the camera of this name, for the API."""
    refused = ADMIN_ONLY if identity is None else None
    return {
        "id": frame.id,
        "camera": camera,
        "taken_at": frame.taken_at,
        "received_at": frame.received_at,
        "width": frame.width,
        "height": frame.height,
        "bytes": frame.bytes,
        "luma": round(frame.luma, 1),
        "sha256": frame.sha256.hex(),
        "kept": frame.kept,
        "url": frame_url(camera, frame.id),
        "thumbnails": {str(width): thumbnail_url(camera, frame.id, width) for width in THUMBNAILS},
        "actions": {
            "keep": refused or ("it is kept already" if frame.kept else None),
            "release": refused or (None if frame.kept else "it is kept no longer than others"),
        },
    }


THUMBNAILS = (160, 320, 640)
"""Widths of small pictures of a frame."""


def frame_url(camera: str, frame_id: int) -> str:
    """Where a frame's picture is; what it shows never changes."""
    return f"/api/v1/cameras/{camera}/frames/{frame_id}.jpg"


def thumbnail_url(camera: str, frame_id: int, width: int) -> str:
    """Where a small picture of a frame is."""
    return f"/api/v1/cameras/{camera}/frames/{frame_id}-{width}.jpg"
