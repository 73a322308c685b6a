"""``vigil agent``: register this machine, name its cameras, run. Standard library only."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import re
import signal
import socket
import sys
from pathlib import Path

from vigil.agent import drivers
from vigil.agent.config import CameraConfig, Config
from vigil.agent.shooting import Agent, tell
from vigil.agent.site import Site
from vigil.agent.spool import Spool
from vigil.clock import SystemClock
from vigil.errors import SettingsError, VigilError


def main(arguments: list[str] | None = None) -> int:
    """Run a command; returns the exit status: 0 done, 1 failed with a reason, 2 wrong usage."""
    given = _parser().parse_args(arguments)
    folder = Path(given.folder).expanduser()
    try:
        return int(given.run(given, folder) or 0)
    except VigilError as error:
        print(f"vigil: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"       {error.hint}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 1


def register(given: argparse.Namespace, folder: Path) -> None:
    """Use a one-time code."""
    name = given.name or re.sub(r"[^a-z0-9-]+", "-", socket.gethostname().lower()).strip("-")
    site = Site(given.url)
    token = site.register(given.code, name)
    try:
        known = Config.load(folder).cameras
    except SettingsError:
        known = ()
    Config(url=given.url.strip().rstrip("/"), name=name, token=token, cameras=known).save(folder)
    print(f"registered as {name}; next: vigil agent camera NAME --driver …")


def camera(given: argparse.Namespace, folder: Path) -> None:
    """Add or change a camera of this machine."""
    config = Config.load(folder)
    if given.test:
        data = asyncio.run(drivers.take(given.driver, given.target))
        Path(given.test).write_bytes(data)
        print(f"a picture of {len(data):,} bytes: {given.test}")
    answer = Site(config.url, config.token).add_camera(given.name, given.title, given.interval)
    made = CameraConfig(
        name=given.name,
        driver=given.driver,
        target=given.target,
        interval_s=float(answer["interval_s"]),
    )
    config.with_camera(made).save(folder)
    print(f"camera {given.name} is at {config.url}/cameras/{given.name}")


def run(given: argparse.Namespace, folder: Path) -> None:
    """Take and bring pictures until told to stop."""
    config = Config.load(folder)
    if not config.cameras:
        raise SettingsError("this machine has no camera yet", hint="vigil agent camera NAME …")
    _only_one(folder)

    async def forever() -> None:
        loop = asyncio.get_running_loop()
        running = asyncio.ensure_future(Agent(config, folder, SystemClock()).run())
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, running.cancel)
        tell(f"{len(config.cameras)} cameras, to {config.url}")
        with contextlib.suppress(asyncio.CancelledError):
            await running

    asyncio.run(forever())


def status(given: argparse.Namespace, folder: Path) -> None:
    """Say what waits."""
    config = Config.load(folder)
    spool = Spool(
        folder,
        most_bytes=config.spool_bytes,
        reserve_bytes=config.reserve_bytes,
        clock=SystemClock(),
        tidy=False,
    )
    print(f"{config.name} at {config.url}; {spool.size:,} bytes wait")
    for one in config.cameras:
        print(f"  {one.name}: {spool.count(one.name)} pictures, each {one.interval_s:g} s")
    for loss in spool.losses:
        print(f"  lost {loss.frames} of {loss.camera}: {loss.message}")


def _only_one(folder: Path) -> None:
    """Two agents on one folder would bring the same pictures."""
    import fcntl

    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise SettingsError("an agent runs in this folder already") from None
    os.set_inheritable(descriptor, False)  # held until this process ends


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="vigil agent", description=__doc__)
    parser.add_argument(
        "--folder",
        default=os.environ.get("VIGIL_AGENT_DIR", "~/.vigil-agent"),
        help="where it keeps its files (VIGIL_AGENT_DIR; default ~/.vigil-agent)",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    one = commands.add_parser("register", help="register with a one-time code of the site")
    one.add_argument("url", help="of the site, e.g. https://vigil.example.org")
    one.add_argument("code", help="from the site's page /controllers, or vigil controller code")
    one.add_argument("--name", help="of this machine; its host name if not given")
    one.set_defaults(run=register)
    about = "\n".join(f"  {driver.name}: {driver.about}" for driver in drivers.DRIVERS.values())
    one = commands.add_parser(
        "camera",
        help="add or change a camera of this machine",
        epilog=f"drivers:\n{about}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    one.add_argument("name", help="lower-case letters, digits and dashes")
    one.add_argument("--driver", required=True, choices=list(drivers.DRIVERS))
    one.add_argument("--target", default="", help="device, address or command; see below")
    one.add_argument("--interval", type=float, default=60.0, metavar="SECONDS")
    one.add_argument("--title", default="", help="for people")
    one.add_argument("--test", metavar="FILE", help="take a picture first, and keep it here")
    one.set_defaults(run=camera)
    one = commands.add_parser("run", help="take and bring pictures until stopped")
    one.set_defaults(run=run)
    one = commands.add_parser("status", help="say what waits to be brought")
    one.set_defaults(run=status)
    return parser
