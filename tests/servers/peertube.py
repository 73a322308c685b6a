"""A peer that answers searches for live videos as PeerTube and Sepia do."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from aiohttp import web

from tests.servers.faults import HttpFaults, error
from tests.servers.loopback import Loopback


@dataclass
class Faults(HttpFaults):
    """What goes wrong."""

    promise: int = 0
    """The total is so many too high."""
    repeats: int = 0
    """Each page but the first begins so many items too early."""
    paths: bool = False
    """Pictures and players as paths, as an instance sends them (Sepia sends whole addresses)."""
    null_tags: bool = False


BAD_ITEMS: tuple[object, ...] = (
    None,
    [],
    {"uuid": "../../etc", "url": "https://x.example/w/1", "isLive": True, "nsfw": False},
    {"uuid": str(UUID(int=1)), "url": "javascript:alert(1)", "isLive": True, "nsfw": False},
    {"uuid": str(UUID(int=2)), "url": "https://x.example/w/2", "isLive": True},
    {"uuid": str(UUID(int=3)), "url": "https://x.example/w/3", "isLive": False, "nsfw": False},
    {"uuid": str(UUID(int=4)), "url": "https://x.example/w/4", "isLive": True, "nsfw": True},
    {"uuid": 5, "url": "https://x.example/w/5", "isLive": True, "nsfw": False},
)


@dataclass
class Live:
    """One live video."""

    number: int
    name: str = "A live"
    host: str = "tube.example"
    viewers: int | None = 0
    more: dict[str, Any] = field(default_factory=dict)
    """Fields to add or to put in place of others."""

    @property
    def uuid(self) -> str:
        """Made of the number."""
        return str(UUID(int=0x1234_0000_0000_0000_0000_0000_0000_0000 + self.number))


class PeerTube(Loopback):
    """``async with PeerTube(250) as server``: then ``server.url``.

    Args:
        live: how many are live, or which.
    """

    def __init__(self, live: int | list[Live] = 3) -> None:
        super().__init__()
        self.faults = Faults()
        self.live = [Live(number) for number in range(live)] if isinstance(live, int) else live

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        query = request.query
        if request.path != "/api/v1/search/videos":
            return error(404, "not found")
        if query.get("isLive") != "true" or query.get("nsfw") != "false":
            return error(400, "this peer knows live videos only")
        try:
            start, count = int(query.get("start", "0")), int(query.get("count", "15"))
        except ValueError:
            return error(400, "not a number")
        if start < 0 or not 1 <= count <= 100:
            return error(400, "out of range")
        broken = await self.faults.answer(request)
        if broken is not None:
            return broken
        first = max(0, start - self.faults.repeats) if start else 0
        items: list[object] = list(BAD_ITEMS[: self.faults.bad_items]) if start == 0 else []
        items += [self._item(one) for one in self.live[first : first + count]]
        total = len(self.live) + self.faults.promise
        return web.json_response({"total": total, "data": items}, dumps=json.dumps)

    def _item(self, one: Live) -> dict[str, Any]:
        origin = "" if self.faults.paths else f"https://{one.host}"
        suffix = "Path" if self.faults.paths else "Url"
        item: dict[str, Any] = {
            "id": one.number,
            "uuid": one.uuid,
            "name": one.name,
            "url": f"https://{one.host}/videos/watch/{one.uuid}",
            f"embed{suffix}": f"{origin}/videos/embed/{one.uuid}",
            f"thumbnail{suffix}": f"{origin}/lazy-static/thumbnails/{one.number}.jpg",
            f"preview{suffix}": f"{origin}/lazy-static/previews/{one.number}.jpg",
            "publishedAt": "2026-01-01T12:00:00.000Z",
            "isLive": True,
            "nsfw": False,
            "language": {"id": "fr", "label": "French"},
            "category": {"id": 7, "label": "Gaming"},
            "views": 12,
            "tags": None if self.faults.null_tags else ["live", "tube"],
            "channel": {"name": "chan", "displayName": "The Channel", "host": one.host},
        }
        if one.viewers is not None:
            item["viewers"] = one.viewers
        return item | one.more
