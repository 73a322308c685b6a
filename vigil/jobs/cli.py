"""``vigil job``: what is waiting, running and done."""

from __future__ import annotations

from typing import get_args

import click

from vigil.clicontext import json_option, output, with_context
from vigil.context import Context
from vigil.errors import Conflict, NotFound
from vigil.jobs import store
from vigil.jobs.listing import store as listing
from vigil.jobs.model import Job, State


@click.group()
def job() -> None:
    """Work under way, waiting and done."""


@job.command("list")
@click.option("--state", type=click.Choice(get_args(State)), help="Only those in this state.")
@click.option("--subject", help="Only those that work on this, e.g. film:12.")
@click.option("--parts", is_flag=True, help="Parts of others, too, as segments of films.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@json_option
@with_context
async def list_command(
    context: Context,
    state: State | None,
    subject: str | None,
    parts: bool,
    limit: int,
    as_json: bool,
) -> None:
    """List jobs, the newest first.

    Parts of others, such as the segments of a film, are only counted.
    """
    jobs = await listing.page(context.pool, state=state, subject=subject, parts=parts, limit=limit)
    rows = [
        {
            "id": one.id,
            "state": one.state,
            "progress": _progress(one),
            "title": one.title,
            "subject": one.subject,
            "why": one.waiting_for or one.error,
        }
        for one in jobs
    ]
    output([one.public(admin=True) for one in jobs] if as_json else rows, as_json, empty="no jobs")
    numbers = {} if parts else await listing.count_parts(context.pool, subject)
    if numbers:
        told = ", ".join(f"{number} {state}" for state, number in numbers.items())
        click.echo(f"and parts of others, listed with --parts: {told}", err=True)


@job.command("show")
@click.argument("job_id", type=int)
@json_option
@with_context
async def show_command(context: Context, job_id: int, as_json: bool) -> None:
    """Show everything about one job."""
    output((await _get(context, job_id)).public(admin=True), as_json)


@job.command("cancel")
@click.argument("job_id", type=int)
@with_context
async def cancel_command(context: Context, job_id: int) -> None:
    """Cancel a job; one that runs is told to end."""
    one = await _get(context, job_id)
    if not await store.cancel(context.pool, job_id):
        raise Conflict(f"job {job_id} has already ended: {one.state}")
    click.echo(f"job {job_id}: {(await _get(context, job_id)).state}")


@job.command("retry")
@click.argument("job_id", type=int)
@with_context
async def retry_command(context: Context, job_id: int) -> None:
    """Put a failed job back into the queue."""
    await store.retry(context.pool, job_id)
    click.echo(f"job {job_id}: {(await _get(context, job_id)).state}")


async def _get(context: Context, job_id: int) -> Job:
    found = await store.get(context.pool, job_id)
    if found is None:
        raise NotFound(f"there is no job {job_id}", hint="bin/vigil job list shows what there is")
    return found


def _progress(one: Job) -> str:
    if one.total:
        return f"{one.done}/{one.total} {one.unit}".strip()
    return f"{one.done} {one.unit}".strip() if one.done else ""
