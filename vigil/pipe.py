"""A pipe to a process that takes much: written to by a thread, in large pieces."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

ROOM = 1 << 20
"""Bytes that wait in a pipe, where the system lets them: a picture goes through in one go, and
neither side is woken for every 64 kB."""
AT_ONCE = 256 * 1024
"""Bytes that are gathered before they are written."""
PARTS = 1024
"""Pieces that writev(2) takes together: IOV_MAX of Linux and macOS."""

Data = bytes | memoryview
"""A piece of what goes through; a view is of single bytes."""


class Pipe:
    """The pipe to a process, written to by a thread of its own: asyncio would be woken for each
    of the small pieces that ffmpeg reads, and take the processor from it."""

    def __init__(self) -> None:
        self.reading, self._writing = os.pipe()
        widen(self._writing)
        self._thread = ThreadPoolExecutor(1, "ffmpeg-stdin")
        self._gathered: list[Data] = []
        self._size = 0
        self._going: asyncio.Future[None] | None = None
        self._closed = False

    async def write(self, data: Data) -> None:
        """Send data when there is enough of it, while the caller makes more; raises
        BrokenPipeError when nobody wants it."""
        self._gathered.append(data)
        self._size += len(data)
        if self._size >= AT_ONCE:
            await self._send()

    async def flush(self) -> None:
        """Send the rest; returns when all of it is in the pipe."""
        await self._send()
        if self._going is not None:
            await self._going

    async def send(self, pieces: Iterable[Data]) -> None:
        """Send what is made piece by piece, by the thread that writes: nothing is copied, and
        a piece may lie in the same memory as the one before; returns and raises as ``flush``."""
        await self.flush()
        self._going = asyncio.get_running_loop().run_in_executor(
            self._thread, self._write_each, pieces
        )
        await self._going

    def _write_each(self, pieces: Iterable[Data]) -> None:
        for piece in pieces:
            self._write([piece])

    async def _send(self) -> None:
        if self._going is not None:
            await self._going
        parts, self._gathered, self._size = self._gathered, [], 0
        running = asyncio.get_running_loop()
        self._going = running.run_in_executor(self._thread, self._write, parts)

    def _write(self, parts: list[Data]) -> None:
        while parts:
            written = os.writev(self._writing, parts[:PARTS])
            while parts and written >= len(parts[0]):
                written -= len(parts.pop(0))
            if written:
                parts[0] = memoryview(parts[0])[written:]

    def close(self) -> None:
        """Once what is being written is written, or the process has ended."""
        if not self._closed:
            self._closed = True
            if self._going is not None and not self._going.cancel() and not self._going.cancelled():
                self._going.exception()  # seen: asyncio need not complain
            self._thread.submit(os.close, self._writing)
            self._thread.shutdown(wait=False)


def widen(pipe: int) -> None:
    """Give a pipe more room; it works without."""
    resize = getattr(fcntl, "F_SETPIPE_SZ", None)  # Linux
    if resize is not None:
        with suppress(OSError, ValueError):  # more than a user may have; closed already
            fcntl.fcntl(pipe, resize, ROOM)
