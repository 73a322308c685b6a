"""``vigil run``: everything on this machine, under supervisord, until Ctrl-C.

supervisord keeps the processes running; this command starts it, tells how each process does,
prints the address, hands on the signals, and says why when something cannot start. Whatever
way this command ends, supervisord and the processes end, too (see ``die_with_parent``).
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import http.client
import logging
import logging.handlers
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import xmlrpc.client
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import click
from supervisor.xmlrpc import SupervisorTransport

import db_utils
from vigil import log, postgres, settings
from vigil.errors import Conflict, VigilError
from vigil.settings import ROOT, Settings

START_S = 90.0
"""Seconds the whole house may take to come up."""
DATABASE_S = 10.0
"""Seconds in which a database that is not ours must answer."""
LOOK_S = 0.2
TRY_AGAIN_S = 30.0
"""Seconds after which a process that supervisord gave up on is started again."""


class CannotStart(VigilError):
    """A process did not come up."""

    code = "cannot_start"


@dataclass
class Stopping:
    """How many times we were told to stop."""

    signals: int = 0

    def on_signal(self, _number: int, _frame: Any) -> None:
        """Count it; the loop looks."""
        self.signals += 1


@click.command()
def run() -> None:
    """Start everything here and print the address.

    PostgreSQL (unless VIGIL_DATABASE_URL names another), the website, a scanner and renderers.
    Ctrl-C stops everything in order; a second one at once.
    """
    chosen = settings.load()
    chosen.data_dir.mkdir(parents=True, exist_ok=True)
    stopping = Stopping()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stopping.on_signal)
    with only_one(chosen.data_dir), tempfile.TemporaryDirectory(prefix="vigil-run-") as folder:
        _check_port(chosen)
        if chosen.embedded and not postgres.answers(chosen.data_dir):
            if not (postgres.folder(chosen.data_dir) / "cluster").exists():
                click.echo("  making the database …")
            postgres.prepare(chosen.data_dir)
        if not chosen.embedded:
            asyncio.run(db_utils.wait_until_up(chosen, seconds=DATABASE_S))
        raise SystemExit(House(chosen, Path(folder), stopping).live())


@contextlib.contextmanager
def only_one(data_dir: Path) -> Iterator[None]:
    """Refuse a second `vigil run` on the same data; raises Conflict."""
    with (data_dir / "run.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            raise Conflict(
                f"Vigil already runs on {data_dir} (process {lock.read().strip() or 'unknown'})",
                hint="stop it first, or set VIGIL_DATA_DIR to another folder",
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _check_port(chosen: Settings) -> None:
    family = socket.AF_INET6 if ":" in chosen.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((chosen.host, chosen.port))
        except OSError as error:
            raise Conflict(
                f"cannot listen on {chosen.host}, port {chosen.port}: {error.strerror}",
                hint="set VIGIL_PORT to a free port, VIGIL_HOST to an address of this machine",
            ) from None


class House:
    """supervisord and what it runs, watched from outside."""

    def __init__(self, chosen: Settings, folder: Path, stopping: Stopping) -> None:
        self._settings = chosen
        self._folder = folder
        self._stopping = stopping
        self._pids: dict[str, int] = {}
        self._told: dict[str, str] = {}
        self._gave_up: dict[str, float] = {}

    def live(self) -> int:
        """Run until told to stop; returns the exit status."""
        supervisor = self._start_supervisor()
        copying = threading.Thread(target=self._copy, args=(supervisor.stderr,), daemon=True)
        copying.start()
        status = 0
        try:
            self._come_up(supervisor)
            while not self._stopping.signals:
                if supervisor.poll() is not None:
                    raise CannotStart("supervisord ended", hint=self._tail("supervisord.log"))
                self._look()
                self._restart_fatal()
                time.sleep(LOOK_S)
        except VigilError as error:
            click.echo(f"vigil: {error.message}", err=True)
            if error.hint:
                click.echo(error.hint, err=True)
            status = 1
        finally:
            if self._stopping.signals or status:
                click.echo("  stopping …")
            self._stop(supervisor)
        copying.join(2)
        click.echo("  stopped" if not status else "  stopped after a failure")
        return status

    def _start_supervisor(self) -> subprocess.Popen[bytes]:
        logs = self._settings.data_dir / "log"
        logs.mkdir(parents=True, exist_ok=True)
        python_path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        environment = os.environ | {
            "PYTHONPATH": python_path,
            "PYTHONUNBUFFERED": "1",
            "VIGIL_DATA_DIR": str(self._settings.data_dir),
            "VIGILD_EMBEDDED": str(self._settings.embedded).lower(),
            "VIGILD_LOG": str(logs),
            "VIGILD_PYTHON": sys.executable,
            "VIGILD_RENDERERS": str(self._settings.renderers),
            "VIGILD_ROOT": str(ROOT),
            "VIGILD_RUN": str(self._folder),
        }
        code = "from vigil import postgres; postgres.die_with_parent(); "
        code += "from supervisor.supervisord import main; main()"
        return subprocess.Popen(
            [sys.executable, "-Wignore", "-c", code, "-c", str(ROOT / "etc" / "supervisord.conf")],
            env=environment,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for us: the processes stop in order
        )

    def _copy(self, source: IO[bytes]) -> None:
        """What the processes tell a person: to the terminal and to a rotated file."""
        path = self._settings.data_dir / "log" / "terminal.log"
        keeper = logging.handlers.RotatingFileHandler(path, maxBytes=5_000_000, backupCount=2)
        for line in iter(source.readline, b""):
            text = line.decode(errors="replace").rstrip("\n")
            with contextlib.suppress(OSError):
                print(text, file=sys.stderr, flush=True)
            record = logging.LogRecord("run", logging.INFO, "", 0, text, None, None)
            with contextlib.suppress(OSError):
                keeper.handle(record)

    def _come_up(self, supervisor: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_S
        while not self._stopping.signals:
            if supervisor.poll() is not None:
                raise CannotStart("supervisord did not start", hint=self._tail("supervisord.log"))
            states = self._look()
            for name, state in states.items():
                if state == "FATAL":
                    log_name = "postgres.log" if name == "postgres" else "terminal.log"
                    time.sleep(0.3)  # for its last words
                    raise CannotStart(f"{name} cannot start", hint=self._tail(log_name))
            up = states and all(state in ("RUNNING", "STOPPED") for state in states.values())
            if up and self._answers():
                self._welcome()
                return
            if time.monotonic() > deadline:
                missing = [n for n, s in states.items() if s != "RUNNING"] or ["the website"]
                raise CannotStart(
                    f"{', '.join(missing)} did not come up within {START_S:.0f} s",
                    hint=self._tail("terminal.log"),
                )
            time.sleep(LOOK_S)

    def _look(self) -> dict[str, str]:
        """The state of each process; tells what changed."""
        try:
            found: Any = self._supervisor().getAllProcessInfo()
        except (OSError, http.client.HTTPException, xmlrpc.client.Error):
            return {}
        states = {}
        for one in found:
            name, state = one["name"], one["statename"]
            if name == "postgres" and not self._settings.embedded:
                continue
            states[name] = state
            if one["pid"]:
                self._pids[name] = one["pid"]
            if state == self._told.get(name):
                continue
            if state == "RUNNING":
                click.echo(f"  ✓ {name:<12} running (process {one['pid']})")
            elif state in ("BACKOFF", "EXITED", "FATAL") and not self._stopping.signals:
                click.echo(f"  ✗ {name:<12} {one['description'] or state.lower()}", err=True)
            self._told[name] = state
        return states

    def _restart_fatal(self) -> None:
        """supervisord gives up on what fails again and again; a disk may have room by now."""
        for name, state in self._told.items():
            if state != "FATAL":
                self._gave_up.pop(name, None)
            elif time.monotonic() - self._gave_up.setdefault(name, time.monotonic()) > TRY_AGAIN_S:
                self._gave_up[name] = time.monotonic()
                group = name if name == "postgres" else "vigil"
                with contextlib.suppress(OSError, xmlrpc.client.Error):
                    self._supervisor().startProcess(f"{group}:{name}", False)

    def _supervisor(self) -> Any:
        transport = SupervisorTransport(None, None, f"unix://{self._folder}/supervisor.sock")
        return xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport).supervisor

    def _answers(self) -> bool:
        host = self._settings.host
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
        connection = http.client.HTTPConnection(host, self._settings.port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _welcome(self) -> None:
        link = asyncio.run(_first_link(self._settings))
        click.echo(f"\n  Vigil is at {self._settings.site_url}\n")
        if link:
            click.echo(f"  To sign in as the admin, once: {link}\n")
        click.echo("  Ctrl-C stops it. Another link to sign in: bin/vigil admin link\n")

    def _stop(self, supervisor: subprocess.Popen[bytes]) -> None:
        asked = self._stopping.signals
        supervisor.terminate()
        while supervisor.poll() is None:
            if self._stopping.signals > max(asked, 1):
                self._kill(supervisor)
                return
            time.sleep(0.05)

    def _kill(self, supervisor: subprocess.Popen[bytes]) -> None:
        supervisor.kill()
        for name, pid in self._pids.items():
            # SIGQUIT is PostgreSQL's immediate shutdown; it recovers at the next start
            number = signal.SIGQUIT if name == "postgres" else signal.SIGKILL
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)
        supervisor.wait()

    def _tail(self, name: str) -> str | None:
        try:
            text = (self._settings.data_dir / "log" / name).read_text(errors="replace")
        except OSError:
            return None
        lines = text.strip().splitlines()[-8:]
        width = shutil.get_terminal_size().columns - 4
        return "\n".join("  │ " + line[: max(width, 76)] for line in lines) or None


async def _first_link(chosen: Settings) -> str | None:
    from vigil.admin.cli import first_link
    from vigil.context import open_context

    log.start("run", level="warning")
    async with open_context(chosen, "run", pool_size=1) as context:
        link: str | None = await first_link(context)
        return link
