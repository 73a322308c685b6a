"""A peer with a JSON API of its own making, a directory of radio stations with pictures, that
leads from page to page in any of the usual ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.servers.faults import HttpFaults, error
from tests.servers.loopback import Loopback

DESCRIPTION: Mapping[str, Any] = {
    "items": "stations",
    "id": "uuid",
    "title": "show.title",
    "channel": "name",
    "category": "show.genre.name",
    "tags": "tags",
    "language": "lang",
    "viewers": "listeners",
    "started_at": "since",
    "thumbnail": "art",
    "page": "site",
    "player": "hls",
    "player_url": "hls",
    "mature": "explicit",
}
"""Where everything stands in its answers, as options of a source."""

PAGED: Mapping[str, Mapping[str, Any]] = {
    "none": {},
    "cursor": {"paging": "cursor", "parameter": "after", "cursor": "meta.after"},
    "page": {"paging": "page"},
    "offset": {"paging": "offset", "parameter": "from"},
    "link": {"paging": "link"},
    "next": {"paging": "next", "cursor": "meta.next"},
}
"""How its pages are turned, for each way that it knows."""

BAD_ITEMS: tuple[object, ...] = (
    None,
    5,
    "not an object",
    [],
    {"name": "no id", "hls": "/x.m3u8"},
    {"uuid": {"deep": 1}, "hls": "/x.m3u8"},
    {"uuid": "no player"},
    {"uuid": "bad player", "hls": "javascript:alert(1)"},
    {"uuid": "bad address", "hls": "http://[::1"},
)


@dataclass
class Faults(HttpFaults):
    """What goes wrong."""

    circle: bool = False
    """Every page says that the second one is next."""
    ignores_pages: bool = False
    """Every page is the first."""
    empty_for_ever: bool = False
    """There is always a next page, and nothing on it."""
    elsewhere: bool = False
    """The next page is on another server."""
    promise: int = 0
    """The total is so many too high."""
    fail_after: int = -1
    """Pages that are answered; every further one is an error 500."""


class JsonApi(Loopback):
    """``async with JsonApi(250, way="cursor") as server``: then ``server.address``.

    Args:
        stations: how many are on air, or which.
        way: how pages are turned, one of ``PAGED``.
        key: what X-Api-Key must say; ``None``: nothing.
    """

    def __init__(
        self,
        stations: int | Sequence[object] = 3,
        *,
        way: str = "none",
        page_size: int = 10,
        key: str | None = None,
    ) -> None:
        super().__init__()
        self.faults = Faults()
        self.stations: list[object] = (
            [station(number) for number in range(stations)]
            if isinstance(stations, int)
            else list(stations)
        )
        self.way = way
        self.page_size = page_size
        self.key = key
        self.pages = 0
        """Answered."""

    @property
    def address(self) -> str:
        """Where the list is."""
        return f"{self.url}/api/stations?on_air=yes"

    @property
    def options(self) -> dict[str, Any]:
        """What a source must know to read it."""
        return {**DESCRIPTION, **PAGED[self.way]}

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        if request.path != "/api/stations" or request.query.get("on_air") != "yes":
            return error(404, "not found")
        if self.key is not None and request.headers.get("x-api-key") != self.key:
            return error(401, "give your key")
        broken = await self.faults.answer(request)
        if broken is not None:
            return broken
        if self.pages == self.faults.fail_after:
            return error(500, "out of records")
        self.pages += 1
        start = self._start(request)
        items = [] if self.faults.empty_for_ever else self._items(start)
        following = start + self.page_size
        if following >= len(self.stations) and not self.faults.empty_for_ever:
            following = -1
        if self.faults.circle:
            following = self.page_size
        headers = {"X-RateLimit-Limit": "100", "X-RateLimit-Remaining": str(100 - self.pages)}
        host = "http://elsewhere.example" if self.faults.elsewhere else self.url
        address = f"{host}/api/stations?on_air=yes&start={following}"
        if self.way == "link" and following >= 0:
            headers["Link"] = f'</api/stations?start=0>; rel="first", <{address}>; rel="next"'
        meta: dict[str, Any] = {"total": len(self.stations) + self.faults.promise}
        if following >= 0 and self.way in ("cursor", "next"):
            meta |= {"after": f"c{following}", "next": address}
        return web.json_response({"stations": items, "meta": meta}, headers=headers)

    def _start(self, request: web.BaseRequest) -> int:
        query = request.query
        if self.faults.ignores_pages:
            return 0
        given = {
            "cursor": query.get("after", "c0").removeprefix("c"),
            "page": str((int(query.get("page", "1")) - 1) * self.page_size),
            "offset": query.get("from", "0"),
        }
        return int(given.get(self.way, query.get("start", "0")))

    def _items(self, start: int) -> list[object]:
        bad = list(BAD_ITEMS[: self.faults.bad_items]) if start == 0 else []
        end = None if self.way == "none" else start + self.page_size
        return [*bad, *self.stations[start:end]]


def station(number: int, **more: Any) -> dict[str, Any]:
    """One station that is on air."""
    return {
        "uuid": f"s{number:05}",
        "name": f"Station {number}",
        "show": {"title": f"Show {number}", "genre": {"name": "Jazz" if number % 2 else "Talk"}},
        "tags": ["live", "radio"],
        "lang": "German",
        "listeners": number % 7,
        "since": 1_767_268_800,
        "art": f"/art/{number}.jpg",
        "site": f"https://stations.example/{number}",
        "hls": f"/live/{number}.m3u8",
        "explicit": False,
    } | more
