"""What a job is: as it is written (Task), while it runs (RunningJob), as a person sees it (Job)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NotRequired, TypedDict

from vigil.context import Context
from vigil.errors import VigilError

State = Literal["waiting", "running", "cancelling", "done", "failed", "cancelled"]

STATES: dict[str, State] = {
    "todo": "waiting",
    "doing": "running",
    "succeeded": "done",
    "failed": "failed",
    "cancelled": "cancelled",
    "aborting": "cancelling",
    "aborted": "cancelled",
}
"""The engine's word for a state → ours."""

UNEXPECTED = "unexpected "
"""How the text of an error begins that was not made for people to read."""
PRIVATE = ("import:",)
"""How subjects begin whose errors name places that are nobody else's business."""
WRITE_EVERY_S = 0.25
"""Progress is written at most this often."""


@dataclass(frozen=True)
class Task:
    """A kind of job that a renderer can do."""

    name: str
    """As it stands in the database: ``films.segment``."""
    run: Callable[[Context, RunningJob], Awaitable[None]]
    """Does the job, from the beginning or from where the last attempt left it.

    Cancelled (asyncio.CancelledError) when somebody cancels the job or the renderer stops.
    An error with ``permanent`` fails the job at once, any other is tried again.
    """
    queue: str = "default"
    attempts: int = 5
    """How many attempts may end in an error before the job has failed; a full disk (DiskFull) is
    waited for, however long that takes."""


class TakenOver(VigilError):
    """Another renderer has the job now: this one was taken for dead."""

    code, status, permanent = "taken_over", 409, True

    def __init__(self) -> None:
        super().__init__("another renderer has taken the job over")


Save = Callable[[Mapping[str, Any]], Awaitable[bool]]
"""Writes progress; ``False`` when the job is no longer ours."""


class RunningJob:
    """The job in hand, given to a Task's ``run``."""

    def __init__(self, *, id: int, arguments: Mapping[str, Any], save: Save) -> None:
        self.id = id
        self.arguments: dict[str, Any] = dict(arguments)
        self._save = save
        self._unsaved: dict[str, Any] = {}
        self.changed = asyncio.Event()
        """Set while something is unwritten; the engine waits for it."""

    async def progress(
        self,
        done: int | None = None,
        total: int | None = None,
        unit: str | None = None,
        message: str | None = None,
        *,
        force: bool = False,
    ) -> None:
        """Say how far the job is. Costs next to nothing: written four times a second at most.

        Args:
            done: units finished, all attempts together.
            total: units in all.
            unit: what is counted, plural: ``frames``.
            message: what is being done right now, one line.
            force: write it now, and return when it is written.

        What is not given stays as it is. Raises TakenOver when the job is no longer ours.
        """
        given = {"done": done, "total": total, "unit": unit, "message": message}
        self._unsaved.update({name: value for name, value in given.items() if value is not None})
        if self._unsaved:
            self.changed.set()
        if force and not await self.flush():
            raise TakenOver

    async def flush(self) -> bool:
        """Write what is not yet written; ``False`` when the job is no longer ours."""
        self.changed.clear()
        values, self._unsaved = self._unsaved, {}
        if not values:
            return True
        try:
            return await self._save(values)
        except BaseException:
            self._unsaved = values | self._unsaved
            self.changed.set()
            raise


class ProgressJson(TypedDict):
    """How far a job is."""

    done: int
    total: int | None
    unit: str
    message: str


class RendererJson(TypedDict):
    """A process that does jobs."""

    host: str
    pid: int


class JobJson(TypedDict):
    """A job; what may be missing is for an admin."""

    id: int
    task: str
    subject: str
    part: bool
    title: str
    state: State
    waiting_for: str | None
    renderer: RendererJson | None
    progress: ProgressJson
    error: str | None
    failures: int
    run_at: datetime | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    actions: dict[str, str | None]
    arguments: NotRequired[dict[str, Any]]
    queue: NotRequired[str]
    lock: NotRequired[str | None]
    priority: NotRequired[int]
    attempts: NotRequired[int]
    log_task: NotRequired[str | None]


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job as it stands in the database."""

    id: int
    task: str
    queue: str
    subject: str
    title: str
    part: bool
    """It is a part of other work on its subject, one of up to thousands."""
    status: str
    """The engine's word; ``state`` is ours."""
    arguments: Mapping[str, Any]
    done: int
    total: int | None
    unit: str
    message: str
    error: str | None
    failures: int
    """Attempts that ended in an error."""
    attempts: int
    """Attempts that ended, interrupted ones included."""
    lock: str | None
    priority: int
    abort_requested: bool
    lost: bool
    """It runs, but nothing is heard of its renderer."""
    host: str | None
    """The machine that made the last attempt."""
    pid: int | None
    """The renderer's process there."""
    waits_for: int | None
    """The job that has the lock that this one needs."""
    renderers: int
    """Renderers alive."""
    log_task: str | None
    run_at: datetime | None
    created_at: datetime
    started_at: datetime | None
    updated_at: datetime
    now: datetime
    """When this was read, by the database's clock."""

    @property
    def state(self) -> State:
        """Its state in one plain word."""
        if self.status == "doing" and self.abort_requested:
            return "cancelling"
        return STATES[self.status]

    @property
    def finished(self) -> bool:
        """Whether nothing more happens to it by itself."""
        return self.state in ("done", "failed", "cancelled")

    @property
    def finished_at(self) -> datetime | None:
        """When it ended."""
        return self.updated_at if self.finished else None

    @property
    def renderer(self) -> RendererJson | None:
        """Who has it in hand, or had it when it ended."""
        if self.host is None or self.pid is None or self.state == "waiting":
            return None
        return {"host": self.host, "pid": self.pid}

    @property
    def waiting_for(self) -> str | None:
        """Why it does not run now, for a person; ``None`` when it runs or has ended."""
        if self.lost:
            return "its renderer was lost; another takes the job up in a few seconds"
        if self.state != "waiting":
            return None
        if self.renderers == 0:
            return "no renderer is running"
        if self.run_at is not None and self.run_at > self.now:
            moment = f"{self.run_at:%Y-%m-%d %H:%M:%S} UTC"
            return f"tried again at {moment}" if self.failures else f"scheduled for {moment}"
        if self.waits_for is not None:
            return f"waits for job {self.waits_for}, which works on the same thing"
        return "waits for a free renderer"

    def shown_error(self, *, admin: bool) -> str | None:
        """Why it failed. What nobody foresaw may say too much, so only an admin reads that."""
        if self.error and not admin:
            if self.error.startswith(UNEXPECTED):
                return "an unexpected error; the admin of the site can read it here"
            if self.subject.startswith(PRIVATE):
                return "an error; the admin of the site can read it here"
        return self.error

    def public(self, *, admin: bool) -> JobJson:
        """The job as the API and ``--json`` give it; an admin sees more."""
        shown: JobJson = {
            "id": self.id,
            "task": self.task,
            "subject": self.subject,
            "part": self.part,
            "title": self.title,
            "state": self.state,
            "waiting_for": self.waiting_for,
            "renderer": self.renderer,
            "progress": {
                "done": self.done,
                "total": self.total,
                "unit": self.unit,
                "message": self.message,
            },
            "error": self.shown_error(admin=admin),
            "failures": self.failures,
            "run_at": self.run_at,
            "created_at": self.created_at,
            "started_at": self.started_at,
            "finished_at": self.finished_at,
            "actions": self.actions(admin=admin),
        }
        if not admin:
            return shown
        return {
            **shown,
            "arguments": dict(self.arguments),
            "queue": self.queue,
            "lock": self.lock,
            "priority": self.priority,
            "attempts": self.attempts,
            "log_task": self.log_task,
        }

    def actions(self, *, admin: bool) -> dict[str, str | None]:
        """What can be done with it: ``None`` when it can be done now, else why not."""
        return {"cancel": self._why_not_cancel(admin), "retry": self._why_not_retry(admin)}

    def _why_not_cancel(self, admin: bool) -> str | None:
        if self.finished:
            return "it has already ended"
        if self.state == "cancelling":
            return "it is being cancelled"
        return None if admin else "only an admin can cancel a job"

    def _why_not_retry(self, admin: bool) -> str | None:
        if self.state != "failed":
            return "only a failed job can be tried again"
        return None if admin else "only an admin can try a job again"
