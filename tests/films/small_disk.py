"""A disk that is really full: a small file system that only the processes put onto it see."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

PAGE = 4096
MOUNT = """
set -e
cd "$1"
mount -t tmpfs -o size="$2" none "$1"
cp -a . "$1/"
echo there
exec cat
"""
"""Puts a file system of that size in the place of a folder, with what is in it, until its input
ends."""


@dataclass(frozen=True)
class SmallDisk:
    """A folder of ours on a file system of its own, in a mount namespace of its own (Linux)."""

    folder: Path
    """Its path, as processes on the disk know it."""
    pid: int
    """Of the process that holds the namespace."""

    @property
    def inside(self) -> Path:
        """Its path from here."""
        return Path(f"/proc/{self.pid}/root{self.folder}")

    @property
    def enter(self) -> Sequence[str]:
        """Begin of a command line that runs where the disk is seen."""
        user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        return ["nsenter", f"--target={self.pid}", "--mount", *user]

    def files(self, *folders: str) -> list[Path]:
        """All files below some folders of it."""
        found = [path for folder in folders for path in (self.inside / folder).rglob("*")]
        return [path for path in found if path.is_file()]

    def free(self) -> int:
        """Bytes."""
        space = os.statvfs(self.inside)
        return space.f_bavail * space.f_frsize

    def fill(self, leave: int) -> None:
        """Let it be full but for so many bytes."""
        with (self.inside / "ballast").open("ab") as ballast:
            end = ballast.tell() + max(0, self.free() - leave) // PAGE * PAGE
            os.posix_fallocate(ballast.fileno(), ballast.tell(), end - ballast.tell())

    def make_room(self) -> None:
        """Remove what fills it."""
        (self.inside / "ballast").unlink()

    def take_home(self) -> None:
        """Copy what is on it into the folder that it covers."""
        shutil.copytree(self.inside, self.folder, dirs_exist_ok=True)


@asynccontextmanager
async def small_disk(folder: Path, size: int) -> AsyncIterator[SmallDisk]:
    """A file system of so many bytes in the place of a folder; skips where that is not allowed."""
    for program in ("unshare", "nsenter", "mount"):
        if shutil.which(program) is None:
            pytest.skip(f"there is no {program} here")
    process = await asyncio.create_subprocess_exec(
        *("unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])),
        *("sh", "-c", MOUNT, "sh", str(folder), str(size)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr
    if await process.stdout.readline() != b"there\n":
        said = (await process.stderr.read()).decode(errors="replace").strip()
        pytest.skip(f"this system gives us no file system of our own: {said}")
    try:
        yield SmallDisk(folder, process.pid)
    finally:
        process.stdin.close()
        await process.wait()
