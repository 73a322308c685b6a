"""Blobs: frames, film segments, films. One interface over one disk or an object store.

A blob is whole or absent, whoever is killed when. On a disk obstore writes ``<key>#<n>`` and
renames it; a killed write leaves that file behind, which no list shows and ``sweep`` removes. In
an object store a killed upload leaves invisible parts: give the bucket a lifecycle rule that
aborts incomplete uploads after a day.

A power cut: obstore does not fsync a local file, so we do, file and folders, before a write
returns. Whoever writes a row after that finds the blob again when the power is back; what a cut
can leave is a blob that no row names yet, maybe empty, which ``bin/vigil check`` finds. A delete
is not synced: a blob may come back without its row, and is found in the same way.

A store has a mark, the file ``MARK``, with the id that the database knows it by (vigil/marking.py).
Where it is missing or another's, the disk is not mounted, or it is another one: then nothing is
written, removed or said not to exist, and ``StoreAway`` is raised, until the mark is there again.
On a disk it is read each time (20 µs), in an object store until it was seen once.

Object stores take their credentials and endpoint from their usual variables (``AWS_…``,
``GOOGLE_…``, ``AZURE_…``).
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, from_url

from vigil.errors import DiskFull, Invalid, NotFound, StoreAway, Unavailable, VigilError
from vigil.reserve import Space

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import ObjectStore

_KEY = re.compile(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*")
_LEFTOVER = re.compile(r".+#[0-9]+")
_LONGEST_KEY = 512
_STALE_S = 3600.0
MARK = "vigil-store.txt"
"""The name of the mark: the id of the store on a line, and then what a person should know."""
_MARK_TEXT = """{id}
This is the blob store of a Vigil, whose database knows it by that id. Leave this file here and copy
it with the rest: without it Vigil takes the disk for one that is not mounted.
See: bin/vigil store --help
"""
PARTS = 2
"""Parts of a file that are in memory at a time while it is written."""
PART_DISK, PART_BUCKET = 128 * 1024, 5 * 1024 * 1024
"""Their bytes; object stores take none that are smaller."""
SPACE_S = 1.0
"""The room on a disk is asked for no more often."""


@dataclass(frozen=True)
class BlobInfo:
    """What is known of a blob without reading it."""

    key: str
    size: int
    """Bytes."""
    modified: datetime
    """UTC."""
    etag: str
    """Changes when the bytes do; without quotes."""


class Storage:
    """A place for blobs. Keys are ``a/b/c.ext``; any other key raises Invalid.

    What cannot be done because the store is full, gone or closed to us raises Unavailable.
    """

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._root = store.prefix if isinstance(store, LocalStore) else None
        self._space: Space | None = None
        self._space_seen = -SPACE_S
        self._id: str | None = None
        self._known = False

    @classmethod
    def open(cls, url: str) -> Storage:
        """The store at a URL such as ``file:///srv/vigil`` (made when missing) or ``s3://bucket``.

        Nothing is sent anywhere yet: ``check`` says whether it works.
        """
        try:
            if url.startswith("file:"):
                return cls(LocalStore.from_url(url, mkdir=True, automatic_cleanup=True))
            return cls(
                from_url(
                    url,
                    client_options={
                        "connect_timeout": "5s",
                        "timeout": "60s",
                        # options that are given here hide what the environment says of them
                        "allow_http": os.environ.get("AWS_ALLOW_HTTP", "").lower() == "true",
                    },
                    retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=30)},
                )
            )
        except (BaseError, OSError, ValueError) as error:
            raise Unavailable(
                f"the blob store cannot be opened: {_first_line(error)}",
                hint="look at VIGIL_STORAGE_URL and VIGIL_DATA_DIR",
            ) from error

    def belongs_to(self, id: str) -> None:
        """From now on it is only used where its mark says so."""
        self._id, self._known = id, self._known and id == self._id

    def unbound(self) -> Storage:
        """The same place, whatever its mark says."""
        return Storage(self._store)

    @property
    def place(self) -> Path | None:
        """Its folder; ``None``: an object store."""
        return self._root

    async def mark(self) -> str | None:
        """The id in its mark; ``None``: it has none. Raises Unavailable."""
        with _failures(MARK):
            if self._root is not None:
                return await asyncio.to_thread(_mark, self._root)
            try:
                answer = await obstore.get_async(self._store, MARK)
            except FileNotFoundError:
                return None
            return _named(bytes(await answer.bytes_async()))

    async def put_mark(self, id: str) -> None:
        """Write its mark, replacing another."""
        with _failures(MARK):
            await obstore.put_async(self._store, MARK, _MARK_TEXT.format(id=id).encode())
        await self._sync(MARK)

    async def there(self) -> None:
        """Raises StoreAway where this is not the store that it should be."""
        if self._id is not None and not self._known:
            self._judge(await self.mark())

    def _judge(self, found: str | None) -> None:
        if self._id is None:
            return
        if found != self._id:
            raise StoreAway(
                f"the blob store is not there: its place has no file {MARK}"
                if found is None
                else f"another blob store is there: its {MARK} names another database",
                hint="is its disk mounted? It goes on by itself when it is there. If nothing is"
                " amiss with the disk: bin/vigil store show",
            )
        self._known = self._root is None  # a bucket does not become another one

    async def put(self, key: str, data: bytes) -> None:
        """Write a blob, replacing what was there; on return it survives a power cut."""
        _checked(key)
        await self.there()
        with _failures(key):
            await obstore.put_async(self._store, key, data)
        await self._sync(key)

    async def put_file(self, key: str, path: Path) -> int:
        """Make a file of this machine a blob; returns its bytes.

        On the same disk they become one, without a copy: the file may be removed, but must not be
        written to any more. Elsewhere it is sent, ``PARTS`` of it at a time.
        """
        _checked(key)
        await self.there()
        with _failures(key):
            size = await asyncio.to_thread(lambda: path.stat().st_size)
            if self._root is None or not await asyncio.to_thread(_link, path, self._root / key):
                part = PART_BUCKET if self._root is None else PART_DISK
                await obstore.put_async(
                    self._store, key, path, chunk_size=part, max_concurrency=PARTS
                )
        await self._sync(key)
        return size

    async def get(self, key: str) -> bytes:
        """The whole blob; raises NotFound."""
        try:
            with _failures(_checked(key)):
                answer = await obstore.get_async(self._store, key)
                return bytes(await answer.bytes_async())
        except NotFound:
            await self.there()
            raise

    async def get_each(self, keys: Sequence[str]) -> list[bytes | None]:
        """Several whole blobs, ``None`` where there is none.

        From a disk one after the other in one thread, as to be woken for each costs more than to
        read it; from an object store all at once.
        """
        if self._root is None:
            return list(await asyncio.gather(*(self._get_or_none(key) for key in keys)))
        found = await asyncio.to_thread(lambda: [self._read(key) for key in keys])
        if None in found:
            await self.there()
        return found

    def _read(self, key: str) -> bytes | None:
        try:
            with _failures(_checked(key)):
                return bytes(obstore.get(self._store, key).bytes())
        except NotFound:
            return None

    async def _get_or_none(self, key: str) -> bytes | None:
        try:
            return await self.get(key)
        except NotFound:
            return None

    async def get_range(self, key: str, start: int, end: int) -> bytes:
        """Bytes from ``start`` up to, not including, ``end`` or the blob's end; raises NotFound."""
        if not 0 <= start <= end:
            raise Invalid(f"there are no bytes {start} to {end}")
        _checked(key)
        if start == end:
            return b""
        try:
            with _failures(key):
                return bytes(await obstore.get_range_async(self._store, key, start=start, end=end))
        except NotFound:
            await self.there()
            raise

    async def head(self, key: str) -> BlobInfo | None:
        """What is known of a blob; ``None`` when there is none."""
        try:
            with _failures(_checked(key)):
                return _info(await obstore.head_async(self._store, key))
        except NotFound:
            await self.there()
            return None

    async def delete(self, key: str) -> None:
        """Remove a blob; no error when there is none."""
        _checked(key)
        await self.there()
        try:
            with _failures(key):
                await obstore.delete_async(self._store, key)
        except NotFound:
            pass

    async def list(self, prefix: str = "") -> AsyncIterator[BlobInfo]:
        """All blobs below a folder (``frames/3``), in no particular order."""
        folder = _checked(prefix.rstrip("/")) if prefix else None
        await self.there()
        with _failures(prefix):
            async for batch in obstore.list(self._store, folder, chunk_size=500):
                for meta in batch:
                    if meta["path"] != MARK:
                        yield _info(meta)

    async def check(self) -> None:
        """Write, read and delete a probe; raises Unavailable, saying what did not work."""
        key, data = f"probe/{secrets.token_hex(8)}", secrets.token_bytes(64)
        try:
            await self.put(key, data)
            if await self.get(key) != data:
                raise Unavailable("the blob store gave back other bytes than it was given")
            await self.delete(key)
        except NotFound as error:
            raise Unavailable("the blob store lost what it was given") from error

    async def space(self) -> Space | None:
        """How much room there is, looked at once a second; ``None``: an object store."""
        if self._root is not None and time.monotonic() - self._space_seen >= SPACE_S:
            self._space = await asyncio.to_thread(_space, self._root)
            self._space_seen = time.monotonic()
        return self._space

    async def sweep(self, older_than_s: float = _STALE_S) -> int:
        """Remove what killed writes left on this disk; returns how many files.

        Only files that nobody wrote to for ``older_than_s`` seconds: a younger one may be in use.
        """
        if self._root is None:
            return 0
        await self.there()
        return await asyncio.to_thread(_sweep, self._root, time.time() - older_than_s)

    async def _sync(self, key: str) -> None:
        """Raises StoreAway, too: the disk may have gone while we wrote."""
        if self._root is not None:
            with _failures(key):
                self._judge(await asyncio.to_thread(_sync, self._root, self._root / key))


def _checked(key: str) -> str:
    parts = key.split("/")
    if len(key) > _LONGEST_KEY or not _KEY.fullmatch(key) or "." in parts or ".." in parts:
        raise Invalid(f"{key[:100]!r} cannot be the name of a blob")
    return key


@contextmanager
def _failures(key: str) -> Iterator[None]:
    """Turns what obstore raises into our errors."""
    try:
        yield
    except VigilError:
        raise
    except FileNotFoundError as error:
        raise NotFound(f"there is no blob {key}") from error
    except (BaseError, OSError, ValueError) as error:
        text = _first_line(error)
        if "os error 28" in text or "os error 122" in text or "No space left" in text:
            raise DiskFull(
                "the disk that holds the blobs is full",
                hint="free some space, or shorten the retention of a camera",
            ) from error
        raise Unavailable(
            f"the blob store failed at {key or 'listing'}: {text}",
            hint="is VIGIL_STORAGE_URL right, and may this user write there?",
        ) from error


def _first_line(error: Exception) -> str:
    """obstore's message without the debugging output that follows it."""
    return str(error).strip().split("\n", 1)[0][:300] or type(error).__name__


def _info(meta: ObjectMeta) -> BlobInfo:
    modified = meta["last_modified"]
    etag = (meta["e_tag"] or "").removeprefix("W/").strip('"')
    if not re.fullmatch(r"[\x21\x23-\x7e]+", etag):
        etag = f"{modified.timestamp():.6f}-{meta['size']}"
    return BlobInfo(meta["path"], meta["size"], modified, etag)


def _space(root: Path) -> Space | None:
    try:
        found = os.statvfs(root)
    except OSError:
        return None  # ``check`` says what is wrong with it
    return Space(found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize)


def _link(path: Path, blob: Path) -> bool:
    """Have a blob and a file be one; ``False`` where that cannot be, as on two disks."""
    beside = blob.with_name(f"{blob.name}#{secrets.randbits(63)}")  # as ``_LEFTOVER`` knows it
    try:
        blob.parent.mkdir(parents=True, exist_ok=True)
        os.link(path, beside)
        try:
            os.replace(beside, blob)
        finally:
            beside.unlink(missing_ok=True)  # they were one already, or it could not be renamed
    except OSError:
        return False
    return True


def _mark(root: Path) -> str | None:
    try:
        return _named((root / MARK).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None


def _named(data: bytes) -> str:
    """The id in a mark."""
    return data.split(b"\n", 1)[0].decode(errors="replace").strip()


def _sync(root: Path, path: Path) -> str | None:
    """fsync a file and the folders down to it, so that neither bytes nor names can be lost.

    Returns the id in the mark of the store as it is then.
    """
    try:
        _fsync(path)
        for folder in path.parents:
            _fsync(folder)
            if folder == root:
                break
    except FileNotFoundError:
        pass  # somebody has deleted it already, with its empty folder
    return _mark(root)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sweep(root: Path, before: float) -> int:
    removed = 0
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder, name)
            if _LEFTOVER.fullmatch(name) and path.stat().st_mtime < before:
                path.unlink(missing_ok=True)
                removed += 1
    return removed
