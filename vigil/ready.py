"""Answers whose headers are bytes already, for what is asked for ten thousand times a second.

Sanic encodes each header of each answer anew, which costs as much as a small handler does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sanic import HTTPResponse

from vigil import responses


class Head:
    """What is alike in all answers of a kind.

    Args:
        headers: names in lower case and values; static, so they may be trusted.
        content_type: of the body.
    """

    __slots__ = ("_whole", "first", "rest")

    def __init__(self, headers: dict[str, str], content_type: str = "application/json") -> None:
        lines = [content_type, *(f"{name}: {value}" for name, value in headers.items())]
        self.first = b"content-type"
        self.rest = "\r\n".join(lines).encode("latin-1")
        self._whole = (
            b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\n"
            b"content-length: %%d\r\nconnection: keep-alive\r\n\r\n%%b"
        ) % self.rest.replace(b"%", b"%%")

    def whole(self, body: bytes) -> bytes:
        """An answer with this head, 200, as it goes over a connection that stays open."""
        return self._whole % (len(body), body)


class Ready(HTTPResponse):
    """A whole answer, 200, whose head was made before."""

    __slots__ = ("_head",)

    def __init__(self, body: bytes, head: Head) -> None:
        # Not HTTPResponse's own, which makes a mapping of headers that nobody looks into.
        self._head = head
        self.asgi = False
        self.body = body
        self.content_type = None
        self.stream = None
        self.status = 200
        own: Any = {}
        self.headers = own
        self._cookies = None

    @property
    def processed_headers(self) -> Iterator[tuple[bytes, bytes]]:
        """The ready ones, and those that Sanic has put in meanwhile."""
        yield self._head.first, self._head.rest
        for name, value in self.headers.items():
            yield name.encode("latin-1"), str(value).encode("latin-1")


JSON = Head(responses.JSON_HEADERS)
