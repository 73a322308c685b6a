"""Loads a URL over keep-alive connections, for machines without wrk; prints what wrk prints.

python -m bench.load_client 64 3 http://127.0.0.1:8000/stream

Where there is a file $ADDRESSES, asks for the addresses in it, one a line, in turn.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit


class Client(asyncio.Protocol):
    """One connection: sends the next request when an answer has come whole."""

    done = 0
    bad = 0

    def __init__(self, requests: Iterator[bytes]) -> None:
        self._requests = requests
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        """Count whole answers; only those with a Content-Length are understood."""
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        if len(rest) < length:
            return
        self._buffer = b""
        Client.done += 1
        Client.bad += not head.startswith(b"HTTP/1.1 2")
        self._transport.write(next(self._requests))


async def main(url: str, connections: int, seconds: float) -> None:
    """Load, and print requests a second."""
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    several = os.environ.get("ADDRESSES")
    targets = Path(several).read_text().split("\n") if several else [target]
    requests = itertools.cycle(
        f"GET {one} HTTP/1.1\r\nHost: {parts.netloc}\r\nAccept-Encoding: gzip\r\n\r\n".encode()
        for one in targets
    )
    loop = asyncio.get_running_loop()
    for _ in range(connections):
        await loop.create_connection(lambda: Client(requests), host, port)
    begun, done = time.perf_counter(), Client.done
    await asyncio.sleep(seconds)
    rate = (Client.done - done) / (time.perf_counter() - begun)
    if Client.bad:
        print(f"  Non-2xx responses: {Client.bad}")
    print(f"Requests/sec: {rate:.2f}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[3], int(sys.argv[1]), float(sys.argv[2])))
