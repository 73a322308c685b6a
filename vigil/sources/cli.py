"""``vigil source``: list, add, change, remove, enable, disable and test sources; blocks."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import IO, Any

import click
import msgspec

from vigil.auth import Identity
from vigil.clicontext import json_option, output, with_context
from vigil.context import Context
from vigil.errors import Invalid
from vigil.sources import adding, blocking, options, shown, store
from vigil.sources.blocks import store as blocks_store
from vigil.sources.kinds import DIRECTORIES
from vigil.sources.model import Source
from vigil.sources.preview import Preview, preview, preview_json

_OPERATOR = Identity(name="command line", role="admin", csrf=None)


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


@source.command("show")
@click.argument("name")
@json_option
@with_context
async def show(context: Context, name: str, as_json: bool) -> None:
    """One source: all that is known of it and of its last pass."""
    row = await _json(context, name)
    output(row, as_json)


@source.command("kinds")
@json_option
def kinds(as_json: bool) -> None:
    """The kinds of sources, and the options of each."""
    rows = [
        {
            "kind": kind.name,
            "option": option.name,
            "example": option.example or "|".join(option.choices),
            "what": " ".join(f"{option.label}. {option.hint}".split()),
        }
        for kind in DIRECTORIES.values()
        for option in kind.form
    ]
    output(rows, as_json)


def _describing(command: Callable[..., Awaitable[None]]) -> Callable[..., Any]:
    """The parameters that say what a source is."""
    parameters = (
        click.option("--url", default=None, help="Its address; empty: the usual one."),
        click.option(
            "--option",
            "given",
            multiple=True,
            metavar="NAME=VALUE",
            help="An option; empty: none. `vigil source kinds` lists them.",
        ),
        click.option(
            "--options",
            "file",
            type=click.File("rb"),
            default=None,
            help="A file of options, as a JSON object; - is standard input.",
        ),
        click.option(
            "--secret",
            "secrets",
            multiple=True,
            metavar="NAME",
            help="A secret header: what it says is asked for, or read from standard input.",
        ),
        click.option("--interval", type=float, default=None, help="Seconds between two passes."),
        click.option(
            "--ttl", type=float, default=None, help="Seconds until an unseen stream expires."
        ),
        click.option(
            "--dry-run", is_flag=True, help="Save nothing; show the first streams as they would be."
        ),
        json_option,
    )
    described: Any = with_context(command)
    for parameter in reversed(parameters):
        described = parameter(described)
    return described  # type: ignore[no-any-return]  # click's decorators say nothing of it


@source.command("add")
@click.argument("name")
@click.argument("kind", type=click.Choice(list(DIRECTORIES)))
@_describing
async def add(context: Context, name: str, kind: str, as_json: bool, **told: Any) -> None:
    """Add a source; a running scanner notices within two seconds."""
    wanted = replace(adding.Wanted(name=name, kind=kind), **_changes(told, {}))
    if told["dry_run"]:
        await _show_first(context, adding.checked(wanted), as_json)
        return
    made = await adding.add(context.pool, wanted)
    sentence = f"added source {name} ({kind}), looked through every {made.interval_s:g} s"
    _say(await _json(context, name), as_json, sentence)


@source.command("change")
@click.argument("name")
@click.option("--forget", multiple=True, metavar="NAME", help="A secret header to send no more.")
@_describing
async def change(
    context: Context, name: str, forget: tuple[str, ...], as_json: bool, **told: Any
) -> None:
    """Change a source; what is not named stays as it is."""
    before = (await adding.find(context.pool, name)).source
    changes = _changes(told, before.options)
    changes["secrets"] = {**dict.fromkeys(forget), **changes.get("secrets", {})}
    if told["dry_run"]:
        wanted = replace(adding.as_it_is(before), **changes)
        await _show_first(context, adding.checked(wanted, before), as_json)
        return
    await adding.change(context.pool, name, **changes)
    _say(await _json(context, name), as_json, f"changed source {name}")


async def _remove(context: Context, name: str) -> shown.SourceJson:
    """Remove a source and every stream seen there."""
    was = await _json(context, name)
    await adding.delete(context.pool, name)
    return was


async def _enable(context: Context, name: str) -> shown.SourceJson:
    """Have the scanner look at a source."""
    await adding.set_enabled(context.pool, name, True)
    return await _json(context, name)


async def _disable(context: Context, name: str) -> shown.SourceJson:
    """Have the scanner leave a source alone for now; its streams expire."""
    await adding.set_enabled(context.pool, name, False)
    return await _json(context, name)


def _on_one(verb: str, do: Callable[[Context, str], Awaitable[shown.SourceJson]]) -> None:
    """A command that does one thing to one source."""

    async def command(context: Context, name: str, as_json: bool) -> None:
        _say(await do(context, name), as_json, f"{verb}d source {name}")

    parameters = click.argument("name")(json_option(with_context(command)))
    source.command(verb, help=do.__doc__)(parameters)


_on_one("remove", _remove)
_on_one("enable", _enable)
_on_one("disable", _disable)


@source.command("test")
@click.argument("name")
@click.option("--show", "first", is_flag=True, help="Also the first streams, as they would be.")
@json_option
@with_context
async def test(context: Context, name: str, first: bool, as_json: bool) -> None:
    """Ask a source one question, now, from here; exit status 1 with the reason when it fails."""
    found = (await adding.find(context.pool, name)).source
    if first:
        await _show_first(context, found, as_json)
        return
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


def _changes(told: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """What the parameters of ``_describing`` say, as fields of ``adding.Wanted``."""
    changes = {
        "base_url": told["url"],
        "interval_s": told["interval"],
        "ttl_s": told["ttl"],
        "options": {**before, **_read(told["file"]), **options.parse(told["given"])} or None,
        "secrets": {name: _ask(name) for name in told["secrets"]} or None,
    }
    return {name: value for name, value in changes.items() if value is not None}


def _read(file: IO[bytes] | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        return msgspec.json.decode(file.read(), type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise Invalid(f"the file of options is no JSON object: {error}") from None


def _ask(name: str) -> str:
    """What a secret header says: never an argument, which everybody on this machine could read."""
    if sys.stdin.isatty():
        return str(click.prompt(name, hide_input=True, err=True))
    return sys.stdin.readline().strip()


async def _show_first(context: Context, tried: Source, as_json: bool) -> None:
    seen: Preview = await preview(context, tried)
    if as_json:
        output(preview_json(seen), as_json)
        return
    columns = ("title", "channel", "category", "language", "viewers", "started_at", "player_url")
    output(preview_json(seen)["items"], False, columns=columns, empty="no stream would be kept")
    more = "" if seen.complete else " so far"
    click.echo(f"{seen.found} items{more}, {seen.kept} would be kept; nothing was saved")
    for reason, count in seen.refused.most_common():
        click.echo(f"{count} refused: {reason}")


def _say(value: Mapping[str, object], as_json: bool, sentence: str) -> None:
    if as_json:
        output(value, as_json)
    else:
        click.echo(sentence)


async def _json(context: Context, name: str) -> shown.SourceJson:
    state = await adding.find(context.pool, name)
    return shown.source_json(state, context.settings, _OPERATOR, context.clock.now())
