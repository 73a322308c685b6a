"""A film as the API, the pages and the command line show it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NotRequired, TypedDict

from vigil.context import Context
from vigil.films import beside, kinds, playlist, stills
from vigil.films.model import Film, Totals
from vigil.films.scene.kind import SCENE
from vigil.films.segments import store as segments
from vigil.films.watching import store as watching
from vigil.films.watching.store import Pick, Trouble, Work
from vigil.jobs import store as jobs
from vigil.jobs.model import Job

kinds.know(SCENE)

MOST_TROUBLES = 20


class FilmSegments(TypedDict):
    """How many pieces of a film there are."""

    done: int
    planned: int


class FilmFile(TypedDict):
    """The whole film as one file, or on its way to be one."""

    url: str | None
    bytes: int | None
    current: bool
    job: FilmsJob | None


class FilmPictures(TypedDict):
    """What a film looks like: a picture of it, a short animation, and what a slider shows."""

    poster: str
    preview: str
    thumbnails: str


class FilmTrouble(TypedDict):
    """A piece of a film that could not be rendered, or lacks frames that could not be read."""

    first_at: datetime | None
    last_at: datetime | None
    error: str | None
    lost: int
    again_at: datetime | None


class FilmRenderer(TypedDict):
    """A machine that renders segments of a film, and how many it does at once."""

    host: str
    jobs: int


class FilmWork(TypedDict):
    """Who renders a film, and how it gets on."""

    jobs: list[int]
    renderers: list[FilmRenderer]
    frames_per_s: float | None
    left_s: float | None
    error: str | None


class FilmsJob(TypedDict):
    """The job that makes a film."""

    id: int
    state: str
    done: int
    total: int | None
    unit: str
    message: str
    waiting_for: str | None
    error: str | None


FilmJson = TypedDict(
    "FilmJson",
    {
        "id": int,
        "title": str,
        "kind": str,
        "camera": str | None,
        "state": str,
        "error": str | None,
        "from": datetime | None,
        "to": datetime | None,
        "rolling_s": float | None,
        "speed": float,
        "fps": float,
        "width": int,
        "height": int,
        "codec": str,
        "options": dict[str, Any],
        "time_zone": str,
        "window_s": float,
        "segments": FilmSegments,
        "frames": int,
        "planned_frames": int,
        "lost": int,
        "duration_s": float,
        "bytes": int,
        "first_at": datetime | None,
        "last_at": datetime | None,
        "next_at": datetime | None,
        "job": FilmsJob | None,
        "playlist": str | None,
        "pictures": FilmPictures | None,
        "file": FilmFile | None,
        "page": str,
        "created_at": datetime,
        "changed_at": datetime,
        "actions": dict[str, str | None],
        "work": NotRequired[FilmWork],
        "troubles": NotRequired[list[FilmTrouble]],
        "notes": NotRequired[list[str]],
    },
)
"""A film; ``work`` and ``troubles`` stand in that of one film only, ``notes`` say what was changed
of an order. (A field named ``from`` has no other way.)"""


GOING_ON = ("waiting", "rendering", "growing")


def actions(film: Film, totals: Totals, *, admin: bool, joining: bool) -> dict[str, str | None]:
    """What can be done with a film: ``None`` when it can be done now, else why not."""
    if not admin:
        return dict.fromkeys(("cancel", "resume", "delete", "file"), "only an admin can do that")
    going = film.state in GOING_ON
    file = None if totals.segments else "there is nothing in it yet"
    return {
        "cancel": None if going else f"it is {film.state}: there is nothing to cancel",
        "resume": "it goes on by itself" if going else _why_not_resume(film),
        "delete": None,
        "file": "it is being made" if joining else file,
    }


def _why_not_resume(film: Film) -> str | None:
    if film.kind != "scene" or film.retention_s is not None:
        return None
    return "its camera was removed"


async def describe(context: Context, film: Film, *, admin: bool) -> FilmJson:
    """One film, with who is at it and what went wrong."""
    (found,) = await describe_all(context, [film], admin=admin)
    left = found["planned_frames"] - found["frames"]
    work = await watching.work(context.pool, film.id)
    again = None if work.again is None else await jobs.get(context.pool, work.again)
    error = None if again is None else again.shown_error(admin=admin)
    found["work"] = _work(work, film, left, error)
    troubles = await watching.troubles(context.pool, film.id, MOST_TROUBLES)
    found["troubles"] = [_trouble(film, one) for one in troubles]
    return found


async def describe_all(context: Context, films: Sequence[Film], *, admin: bool) -> list[FilmJson]:
    """Films, each with what it has so far and how its job is doing."""
    ids = [film.id for film in films]
    totals = await segments.totals(context.pool, ids)
    places = [
        (film_id, place)
        for film_id, found in totals.items()
        for place in stills.picks(found.segments)
    ]
    picked = await watching.picked(context.pool, places)
    joining = {
        film_id: await jobs.get(context.pool, job_id)
        for film_id, job_id in (await watching.joining(context.pool, ids)).items()
    }
    shown = []
    for film in films:
        job = None
        if film.state in ("waiting", "rendering", "failed") and film.job_id is not None:
            job = await jobs.get(context.pool, film.job_id)
        current = True
        if film.file_key is not None:
            over = playlist.is_over(film)
            current = film.file_key == await watching.content_key(context.pool, film, over)
        file = _file(film, current, joining.get(film.id), admin)
        found = totals.get(film.id, Totals())
        shown.append(_describe(film, found, job, file, picked.get(film.id, []), admin))
    return shown


def _describe(
    film: Film,
    totals: Totals,
    job: Job | None,
    file: FilmFile | None,
    picked: Sequence[Pick],
    admin: bool,
) -> FilmJson:
    api = f"/api/v1/films/{film.id}"
    scene = film.kind == "scene"
    job_of_file = None if file is None else file["job"]
    joining = job_of_file is not None and job_of_file["state"] != "failed"
    return {
        "id": film.id,
        "title": film.title,
        "kind": film.kind,
        "camera": film.camera,
        "state": film.state,
        "error": film.error,
        "from": film.from_at,
        "to": film.to_at,
        "rolling_s": film.rolling_s,
        "speed": film.speed / (film.making.look.stands if scene else 1),
        "fps": film.fps,
        "width": film.width,
        "height": film.height,
        "codec": film.making.codec if scene else "h264",
        "options": dict(film.options),
        "time_zone": film.time_zone,
        "window_s": film.window_s,
        "segments": {"done": totals.segments, "planned": max(totals.planned, totals.segments)},
        "frames": totals.frames,
        "planned_frames": max(totals.planned_frames, totals.frames),
        "lost": totals.lost,
        "duration_s": round(totals.duration_s, 3),
        "bytes": totals.bytes,
        "first_at": real(film, totals.first),
        "last_at": real(film, totals.last),
        "next_at": film.next_at,
        "job": None if job is None else _job(job, admin),
        "playlist": f"{api}/playlist.m3u8" if totals.segments else None,
        "pictures": _pictures(api, picked),
        "file": file,
        "page": f"/films/{film.id}",
        "created_at": film.created_at,
        "changed_at": film.changed_at,
        "actions": actions(film, totals, admin=admin, joining=joining),
    }


def real(film: Film, moment: int | None) -> datetime | None:
    """The real time of a moment; ``None`` where there is none: a film of a game."""
    return None if moment is None else kinds.of(film).at(film, moment)


def _pictures(api: str, picked: Sequence[Pick]) -> FilmPictures | None:
    if not picked:
        return None
    hashes = [one.hash for one in picked]
    poster = stills.poster_of([one.luma for one in picked])
    return {
        "poster": f"{api}/posters/{hashes[poster]}.jpg",
        "preview": f"{api}/previews/{beside.preview_key(hashes)}.webp",
        "thumbnails": f"{api}/thumbnails.vtt",
    }


def _work(work: Work, film: Film, left: int, error: str | None) -> FilmWork:
    pace = work.frames / work.seconds if film.state == "rendering" and work.seconds > 0 else None
    return {
        "jobs": list(work.jobs),
        "renderers": [{"host": host, "jobs": jobs} for host, jobs in sorted(work.hosts.items())],
        "frames_per_s": pace and round(pace, 1),
        "left_s": round(left / pace, 1) if pace else None,
        "error": error if film.state == "rendering" else None,
    }


def _trouble(film: Film, trouble: Trouble) -> FilmTrouble:
    return {
        "first_at": real(film, trouble.first_moment),
        "last_at": real(film, trouble.last_moment),
        "error": trouble.error,
        "lost": trouble.lost,
        "again_at": trouble.again_at,
    }


def _job(job: Job, admin: bool) -> FilmsJob:
    return {
        "id": job.id,
        "state": job.state,
        "done": job.done,
        "total": job.total,
        "unit": job.unit,
        "message": job.message,
        "waiting_for": job.waiting_for,
        "error": job.shown_error(admin=admin),
    }


def _file(film: Film, current: bool, job: Job | None, admin: bool) -> FilmFile | None:
    if film.file_blob is None and job is None:
        return None
    end = str(film.file_blob).rpartition(".")[2]
    return {
        "url": f"/api/v1/films/{film.id}/film.{end}" if film.file_blob else None,
        "bytes": film.file_bytes,
        "current": film.file_blob is not None and current,
        "job": None if job is None else _job(job, admin),
    }
