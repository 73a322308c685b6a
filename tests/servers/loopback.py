"""What every peer of the tests is made of: a real aiohttp server on a free port of loopback."""

from __future__ import annotations

import ssl
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Self

from aiohttp import web

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Loopback:
    """Serves ``handler`` for every path and method while its ``async with`` is open.

    A peer of its own overrides ``handle``. Leaving and entering again keeps the port, so a peer
    can go away and come back.
    """

    def __init__(
        self,
        handler: Handler | None = None,
        *,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self._handler = handler
        self._tls = tls
        self.host = host
        self.port = 0
        self.requests: deque[web.BaseRequest] = deque(maxlen=1000)
        self._runner: web.ServerRunner | None = None

    @property
    def url(self) -> str:
        """Address without a trailing slash."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http{'s' if self._tls else ''}://{host}:{self.port}"

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        assert self._handler is not None
        return await self._handler(request)

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        self.requests.append(request)
        return await self.handle(request)

    async def __aenter__(self) -> Self:
        server = web.Server(self._serve, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, self.host, self.port, ssl_context=self._tls).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()


def cut(request: web.BaseRequest) -> None:
    """Break the connection off, as a peer that dies does."""
    assert request.transport is not None
    request.transport.abort()
