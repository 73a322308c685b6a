"""What the way out (vigil/fetch.py) brings back: a whole answer, a stream of one, or an error."""

from __future__ import annotations

import os
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import NoReturn, TypeVar

import aiohttp
import msgspec

from vigil import jsontext, log
from vigil.errors import SourceError

T = TypeVar("T")


class FetchError(SourceError):
    """A request that did not end well. The message names the address without its secrets."""

    def __init__(
        self,
        message: str,
        *,
        http_status: int | None = None,
        again: bool = False,
        unsent: bool = False,
        hint: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, hint=hint, retry_after=retry_after)
        self.http_status = http_status
        """What the other side answered (``status`` is what *we* answer); ``None``: nothing."""
        self.again = again
        """Whether the same request may succeed in a moment."""
        self.unsent = unsent
        """Whether the request certainly never reached the other side."""


@dataclass(frozen=True)
class Response:
    """A whole answer."""

    status: int
    headers: Mapping[str, str]
    """Names in any case."""
    body: bytes
    url: str
    """Where it came from in the end, without credentials."""

    def json(self, shape: type[T]) -> T:
        """The body as ``shape`` (anything msgspec knows); raises FetchError saying what is wrong.

        Text that is not Unicode (broken UTF-8, lone surrogates) is mended, not refused.
        """
        try:
            return jsontext.decode(self.body, shape)
        except msgspec.ValidationError as error:
            problem, hint = f"sent JSON that is not what was expected: {error}", None
        except msgspec.DecodeError as error:
            problem, hint = f"sent something that is not JSON: {error}", None
            if self.body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
                problem = "sent HTML instead of JSON"
                hint = "is the address right, and does nothing stand in between (a login, a proxy)?"
        raise FetchError(f"{log.redact_url(self.url)} {problem}", hint=hint)


class Stream:
    """An answer that is read as it comes."""

    def __init__(self, response: aiohttp.ClientResponse, url: str, idle_timeout_s: float) -> None:
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers
        self.url = url
        """Where it came from in the end, without credentials."""
        self._response = response
        self._shown = log.redact_url(url)
        self._idle_timeout_s = idle_timeout_s

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body piece by piece, until it ends.

        Raises FetchError when it breaks off, or when nothing came for ``idle_timeout_s``.
        """
        try:
            async for chunk in self._response.content.iter_any():
                yield chunk
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise_for(error, self._shown, self._idle_timeout_s)


def raise_for(error: BaseException, shown: str, timeout_s: float) -> NoReturn:
    """Raise what aiohttp said as a FetchError in words for a person."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError | ssl.SSLCertVerificationError):
        raise FetchError(f"{shown} has a certificate that cannot be trusted") from error
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        text, again, unsent = f"{shown} does not take the connection", True, True
    elif isinstance(error, TimeoutError):
        text, again, unsent = f"{shown} was silent for {timeout_s:g} s", False, False
    elif isinstance(error, aiohttp.ClientConnectorError):
        # asyncio's own strerror has the address in it, which visitors are not to read
        number = error.os_error.errno or 0
        reason = os.strerror(number) if number > 0 else "failed"
        text, again, unsent = f"{shown} cannot be connected to: {reason}", True, True
    elif isinstance(error, aiohttp.ClientPayloadError | aiohttp.ClientConnectionError | OSError):
        text, again, unsent = f"{shown} broke off the connection", True, False
    else:
        text, again, unsent = f"{shown} does not speak proper HTTP", False, False
    raise FetchError(text, again=again, unsent=unsent) from error
