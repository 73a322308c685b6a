"""Pictures that wait on the disk until the site has them.

``spool/<camera>/new/<taken>-<boot>-<monotonic>`` is a picture as it was taken (microseconds since
1970; the boot of the machine; microseconds of its monotonic clock). Before it is sent for the
first time it becomes ``spool/<camera>/sent/<taken>``, and its time is final: until then it is
mended where the clock of this machine was set meanwhile, as on a Raspberry Pi, whose clock is
wrong until it has a network. A picture leaves the disk when the site has answered for it, so a
crash brings it at most twice, and the site keeps the same picture of the same time once.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vigil.agent.config import sync_folder, write_whole
from vigil.clock import Clock
from vigil.errors import Unavailable

CLOCK_STEP_US = 2_000_000
"""The clock was set when it and the monotonic one disagree by more."""
LOSSES = "losses.json"
MOST_LOSSES = 1000
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


Moment = tuple[int, int]
"""Microseconds since 1970 by this machine's clock, and microseconds of its monotonic clock."""


@dataclass(frozen=True, slots=True, order=True)
class Waiting:
    """A picture that is being brought."""

    taken_us: int
    """Microseconds since 1970."""
    path: Path
    bytes: int


@dataclass(frozen=True, slots=True)
class Loss:
    """Pictures that the site will never see, and why."""

    camera: str
    from_us: int
    to_us: int
    frames: int
    reason: str
    """``spool_full``: the oldest made room; ``source``: the camera gave no picture."""
    message: str


class Spool:
    """The pictures of all cameras of this machine.

    Args:
        folder: of the agent.
        most_bytes: that may wait.
        reserve_bytes: that stay free on the disk.
        clock: tells whether the time of day was set since a picture was taken.
        boot: names the time since the machine started, in which its monotonic clock runs on.
        tidy: whether to remove what a crash left half written; not while another one runs.
    """

    def __init__(
        self,
        folder: Path,
        *,
        most_bytes: int,
        reserve_bytes: int,
        clock: Clock,
        boot: str | None = None,
        tidy: bool = True,
    ) -> None:
        self._folder = folder
        self._root = folder / "spool"
        self._most = most_bytes
        self._reserve = reserve_bytes
        self._clock = clock
        self._boot = boot if boot is not None else this_boot()
        self._root.mkdir(parents=True, exist_ok=True)
        self._losses = self._read_losses()
        self._bytes = 0
        for path in [*self._root.glob("*/*/*")]:
            if path.suffix == ".part":
                if tidy:
                    path.unlink()  # cut short while it was written
            else:
                self._bytes += path.stat().st_size

    @property
    def size(self) -> int:
        """Bytes that wait."""
        return self._bytes

    def count(self, camera: str) -> int:
        """Pictures of a camera that wait."""
        return sum(1 for _ in self._paths(camera))

    def oldest_us(self, camera: str) -> int | None:
        """When the oldest picture of a camera that waits was taken."""
        return min((_taken(path) for path in self._paths(camera)), default=None)

    def add(self, camera: str, data: bytes, moment: Moment | None = None) -> None:
        """Keep a picture of ``moment`` (now); on return it survives a power cut.

        Drops the oldest pictures where there is no room, and keeps account of them; raises
        Unavailable when even that does not help.
        """
        self._make_room(len(data))
        taken, passed = moment or self.now()
        path = self._new(camera) / f"{taken:016}-{self._boot}-{passed}"
        while path.exists():  # two within a microsecond
            taken += 1
            path = self._new(camera) / f"{taken:016}-{self._boot}-{passed}"
        try:
            write_whole(path, data)
        except OSError as error:
            raise Unavailable(f"the picture cannot be kept: {error.strerror}") from error
        self._bytes += len(data)

    def batch(self, camera: str, most: int, most_bytes: int) -> list[Waiting]:
        """The oldest pictures of a camera, in order, to be brought now; at least one if any wait.

        Gives the same ones again until ``done`` was told of them.
        """
        sent = self._sent(camera)
        if not any(sent.iterdir()):
            size = 0
            for number, path in enumerate(sorted(self._new(camera).iterdir())):
                size += path.stat().st_size
                if number and (number >= most or size > most_bytes):
                    break
                self._finish(path, sent)
            sync_folder(sent)
        return sorted(Waiting(_taken(path), path, path.stat().st_size) for path in sent.iterdir())

    def done(self, picture: Waiting) -> None:
        """The site has answered for a picture: it need not wait any more."""
        try:
            picture.path.unlink()
        except FileNotFoundError:
            return  # it had to make room meanwhile
        self._bytes -= picture.bytes

    def lose(self, camera: str, reason: str, message: str, at_us: int | None = None) -> None:
        """Keep account of a picture that the site will never see; one after another is one loss."""
        moment = self.now()[0] if at_us is None else at_us
        last = next((one for one in reversed(self._losses) if one.camera == camera), None)
        if last is not None and (last.reason, last.message) == (reason, message):
            self._losses.remove(last)
            begins, ends = min(last.from_us, moment), max(last.to_us, moment)
            self._losses.append(Loss(camera, begins, ends, last.frames + 1, reason, message))
        else:
            self._losses.append(Loss(camera, moment, moment, 1, reason, message))
        del self._losses[:-MOST_LOSSES]
        self._write_losses()

    @property
    def losses(self) -> list[Loss]:
        """What the site has not been told yet."""
        return list(self._losses)

    def told(self, losses: list[Loss]) -> None:
        """The site knows of these."""
        self._losses = [one for one in self._losses if one not in losses]
        self._write_losses()

    def _make_room(self, wanted: int) -> None:
        while self._bytes + wanted > self._most or self._free() - wanted < self._reserve:
            oldest = min(
                (path for camera in self._cameras() for path in self._paths(camera)),
                key=_taken,
                default=None,
            )
            if oldest is None:
                raise Unavailable("the disk is full, and nothing that waits could make room")
            camera = oldest.parent.parent.name
            self.lose(camera, "spool_full", "there was no room for more", _taken(oldest))
            size = oldest.stat().st_size
            oldest.unlink()
            self._bytes -= size

    def _free(self) -> int:
        return shutil.disk_usage(self._root).free

    def _cameras(self) -> list[str]:
        return sorted(path.name for path in self._root.iterdir())

    def _paths(self, camera: str) -> Iterator[Path]:
        for folder in ("sent", "new"):
            place = self._root / camera / folder
            if place.is_dir():
                yield from (path for path in place.iterdir() if path.suffix != ".part")

    def _new(self, camera: str) -> Path:
        return self._made(self._root / camera / "new")

    def _sent(self, camera: str) -> Path:
        return self._made(self._root / camera / "sent")

    @staticmethod
    def _made(folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _finish(self, path: Path, sent: Path) -> None:
        """Give a picture its final time and place."""
        taken_text, boot, passed = path.name.split("-")
        taken = int(taken_text)
        if boot == self._boot:
            now, passed_now = self.now()
            mended = now - (passed_now - int(passed))
            if abs(mended - taken) > CLOCK_STEP_US:
                taken = mended
        while (sent / f"{taken:016}").exists():
            taken += 1
        path.rename(sent / f"{taken:016}")

    def now(self) -> Moment:
        """The moment by both clocks."""
        now = self._clock.now().timestamp()
        return round(now * 1e6), round(self._clock.monotonic() * 1e6)

    def _read_losses(self) -> list[Loss]:
        try:
            given = json.loads((self._folder / LOSSES).read_text(encoding="utf-8"))
            return [Loss(**one) for one in given]
        except FileNotFoundError:
            return []
        except (ValueError, TypeError):
            return []  # only a hand could have broken it; what it told is lost

    def _write_losses(self) -> None:
        given = [{name: getattr(one, name) for name in Loss.__slots__} for one in self._losses]
        with contextlib.suppress(OSError):  # a full disk must not keep room from being made
            write_whole(self._folder / LOSSES, json.dumps(given).encode())


def this_boot() -> str:
    """Names the time since this machine started; empty where the system does not say."""
    try:
        return BOOT_ID.read_text(encoding="ascii").replace("-", "")[:12]
    except OSError:
        return f"pid{os.getpid()}"


def _taken(path: Path) -> int:
    return int(path.name.partition("-")[0])
