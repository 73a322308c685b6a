"""``vigil source``: list, add, change, remove, enable, disable and test sources; blocks."""

from __future__ import annotations

from collections.abc import Mapping

import click

from vigil.auth import Identity
from vigil.clicontext import json_option, output, with_context
from vigil.context import Context
from vigil.sources import adding, blocking, options, shown, store
from vigil.sources.blocks import store as blocks_store
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


@source.command("change")
@click.argument("name")
@click.option("--url", default=None, help="Its address; empty: the usual one.")
@click.option(
    "--option", "given", multiple=True, metavar="NAME=VALUE", help="A criterion; empty: none."
)
@click.option("--interval", type=float, default=None, help="Seconds between two passes.")
@click.option("--ttl", type=float, default=None, help="Seconds until an unseen stream expires.")
@json_option
@with_context
async def change(
    context: Context,
    name: str,
    url: str | None,
    given: tuple[str, ...],
    interval: float | None,
    ttl: float | None,
    as_json: bool,
) -> None:
    """Change a source; what is not named stays as it is."""
    before = (await adding.find(context.pool, name)).source
    await adding.change(
        context.pool,
        name,
        base_url=before.base_url if url is None else url,
        options={**before.options, **options.parse(given)},
        interval_s=before.interval_s if interval is None else interval,
        ttl_s=before.ttl_s if ttl is None else ttl,
        enabled=before.enabled,
    )
    _say(await _json(context, name), as_json, f"changed source {name}")


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


@source.group("block")
def block() -> None:
    """Channels and words that are never kept."""


_KIND = click.Choice(blocking.KINDS)


@block.command("list")
@json_option
@with_context
async def block_list(context: Context, as_json: bool) -> None:
    """Everything that is blocked."""
    output(await blocks_store.list_all(context.pool), as_json, empty="nothing is blocked")


@block.command("add")
@click.argument("kind", type=_KIND)
@click.argument("value")
@with_context
async def block_add(context: Context, kind: str, value: str) -> None:
    """Block a channel (login, id or name) or a whole word, for good and at once."""
    made, gone = await blocking.block(context.pool, kind, value, _OPERATOR.name)
    click.echo(f"blocked the {made.kind} {made.value}; {gone} live streams removed")


@block.command("remove")
@click.argument("kind", type=_KIND)
@click.argument("value")
@with_context
async def block_remove(context: Context, kind: str, value: str) -> None:
    """Block it no longer."""
    await blocking.unblock(context.pool, kind, value)
    click.echo(f"the {kind} {value} is blocked no longer")


def _say(value: Mapping[str, object], as_json: bool, sentence: str) -> None:
    if as_json:
        output(value, as_json)
    else:
        click.echo(sentence)


async def _json(context: Context, name: str) -> shown.SourceJson:
    state = await adding.find(context.pool, name)
    return shown.source_json(state, context.settings, _OPERATOR, context.clock.now())
