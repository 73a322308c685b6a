"""Commands about the whole house: migrate, check."""

from __future__ import annotations

import asyncio

import click

import db_utils
import vigil.cameras.check
import vigil.films.check
from vigil import settings
from vigil.clicontext import database, with_context
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
    found = 0
    for look in CHECKS:
        for line in await look(context, mend):
            click.echo(("mended: " if mend else "found: ") + line)
            found += 1
    await context.storage.check()
    click.echo("clean" if not found else f"{found} {'mended' if mend else 'found'}")
    if found and not mend:
        raise SystemExit(1)
