"""A peer that has one M3U list of channels."""

from __future__ import annotations

from aiohttp import web

from tests.servers.faults import HttpFaults, error
from tests.servers.loopback import Loopback

LIST = """#EXTM3U url-tvg="https://guide.example/xmltv"
#EXTINF:-1 group-title="News;Talk" tvg-id="one.de" tvg-logo="/logo/1.png" tvg-language="German",One
https://cdn.example/one/index.m3u8
#EXTINF:-1 tvg-id="two.fr" tvg-logo="/logo/2.png" group-title="Music" tvg-language="fr",Deux
#EXTVLCOPT:http-user-agent=x
two/index.m3u8
#EXTINF:-1,Three
https://cdn.example/three/index.m3u8?token=abc
"""
BAD = """#EXTINF:-1,Nothing
#EXTINF:-1,Radio
https://cdn.example/radio.mp3
#EXTINF:-1,Old
rtmp://cdn.example/old
#EXTINF:-1 tvg-id="one.de",One again
https://cdn.example/one/index.m3u8
"""


class Playlist(Loopback):
    """``async with Playlist() as server``: then ``server.address``.

    Args:
        body: of the list.
        content_type: that it is served as.
    """

    def __init__(
        self, body: str | bytes = LIST, content_type: str = "audio/x-mpegurl; charset=utf-8"
    ) -> None:
        super().__init__()
        self.faults = HttpFaults()
        self.body = body.encode() if isinstance(body, str) else body
        self.content_type = content_type

    @property
    def address(self) -> str:
        """Where the list is."""
        return f"{self.url}/lists/all.m3u?user=me"

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        if request.path != "/lists/all.m3u":
            return error(404, "not found")
        broken = await self.faults.answer(request)
        if broken is not None:
            return broken
        body = self.body + (BAD.encode() if self.faults.bad_items else b"")
        return web.Response(body=body, headers={"Content-Type": self.content_type})
