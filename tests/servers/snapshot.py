"""A camera that answers each GET with one picture, and what goes wrong with such cameras."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re

from aiohttp import web

from tests.servers.loopback import Loopback, cut
from tests.servers.pictures import jpeg

NONCE = "dcd98b7102dd2f0e8b11d0f600bfb0c093"


class Snapshot(Loopback):
    """Answers ``pictures`` one after the other; the last one again and again.

    ``fault`` names what is wrong just now: ``error`` (500), ``html`` (a login page with 200),
    ``half`` (half a picture, sent as if it were whole), ``cut`` (the connection ends in the
    middle), ``empty``, ``slow`` (nothing for a minute), ``busy`` (429 with Retry-After).
    """

    def __init__(self, *pictures: bytes, content_type: str = "image/jpeg") -> None:
        super().__init__()
        self.pictures = list(pictures) or [jpeg(n) for n in range(100)]
        self.content_type = content_type
        self.fault = ""
        self.basic: tuple[str, str] | None = None
        self.digest: tuple[str, str] | None = None
        self.asked = 0

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked += 1
        if refusal := self._refusal(request):
            return refusal
        match self.fault:
            case "error":
                return web.Response(status=500, text="out of memory")
            case "busy":
                return web.Response(status=429, headers={"retry-after": "7"})
            case "html":
                return web.Response(
                    text="<!DOCTYPE html><title>Log in</title>", content_type="text/html"
                )
            case "empty":
                return web.Response(content_type="image/jpeg")
            case "slow":
                await asyncio.sleep(60)
        picture = self.pictures[0]
        if len(self.pictures) > 1:
            self.pictures.pop(0)
        if self.fault == "half":
            picture = picture[: len(picture) // 2]
        response = web.StreamResponse(headers={"content-type": self.content_type})
        response.content_length = len(picture)
        await response.prepare(request)
        if self.fault == "cut":
            await response.write(picture[: len(picture) // 2])
            await asyncio.sleep(0.05)
            cut(request)
            return response
        await response.write(picture)
        await response.write_eof()
        return response

    def _refusal(self, request: web.BaseRequest) -> web.Response | None:
        given = request.headers.get("authorization", "")
        if self.basic is not None:
            expected = base64.b64encode(":".join(self.basic).encode()).decode()
            if given != f"Basic {expected}":
                return web.Response(
                    status=401, headers={"www-authenticate": 'Basic realm="camera"'}
                )
        if self.digest is not None and not self._digest_is_right(request, given):
            challenge = f'Digest realm="camera", qop="auth", algorithm=MD5, nonce="{NONCE}"'
            return web.Response(status=401, headers={"www-authenticate": challenge})
        return None

    def _digest_is_right(self, request: web.BaseRequest, given: str) -> bool:
        """RFC 7616 §3.4.1 with MD5 and qop=auth, which is what cameras speak."""
        assert self.digest is not None
        fields = dict(re.findall(r'(\w+)="?([^",]+)"?', given))
        if not given.startswith("Digest ") or fields.get("nonce") != NONCE:
            return False

        def md5(text: str) -> str:
            return hashlib.md5(text.encode()).hexdigest()

        user, password = self.digest
        first, second = md5(f"{user}:camera:{password}"), md5(f"GET:{fields['uri']}")
        response = md5(
            f"{first}:{NONCE}:{fields['nc']}:{fields['cnonce']}:{fields['qop']}:{second}"
        )
        return (fields["username"], fields["response"]) == (user, response)
