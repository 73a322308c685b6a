"""``vigil notify``: what happened, and who is told."""

from __future__ import annotations

import click

from vigil.clicontext import json_option, output, with_context
from vigil.context import Context
from vigil.errors import NotFound
from vigil.notifications import sending, store
from vigil.notifications.model import Destination


@click.group()
def notify() -> None:
    """What happened, and who is told of it."""


@notify.command("events")
@click.option("--subject", help="Only of this subject, e.g. camera:garden.")
@click.option("--limit", default=50, type=click.IntRange(1, 1000), show_default=True)
@json_option
@with_context
async def events_command(context: Context, subject: str | None, limit: int, as_json: bool) -> None:
    """What happened, the latest first."""
    found = await store.page(context.pool, subject=subject, limit=limit)
    output(found, as_json, columns=("at", "kind", "message"), empty="nothing happened yet")


@notify.command("list")
@json_option
@with_context
async def list_command(context: Context, as_json: bool) -> None:
    """Who is told. Addresses and secrets are not shown."""
    waiting = await store.waiting_deliveries(context.pool)
    rows = [
        {
            "name": one.name,
            "kind": one.kind,
            "place": sending.describe(one),
            "kinds": list(one.kinds),
            "enabled": one.enabled,
            "waiting": waiting.get(one.id, (0, None))[0],
            "error": one.error,
        }
        for one in await store.destinations(context.pool)
    ]
    output(rows, as_json, empty="nobody is told yet: vigil notify add NAME URL")


@notify.command("add")
@click.argument("name")
@click.argument("url")
@click.option("--of", "kinds", multiple=True, help="Only this kind or beginning, e.g. camera.")
@json_option
@with_context
async def add_command(
    context: Context, name: str, url: str, kinds: tuple[str, ...], as_json: bool
) -> None:
    """Tell URL of what happens.

    URL: https://… is a webhook, whose key is printed this once; anything else goes through
    apprise, e.g. mailto://user:password@example.org.
    """
    kind = "webhook" if url.startswith(("http://", "https://")) else "apprise"
    sending.check(kind, name, url, list(kinds))
    made = await store.add_destination(
        context.pool,
        name=name,
        kind=kind,
        url=url,
        secret=sending.new_secret() if kind == "webhook" else "",
        kinds=kinds,
    )
    if as_json:
        output({"name": made.name, "kind": made.kind, "secret": made.secret or None}, as_json)
        return
    if made.secret:
        click.echo(made.secret)
        click.echo("Requests are signed with it (standardwebhooks.com).", err=True)
    click.echo(f"try it: vigil notify test {name!r}", err=True)


@notify.command("test")
@click.argument("name")
@with_context
async def test_command(context: Context, name: str) -> None:
    """Send a test to NAME; the scanner does within seconds."""
    await store.test_destination(context.pool, await _named(context, name))
    click.echo("on its way; `vigil notify list` says how it went")


@notify.command("remove")
@click.argument("name")
@with_context
async def remove_command(context: Context, name: str) -> None:
    """Tell NAME nothing any more."""
    await store.remove_destination(context.pool, (await _named(context, name)).id)
    click.echo(f"{name} is told nothing any more")


async def _named(context: Context, name: str) -> Destination:
    for one in await store.destinations(context.pool):
        if one.name == name:
            return one
    raise NotFound(f"there is no destination {name}", hint="vigil notify list")
