"""`vigil film`: make films and list them."""

from __future__ import annotations

import asyncio
import sys

import click

from vigil.clicontext import json_option, output, with_context
from vigil.context import Context
from vigil.errors import NotFound, VigilError
from vigil.films import order, purging, store
from vigil.films.describe import describe, describe_all
from vigil.films.model import Film

COLUMNS = ("id", "title", "camera", "state", "segments", "frames", "duration_s", "bytes", "to")
LOOK_S = 2.0


@click.group()
def film() -> None:
    """Timelapse films."""


@film.command()
@click.argument("camera")
@click.option(
    "--from", "from_", metavar="WHEN", help="ISO 8601, or how long ago: 2h. Default: now."
)
@click.option("--to", metavar="WHEN", help="The same, or ahead: +1h. Default: it grows for ever.")
@click.option("--last", metavar="SPAN", help="Short for --from SPAN --to now: 1h, 30d.")
@click.option("--speed", type=float, help="Real seconds in a second of film.")
@click.option("--fps", type=float, help="Pictures in a second of film (25).")
@click.option("--size", metavar="WxH", help="Pixels; like the camera, at most 1280 wide.")
@click.option("--title", help="Name for people.")
@click.option("--wait", is_flag=True, help="Return when it is done, or up to date if it grows.")
@json_option
@with_context
async def make(
    context: Context,
    camera: str,
    from_: str | None,
    to: str | None,
    last: str | None,
    speed: float | None,
    fps: float | None,
    size: str | None,
    title: str | None,
    wait: bool,
    as_json: bool,
) -> None:
    """Make a film of CAMERA; a renderer does the work."""
    if last is not None:
        if from_ is not None or to is not None:
            raise click.UsageError("--last stands for --from and --to: give it alone")
        from_, to = last.lstrip("-"), "now"
    wish = {
        "camera": camera,
        "from": from_,
        "to": to,
        "speed": speed,
        "fps": fps,
        "size": size,
        "title": title,
    }
    film_id, notes = await order.make(context, order.parse(wish))
    for note in notes:
        click.echo(note, err=True)
    made = await _get(context, film_id)
    if wait:
        made = await _wait(context, made, bar=not as_json)
    shown = await describe(context, made, admin=True)
    if as_json:
        output(shown | {"notes": notes}, as_json)
    else:
        address = f"{context.settings.site_url}/films/{film_id}"
        click.echo(f"film {film_id} is {made.state}: {address}")


@film.command("list")
@click.option("--camera", help="Only films of this camera.")
@json_option
@with_context
async def list_films(context: Context, camera: str | None, as_json: bool) -> None:
    """Films, the newest first."""
    films = await store.page(context.pool, camera=camera, limit=1000)
    shown = await describe_all(context, films, admin=True)
    rows = [
        {**one, "segments": f"{one['segments']['done']}/{one['segments']['planned']}"}
        for one in shown
    ]
    empty = "no films yet: vigil film make CAMERA --last 1h"
    output(shown if as_json else rows, as_json, columns=COLUMNS, empty=empty)


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
    before = order.moment(older.lstrip("-+"), context.clock.now(), "older")
    done = await purging.purge(context, kind, before, dry_run=dry_run)
    if as_json:
        output({"films": [one.id for one in done.films], "segments": done.segments}, as_json)
        return
    would = "would be" if dry_run else "are"
    click.echo(f"{len(done.films)} films and {done.segments} segments {would} removed")


async def _get(context: Context, film_id: int) -> Film:
    found = await store.get(context.pool, film_id)
    if found is None:
        raise NotFound(f"film {film_id} was deleted")
    return found


async def _wait(context: Context, made: Film, *, bar: bool) -> Film:
    """Return when there is nothing to wait for any more; raises when the film failed."""
    shown = click.progressbar(
        length=1, label=made.title[:30], file=sys.stderr, show_pos=True, hidden=not bar
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
