"""The engine of a renderer: procrastinate's worker, kept alive and kept honest.

procrastinate hands out jobs, holds their locks and listens for cancellations. What is ours: how
a job ends (a worker that was taken for dead leaves alone what another has taken over), what
happens while the database is away (nothing; the job in hand goes on), progress, and the story
of the job in the log.
"""

from __future__ import annotations

import asyncio
import datetime
import functools
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import asyncpg
import eliot
import psycopg
from procrastinate import App, PsycopgConnector
from procrastinate import jobs as engine_jobs
from procrastinate.exceptions import ConnectorException, JobAborted
from procrastinate.job_context import AbortReason, JobContext
from procrastinate.manager import JobManager, NotificationCallback
from procrastinate.retry import BaseRetryStrategy, RetryDecision

import db_utils
from vigil import log, loop
from vigil.context import Context
from vigil.errors import DiskFull, StoreAway, VigilError
from vigil.jobs import store
from vigil.jobs.model import UNEXPECTED, WRITE_EVERY_S, Job, RunningJob, TakenOver, Task

HEARTBEAT_S = 3.0
POLL_S = 1.0
"""Seconds between looks for a job or a cancellation whose NOTIFY was missed."""
GRACE_S = 1.0
"""Seconds that the job in hand has to end by itself when the renderer stops."""
INSIST_S = 10.0
"""Seconds for which the end of a job is written again while the database is away."""
RETRY_MIN_S, RETRY_MAX_S = 5.0, 600.0
WAITED_MAX_S = 60.0
"""The longest wait for room on a disk: whoever makes some looks whether it helped."""

AWAY = (*db_utils.GONE, TimeoutError, asyncpg.PostgresError)
ENGINE_AWAY = (ConnectorException, psycopg.Error)


async def run(
    context: Context, tasks: Sequence[Task], stop: asyncio.Event, *, concurrency: int = 1
) -> None:
    """Do jobs until ``stop``; then end the one in hand within seconds and put it back."""
    _quieten()
    failures = 0
    while not stop.is_set():
        worker = asyncio.create_task(_work(context, tasks, concurrency), name="worker")
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({worker, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            worker.cancel()
            await asyncio.wait({worker, stopping})
        if worker.cancelled():
            continue
        error = worker.exception()
        if error is None:
            failures = 0
        elif isinstance(error, (*ENGINE_AWAY, *AWAY)):
            failures += 1
            log.warning("jobs", f"no jobs without the database: {error.__cause__ or error}")
        else:
            raise error
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), loop.backoff(failures + 1, 0.5, 5))


async def _work(context: Context, tasks: Sequence[Task], concurrency: int) -> None:
    """Be one worker, until it is cancelled or must begin anew."""
    connector = PsycopgConnector(
        conninfo=db_utils.dsn(context.settings),
        min_size=1,
        max_size=concurrency + 2,
        timeout=5,
        kwargs={"application_name": "vigil-jobs", "connect_timeout": 5},
    )
    app = App(connector=connector)
    manager = _Manager(connector, context.pool)
    app.job_manager = manager
    for task in tasks:
        attempt = functools.partial(_attempt, context, manager, task)
        app.task(name=task.name, queue=task.queue, pass_context=True, retry=_Retry())(
            _coroutine_function(attempt)
        )
    try:
        await app.open_async()
        await _until_outcast(app, manager, tasks, concurrency)
    finally:
        await app.close_async()


async def _until_outcast(
    app: App, manager: _Manager, tasks: Sequence[Task], concurrency: int
) -> None:
    worker = asyncio.create_task(
        app.run_worker_async(
            queues=sorted({task.queue for task in tasks}),
            concurrency=concurrency,
            install_signal_handlers=False,
            fetch_job_polling_interval=POLL_S,
            abort_job_polling_interval=POLL_S,
            shutdown_graceful_timeout=GRACE_S,
            update_heartbeat_interval=HEARTBEAT_S,
            stalled_worker_timeout=store.STALLED_S,
        )
    )
    outcast = asyncio.create_task(manager.outcast.wait())
    try:
        await asyncio.wait({worker, outcast}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        outcast.cancel()
        worker.cancel()  # it stops in order: ends the job in hand and unregisters
        await asyncio.wait({worker, outcast})
    if not worker.cancelled():
        worker.result()


@dataclass(frozen=True)
class _Outcome:
    """How an attempt ended, for whoever writes it down."""

    error: str | None = None
    delay_s: float | None = None


class _Again(Exception):
    """Put the job back into the queue."""


class _Retry(BaseRetryStrategy):
    """The attempt has decided already."""

    def get_retry_decision(
        self, *, exception: BaseException, job: engine_jobs.Job
    ) -> RetryDecision | None:
        return RetryDecision() if isinstance(exception, _Again) else None


class _Manager(JobManager):
    """procrastinate's access to its tables, made to outlive a database that goes and comes."""

    def __init__(self, connector: PsycopgConnector, pool: db_utils.Pool) -> None:
        super().__init__(connector)
        self._pool = pool
        self.outcomes: dict[int, _Outcome] = {}
        self.outcast = asyncio.Event()
        """Set when this worker must begin anew: it was taken for dead, or lost track of a job."""

    async def fetch_job(
        self, queues: Iterable[str] | None, worker_id: int
    ) -> engine_jobs.Job | None:
        try:
            return await super().fetch_job(queues, worker_id)
        except ENGINE_AWAY as error:
            log.debug("jobs", f"cannot look for jobs: {error.__cause__ or error}")
            return None

    async def listen_for_jobs(
        self, *, on_notification: NotificationCallback, queues: Iterable[str] | None = None
    ) -> None:
        while True:
            try:
                await super().listen_for_jobs(on_notification=on_notification, queues=queues)
            except ENGINE_AWAY as error:
                log.debug("jobs", f"cannot listen for jobs: {error.__cause__ or error}")
            await asyncio.sleep(POLL_S)

    async def update_heartbeat(self, worker_id: int) -> None:
        try:
            if not await store.beat(self._pool, worker_id):
                log.warning("jobs", "this renderer was taken for dead; it begins anew")
                self.outcast.set()
        except Exception as error:  # whatever it is, the next one must come
            log.debug("jobs", f"no heartbeat: {error}")

    async def finish_job(
        self, job: engine_jobs.Job, status: engine_jobs.Status, delete_job: bool
    ) -> None:
        error = self._outcome(job).error
        if status is engine_jobs.Status.FAILED and error is None:
            error = f"no renderer here knows the task {job.task_name}"
        await self._insist(job, lambda: store.finish(*self._place(job), status.value, error))

    async def retry_job(
        self,
        job: engine_jobs.Job,
        retry_at: datetime.datetime | None = None,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        outcome = self._outcome(job)
        await self._insist(
            job, lambda: store.put_back(*self._place(job), outcome.delay_s, outcome.error)
        )

    def _outcome(self, job: engine_jobs.Job) -> _Outcome:
        return self.outcomes.pop(job.id or 0, _Outcome())

    def _place(self, job: engine_jobs.Job) -> tuple[db_utils.Pool, int, int | None]:
        return self._pool, job.id or 0, job.worker_id

    async def _insist(self, job: engine_jobs.Job, write: Callable[[], Awaitable[bool]]) -> None:
        deadline = asyncio.get_running_loop().time() + INSIST_S
        while True:
            try:
                if not await write():
                    log.warning("jobs", f"job {job.id} was taken over by another renderer")
                return
            except Exception as error:
                if asyncio.get_running_loop().time() > deadline:
                    # Our heartbeat would keep it ours for ever: let it be taken for lost.
                    log.warning("jobs", f"cannot write how job {job.id} ended: {error}")
                    self.outcast.set()
                    return
            await asyncio.sleep(0.5)


async def _attempt(
    context: Context, manager: _Manager, task: Task, job_context: JobContext, **arguments: Any
) -> None:
    """One attempt at a job, inside its story; says by its exception how it is to end."""
    job_id, worker_id = job_context.job.id or 0, job_context.job.worker_id
    try:
        job = await store.begin(
            context.pool, job_id, worker_id, host=socket.gethostname(), pid=os.getpid()
        )
    except AWAY as error:
        raise _Again from error
    if job is None:
        raise TakenOver
    save = functools.partial(store.save, context.pool, job_id, worker_id)
    running = RunningJob(id=job_id, arguments=arguments, save=save)
    # The first levels belong to the action of enqueueing; each attempt has a branch of its own.
    branch = f"{job.log_task}@/{job.attempts + 10}"
    with eliot.Action.continue_task(
        task_id=branch, action_type=f"attempt:{task.name}", job=job_id, title=job.title
    ):
        log.debug("jobs", f"job {job_id} begins: {job.title}")
        try:
            await _with_progress(context, task, running)
        except TakenOver as error:
            manager.outcomes[job_id] = _Outcome(str(error))
            raise
        except BaseException as error:
            reason = job_context.abort_reason()
            if reason is AbortReason.USER_REQUEST:
                log.info("jobs", f"job {job_id} was cancelled: {job.title}")
                raise JobAborted from error
            if reason is AbortReason.SHUTDOWN or not isinstance(error, Exception):
                log.info("jobs", f"job {job_id} goes back to the queue: {job.title}")
                raise _Again from error
            outcome = judge(task, job, error)
            manager.outcomes[job_id] = outcome
            if outcome.delay_s is None:
                raise
            raise _Again from error
        log.debug("jobs", f"job {job_id} is done: {job.title}")


async def _with_progress(context: Context, task: Task, running: RunningJob) -> None:
    work = asyncio.ensure_future(task.run(context, running))
    writing = asyncio.create_task(_write(context, running))
    try:
        await asyncio.wait({work, writing}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        cut_short = writing.done() and not work.done()
        work.cancel()
        writing.cancel()
        await asyncio.wait({work, writing})
        if not work.cancelled():
            work.exception()  # seen: asyncio need not complain when we are cancelled ourselves
        with suppress(*AWAY):
            await running.flush()
    if cut_short:
        raise writing.exception() or TakenOver()
    work.result()


async def _write(context: Context, running: RunningJob) -> None:
    """Write progress as it changes; returns when the job is no longer ours."""
    while True:
        await running.changed.wait()
        try:
            if not await running.flush():
                return
        except AWAY as error:
            log.debug("jobs", f"cannot write progress: {error}")
        await context.clock.sleep(WRITE_EVERY_S)


def judge(task: Task, job: Job, error: Exception) -> _Outcome:
    """What an error means for a job: another try after a while, or the end."""
    expected = isinstance(error, VigilError)
    text = str(error) if expected else f"{UNEXPECTED}{type(error).__name__}: {error}"
    permanent = isinstance(error, VigilError) and error.permanent
    name = f"job {job.id} failed: {job.title}"
    waited_for = isinstance(error, (DiskFull, StoreAway))  # a job has no part in it
    if permanent or (job.failures + 1 >= task.attempts and not waited_for):
        log.error("jobs", f"{name}: {text}", exc=None if expected else error)
        return _Outcome(error=text)
    retry_after = error.retry_after if isinstance(error, VigilError) else None
    most = min(WAITED_MAX_S, RETRY_MAX_S) if waited_for else RETRY_MAX_S
    delay_s = loop.backoff(job.failures + 1, RETRY_MIN_S, most, retry_after)
    log.warning("jobs", f"{name}: {text}; next try in {delay_s:.0f} s")
    return _Outcome(error=text, delay_s=delay_s)


def _coroutine_function(attempt: Callable[..., Awaitable[None]]) -> Callable[..., Any]:
    """procrastinate asks whether a task is a coroutine function, and a partial is not one."""

    async def run_attempt(job_context: JobContext, /, **arguments: Any) -> None:
        await attempt(job_context, **arguments)

    return run_attempt


def _quieten() -> None:
    """We tell how a job ends ourselves, and that the database is away."""
    logging.getLogger("procrastinate.worker").addFilter(_not_an_outcome)
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)


def _not_an_outcome(record: logging.LogRecord) -> bool:
    return getattr(record, "action", "") != "job_error"
