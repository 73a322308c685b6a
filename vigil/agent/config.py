"""``agent.json``: which site, as whom, which cameras."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from vigil.errors import Invalid, SettingsError

FILE = "agent.json"
SPOOL_BYTES = 8 * 1024**3
RESERVE_BYTES = 512 * 1024**2


@dataclass(frozen=True, kw_only=True)
class CameraConfig:
    """One camera of this machine."""

    name: str
    driver: str
    """A name of drivers.DRIVERS."""
    target: str = ""
    """What the driver needs: a device, an address, a command."""
    interval_s: float = 60.0
    """Until the site has said otherwise."""
    plan: dict[str, Any] = field(default_factory=dict)
    time_zone: str = "UTC"
    latitude: float | None = None
    longitude: float | None = None
    enabled: bool = True


@dataclass(frozen=True, kw_only=True)
class Config:
    """All that an agent knows before it begins."""

    url: str
    """Of the site, without a slash at its end."""
    name: str
    """Of this controller."""
    token: str
    cameras: tuple[CameraConfig, ...] = ()
    spool_bytes: int = SPOOL_BYTES
    """The most that waits on the disk; beyond, the oldest is dropped."""
    reserve_bytes: int = RESERVE_BYTES
    """What is left free on the disk, whatever waits."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read it; raises SettingsError saying what to do."""
        path = folder / FILE
        try:
            given = json.loads(path.read_text(encoding="utf-8"))
            cameras = tuple(CameraConfig(**one) for one in given.pop("cameras", []))
            return cls(**given, cameras=cameras)
        except FileNotFoundError:
            raise SettingsError(
                "this machine is not registered yet",
                hint="vigil agent register https://your.site CODE",
            ) from None
        except (ValueError, TypeError, OSError) as error:
            raise SettingsError(f"{path} cannot be read: {error}") from None

    def save(self, folder: Path) -> None:
        """Write it, readable for its owner only, whole or not at all."""
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / FILE, json.dumps(asdict(self), indent=2).encode())

    def with_camera(self, camera: CameraConfig) -> Self:
        """The same with this camera, in the place of one of its name."""
        others = tuple(one for one in self.cameras if one.name != camera.name)
        return replace(self, cameras=(*others, camera))

    def camera(self, name: str) -> CameraConfig:
        """The camera of this name; raises Invalid."""
        for one in self.cameras:
            if one.name == name:
                return one
        raise Invalid(f"this machine has no camera {name}", hint="vigil agent camera NAME …")


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that a crash or a power cut leaves the old one or the new one."""
    part = path.with_name(f"{path.name}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        part.unlink(missing_ok=True)
        raise
    part.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
