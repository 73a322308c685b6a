"""A peer that answers for games as np.ironhelmet.com, np4.ironhelmet.com and np2stats do."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.servers.faults import HttpFaults, error
from tests.servers.loopback import Loopback
from tests.servers.universe import Universe


@dataclass
class Faults(HttpFaults):
    """What goes wrong, beside what may with any peer."""

    says: str | None = None
    """Every request is answered with this error."""
    body: bytes | None = None
    """Every request is answered with this."""
    missing: int = 0
    """The game is not found."""


@dataclass
class Hosted:
    """A game that is played here."""

    universe: Universe
    keys: dict[str, int]
    """Key → the player's uid."""
    version: int = 2
    change: dict[str, Any] = field(default_factory=dict)
    """Fields of scanning_data to put in place of others."""


class NeptunesPride(Loopback):
    """``async with NeptunesPride({"123": Hosted(universe, {"key": 1})}) as server``."""

    def __init__(self, games: dict[str, Hosted]) -> None:
        super().__init__()
        self.faults = Faults()
        self.games = games
        self.asked: Counter[str] = Counter()
        """How often for each game."""
        self.at_once = 0
        self.most_at_once = 0

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return await self._handle(request)
        finally:
            self.at_once -= 1

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        sent = await request.post() if request.method == "POST" else request.query
        await asyncio.sleep(0)
        broken = await self.faults.answer(request)
        if broken is not None:
            return broken
        if self.faults.body is not None:
            return web.Response(body=self.faults.body, content_type="application/json")
        if self.faults.says is not None:
            return web.json_response({"error": self.faults.says})
        if request.method == "POST" and request.path == "/api":
            return self._api(sent)
        if request.method == "GET" and request.path == "/api/timelapsedata.php":
            return self._story(sent)
        return error(404, "not found")

    def _api(self, sent: Any) -> web.Response:
        if sent.get("api_version") != "0.1":
            return web.json_response({"error": "api_version not supported"})
        number = str(sent.get("game_number"))
        hosted = self.games.get(number)
        self.asked[number] += 1
        if hosted is None or self.faults.take("missing"):
            return web.json_response({"error": "game not found"})
        player = hosted.keys.get(str(sent.get("code")))
        if player is None:
            return web.json_response({"error": "code not found in game"})
        scanning = hosted.universe.answer(hosted.version, player) | hosted.change
        return web.json_response({"scanning_data": scanning}, dumps=json.dumps)

    def _story(self, sent: Any) -> web.Response:
        hosted = self.games.get(str(sent.get("game_id")))
        self.asked[str(sent.get("game_id"))] += 1
        if hosted is None or self.faults.take("missing"):
            return web.json_response({"error": "game not found"})
        if hosted.keys.get(str(sent.get("key"))) != int(sent.get("player_id", "-1")):
            return web.json_response({"error": "wrong key"})
        return web.json_response(hosted.universe.story() | hosted.change)
