"""`vigil film`: plan films, make them, watch them come, take them out."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from vigil.cameras.looking import days
from vigil.clicontext import json_option, output, with_context
from vigil.context import Context
from vigil.errors import Conflict, NotFound, VigilError
from vigil.films import order, playlist, purging, saying, store
from vigil.films.asking import commands, planning, words
from vigil.films.asking.shown import plan_json
from vigil.films.describe import describe, describe_all
from vigil.films.model import Film
from vigil.films.standing.cli import standing
from vigil.films.states import store as states
from vigil.films.watching import store as watching

COLUMNS = ("id", "title", "camera", "state", "segments", "frames", "length", "size", "ends")
LOOK_S = 2.0
CHUNK = 1 << 20
LONGEST_ID = 1 << 63


@click.group()
def film() -> None:
    """Timelapse films."""


film.add_command(standing)


@film.command()
@commands.order_options
@click.option("--wait", is_flag=True, help="Return when it is done, or up to date if it grows.")
@json_option
@with_context
async def make(context: Context, wait: bool, as_json: bool, **given: Any) -> None:
    """Make a film of a CAMERA, or of several; a renderer does the work.

    For example: vigil film make garden --last 30d --length 60s
    """
    film_id, notes = await order.make(context, commands.order(given))
    for note in notes:
        click.echo(note, err=True)
    made = await _get(context, film_id)
    if wait:
        made = await _wait(context, made, bar=not as_json)
    shown = await describe(context, made, admin=True)
    if as_json:
        output(shown | {"notes": notes}, as_json)
    else:
        click.echo(f"film {film_id} is {made.state}: {_address(context, film_id)}")


@film.command("plan")
@commands.order_options
@json_option
@with_context
async def plan_film(context: Context, as_json: bool, **given: Any) -> None:
    """What a film would be: length, pictures, gaps, size. Takes what make takes; makes nothing."""
    now = context.clock.now()
    ready = await order.prepare(context.pool, commands.order(given), now)
    imagined = planning.imagined(ready.new, ready.places, now)
    found = await planning.planning(context.pool, imagined, now, have=ready.material)
    names = [place.scene.name for place in ready.places]
    shown = plan_json(found, ready.new, names, ready.notes)
    zone = days.zone(ready.places[0].scene.time_zone)
    if as_json:
        output(shown, as_json)
        return
    for note in ready.notes:
        click.echo(note, err=True)
    output(saying.plan(shown, zone), as_json)


@film.command("list")
@click.option("--camera", help="Only films of this camera.")
@json_option
@with_context
async def list_films(context: Context, camera: str | None, as_json: bool) -> None:
    """Films, the newest first."""
    films = await store.page(context.pool, camera=camera, limit=1000)
    shown = await describe_all(context, films, admin=True)
    empty = "no films yet: vigil film make CAMERA --last 1h"
    rows = [saying.row(one) for one in shown]
    output(shown if as_json else rows, as_json, columns=COLUMNS, empty=empty)


@film.command()
@click.argument("film_id", type=click.IntRange(1, LONGEST_ID - 1), metavar="FILM")
@json_option
@with_context
async def show(context: Context, film_id: int, as_json: bool) -> None:
    """One film: how far it is, and where it is."""
    shown = await describe(context, await _get(context, film_id), admin=True)
    if as_json:
        output(shown, as_json)
        return
    output(saying.film(shown, _address(context, film_id)), as_json)


@film.command()
@click.argument("film_id", type=click.IntRange(1, LONGEST_ID - 1), metavar="FILM")
@json_option
@with_context
async def cancel(context: Context, film_id: int, as_json: bool) -> None:
    """Stop a film where it is; what is rendered stays."""
    await store.cancel(context.pool, film_id)
    await _told(context, film_id, as_json)


@film.command()
@click.argument("film_id", type=click.IntRange(1, LONGEST_ID - 1), metavar="FILM")
@click.option("--wait", is_flag=True, help="Return when it is done, or up to date if it grows.")
@json_option
@with_context
async def resume(context: Context, film_id: int, wait: bool, as_json: bool) -> None:
    """Go on with a film that was cancelled or failed, or look for late frames."""
    await store.resume(context.pool, film_id)
    if wait:
        await _wait(context, await _get(context, film_id), bar=not as_json)
    await _told(context, film_id, as_json)


@film.command()
@click.argument("film_id", type=click.IntRange(1, LONGEST_ID - 1), metavar="FILM")
@click.argument("path", type=click.Path(path_type=Path), required=False)
@click.option("--wait", is_flag=True, help="Wait until it is done, or up to date if it grows.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@json_option
@with_context
async def export(
    context: Context, film_id: int, path: Path | None, wait: bool, force: bool, as_json: bool
) -> None:
    """Write what a film shows now to PATH: a file, a folder, or - for a pipe.

    One that is not one file yet, or shows more than its file by now, is joined by a renderer first.
    """
    made = await _get(context, film_id)
    if wait:
        made = await _wait(context, made, bar=not as_json)
    made = await _joined(context, made)
    assert made.file_blob is not None  # noqa: S101 - just joined
    name = f"vigil-{made.camera or 'film'}-{film_id}{Path(made.file_blob).suffix}"
    if path is not None and str(path) == "-":
        await _copy(context, made.file_blob, None, bar=False)
        return
    target = _target(path, name, force=force)
    size = await _copy(context, made.file_blob, target, bar=not as_json)
    if as_json:
        output({"path": str(target), "bytes": size}, as_json)
    else:
        click.echo(f"{target}: {size:,} bytes")


@film.command("purge")
@click.option("--kind", default="game", show_default=True, help="game: can be made again; scene.")
@click.option("--older", default="0d", metavar="SPAN", help="Only those unchanged for so long: 7d.")
@click.option("--dry-run", is_flag=True, help="Say what would go, and remove nothing.")
@json_option
@with_context
async def purge_films(
    context: Context, kind: str, older: str, dry_run: bool, as_json: bool
) -> None:
    """Remove films that are over, and the segments that only they had.

    Films of games can be made again at any time; the frames that a film of a scene was made of may
    be gone.
    """
    before = words.moment(older.lstrip("-+"), context.clock.now(), "older")
    done = await purging.purge(context, kind, before, dry_run=dry_run)
    if as_json:
        output({"films": [one.id for one in done.films], "segments": done.segments}, as_json)
        return
    would = "would be" if dry_run else "are"
    click.echo(f"{len(done.films)} films and {done.segments} segments {would} removed")


async def _joined(context: Context, made: Film) -> Film:
    """The film once all that it shows is one file; raises Conflict when it shows nothing."""
    asked = False
    async with context.listener.subscribe(store.subject(made.id)) as news:
        while True:
            made = await _get(context, made.id)
            file = (await describe(context, made, admin=True))["file"]
            if file is not None and file["current"]:
                return made
            if file is None or file["job"] is None:
                if asked:
                    raise VigilError(f"film {made.id} could not be joined", hint="vigil job list")
                if not await watching.is_anything_shown(context.pool, made, playlist.is_over(made)):
                    raise Conflict(f"film {made.id} shows nothing yet", hint="--wait waits for it")
                await states.ask_for_file(context.pool, made)
                click.echo("a renderer joins it into one file", err=True)
                asked = True
            with suppress(TimeoutError):
                await asyncio.wait_for(news.get(), LOOK_S)


def _target(path: Path | None, name: str, *, force: bool) -> Path:
    """Where the file goes; raises Conflict when one is there."""
    target = Path(name) if path is None else path / name if path.is_dir() else path
    if target.exists() and not force:
        raise Conflict(f"{target} is there already", hint="give another name, or --force")
    return target


async def _copy(context: Context, key: str, target: Path | None, *, bar: bool) -> int:
    """Write a blob to a file, whole or not at all, or to stdout; returns its bytes."""
    info = await context.storage.head(key)
    if info is None:
        raise NotFound("its file is gone", hint="bin/vigil check mends that")
    part = None if target is None else target.with_name(f".{target.name}.part")
    hidden = not bar or not sys.stderr.isatty()
    try:
        out = sys.stdout.buffer if part is None else part.open("wb")
        with click.progressbar(length=info.size, file=sys.stderr, hidden=hidden) as shown:
            for start in range(0, info.size, CHUNK):
                data = await context.storage.get_range(key, start, min(start + CHUNK, info.size))
                await asyncio.to_thread(out.write, data)
                shown.update(len(data))
        out.flush()
        if part is not None and target is not None:
            os.fsync(out.fileno())
            out.close()
            part.replace(target)
    except OSError as error:
        raise VigilError(f"{target or 'the output'} cannot be written: {error.strerror}") from None
    finally:
        if part is not None:
            part.unlink(missing_ok=True)
    return info.size


def _address(context: Context, film_id: int) -> str:
    return f"{context.settings.site_url}/films/{film_id}"


async def _told(context: Context, film_id: int, as_json: bool) -> None:
    made = await _get(context, film_id)
    if as_json:
        output(await describe(context, made, admin=True), as_json)
    else:
        click.echo(f"film {film_id} is {made.state}: {_address(context, film_id)}")


async def _get(context: Context, film_id: int) -> Film:
    found = await store.get(context.pool, film_id)
    if found is None:
        raise NotFound(f"there is no film {film_id}", hint="vigil film list")
    return found


async def _wait(context: Context, made: Film, *, bar: bool) -> Film:
    """Return when there is nothing to wait for any more; raises when the film failed."""
    hidden = not bar or not sys.stderr.isatty()
    shown = click.progressbar(
        length=1, label=made.title[:30], file=sys.stderr, show_pos=True, hidden=hidden
    )
    with shown:
        async with context.listener.subscribe(store.subject(made.id)) as news:
            while True:
                made = await _get(context, made.id)
                seen = await describe(context, made, admin=True)
                done, planned = seen["segments"]["done"], seen["segments"]["planned"]
                shown.length, shown.pos = max(1, planned), done
                shown.render_progress()
                if made.state == "failed":
                    raise VigilError(f"film {made.id} failed: {made.error}")
                over = made.to_at is not None
                if made.state in ("done", "cancelled") or (made.state == "growing" and not over):
                    return made
                try:
                    await asyncio.wait_for(news.get(), LOOK_S)
                except TimeoutError:
                    continue
