"""Commands about the whole house: migrate, check, store."""

from __future__ import annotations

import asyncio

import click

import db_utils
import vigil.cameras.check
import vigil.films.check
from vigil import marking, settings
from vigil.clicontext import database, json_option, output, with_context
from vigil.context import Context

CHECKS = (vigil.cameras.check.check, vigil.films.check.check)
"""Each finds where rows and blobs disagree; returns a line for each fault."""


@click.command()
def migrate() -> None:
    """Bring the database up to date. Every process does so itself when it starts."""
    chosen = settings.load()
    with database(chosen):
        done = asyncio.run(db_utils.migrate(chosen))
    for name in done:
        click.echo(f"applied {name}")
    if not done:
        click.echo("the database is up to date")


@click.command()
@click.option("--mend/--no-mend", default=True, help="Mend what was found (the default).")
@with_context
async def check(context: Context, mend: bool) -> None:
    """Find and mend what a crash left between database and blobs.

    Safe while everything runs. Exit status 1 when something was found that was not mended.
    """
    await context.storage.check()  # nothing is mended by what an empty mount point says
    found = 0
    for look in CHECKS:
        for line in await look(context, mend):
            click.echo(("mended: " if mend else "found: ") + line)
            found += 1
    click.echo("clean" if not found else f"{found} {'mended' if mend else 'found'}")
    if found and not mend:
        raise SystemExit(1)


@click.group()
def store() -> None:
    """Where the blobs are: pictures, pieces of films, films.

    The store has a file vigil-store.txt, by which Vigil knows it. Where that is missing the disk is
    taken for one that is not mounted, and nothing is written or removed until it is back.
    """


MEANINGS = {
    "ours": "all is well",
    "another": "it belongs to another database: vigil store adopt --force makes it this one's",
    "none": "its file vigil-store.txt is missing: mount its disk, or set VIGIL_STORAGE_URL; if this"
    " is the right place, vigil store adopt",
}


@store.command()
@json_option
@with_context
async def show(context: Context, as_json: bool) -> None:
    """Say where it is and whether it is the right one. Exit status 1 when it is not."""
    found = await marking.look(context.pool, context.storage)
    told = {
        "place": str(context.storage.place or context.settings.blobs_url),
        "id": found.id,
        "mark": found.mark,
        "meaning": MEANINGS[found.mark],
        "looked_for": found.wanted,
        "there": found.there,
    }
    output(told, as_json)
    if found.mark != "ours":
        raise SystemExit(1)


@store.command()
@click.option("--force", is_flag=True, help="Though blobs are missing, or it is another's.")
@with_context
async def adopt(context: Context, force: bool) -> None:
    """Say that this is the right place, after a restore or a move to another disk.

    Asks nobody: it refuses where blobs are missing that the database knows, unless with --force.
    """
    before = await marking.adopt(context.pool, context.storage, force=force)
    if before.mark == "ours":
        click.echo("it is this database's store already")
    else:
        click.echo(f"adopted: {before.there} of {before.wanted} blobs looked for are there")
    if before.there < before.wanted:
        click.echo("what is missing: bin/vigil check")
