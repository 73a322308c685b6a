"""A film as the API, the pages and the command line show it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NotRequired, TypedDict

from vigil.context import Context
from vigil.films import kinds
from vigil.films.model import Film, Totals
from vigil.films.scene.kind import SCENE
from vigil.films.segments import store as segments
from vigil.jobs import store as jobs
from vigil.jobs.model import Job

kinds.know(SCENE)


class FilmSegments(TypedDict):
    """How many pieces of a film there are."""

    done: int
    planned: int


class FilmFile(TypedDict):
    """The whole film."""

    url: str
    bytes: int | None


class FilmsJob(TypedDict):
    """The job that makes a film."""

    id: int
    state: str
    done: int
    total: int | None
    unit: str
    message: str
    waiting_for: str | None


FilmJson = TypedDict(
    "FilmJson",
    {
        "id": int,
        "title": str,
        "camera": str | None,
        "state": str,
        "error": str | None,
        "from": datetime | None,
        "to": datetime | None,
        "speed": float,
        "fps": float,
        "width": int,
        "height": int,
        "window_s": float,
        "segments": FilmSegments,
        "frames": int,
        "duration_s": float,
        "bytes": int,
        "first_at": datetime | None,
        "last_at": datetime | None,
        "next_at": datetime | None,
        "job": FilmsJob | None,
        "playlist": str | None,
        "file": FilmFile | None,
        "page": str,
        "created_at": datetime,
        "changed_at": datetime,
        "actions": dict[str, str | None],
        "notes": NotRequired[list[str]],
    },
)
"""A film; ``notes`` say what was changed of an order. (A field named ``from`` has no other way.)"""


GOING_ON = ("waiting", "rendering", "growing")


def actions(film: Film, *, admin: bool) -> dict[str, str | None]:
    """What can be done with a film: ``None`` when it can be done now, else why not."""
    if not admin:
        return dict.fromkeys(("cancel", "resume", "delete"), "only an admin can do that")
    going = film.state in GOING_ON
    return {
        "cancel": None if going else f"it is {film.state}: there is nothing to cancel",
        "resume": "it goes on by itself" if going else _why_not_resume(film),
        "delete": None,
    }


def _why_not_resume(film: Film) -> str | None:
    if film.kind != "scene" or film.retention_s is not None:
        return None
    return "its camera was removed"


async def describe(context: Context, film: Film, *, admin: bool) -> FilmJson:
    """One film."""
    return (await describe_all(context, [film], admin=admin))[0]


async def describe_all(context: Context, films: Sequence[Film], *, admin: bool) -> list[FilmJson]:
    """Films, each with what it has so far and how its job is doing."""
    totals = await segments.totals(context.pool, [film.id for film in films])
    shown = []
    for film in films:
        job = None
        if film.state in ("waiting", "rendering", "failed") and film.job_id is not None:
            job = await jobs.get(context.pool, film.job_id)
        shown.append(_describe(film, totals.get(film.id, Totals()), job, admin))
    return shown


def _describe(film: Film, totals: Totals, job: Job | None, admin: bool) -> FilmJson:
    api = f"/api/v1/films/{film.id}"
    at = kinds.of(film).at
    return {
        "id": film.id,
        "title": film.title,
        "camera": film.camera,
        "state": film.state,
        "error": film.error,
        "from": film.from_at,
        "to": film.to_at,
        "speed": film.speed,
        "fps": film.fps,
        "width": film.width,
        "height": film.height,
        "window_s": film.window_s,
        "segments": {"done": totals.segments, "planned": totals.planned},
        "frames": totals.frames,
        "duration_s": round(totals.duration_s, 3),
        "bytes": totals.bytes,
        "first_at": None if totals.first is None else at(film, totals.first),
        "last_at": None if totals.last is None else at(film, totals.last),
        "next_at": film.next_at,
        "job": None if job is None else _job(job),
        "playlist": f"{api}/playlist.m3u8" if totals.segments else None,
        "file": _file(film, api),
        "page": f"/films/{film.id}",
        "created_at": film.created_at,
        "changed_at": film.changed_at,
        "actions": actions(film, admin=admin),
    }


def _job(job: Job) -> FilmsJob:
    return {
        "id": job.id,
        "state": job.state,
        "done": job.done,
        "total": job.total,
        "unit": job.unit,
        "message": job.message,
        "waiting_for": job.waiting_for,
    }


def _file(film: Film, api: str) -> FilmFile | None:
    if film.file_blob is None:
        return None
    return {"url": f"{api}/film.mp4", "bytes": film.file_bytes}
