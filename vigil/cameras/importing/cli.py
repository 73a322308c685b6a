"""``vigil camera import`` and ``vigil camera imports``."""

from __future__ import annotations

import os
from typing import Any, get_args

import click

from vigil.cameras.importing import previewing, shown, starting, store
from vigil.cameras.importing.model import Rule
from vigil.cameras.importing.starting import Wanted
from vigil.clicontext import json_option, output, with_context
from vigil.context import Context
from vigil.errors import Conflict, NotFound
from vigil.jobs import store as jobs

DAY_S = 86_400.0
COLUMNS = ("id", "camera", "state", "files", "total_files", "added", "known", "refused", "place")


@click.command("import")
@click.argument("name")
@click.argument("place")
@click.option("--preview", "only_look", is_flag=True, help="Say what would come; keep nothing.")
@click.option("--new", is_flag=True, help="Make the camera, of kind push.")
@click.option("--pattern", default="", help="Only such files: '*.jpg', '2026/*/cam1_*'.")
@click.option("--rule", type=click.Choice(get_args(Rule)), default="auto", show_default=True)
@click.option("--zone", default=None, help="Of times that name none; else the scene's.")
@click.option("--clock-offset", type=float, default=0.0, help="Seconds the clock was ahead.")
@click.option("--keep", is_flag=True, help="Keep these frames for ever.")
@click.option("--retention-days", type=float, default=None, help="Let the camera keep so long.")
@json_option
@with_context
async def import_command(
    context: Context,
    name: str,
    place: str,
    only_look: bool,
    new: bool,
    pattern: str,
    rule: str,
    zone: str | None,
    clock_offset: float,
    keep: bool,
    retention_days: float | None,
    as_json: bool,
) -> None:
    """Bring the pictures of PLACE, a folder or a bucket, into the camera NAME.

    Times come from EXIF, else the file's name, else its last change. A renderer does it; what
    is there already is not doubled. PLACE: /a/folder or s3://bucket/prefix (gs://, az://).
    """
    wanted = Wanted(
        camera=name,
        place=_whole(place),
        new=new,
        pattern=pattern,
        rule=rule,
        time_zone=zone,
        clock_offset_s=clock_offset,
        keep=keep,
        retention_s=None if retention_days is None else retention_days * DAY_S,
    )
    if only_look:
        found = await previewing.preview(context, await starting.check(context, wanted))
        output(found, as_json) if as_json else _tell(found)
        return
    one = await starting.start(context, wanted)
    if as_json:
        output(await _json(context, one.id), as_json)
    else:
        click.echo(f"import {one.id} begins when a renderer is free: vigil camera imports {one.id}")


@click.command("imports")
@click.argument("number", type=int, required=False)
@click.option("--cancel", is_flag=True, help="Stop it; it can be continued.")
@click.option("--continue", "go_on", is_flag=True, help="Go on where it was.")
@json_option
@with_context
async def imports_command(
    context: Context, number: int | None, cancel: bool, go_on: bool, as_json: bool
) -> None:
    """Every import, or the one of this NUMBER: how far it is and what came of it."""
    if number is None:
        found = [await _json(context, one.id) for one in await store.page(context.pool, limit=50)]
        output(found, as_json, columns=COLUMNS, empty="none yet: vigil camera import NAME PLACE")
        return
    told = await _json(context, number)
    if cancel or go_on:
        reason = told["actions"]["cancel" if cancel else "continue"]
        if reason is not None:
            raise Conflict(reason)
        if cancel:
            await jobs.cancel(context.pool, told["job"] or 0)
        else:
            await store.enqueue(context.pool, number)
        told = await _json(context, number)
    output(told, as_json)


async def _json(context: Context, import_id: int) -> shown.ImportJson:
    one = await store.get(context.pool, import_id) if 0 < import_id < 2**63 else None
    if one is None:
        raise NotFound(f"there is no import {import_id}", hint="vigil camera imports")
    job = await jobs.get(context.pool, one.job_id) if one.job_id is not None else None
    return shown.import_json(one, job)


def _whole(place: str) -> str:
    """A folder as it is meant from here; a bucket unchanged."""
    return place if "://" in place else os.path.abspath(os.path.expanduser(place))


def _tell(found: previewing.Preview) -> None:
    least = "" if found.counted else "at least "
    click.echo(f"{least}{found.files} files, {found.bytes / 1e6:.1f} MB, {found.other} left out")
    if found.looked_at < found.files or not found.counted:
        click.echo(f"of these {found.looked_at}, chosen at random, were read:")
    ways = ", ".join(f"{shown.WAYS[way]} {count}" for way, count in found.ways.items())
    facts: list[tuple[str, Any]] = [
        ("times from", ways or "–"),
        ("mended", found.mended),
        ("taken", f"{found.first_at} to {found.last_at}" if found.first_at else "–"),
        ("there already", found.known),
        ("too old", found.expired),
        ("of the future", found.future),
        *((told["message"], told["count"]) for told in found.unreadable.values()),
    ]
    for name, value in facts:
        click.echo(f"  {name}: {value}")
    for one in found.examples:
        mended = " (mended)" if one.mended else ""
        when = f"{one.taken_at} by {one.way}{mended}" if one.taken_at else one.problem
        click.echo(f"  {one.file}  {when}")
    if found.expired:
        click.echo("those too old are refused, unless with --keep or --retention-days", err=True)
