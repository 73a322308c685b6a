"""How many requests a client may send: a token bucket for each, in the memory of the process.

Kept as one number a client, the moment when its bucket will be full again (the generic cell rate
algorithm): looking and counting cost one look into a dict and one back.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from functools import lru_cache

from sanic import Request

from vigil.errors import TooManyRequests

BURST_S = 60.0
"""A client that was idle may send so many seconds' requests at once."""
REMEMBERED = 100_000
"""Clients; beyond that those with full buckets are forgotten."""


class Limiter:
    """Counts the requests of each client.

    Args:
        per_minute: how many one may send; 0: as many as it likes.
        proxied: whether a proxy stands before us, whose X-Forwarded-For is believed.
        monotonic: seconds.
    """

    def __init__(self, per_minute: int, *, proxied: bool, monotonic: Callable[[], float]) -> None:
        self._every_s = 60 / per_minute if per_minute else 0.0
        self._proxied = proxied
        self._now = monotonic
        self._full_at: dict[str, float] = {}

    def take(self, request: Request) -> None:
        """Count a request; raises TooManyRequests, saying when the next one is answered."""
        if self._every_s:
            self.count(self.client(request.ip, request.headers.get("x-forwarded-for")))

    def client(self, peer: str, forwarded: str | None) -> str:
        """Whom requests count for: the address of a customer, or its network.

        Args:
            peer: the other end of the connection.
            forwarded: the request's X-Forwarded-For.
        """
        if self._proxied:
            peer = sender(peer, forwarded)
        return network(peer) if ":" in peer else peer

    def count(self, client: str) -> None:
        """As ``take``, for a client by name."""
        if not self._every_s:
            return
        now = self._now()
        full_at = self._full_at.get(client, 0.0)
        if full_at <= now:
            if not full_at and len(self._full_at) >= REMEMBERED:
                self._forget(now)
            full_at = now
        elif full_at - now > BURST_S - self._every_s:
            raise TooManyRequests(
                "too many requests",
                hint=f"at most {round(60 / self._every_s)} a minute",
                retry_after=full_at - now - BURST_S + self._every_s,
            )
        self._full_at[client] = full_at + self._every_s

    def _forget(self, now: float) -> None:
        waiting = {client: at for client, at in self._full_at.items() if at > now}
        # Under a flood from everywhere the newest stay: nobody is refused for want of memory.
        self._full_at = dict(list(waiting.items())[-REMEMBERED // 2 :])


def sender(peer: str, forwarded: str | None) -> str:
    """Whom a proxy speaks for: the last entry of X-Forwarded-For, which the proxy itself wrote.

    A peer on the public internet is no proxy of ours, whatever it says.
    """
    last = (forwarded or "").rpartition(",")[2].strip()[:64]
    return last if last and is_near(peer) else peer


@lru_cache(maxsize=1024)
def is_near(peer: str) -> bool:
    """Whether an address is on this machine or in a private network."""
    try:
        return ipaddress.ip_address(peer.strip("[]")).is_private
    except ValueError:
        return True  # a Unix socket


@lru_cache(maxsize=10_000)
def network(address: str) -> str:
    """The /64 of an IPv6 address: what one customer of a provider has at least."""
    try:
        found = ipaddress.IPv6Address(address.strip("[]").partition("%")[0])
    except ValueError:
        return address
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Network((found, 64), strict=False))
