"""Pages and JSON of jobs. Everybody may watch; only an admin sees arguments and changes things."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Annotated, Any, get_args
from urllib.parse import urlencode

import msgspec
from msgspec import Meta
from sanic import Blueprint, HTTPResponse, Request
from sanic.response import ResponseStream

import db_utils
from vigil import auth, events, responses
from vigil.auth import Identity
from vigil.errors import Conflict, Invalid, NotFound
from vigil.jobs import store
from vigil.jobs.listing import store as listing
from vigil.jobs.model import Job, JobJson, State
from vigil.openapi import Items, describe

bp = Blueprint("jobs")

PAGE = 50
MOST = 200
FRESH = timedelta(minutes=1)
"""Jobs that changed within this are shown again to a browser whose line was cut."""
SUBJECT_PAGES = {"film": "/films/", "import": "/imports/"}
"""Where the thing that a job works on has a page: kind of subject → path before its id."""


class JobsAsked(msgspec.Struct):
    """Which jobs."""

    state: State | None = None
    subject: Annotated[str, Meta(description="What it works on, such as film:7.")] = ""
    parts: Annotated[
        int, Meta(ge=0, le=1, description="1: parts of others, too, as segments of films.")
    ] = 0
    limit: Annotated[int, Meta(ge=1, description="At most 200.")] = PAGE
    cursor: str = ""


@bp.get("/api/v1/jobs")
@describe(Items[JobJson], query=JobsAsked)
async def api_jobs(request: Request) -> HTTPResponse:
    """Jobs, the newest first; ``?state=&subject=&parts=&limit=&cursor=``.

    Parts of others, such as the segments of a film, are left out; ``parts=1`` lists them, too.
    """
    identity = await auth.identify(request)
    jobs, following = await _page(request, PAGE)
    admin = identity is not None
    return responses.items([job.public(admin=admin) for job in jobs], following)


@bp.get("/api/v1/jobs/<job_id:int>")
@describe(JobJson, errors=(404,))
async def api_job(request: Request, job_id: int) -> HTTPResponse:
    """One job."""
    return await _answer(request, job_id)


@bp.post("/api/v1/jobs/<job_id:int>/cancel")
@describe(JobJson, admin=True, errors=(404, 409))
@auth.require_admin
async def api_cancel(request: Request, job_id: int) -> HTTPResponse:
    """Cancel it, or ask for its end when it runs."""
    await _cancel(request, job_id)
    return await _answer(request, job_id)


@bp.post("/api/v1/jobs/<job_id:int>/retry")
@describe(JobJson, admin=True, errors=(404, 409))
@auth.require_admin
async def api_retry(request: Request, job_id: int) -> HTTPResponse:
    """Put a failed one back into the queue."""
    job = await _get(request, job_id)
    await store.retry(responses.context(request).pool, job.id)
    return await _answer(request, job_id)


@bp.get("/jobs")
async def jobs_page(request: Request) -> HTTPResponse:
    """What is waiting, running and done."""
    jobs, following = await _page(request, PAGE)
    filters = {name: request.args.get(name, "") for name in ("state", "subject", "parts")}
    context = responses.context(request)
    return await responses.page(
        request,
        "jobs/list.html",
        jobs=jobs,
        following=following,
        first="cursor" not in request.args,
        filters=filters,
        with_parts=_with_parts(request),
        parts=await listing.count_parts(context.pool, filters["subject"] or None),
        href=functools.partial(_href, filters),
        states=get_args(State),
        subject_page=subject_page,
    )


@bp.get("/jobs/<job_id:int>")
async def job_page(request: Request, job_id: int) -> HTTPResponse:
    """One job, live."""
    job = await _get(request, job_id)
    return await responses.page(request, "jobs/job.html", job=job, subject_page=subject_page)


@bp.post("/jobs/<job_id:int>/cancel")
@auth.require_admin
async def cancel_form(request: Request, job_id: int) -> HTTPResponse:
    """The same as the API, from a page."""
    await _cancel(request, job_id)
    return responses.redirect(f"/jobs/{job_id}")


@bp.post("/jobs/<job_id:int>/retry")
@auth.require_admin
async def retry_form(request: Request, job_id: int) -> HTTPResponse:
    """The same as the API, from a page."""
    job = await _get(request, job_id)
    await store.retry(responses.context(request).pool, job.id)
    return responses.redirect(f"/jobs/{job_id}")


@bp.get("/jobs/events")
async def job_events(request: Request) -> ResponseStream | None:
    """Jobs as they change, as pieces of their page; ``?job=<id>`` for one, else all of them.

    Parts of others are among them only with ``?parts=1``.
    """
    identity = await auth.identify(request)
    return await responses.event_stream(request, _changes(request, identity))


async def _changes(
    request: Request, identity: Identity | None
) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    context, only = responses.context(request), _number(request, "job")
    parts = only is not None or _with_parts(request)
    template = responses.environment().get_template(
        "jobs/row.html" if only is None else "jobs/detail.html"
    )
    changed: set[int] | None = None if only is None else {only}
    async with context.listener.subscribe("jobs" if only is None else f"job:{only}") as news:
        while True:
            try:
                jobs = await _changed(context.pool, changed, parts)
            except (*db_utils.GONE, TimeoutError):
                return  # the browser asks again
            for job in jobs:
                html = template.render(job=job, identity=identity, subject_page=subject_page)
                yield "job", {"id": job.id, "html": html}
            messages = [await news.get()]
            while not news.empty():
                messages.append(news.get_nowait())
            if only is None:
                missed = events.RECONNECTED in messages
                changed = None if missed else {message["id"] for message in messages}


async def _changed(pool: db_utils.Pool, ids: set[int] | None, parts: bool) -> list[Job]:
    """These jobs, or, when nobody knows, those that may have changed lately; oldest first."""
    if ids is not None:
        return await listing.some(pool, ids, parts=parts)
    jobs = await listing.page(pool, parts=parts, limit=PAGE)
    return [job for job in reversed(jobs) if job.now - job.updated_at < FRESH]


def subject_page(subject: str) -> str | None:
    """The page of the thing that a job works on, if it has one."""
    kind, _, key = subject.partition(":")
    return SUBJECT_PAGES[kind] + key if kind in SUBJECT_PAGES else None


async def _page(request: Request, usual: int) -> tuple[list[Job], str | None]:
    state = request.args.get("state")
    if state is not None and state not in get_args(State):
        raise Invalid(f"there is no state {state!r}", hint=f"one of {', '.join(get_args(State))}")
    limit = min(_number(request, "limit") or usual, MOST)
    cursor = request.args.get("cursor")
    before = responses.cursor_decode(cursor, int)[0] if cursor else None
    jobs = await listing.page(
        responses.context(request).pool,
        state=state,
        subject=request.args.get("subject"),
        parts=_with_parts(request),
        before=before,
        limit=limit + 1,
    )
    following = responses.cursor_encode(jobs[limit - 1].id) if len(jobs) > limit else None
    return jobs[:limit], following


async def _get(request: Request, job_id: int) -> Job:
    job = None
    if 0 < job_id < 2**63:
        job = await store.get(responses.context(request).pool, job_id)
    if job is None:
        raise NotFound(
            f"there is no job {job_id}", hint="jobs are forgotten a while after they have ended"
        )
    return job


async def _answer(request: Request, job_id: int) -> HTTPResponse:
    identity = await auth.identify(request)
    return responses.json((await _get(request, job_id)).public(admin=identity is not None))


async def _cancel(request: Request, job_id: int) -> None:
    job = await _get(request, job_id)
    reason = job.actions(admin=True)["cancel"]
    if reason or not await store.cancel(responses.context(request).pool, job_id):
        raise Conflict(reason or "it has already ended")


def _with_parts(request: Request) -> bool:
    asked: str = request.args.get("parts", "0")
    if asked not in ("0", "1"):
        raise Invalid("parts must be 0 or 1")
    return asked == "1"


def _href(filters: dict[str, str], **changes: str) -> str:
    """The list with these filters, and with changes of them; an empty one is none."""
    chosen = {name: value for name, value in (filters | changes).items() if value}
    return "/jobs" + ("?" + urlencode(chosen) if chosen else "")


def _number(request: Request, name: str) -> int | None:
    text = request.args.get(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdecimal() or not 0 < int(text) < 2**63:
        raise Invalid(f"{name} must be a positive number")
    return int(text)
