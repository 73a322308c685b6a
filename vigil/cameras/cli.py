"""``vigil camera``: list, add and remove cameras; what came of them and what did not."""

from __future__ import annotations

import click

from vigil.cameras import adding, commands, shown, store
from vigil.cameras.accounts import shown as accounted
from vigil.cameras.accounts import store as accounts
from vigil.cameras.importing.cli import import_command, imports_command
from vigil.cameras.model import Camera, Health
from vigil.cameras.scenes import store as scenes
from vigil.clicontext import json_option, output, with_context
from vigil.context import Context
from vigil.errors import Conflict, NotFound


@click.group()
def camera() -> None:
    """Cameras that deliver frames."""


camera.add_command(import_command)
camera.add_command(imports_command)


@camera.command("list")
@json_option
@with_context
async def list_command(context: Context, as_json: bool) -> None:
    """Every camera and how it is doing. Addresses are shown as they are, passwords included."""
    health, now = await store.health(context.pool), context.clock.now()
    showing, rows = await scenes.shown_now(context.pool, now), []
    for one in await store.all_cameras(context.pool):
        scene = showing[one.id].name if one.id in showing else None
        row = shown.camera_json(one, health.get(one.id, Health()), commands.OPERATOR, now, scene)
        last_frame = row["latest"]["taken_at"] if row["latest"] else None
        rows.append({**row, "last_frame": last_frame})
    columns = (
        "name",
        "kind",
        "state",
        "scene",
        "frames",
        "last_frame",
        "interval_s",
        "url",
        "error",
    )
    output(rows, as_json, columns=columns, empty="no cameras yet: vigil camera add NAME URL")


@camera.command("add")
@click.argument("name")
@click.argument("url")
@click.option(
    "--interval", type=commands.Span(), default=adding.INTERVAL_S, help="Time between frames."
)
@click.option(
    "--retention",
    type=commands.Span(),
    default=adding.RETENTION_S,
    help="How long frames are kept.",
)
@click.option("--title", default="", help="Name for people.")
@click.option("--kind", default=None, help="Guessed from the URL.")
@click.option("--option", "options", multiple=True, help="NAME=VALUE, e.g. keyframes=false.")
@json_option
@with_context
async def add(
    context: Context,
    name: str,
    url: str,
    interval: float,
    retention: float,
    title: str,
    kind: str | None,
    options: tuple[str, ...],
    as_json: bool,
) -> None:
    """Add a camera; a running scanner notices within two seconds.

    URL: http(s)://… of a JPEG, an MJPEG or an .m3u8, rtsp://…, the path of a video, /dev/video0,
    or testcard. TIME: 10, 90s, 5m, 12h, 30d.
    """
    wanted = adding.Wanted(
        name=name,
        url=commands.as_path(url),
        title=title,
        kind=kind,
        interval_s=interval,
        retention_s=retention,
        options=dict(commands.option(text) for text in options),
    )
    made = await adding.add(context.pool, wanted)
    if as_json:
        output(_json(made, context), as_json)
    else:
        click.echo(f"added camera {made.name} ({made.kind}), a frame each {made.interval_s:g} s")


@camera.command("remove")
@click.argument("name")
@json_option
@with_context
async def remove(context: Context, name: str, as_json: bool) -> None:
    """Remove a camera and its frames; films made of it stay."""
    found = await store.by_name(context.pool, name)
    if found is None:
        raise NotFound(f"there is no camera {name}", hint="vigil camera list")
    if not await store.begin_removal(context.pool, found.id):
        raise Conflict(f"camera {name} is being removed already")
    if as_json:
        marked = await store.by_name(context.pool, name)
        output(_json(marked or found, context), as_json)
    else:
        click.echo(f"camera {name} is being removed; the scanner deletes its frames first")


@camera.command("days")
@click.argument("name")
@click.option(
    "--days", "number", type=click.IntRange(1, 400), default=31, help="So many, to today."
)
@json_option
@with_context
async def days_command(context: Context, name: str, number: int, as_json: bool) -> None:
    """What was due and what came, day by day; days of the scene's time zone."""
    found, now = await _found(context, name), context.clock.now()
    scene = await scenes.of_camera(context.pool, found.id, now)
    span = accounted.last_days(now, scene, number)
    rows = await accounted.days(context.pool, found, scene, *span)
    told = [
        {
            **row,
            "coverage": None if row["coverage"] is None else f"{row['coverage']:.1%}",
            "missed": accounted.in_words(row["missed"]),
        }
        for row in rows
    ]
    columns = ("day", "planned", "obtained", "coverage", "missed", "gaps", "frames", "expired")
    empty = "nothing is known of these days"
    output(rows if as_json else told, as_json, columns=columns, empty=empty)


@camera.command("gaps")
@click.argument("name")
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, help="So many, the latest.")
@json_option
@with_context
async def gaps_command(context: Context, name: str, limit: int, as_json: bool) -> None:
    """Frames that were due and did not come, and why; the latest first."""
    found = await _found(context, name)
    gaps = await accounts.gaps(context.pool, found.id, limit=limit)
    columns = ("from_at", "to_at", "missed", "reason", "detail", "open")
    output(accounted.shown_gaps(gaps), as_json, columns=columns, empty="no frame is missing")


async def _found(context: Context, name: str) -> Camera:
    found = await store.by_name(context.pool, name)
    if found is None:
        raise NotFound(f"there is no camera {name}", hint="vigil camera list")
    return found


def _json(made: Camera, context: Context) -> shown.CameraJson:
    return shown.camera_json(made, Health(), commands.OPERATOR, context.clock.now())


for _command in commands.COMMANDS:
    camera.add_command(_command)
