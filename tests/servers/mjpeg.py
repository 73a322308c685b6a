"""A camera that streams MJPEG, in each of the ways in which cameras get multipart wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from tests.servers.loopback import Loopback, cut
from tests.servers.pictures import jpeg


@dataclass
class Habits:
    """How this camera writes its stream; the defaults are what RFC 2046 asks for."""

    boundary: str | None = "frame"
    """As the header says it; ``None``: the header names none."""
    line: str = "--frame"
    """As it stands in the stream."""
    quoted: bool = False
    newline: str = "\r\n"
    length: str = "right"
    """``right``, ``none``, ``short``, ``long`` or ``zero``."""
    preamble: bytes = b""
    between: bytes = b""
    """A whole part that is no picture, before each picture."""
    header: str = "Content-Type: image/jpeg"


def part(picture: bytes, habits: Habits) -> bytes:
    """One part as this camera writes it, its boundary before it."""
    length = {
        "right": len(picture),
        "short": len(picture) - 7,
        "long": len(picture) + 900,
        "zero": 0,
    }.get(habits.length)
    lines = [habits.line, habits.header]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    head = habits.newline.join([*lines, "", ""]).encode()
    return habits.between + head + picture + habits.newline.encode()


class Mjpeg(Loopback):
    """Sends a picture each ``period_s`` to everybody who asks.

    ``fault``: ``cut`` (the connection ends within a picture), ``silent`` (nothing more comes),
    ``end`` (the closing boundary), ``error`` (503 to whoever connects).
    """

    def __init__(
        self,
        habits: Habits | None = None,
        *,
        period_s: float = 0.02,
        pictures: Sequence[bytes] = (),
    ) -> None:
        super().__init__()
        self.habits = habits or Habits()
        self.pictures = pictures
        self.period_s = period_s
        self.fault = ""
        self.sent = 0
        self.connections = 0

    def picture(self) -> bytes:
        """What is sent next."""
        if self.pictures:
            return self.pictures[self.sent % len(self.pictures)]
        return jpeg(self.sent % 50)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.connections += 1
        if self.fault == "error":
            return web.Response(status=503)
        habits = self.habits
        kind = "multipart/x-mixed-replace"
        if habits.boundary is not None:
            quote = '"' if habits.quoted else ""
            kind += f"; boundary={quote}{habits.boundary}{quote}"
        response = web.StreamResponse(headers={"content-type": kind})
        await response.prepare(request)
        await response.write(habits.preamble)
        while True:
            data = part(self.picture(), habits)
            if self.fault == "cut":
                await response.write(data[: len(data) // 2])
                await asyncio.sleep(0.02)
                cut(request)
                return response
            if self.fault == "end":
                await response.write(f"{habits.line}--{habits.newline}".encode())
                return response
            if self.fault == "silent":
                await asyncio.sleep(60)
            try:
                await response.write(data[:1000])  # pictures never come in one piece
                await asyncio.sleep(0)
                await response.write(data[1000:])
            except (ConnectionResetError, BrokenPipeError):
                return response
            self.sent += 1
            await asyncio.sleep(self.period_s)
