"""A short way through the server, for GETs whose answer is bytes in memory or soon will be.

Of what ``GET /stream`` costs, nine tenths are Sanic's: a Request made, its route found, a coroutine
resumed, headers put together. The lane takes a request that needs nothing of that: a GET that came
whole and alone, between two others, with no header that says what becomes of the connection.
All else Sanic gets as it came. Limits, headers and errors are the same on both ways.
"""

from __future__ import annotations

import asyncio
import re
from functools import lru_cache
from time import monotonic
from typing import Any, Protocol

from sanic import HTTPResponse
from sanic.headers import format_http1_response
from sanic.http import Stage
from sanic.server.protocols.http_protocol import HttpProtocol

from vigil import responses
from vigil.errors import VigilError
from vigil.ready import JSON

LONGEST = 4096
"""Bytes of a request that the lane looks at."""
HEADERS = re.compile(rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\r\n\0]*\r\n)*\r\n")
"""Header lines and the empty one (RFC 9112 §5)."""
MATTERS = re.compile(
    rb"^(?:connection:(?! *keep-alive\r$)|content-length:|expect:|transfer-encoding:|upgrade:)",
    re.IGNORECASE | re.MULTILINE,
)
FORWARDED = re.compile(rb"^x-forwarded-for:[ \t]*(.*)\r$", re.IGNORECASE | re.MULTILINE)


class Quick(Protocol):
    """Knows some answers with hardly any work."""

    def begin(self, target: bytes, client: str) -> bytes | asyncio.Future[Any] | None:
        """The JSON that answers a GET, or what must be waited for; None: not one of mine.

        Args:
            target: path and query as they came.
            client: whom the request counts for; raises TooManyRequests.
        """

    def end(self, found: asyncio.Future[Any]) -> bytes:
        """The JSON, once that has come; raises what the handler would raise."""


class Lane(HttpProtocol):
    """A connection. What is quick is ``app.ctx.quick``, if there is such."""

    __slots__ = ("_held", "_later")

    def __init__(self, **named: Any) -> None:
        super().__init__(**named)
        self._held: bytes | None = None
        """The request that is being answered here."""
        self._later = b""
        """What came meanwhile."""

    def data_received(self, data: bytes) -> None:
        """Answer here, or let Sanic do it."""
        if self._held is not None:
            self._later += data
            if self.transport is not None:
                self.transport.pause_reading()
        elif not (data.startswith(b"GET ") and len(data) <= LONGEST and self._take(data)):
            super().data_received(data)

    def close_if_idle(self) -> bool:
        """As Sanic's, which does not know what is under way here."""
        return self._held is None and bool(super().close_if_idle())

    def _take(self, data: bytes) -> bool:
        """Answer this, or begin to; False: leave it to Sanic."""
        http, quick = getattr(self, "_http", None), getattr(self.app.ctx, "quick", None)
        if (
            quick is None
            or http is None  # a connection so new that Sanic has not begun with it
            or http.stage is not Stage.IDLE
            or http.request_body is not None  # the rest of a body is no request
            or self.recv_buffer
            or not self._can_write.is_set()
        ):
            return False
        line, _, headers = data.partition(b" HTTP/1.1\r\n")
        forwarded = forwarded_for(headers)
        if forwarded is None or self.conn_info is None:
            return False
        client = self.app.ctx.limiter.client(self.conn_info.client_ip, forwarded)
        try:
            answer = quick.begin(line[4:], client)
        except VigilError as error:
            self._refuse(error)
            return True
        except Exception:
            return False  # what it is, Sanic will find out
        if isinstance(answer, bytes):
            self._write(JSON.whole(answer))
        elif answer is not None:
            self._held = data
            answer.add_done_callback(self._end)
        return answer is not None

    def _end(self, answer: asyncio.Future[Any]) -> None:
        data, later = self._held or b"", self._later
        self._held, self._later = None, b""
        if self.transport is None or self.transport.is_closing():
            answer.cancelled() or answer.exception()  # nobody is left whom it would interest
            return
        if later:
            self.transport.resume_reading()
        try:
            self._write(JSON.whole(self.app.ctx.quick.end(answer)))
        except VigilError as error:
            self._refuse(error)
        except (Exception, asyncio.CancelledError):
            super().data_received(data + later)  # Sanic meets it, too, and knows what to say
            return
        if later:
            self.data_received(later)

    def _refuse(self, error: VigilError) -> None:
        self.app.ctx.errors[error.code] += 1
        self._write(whole(responses.error_json(error)))

    def _write(self, answer: bytes) -> None:
        if self.transport is not None:
            self.transport.write(answer)
        self._time = monotonic()  # by which Sanic ends connections that idle


@lru_cache(maxsize=512)
def forwarded_for(headers: bytes) -> str | None:
    """X-Forwarded-For, empty where there is none; None: these headers are Sanic's business."""
    if not HEADERS.fullmatch(headers) or MATTERS.search(headers):
        return None
    found = FORWARDED.findall(headers)
    return None if len(found) > 1 else b"".join(found).decode(errors="surrogateescape")


def whole(response: HTTPResponse) -> bytes:
    """An answer as it goes over a connection that stays open."""
    body = response.body or b""
    response.headers["content-length"] = len(body)
    response.headers["connection"] = "keep-alive"
    return format_http1_response(response.status, response.processed_headers) + body
