"""A peer that speaks as the Owncast directory does, and as each of its instances."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from tests.servers.faults import HttpFaults, error
from tests.servers.loopback import Loopback


@dataclass
class Faults(HttpFaults):
    """What goes wrong."""

    no_playlist: bool = False
    """/api/iptv is no M3U."""
    silent_instances: bool = False
    """No instance answers /api/status."""


@dataclass
class Instance:
    """One Owncast server that the directory knows."""

    name: str
    title: str = "A stream"
    nsfw: bool | None = False
    tags: tuple[str, ...] = ("owncast",)
    viewers: int | None = 0
    """``None``: it hides them."""
    online: bool = True
    listed: bool = True
    """Whether /api/home has it."""
    live: bool = True
    """Whether /api/iptv has it."""


BAD_INSTANCES: tuple[object, ...] = (
    None,
    "not an object",
    {"name": "no url", "nsfw": False},
    {"name": "no rating", "url": "https://unrated.example"},
    {"name": "bad url", "url": "javascript:alert(1)", "nsfw": False},
    {"name": ["x"], "url": "https://x.example", "nsfw": False},
)


class Owncast(Loopback):
    """``async with Owncast([Instance("one")]) as server``: then ``server.url``.

    The instances live at ``server.url/<name>``.
    """

    def __init__(self, instances: list[Instance] | None = None) -> None:
        super().__init__()
        self.faults = Faults()
        self.instances = [Instance("one"), Instance("two")] if instances is None else instances

    def place(self, instance: Instance) -> str:
        """Address of an instance."""
        return f"{self.url}/{instance.name}"

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        broken = await self.faults.answer(request)
        if broken is not None:
            return broken
        if request.path == "/api/iptv":
            text = "oh" if self.faults.no_playlist else self._playlist()
            return web.Response(text=text, content_type="audio/x-mpegurl")
        if request.path == "/api/home":
            return web.json_response({"sections": self._sections()})
        for instance in self.instances:
            if request.path == f"/{instance.name}/api/status" and not self.faults.silent_instances:
                return web.json_response(self._status(instance))
        return error(404, "not found")

    def _playlist(self) -> str:
        lines = ["#EXTM3U", ""]
        for number, instance in enumerate(self.instances):
            if instance.live:
                url = self.place(instance)
                lines += [
                    f'#EXTINF:-1 tvg-ID="{number}" tvg-logo="{url}/logo" '
                    f'tvg-tags="{", ".join(instance.tags)}",{instance.name}: {instance.title}',
                    f"{url}/hls/stream.m3u8",
                ]
        lines += ["#EXTINF:-1,no address"] * min(1, self.faults.bad_items)
        return "\n".join(lines)

    def _sections(self) -> list[object]:
        instances: list[object] = list(BAD_INSTANCES[: self.faults.bad_items])
        for instance in self.instances:
            if instance.listed:
                shown: dict[str, object] = {
                    "name": instance.name,
                    "streamTitle": instance.title,
                    "description": "",
                    "url": self.place(instance) + "/",
                    "lastSeen": "2026-01-01T00:00:00Z",
                    "tags": [{"name": tag} for tag in instance.tags],
                    "online": True,
                }
                if instance.nsfw is not None:
                    shown["nsfw"] = instance.nsfw
                instances.append(shown)
        half = len(instances) // 2
        return [
            {"name": "Live", "instances": instances[half:]},
            {"name": "More", "instances": instances[:half]},
            {"name": "Empty", "instances": None},
        ]

    def _status(self, instance: Instance) -> dict[str, object]:
        status: dict[str, object] = {
            "online": instance.online,
            "streamTitle": instance.title,
            "lastConnectTime": "2026-01-01T12:00:00.123456789Z",
            "versionNumber": "0.2.3",
        }
        if instance.viewers is not None:
            status["viewerCount"] = instance.viewers
        return status
