"""Where pictures lie: a folder or a bucket, in the order of names, a page at a time.

A folder is read without following a link below it, and never where Vigil keeps its own data. What
a page costs does not depend on how many files there are in memory, only in looking.
"""

from __future__ import annotations

import asyncio
import errno
import fnmatch
import heapq
import os
import random
import re
import stat
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from vigil import buckets
from vigil.cameras.importing.model import File
from vigil.cameras.pictures.shape import MAX_BYTES, BadPicture
from vigil.errors import Invalid, NotFound, Unavailable
from vigil.settings import Settings

SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".heic", ".heif", ".hif")
PAGE = 5000
"""Files of a folder that are held at once."""
DEEPEST = 40
NEVER = ("/proc", "/sys", "/dev")
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

Matches = Callable[[str], bool]


@dataclass
class Sampled:
    """A part of a place, chosen at random."""

    files: int = 0
    bytes: int = 0
    other: int = 0
    """Files that are not looked at: no picture by their name, or a link."""
    whole: bool = True
    """Whether everything was counted; if not, time was up."""
    sample: list[File] = field(default_factory=list)

    def take(self, file: File, most: int, dice: random.Random) -> None:
        """Count a file, and keep it with the same chance as every other one."""
        self.files += 1
        self.bytes += file.size
        if len(self.sample) < most:
            self.sample.append(file)
        elif (place := dice.randrange(self.files)) < most:
            self.sample[place] = file


class Place(Protocol):
    """Where pictures lie."""

    def pages(self, after: str | None) -> AsyncGenerator[list[File], None]:
        """Every file that is wanted after that one, in order; raises Invalid, Unavailable."""
        ...

    async def read(self, file: File) -> bytes:
        """A file's bytes; raises BadPicture where there are none to be had, Unavailable."""
        ...

    async def sample(self, most: int, seconds: float) -> Sampled:
        """Count everything, or as much as can be done in that time."""
        ...


def matching(pattern: str) -> Matches:
    """Which paths are wanted: ``*.jpg``, ``2026/*/cam1_*``; empty: all pictures by their suffix.

    A pattern without a slash is about names alone. Names that begin with a dot are never wanted.
    """
    if not pattern:
        return lambda path: _visible(path) and path.lower().endswith(SUFFIXES)
    compiled = re.compile(fnmatch.translate(pattern), re.I)
    if "/" in pattern:
        return lambda path: _visible(path) and bool(compiled.match(path))
    return lambda path: _visible(path) and bool(compiled.match(path.rpartition("/")[2]))


def _visible(path: str) -> bool:
    return not path.rpartition("/")[2].startswith(".")


def canonical(settings: Settings, text: str) -> str:
    """A place as it is kept: an absolute path without links, or a bucket's URL; raises Invalid."""
    text = text.strip()
    if not text or len(text) > 2000 or not text.isprintable():
        raise Invalid("that is no place", hint="/a/folder, or s3://bucket/prefix")
    if "://" in text and not text.startswith("file://"):
        url = buckets.check_url(text)
        own = settings.storage_url
        if own and (f"{url}/".startswith(f"{own}/") or f"{own}/".startswith(f"{url}/")):
            raise Invalid("Vigil keeps its own data in this bucket")
        return url
    path = Path(unquote(urlsplit(text).path) if text.startswith("file://") else text)
    if not path.is_absolute():
        raise Invalid("give the whole path of the folder", hint="it begins with /")
    return str(Folder.of(settings, path, "").root)


def open_place(settings: Settings, place: str, pattern: str) -> Place:
    """The place of an import; raises Invalid, Unavailable."""
    if "://" in place:
        return Heap(buckets.Bucket.open(place), matching(pattern))
    return Folder.of(settings, Path(place), pattern)


class Folder:
    """A folder and those below it; names are in order folder by folder."""

    def __init__(self, root: Path, own: frozenset[tuple[int, int]], matches: Matches) -> None:
        self.root = root
        self._own = own
        self._matches = matches

    @classmethod
    def of(cls, settings: Settings, path: Path, pattern: str) -> Folder:
        """A folder that may be read; raises Invalid."""
        try:
            root = path.resolve(strict=True)
            handle = os.open(root, _FOLDER)
        except (OSError, RuntimeError) as error:
            raise Invalid(
                f"the folder cannot be read: {getattr(error, 'strerror', None) or error}",
                hint="it is a folder of the machine that Vigil runs on",
            ) from error
        os.close(handle)
        own = frozenset(filter(None, map(_identity, _own_folders(settings))))
        if root == Path("/") or any(_identity(one) in own for one in (root, *root.parents)):
            raise Invalid(
                "this folder is not one to import from",
                hint="Vigil's own data and the system's folders never are",
            )
        return cls(root, own, matching(pattern))

    async def pages(self, after: str | None) -> AsyncGenerator[list[File], None]:
        """Every file that is wanted after that one, in order."""
        while True:
            page = await asyncio.to_thread(self.page, after, PAGE)
            if page:
                yield page
                after = page[-1].path
            if len(page) < PAGE:
                return

    def page(self, after: str | None, limit: int) -> list[File]:
        """The first ``limit`` files after that one."""
        found: list[File] = []
        with self._opened([]) as handle:
            self._collect(handle, [], after.split("/") if after else [], limit, found)
        return found

    async def read(self, file: File) -> bytes:
        """A file's bytes."""
        return await asyncio.to_thread(self._read, file)

    async def sample(self, most: int, seconds: float) -> Sampled:
        """Count everything, or as much as can be done in that time."""
        stop = threading.Event()
        try:
            return await asyncio.to_thread(self._sample, most, time.monotonic() + seconds, stop)
        finally:  # cancelled: the thread need not go on
            stop.set()

    def _sample(self, most: int, deadline: float, stop: threading.Event) -> Sampled:
        found, dice = Sampled(), random.Random(0)  # noqa: S311 - no secret
        for seen, file in enumerate(self._walk([]), 1):
            if file is None:
                found.other += 1
            else:
                found.take(file, most, dice)
            if not seen % 64 and (stop.is_set() or time.monotonic() > deadline):
                found.whole = False
                break
        return found

    def _walk(self, parts: list[str]) -> Iterator[File | None]:
        """Every file, in no order; ``None`` for one that is not wanted."""
        inner: list[str] = []
        with self._opened(parts) as handle, os.scandir(handle) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    inner.append(entry.name)
                    continue
                path = "/".join([*parts, entry.name])
                wanted = entry.is_file(follow_symlinks=False) and self._matches(path)
                yield _file(path, entry) if wanted else None
        for name in inner:
            if len(parts) < DEEPEST and not self._is_own([*parts, name]):
                yield from self._walk([*parts, name])

    def _collect(
        self, handle: int, parts: list[str], after: list[str], limit: int, found: list[File]
    ) -> None:
        """Files of an open folder, in order, those after ``after``, until there are enough."""
        start, inner = (after[0], after[1:]) if after else ("", [])
        while True:
            with os.scandir(handle) as entries:
                names = heapq.nsmallest(PAGE, self._candidates(entries, parts, start, inner))
            for name, is_folder in names:
                path = [*parts, name]
                if is_folder:
                    self._collect_inner(handle, path, inner if name == start else [], limit, found)
                else:
                    file = _stat(handle, name, "/".join(path))
                    if file is not None:
                        found.append(file)
                if len(found) >= limit:
                    return
            if len(names) < PAGE:
                return
            start, inner = names[-1][0], []

    def _collect_inner(
        self, handle: int, parts: list[str], after: list[str], limit: int, found: list[File]
    ) -> None:
        if len(parts) > DEEPEST:
            return
        try:
            inside = os.open(parts[-1], _FOLDER, dir_fd=handle)
        except OSError as error:
            if error.errno in _GONE:
                return
            raise _unreadable("/".join(parts), error) from error
        try:
            if _told(os.fstat(inside)) not in self._own:
                self._collect(inside, parts, after, limit, found)
        finally:
            os.close(inside)

    def _candidates(
        self, entries: Iterator[os.DirEntry[str]], parts: list[str], start: str, inner: list[str]
    ) -> Iterator[tuple[str, bool]]:
        for entry in entries:
            if entry.name < start:
                continue
            is_folder = entry.is_dir(follow_symlinks=False)
            if entry.name == start and not (is_folder and inner):
                continue
            if is_folder or (
                entry.is_file(follow_symlinks=False)
                and self._matches("/".join([*parts, entry.name]))
            ):
                yield entry.name, is_folder

    def _is_own(self, parts: list[str]) -> bool:
        try:
            with self._opened(parts) as handle:
                return _told(os.fstat(handle)) in self._own
        except Unavailable:
            return True  # gone meanwhile

    @contextmanager
    def _opened(self, parts: list[str]) -> Iterator[int]:
        """A folder below, opened step by step, so that no step is a link."""
        handle = -1
        try:
            handle = os.open(self.root, _FOLDER)
            for part in parts:
                inner = os.open(part, _FOLDER, dir_fd=handle)
                os.close(handle)
                handle = inner
        except OSError as error:
            if handle >= 0:
                os.close(handle)
            raise _unreadable("/".join(parts), error) from error
        try:
            yield handle
        finally:
            os.close(handle)

    def _read(self, file: File) -> bytes:
        *folders, name = file.path.split("/")
        try:
            with self._opened(folders) as folder:
                handle = os.open(name, _FILE, dir_fd=folder)
            with open(handle, "rb") as opened:
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    raise BadPicture("gone", "a file that is no longer one")
                return opened.read(MAX_BYTES + 1)
        except PermissionError:
            raise BadPicture("closed", "a file that may not be read") from None
        except Unavailable as error:
            if isinstance(error.__cause__, OSError) and error.__cause__.errno in _GONE:
                raise BadPicture("gone", "a file that is no longer there") from None
            raise
        except OSError as error:
            if error.errno in _GONE:
                raise BadPicture("gone", "a file that is no longer there") from None
            raise _unreadable(file.shown, error) from error


class Heap:
    """A bucket: names are in order as a whole."""

    def __init__(self, bucket: buckets.Bucket, matches: Matches) -> None:
        self._bucket = bucket
        self._matches = matches

    async def pages(self, after: str | None) -> AsyncGenerator[list[File], None]:
        """Every file that is wanted after that one, in order."""
        async with aclosing(self._bucket.pages(after)) as pages:
            async for page in pages:
                yield [File(*one) for one in page if self._matches(one[0])]

    async def read(self, file: File) -> bytes:
        """A file's bytes."""
        try:
            return await self._bucket.get(file.path)
        except NotFound:
            raise BadPicture("gone", "a file that is no longer there") from None

    async def sample(self, most: int, seconds: float) -> Sampled:
        """Count everything, or as much as can be done in that time."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        found, dice = Sampled(), random.Random(0)  # noqa: S311 - no secret
        async with aclosing(self._bucket.pages(None)) as pages:
            async for page in pages:
                for one in page:
                    if self._matches(one[0]):
                        found.take(File(*one), most, dice)
                    else:
                        found.other += 1
                if loop.time() > deadline:
                    found.whole = False
                    break
        return found


_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO)


def _own_folders(settings: Settings) -> list[Path]:
    own = [settings.data_dir, *map(Path, NEVER)]
    if settings.blobs_url.startswith("file:"):
        own.append(Path(unquote(urlsplit(settings.blobs_url).path)))
    return own


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        return _told(path.stat())
    except OSError:
        return None


def _told(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


def _stat(folder: int, name: str, path: str) -> File | None:
    try:
        told = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return None  # gone meanwhile
    if not stat.S_ISREG(told.st_mode):
        return None
    return File(path, told.st_size, datetime.fromtimestamp(told.st_mtime, UTC))


def _file(path: str, entry: os.DirEntry[str]) -> File | None:
    try:
        told = entry.stat(follow_symlinks=False)
    except OSError:
        return None
    return File(path, told.st_size, datetime.fromtimestamp(told.st_mtime, UTC))


def _unreadable(path: str, error: OSError) -> Unavailable:
    where = path.encode("utf-8", "surrogateescape").decode("utf-8", "replace") or "the folder"
    return Unavailable(
        f"{where} cannot be read: {error.strerror}", hint="may Vigil's user read everything there?"
    )
