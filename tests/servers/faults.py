"""What can go wrong with any peer that sends JSON over HTTP."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aiohttp import web

from tests.servers.loopback import cut


@dataclass
class HttpFaults:
    """What goes wrong. A number is how many of the next requests suffer it; -1: all of them."""

    slow_s: float = 0.0
    """Each answer is held back this long."""
    server_error: int = 0
    cut: int = 0
    """The connection breaks in the middle of the answer."""
    html: int = 0
    """200 with a login page."""
    not_json: int = 0
    """200 with half a JSON document."""
    wrong_shape: int = 0
    """200 with JSON that is something else."""
    huge: int = 0
    """200 with 100 MB."""
    two_gigabytes: int = 0
    """200 with 2 GB, sent as fast as they are taken."""
    bad_items: int = 0
    """So many malformed items in each list."""

    def take(self, fault: str) -> bool:
        """Whether this request suffers the fault; counts it."""
        left: int = getattr(self, fault)
        if left > 0:
            setattr(self, fault, left - 1)
        return left != 0

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse | None:
        """The broken answer that this request gets; ``None``: a good one."""
        if self.slow_s:
            await asyncio.sleep(self.slow_s)
        if self.take("server_error"):
            return error(500, "Internal Server Error")
        if self.take("html"):
            return web.Response(text="<!DOCTYPE html><title>Log in", content_type="text/html")
        if self.take("not_json"):
            return web.Response(text='{"data": [', content_type="application/json")
        if self.take("wrong_shape"):
            return web.json_response({"something": []})
        if self.take("huge"):
            return web.Response(body=b" " * 100_000_000, content_type="application/json")
        if self.take("two_gigabytes"):
            return await _two_gigabytes(request)
        if self.take("cut"):
            response = web.StreamResponse(headers={"Content-Length": "1000"})
            await response.prepare(request)
            await response.write(b'{"data": [')
            cut(request)
            return response
        return None


async def _two_gigabytes(request: web.BaseRequest) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    for _ in range(2000):
        await response.write(b"[" * 1_000_000)
    return response


def error(status: int, message: str, headers: dict[str, str] | None = None) -> web.Response:
    """An error as JSON APIs send one."""
    body = {"error": message, "status": status, "message": message}
    return web.json_response(body, status=status, headers=headers)
