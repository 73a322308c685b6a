"""Imports as people and programs see them, with what can be done and why not."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from vigil.cameras.importing.model import Import
from vigil.jobs.model import Job

BADGES = {"done": "ok", "failed": "bad", "running": "warn", "cancelling": "warn"}
WAYS = {"exif": "EXIF", "name": "the file's name", "mtime": "the last change"}


class RefusedJson(TypedDict):
    """Files that became no frame, for one reason."""

    reason: str
    message: str
    count: int
    examples: list[str]


class ImportJson(TypedDict):
    """An import."""

    id: int
    camera: str
    place: str
    pattern: str
    rule: str
    time_zone: str
    clock_offset_s: float
    keep: bool
    state: str
    """waiting, running, cancelling, done, failed, stopped."""
    error: str | None
    job: int | None
    files: int
    total_files: int | None
    bytes: int
    total_bytes: int | None
    added: int
    known: int
    refused: int
    mended: int
    shifted: int
    ways: dict[str, int]
    refusals: list[RefusedJson]
    first_at: datetime | None
    last_at: datetime | None
    files_per_s: float | None
    bytes_per_s: float | None
    left_s: float | None
    busy_s: float
    created_at: datetime
    finished_at: datetime | None
    actions: dict[str, str | None]


def state(one: Import, job: Job | None) -> str:
    """How it is, in one word."""
    if one.finished_at is not None:
        return "done"
    if job is None or job.state in ("cancelled", "done"):
        return "stopped"
    return job.state


def import_json(one: Import, job: Job | None) -> ImportJson:
    """An import as the API gives it; admins alone see any."""
    now = state(one, job)
    running = now in ("running", "cancelling")
    return {
        "id": one.id,
        "camera": one.camera,
        "place": one.place,
        "pattern": one.pattern,
        "rule": one.rule,
        "time_zone": one.time_zone,
        "clock_offset_s": one.clock_offset_s,
        "keep": one.keep,
        "state": now,
        "error": job.error if job is not None and now != "done" else None,
        "job": one.job_id,
        "files": one.files,
        "total_files": one.total_files,
        "bytes": one.bytes,
        "total_bytes": one.total_bytes,
        "added": one.added,
        "known": one.known,
        "refused": one.refused,
        "mended": one.mended,
        "shifted": one.shifted,
        "ways": dict(one.ways),
        "refusals": [
            {
                "reason": reason,
                "message": told["message"],
                "count": told["count"],
                "examples": told["examples"],
            }
            for reason, told in sorted(one.refusals.items())
        ],
        "first_at": one.first_at,
        "last_at": one.last_at,
        "files_per_s": one.files_per_s,
        "bytes_per_s": one.bytes_per_s,
        "left_s": one.seconds_left if running else None,
        "busy_s": one.busy_s,
        "created_at": one.created_at,
        "finished_at": one.finished_at,
        "actions": _actions(now),
    }


def _actions(now: str) -> dict[str, str | None]:
    at_work = now in ("waiting", "running", "cancelling")
    stop = "it is being stopped" if now == "cancelling" else None
    return {
        "cancel": stop if at_work else "it is not under way",
        "continue": None
        if now in ("stopped", "failed")
        else "it is done"
        if now == "done"
        else "it is under way",
        "forget": "stop it first" if at_work else None,
    }
