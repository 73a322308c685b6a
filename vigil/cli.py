"""The command line: a table of every room's commands, imported when they are called."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from typing import Any

import click

from vigil import __version__
from vigil.clicontext import fail
from vigil.errors import SettingsError, VigilError
from vigil.settings import ROOT

COMMANDS = {
    "run": ("vigil.run:run", "Start everything here and print the address."),
    "source": ("vigil.sources.cli:source", "Directories of live streams."),
    "camera": ("vigil.cameras.cli:camera", "Cameras that deliver frames."),
    "controller": ("vigil.controllers.cli:controller", "Machines that bring frames."),
    "game": ("vigil.games.cli:game", "Recorded games of Neptune's Pride."),
    "film": ("vigil.films.cli:film", "Timelapse films."),
    "job": ("vigil.jobs.cli:job", "Work under way, waiting and done."),
    "notify": ("vigil.notifications.cli:notify", "What happened, and who is told."),
    "token": ("vigil.admin.cli:token", "Bearer tokens of programs."),
    "admin": ("vigil.admin.cli:admin", "Signing in."),
    "migrate": ("vigil.maintenance:migrate", "Bring the database up to date."),
    "store": ("vigil.maintenance:store", "Where the blobs are."),
    "check": ("vigil.maintenance:check", "Find and mend what a crash left behind."),
    "test": ("vigil.cli:test", "Run the tests; arguments go to pytest."),
    "lint": ("vigil.cli:lint", "Check style, format and types."),
}


FILM_KINDS = {"game": "vigil.games.filming:KIND"}
"""Kinds of films that other rooms than films draw."""
ABOUT_FILMS = ("film", "game", "check")
"""Commands that look at films."""


class Table(click.Group):
    """A group whose commands are imported only when they are used, so that the start is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one; ``None`` when there is no such command."""
        if cmd_name not in COMMANDS:
            return None
        if cmd_name in ABOUT_FILMS:
            kinds = importlib.import_module("vigil.films.kinds")
            kinds.know_where(FILM_KINDS)
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List them for --help without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.command(cls=Table, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="vigil")
def cli() -> None:
    """Vigil keeps watch over things that change and makes pages, JSON and video of it.

    Exit status: 0 done, 1 failed with a reason on stderr, 2 wrong usage.
    """


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def test(arguments: tuple[str, ...]) -> None:
    """Run the tests. ARGUMENTS go to pytest, e.g. -m "not slow" or tests/films."""
    raise SystemExit(_python("pytest", *arguments))


@click.command()
@click.option("--fix", is_flag=True, help="Mend what can be mended.")
def lint(fix: bool) -> None:
    """Check style and format (ruff) and types (mypy --strict)."""
    mend = ["--fix"] if fix else []
    steps = (
        ("ruff", "check", *mend, "."),
        ("ruff", "format", *([] if fix else ["--check"]), "."),
        ("mypy",),
    )
    raise SystemExit(max(_python(*step) for step in steps))


def _python(*module_and_arguments: str) -> int:
    command = [sys.executable, "-m", *module_and_arguments]
    return 1 if subprocess.run(command, cwd=ROOT, check=False).returncode else 0


def main() -> int:
    """Run a command; returns the exit status."""
    try:
        result: Any = cli(prog_name="vigil", standalone_mode=False)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.Abort:
        click.echo("vigil: stopped", err=True)
        return 1
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except VigilError as error:
        return fail(error)
    except BrokenPipeError:  # the reader of our output went away, e.g. head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 1
    except OSError as error:
        return fail(SettingsError(str(error)))
    return result if isinstance(result, int) else 0
