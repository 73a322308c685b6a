"""``vigil source``: list, add, remove, enable, disable and test sources."""

from __future__ import annotations

from collections.abc import Mapping

import click

from vigil.auth import Identity
from vigil.clicontext import json_option, output, with_context
from vigil.context import Context
from vigil.sources import adding, options, shown, store
from vigil.sources.kinds import DIRECTORIES

_OPERATOR = Identity(name="command line", role="admin", csrf=None)
_CRITERIA = "; ".join(f"{kind.name}: {kind.criteria or 'none'}" for kind in DIRECTORIES.values())


@click.group()
def source() -> None:
    """Directories of live streams."""


@source.command("list")
@json_option
@with_context
async def list_command(context: Context, as_json: bool) -> None:
    """Every source and how the last pass over it went."""
    now = context.clock.now()
    rows = [
        shown.source_json(state, context.settings, _OPERATOR, now)
        for state in await store.list_states(context.pool)
    ]
    columns = ("name", "kind", "state", "kept", "refused", "succeeded_at", "next_at", "error")
    output(rows, as_json, columns=columns, empty="no sources yet: vigil source add NAME KIND")


@source.command("add")
@click.argument("name")
@click.argument("kind", type=click.Choice(list(DIRECTORIES)))
@click.option("--url", default=None, help="Its address, where that is not the usual one.")
@click.option(
    "--option", "given", multiple=True, metavar="NAME=VALUE", help=f"A criterion. {_CRITERIA}."
)
@click.option("--interval", type=float, default=None, help="Seconds between two passes.")
@click.option("--ttl", type=float, default=None, help="Seconds until an unseen stream expires.")
@json_option
@with_context
async def add(
    context: Context,
    name: str,
    kind: str,
    url: str | None,
    given: tuple[str, ...],
    interval: float | None,
    ttl: float | None,
    as_json: bool,
) -> None:
    """Add a source; a running scanner notices within two seconds."""
    wanted = adding.Wanted(
        name=name,
        kind=kind,
        base_url=url,
        options=options.parse(given),
        interval_s=interval,
        ttl_s=ttl,
    )
    made = await adding.add(context.pool, wanted)
    if as_json:
        output(await _json(context, name), as_json)
    else:
        click.echo(f"added source {name} ({kind}), looked through every {made.interval_s:g} s")


@source.command("remove")
@click.argument("name")
@json_option
@with_context
async def remove(context: Context, name: str, as_json: bool) -> None:
    """Remove a source and every stream seen there."""
    was = await _json(context, name)
    await adding.delete(context.pool, name)
    _say(was, as_json, f"removed source {name}")


@source.command("enable")
@click.argument("name")
@json_option
@with_context
async def enable(context: Context, name: str, as_json: bool) -> None:
    """Have the scanner look at a source."""
    await adding.set_enabled(context.pool, name, True)
    _say(await _json(context, name), as_json, f"enabled source {name}")


@source.command("disable")
@click.argument("name")
@json_option
@with_context
async def disable(context: Context, name: str, as_json: bool) -> None:
    """Have the scanner leave a source alone; its streams expire."""
    await adding.set_enabled(context.pool, name, False)
    _say(await _json(context, name), as_json, f"disabled source {name}")


@source.command("test")
@click.argument("name")
@json_option
@with_context
async def test(context: Context, name: str, as_json: bool) -> None:
    """Ask a source one question, now, from here; exit status 1 with the reason when it fails."""
    found = (await adding.find(context.pool, name)).source
    said = await adding.kind_of(found.kind).test(context, found)
    _say({"name": name, "answer": said}, as_json, said)


def _say(value: Mapping[str, object], as_json: bool, sentence: str) -> None:
    if as_json:
        output(value, as_json)
    else:
        click.echo(sentence)


async def _json(context: Context, name: str) -> shown.SourceJson:
    state = await adding.find(context.pool, name)
    return shown.source_json(state, context.settings, _OPERATOR, context.clock.now())
