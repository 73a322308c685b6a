"""Folders into which others drop files: looked through, read and emptied.

No symbolic link is followed, neither below the folder nor on the way of a file that is read or
removed: who may write there must not reach anything else by it. Everything here blocks: call it in
a thread.
"""

from __future__ import annotations

import hashlib
import heapq
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from vigil.errors import SourceError
from vigil.settings import Settings

REFUSED = "refused"
"""The folder for what never becomes a frame; it is not looked into."""
REFUSED_FILES, REFUSED_BYTES = 1000, 500_000_000
"""More than that is not kept there; the oldest go first."""
UNFINISHED = (".tmp", ".temp", ".part", ".partial", ".filepart", ".upload", ".crdownload", ".lock")
"""How names of files end that somebody is still writing; so do names that begin with a dot."""


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """A file as a look saw it; in the order of their last changes."""

    modified_ns: int
    path: str
    """Below the folder."""
    size: int = field(compare=False)
    inode: int = field(compare=False)
    changed_ns: int = field(compare=False)

    @property
    def key(self) -> int:
        """What it is known by later: 64 bits, signed."""
        told = f"{self.path}\0{self.size}\0{self.modified_ns}".encode(errors="surrogateescape")
        return int.from_bytes(hashlib.blake2b(told, digest_size=8).digest(), signed=True)

    @property
    def state(self) -> tuple[int, int, int, int]:
        """What changes when somebody writes to it."""
        return self.size, self.inode, self.modified_ns, self.changed_ns


@dataclass(frozen=True, slots=True)
class Sight:
    """What a look found."""

    entries: list[Entry]
    """Those that are wanted, the oldest first."""
    empty: list[str]
    """Folders below with nothing in them since a while."""


def allowed(settings: Settings, path: str) -> Path:
    """The folder itself, links on the way to it resolved; raises SourceError.

    That are folders below those of ``VIGIL_FOLDERS`` and below ``drop`` in the data folder, and no
    others: a camera empties its folder. Nothing else of Vigil's own data is ever one.
    """
    try:
        root = Path(path).resolve(strict=True)
        is_folder = root.is_dir()
    except (OSError, ValueError, RuntimeError):
        is_folder = False
    if not is_folder:
        raise SourceError("there is no such folder", hint="on the machine where the scanner runs")
    data = settings.data_dir.resolve()
    if root.is_relative_to(data / "drop"):
        return root
    own = [data]
    if settings.blobs_url.startswith("file:"):
        own.append(Path(settings.blobs_url.removeprefix("file://")).resolve())
    if any(root.is_relative_to(one) or one.is_relative_to(root) for one in own):
        raise SourceError("this folder holds Vigil's own data", permanent=True)
    if not any(root.is_relative_to(one.resolve()) for one in settings.folders):
        raise SourceError(
            "this folder is not one that cameras may use",
            hint=f"VIGIL_FOLDERS names the folders below which they may; {data / 'drop'} is one",
            permanent=True,
        )
    return root


class Folder:
    """One folder.

    Args:
        root: its path, no link.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def look(self, wanted: Callable[[Entry], bool], most: int, empty_before_ns: int) -> Sight:
        """The oldest files that are wanted, at most so many; raises SourceError.

        ``wanted`` is asked about each file. Empty folders are those last changed before then.
        """
        empty: list[str] = []
        found = heapq.nsmallest(most, filter(wanted, self._walk(empty, empty_before_ns)))
        return Sight(found, empty)

    def _walk(self, empty: list[str], before_ns: int) -> Iterator[Entry]:
        below = [""]
        while below:
            folder = below.pop()
            number = 0
            try:
                with os.scandir(self._root / folder) as entries:
                    for entry in entries:
                        number += 1
                        if entry.name.startswith(".") or not (folder or entry.name != REFUSED):
                            continue
                        path = os.path.join(folder, entry.name)
                        if entry.is_dir(follow_symlinks=False):
                            below.append(path)
                        elif not entry.name.lower().endswith(UNFINISHED):
                            with suppress(FileNotFoundError):
                                told = entry.stat(follow_symlinks=False)
                                if stat.S_ISREG(told.st_mode):
                                    yield _entry(path, told)
                if folder and not number:
                    told = (self._root / folder).lstat()
                    if told.st_mtime_ns < before_ns:
                        empty.append(folder)
            except OSError as error:
                if not folder:
                    raise SourceError("the folder cannot be read", hint=error.strerror) from error

    def read(self, entry: Entry, most: int) -> bytes | None:
        """The first ``most`` bytes of a file; ``None`` when it is gone or changed meanwhile.

        Raises PermissionError.
        """
        try:
            with self._parent(entry.path) as (folder, name):
                # Neither through a link nor waiting for whoever writes to a pipe of that name.
                flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
                handle = os.open(name, flags, dir_fd=folder)
            with open(handle, "rb") as file:
                data = file.read(most)
                told = os.fstat(handle)
        except PermissionError:
            raise
        except OSError:
            return None
        if not stat.S_ISREG(told.st_mode) or _entry(entry.path, told).state != entry.state:
            return None
        return data

    def remove(self, entry: Entry) -> None:
        """Remove a file unless it changed: cameras write the next picture under the same name.

        Raises SourceError.
        """
        self._unless_changed(entry, lambda folder, name: os.unlink(name, dir_fd=folder))

    def refuse(self, entry: Entry) -> None:
        """Move a file to the folder ``refused``, and remove the oldest from there; raises
        SourceError."""
        with self._failing():
            (self._root / REFUSED).mkdir(exist_ok=True)
            with self._opened(REFUSED) as refused:

                def move(folder: int, name: str) -> None:
                    other = os.fsencode(f"{entry.modified_ns}-{name}")[-255:]
                    os.rename(name, other, src_dir_fd=folder, dst_dir_fd=refused)

                self._unless_changed(entry, move)
                number = total = 0
                for _, size, name in sorted(_files(refused), reverse=True):
                    number, total = number + 1, total + size
                    if number > REFUSED_FILES or total > REFUSED_BYTES:
                        os.unlink(name, dir_fd=refused)

    def tidy(self, empty: list[str]) -> None:
        """Remove folders that are still empty."""
        for path in empty:
            with suppress(OSError), self._parent(path) as (folder, name):
                os.rmdir(name, dir_fd=folder)

    def _unless_changed(self, entry: Entry, act: Callable[[int, str], None]) -> None:
        """Do something with a file, given as its open folder and its name."""
        gone = suppress(FileNotFoundError, NotADirectoryError)
        with self._failing(), gone, self._parent(entry.path) as (folder, name):
            told = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if _entry(entry.path, told).state == entry.state:
                act(folder, name)

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise SourceError(
                "files cannot be removed from the folder",
                hint=f"{error.strerror}; or let its files be kept (after: keep)",
                retry_after=60,
            ) from error

    @contextmanager
    def _parent(self, path: str) -> Iterator[tuple[int, str]]:
        folder, _, name = path.rpartition(os.sep)
        with self._opened(folder) as handle:
            yield handle, name

    @contextmanager
    def _opened(self, folder: str) -> Iterator[int]:
        """A folder below, opened step by step so that no step is a link."""
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        handle = os.open(self._root, flags)
        try:
            for part in folder.split(os.sep) if folder else ():
                inner = os.open(part, flags, dir_fd=handle)
                os.close(handle)
                handle = inner
            yield handle
        finally:
            os.close(handle)


def _entry(path: str, told: os.stat_result) -> Entry:
    return Entry(told.st_mtime_ns, path, told.st_size, told.st_ino, told.st_ctime_ns)


def _files(folder: int) -> Iterator[tuple[int, int, str]]:
    """Since when it is there, size and name of each file of an open folder."""
    with os.scandir(folder) as entries:
        for entry in entries:
            told = entry.stat(follow_symlinks=False)
            if stat.S_ISREG(told.st_mode):
                yield told.st_ctime_ns, told.st_size, entry.name
