"""How a picture is taken: one function for each kind of camera; all end in a file or bytes.

Programs get their arguments one by one, never through a shell, except in ``command``, whose line
is the owner's own.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shlex
import shutil
import signal
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vigil.errors import SettingsError, SourceError

TIMEOUT_S = 60.0
MOST_BYTES = 64_000_000
FILE = "{file}"


@dataclass(frozen=True)
class Driver:
    """A way to take a picture."""

    name: str
    about: str
    """For --help; says what ``target`` is."""
    arguments: Callable[[str], list[str]] | None = None
    """Of the program that writes a picture to ``{file}``, or to its output when none is named."""
    fetch: Callable[[str, float], bytes] | None = None
    """Or a function that asks an address."""


def _rpicam(target: str) -> list[str]:
    program = _first("rpicam-still", "libcamera-still")
    return [program, "--nopreview", "--immediate", "--output", FILE, *shlex.split(target)]


def _v4l2(target: str) -> list[str]:
    device = target or "/dev/video0"
    if shutil.which("fswebcam"):
        return ["fswebcam", "--quiet", "--no-banner", "--skip", "3", "--device", device, FILE]
    _first("ffmpeg", "fswebcam")
    arguments = ["ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-f", "v4l2", "-i", device]
    return [*arguments, "-frames:v", "1", "-q:v", "2", "-f", "image2", FILE]


def _gphoto2(target: str) -> list[str]:
    _first("gphoto2")
    port = ["--port", target] if target else []
    shot = ["--capture-image-and-download", "--force-overwrite", "--quiet"]
    return ["gphoto2", *port, *shot, "--filename", FILE]


def _command(target: str) -> list[str]:
    return ["/bin/sh", "-c", target]


def _snapshot(target: str, timeout_s: float) -> bytes:
    return _get(target, timeout_s)


def _gopro(target: str, timeout_s: float) -> bytes:
    """Open GoPro HTTP API 2.0 (https://gopro.github.io/OpenGoPro/http): HERO9 and later."""
    base = target.rstrip("/") or "http://10.5.5.9:8080"
    until = time.monotonic() + timeout_s
    known = _gopro_files(base, timeout_s)
    _get(f"{base}/gopro/camera/presets/set_group?id=1001", timeout_s)  # photo
    _get(f"{base}/gopro/camera/shutter/start", timeout_s)
    while time.monotonic() < until:
        state = json.loads(_get(f"{base}/gopro/camera/state", timeout_s))
        if not int(state["status"].get("8", 0)):  # 8: busy
            new = _gopro_files(base, timeout_s) - known
            if new:
                return _get(f"{base}/videos/DCIM/{max(new)}", timeout_s)
        time.sleep(0.5)
    raise SourceError("the GoPro took no picture", hint="is it in photo mode, with a card?")


def _gopro_files(base: str, timeout_s: float) -> set[str]:
    listed = json.loads(_get(f"{base}/gopro/media/list", timeout_s))
    return {
        f"{folder['d']}/{file['n']}"
        for folder in listed.get("media", [])
        for file in folder.get("fs", [])
        if str(file["n"]).upper().endswith((".JPG", ".JPEG"))
    }


DRIVERS = {
    driver.name: driver
    for driver in (
        Driver("rpicam", "a Raspberry Pi's camera; target: more options of rpicam-still", _rpicam),
        Driver("v4l2", "a USB camera; target: its device, /dev/video0 if not given", _v4l2),
        Driver(
            "gphoto2", "a camera that gphoto2 knows; target: its port, if not the only", _gphoto2
        ),
        Driver(
            "gopro", "a GoPro by its web API; target: its address if not 10.5.5.9", fetch=_gopro
        ),
        Driver("snapshot", "an address that answers with a picture; target: it", fetch=_snapshot),
        Driver(
            "command", "any command; target: a shell line; writes to {file} or stdout", _command
        ),
    )
}


async def take(driver: str, target: str, timeout_s: float = TIMEOUT_S) -> bytes:
    """Take a picture; raises SourceError saying why not, SettingsError when it never could."""
    chosen = DRIVERS.get(driver)
    if chosen is None:
        raise SettingsError(f"there is no driver {driver}", hint=", ".join(DRIVERS))
    if chosen.fetch is not None:
        try:
            return await asyncio.to_thread(chosen.fetch, target, timeout_s)
        except (OSError, ValueError, KeyError) as error:
            raise SourceError(f"the camera does not answer as it should: {error}") from error
    assert chosen.arguments is not None  # noqa: S101 - a driver has one or the other
    return await _run(chosen.arguments(target), timeout_s)


async def _run(arguments: list[str], timeout_s: float) -> bytes:
    with tempfile.TemporaryDirectory(prefix="vigil-agent-") as folder:
        path = Path(folder) / "picture"
        named = [part.replace(FILE, str(path)) for part in arguments]
        process = await asyncio.create_subprocess_exec(
            *named,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(timeout_s):
                out, said = await process.communicate()
        except TimeoutError:
            raise SourceError(f"no picture within {timeout_s:g} s") from None
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        if process.returncode:
            lines = said.decode(errors="replace").strip().splitlines()
            told = lines[-1][:300] if lines else f"exit status {process.returncode}"
            raise SourceError(f"no picture: {told}")
        data = path.read_bytes() if path.exists() else out
    if not data:
        raise SourceError("the command wrote no picture", hint="to {file}, or to its output")
    if len(data) > MOST_BYTES:
        raise SourceError(f"a picture of more than {MOST_BYTES / 1e6:.0f} MB")
    return data


def _get(url: str, timeout_s: float) -> bytes:
    if not url.startswith(("http://", "https://")):
        raise SettingsError(f"{url} is no address", hint="http://…")
    try:
        with urllib.request.urlopen(url, timeout=timeout_s) as answer:  # noqa: S310 - http(s) only
            data: bytes = answer.read(MOST_BYTES + 1)
    except urllib.error.HTTPError as error:
        raise SourceError(f"the camera answered {error.code}") from error
    return data


def _first(*programs: str) -> str:
    for program in programs:
        if shutil.which(program):
            return program
    raise SettingsError(f"{' or '.join(programs)} is not installed here")
