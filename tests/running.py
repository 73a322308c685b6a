"""The whole of Vigil, started as a user starts it, for tests that look at it from outside."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import psutil

from vigil.settings import ROOT

T = TypeVar("T")
NOBODY_HOME = "http://127.0.0.1:9"  # discard: nothing listens there


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(look: Callable[[], T | None], seconds: float, what: str) -> T:
    """The first true answer of ``look``; fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.1)


class Vigil:
    """One `vigil run` on a folder and a port of its own."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        clean = {k: v for k, v in os.environ.items() if not k.startswith("VIGIL_")}
        self.environment = clean | {
            "PYTHONPATH": str(ROOT),
            "VIGIL_DATA_DIR": str(folder / "data"),
            "VIGIL_PORT": str(self.port),
            "VIGIL_OWNCAST_URL": NOBODY_HOME,
            "VIGIL_PEERTUBE_URL": NOBODY_HOME,
            **settings,
        }
        self.output = folder / "output.txt"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The running `vigil run`."""
        assert self._process is not None
        return self._process

    def start(self, seconds: float = 60) -> None:
        """Start it and wait until it is well."""
        self.spawn()
        wait_for(self.welcomed, seconds, "the welcome")

    def spawn(self) -> None:
        """Start it, not waiting for anything."""
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "vigil", "run"],
                env=self.environment,
                stdout=output,
                stderr=output,
                cwd=self.folder,
                start_new_session=True,
            )

    def welcomed(self) -> bool:
        """Whether it printed its address; fails when it ended instead."""
        if self.process.poll() is not None:
            raise AssertionError(f"vigil run ended:\n{self.output.read_text()}")
        return f"Vigil is at http://localhost:{self.port}" in self.output.read_text()

    def stop(self, number: int = signal.SIGINT, seconds: float = 30) -> int:
        """Send the signal and wait for the end; returns the exit status."""
        self.process.send_signal(number)
        return self.process.wait(seconds)

    def get(self, path: str) -> Any:
        """JSON of an address; raises HTTPError."""
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return json.load(answer)

    def text(self, path: str) -> str:
        """Body of an address as text; empty when there is none yet."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:
                body: bytes = answer.read()
                return body.decode(errors="replace")
        except (urllib.error.URLError, OSError):
            return ""

    def health(self) -> dict[str, Any]:
        """What /healthz says, whatever its status; ``{}`` while nobody answers."""
        try:
            found: dict[str, Any] = self.get("/healthz")
            return found
        except urllib.error.HTTPError as error:
            refused: dict[str, Any] = json.load(error)
            return refused
        except (urllib.error.URLError, OSError, ValueError):
            return {}

    def command(self, *arguments: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
        """Run another `vigil …` on the same settings."""
        return subprocess.run(
            [sys.executable, "-m", "vigil", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=seconds,
            cwd=self.folder,
            check=False,
        )

    def pids(self, part: str) -> list[int]:
        """Processes below `vigil run` whose command line holds ``part``."""
        found = []
        for child in psutil.Process(self.process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if part in " ".join(child.cmdline()):
                    found.append(child.pid)
        return found

    def everything(self) -> list[psutil.Process]:
        """`vigil run` and all processes below it."""
        top = psutil.Process(self.process.pid)
        return [top, *top.children(recursive=True)]


@contextlib.contextmanager
def running(**settings: str) -> Iterator[Vigil]:
    """A whole Vigil for the length of a block; killed and removed afterwards, whatever happened."""
    folder = Path(tempfile.mkdtemp(prefix="vigil-house-"))
    folder.chmod(0o755)
    house = Vigil(folder, **settings)
    try:
        yield house
    finally:
        if house._process is not None and house.process.poll() is None:
            left = house.everything()
            with contextlib.suppress(subprocess.TimeoutExpired):
                house.stop(signal.SIGTERM, 20)
            for process in left:
                with contextlib.suppress(psutil.Error):
                    process.kill()
        shutil.rmtree(folder, ignore_errors=True)
