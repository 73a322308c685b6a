"""What every command of the command line shares: a context, output, and how failures end."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

import click
import msgspec

from vigil import log, postgres, settings
from vigil.context import open_context
from vigil.errors import VigilError
from vigil.settings import Settings

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


@contextlib.contextmanager
def database(chosen: Settings) -> Iterator[None]:
    """Have the database for a moment: the running one, or the embedded one started for it."""
    if chosen.embedded:
        with postgres.running(chosen.data_dir):
            yield
    else:
        yield


def with_context(command: Callable[..., Awaitable[Any]]) -> Callable[..., Any]:
    """Turn ``async def command(context, …)`` into a plain one that opens the context itself."""

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        chosen = settings.load()
        log.start("cli", level="warning")

        async def main() -> Any:
            async with open_context(chosen, "cli", pool_size=4) as context:
                return await command(context, *args, **kwargs)

        with database(chosen):
            return asyncio.run(main())

    # click reads parameters from the wrapped function's list, never from its signature
    return wrapped


def output(
    value: Any, as_json: bool, *, columns: Sequence[str] = (), empty: str = "nothing yet"
) -> None:
    """Print a value: as JSON, as a table of ``columns`` (a list of objects), or line by line."""
    plain = msgspec.to_builtins(value, enc_hook=str)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(plain), indent=2).decode())
    elif isinstance(plain, list):
        _table(plain, columns, empty)
    elif isinstance(plain, dict):
        width = max((len(key) for key in plain), default=0)
        for key, one in plain.items():
            click.echo(f"{key:<{width}}  {_cell(one)}")
    else:
        click.echo(plain)


def _table(rows: list[Any], columns: Sequence[str], empty: str) -> None:
    if not rows:
        click.echo(empty)
        return
    names = list(columns) or list(rows[0])
    cells = [[_cell(row.get(name)) for name in names] for row in rows]
    widths = [max(len(name), *(len(line[i]) for line in cells)) for i, name in enumerate(names)]
    for line in [[name.replace("_", " ").upper() for name in names], *cells]:
        text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo(text.rstrip())


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, dict | list):
        return msgspec.json.encode(value).decode() if value else "–"
    return str(value)


def fail(error: VigilError) -> int:
    """Say why on stderr; the exit status of a failure."""
    click.echo(f"vigil: {error.message}", err=True)
    if error.hint:
        click.echo(f"       {error.hint}", err=True)
    sys.stderr.flush()
    return 1
