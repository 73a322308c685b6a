"""Which addresses anybody may be sent to, and URLs that say where."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable

from yarl import URL

from vigil import log
from vigil.answers import FetchError
from vigil.clock import Clock
from vigil.errors import Forbidden, Invalid

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Host and port → addresses; raises OSError."""
IsPublic = Callable[[str], bool]

RESOLVED_FOR_S = 30.0
"""How long an answer of the DNS is used again."""


class AddressBook:
    """Resolves names and checks what they lead to."""

    def __init__(self, clock: Clock, resolve: Resolve | None, is_public: IsPublic | None) -> None:
        self._clock = clock
        self._resolve = resolve or resolve_by_system
        self.is_public = is_public or is_public_address
        self._known: dict[tuple[str, int], tuple[float, list[str]]] = {}

    async def look_up(self, host: str, port: int, *, private: bool) -> list[str]:
        """As ``Fetcher.check_address``."""
        until, addresses = self._known.get((host, port), (0.0, []))
        if until <= self._clock.monotonic():
            try:
                addresses = await self._resolve(host, port)
            except (OSError, UnicodeError) as error:
                raise FetchError(
                    f"the name {host} cannot be found",
                    hint="is this machine online, and is the name right?",
                    again=True,
                    unsent=True,
                ) from error
            if not addresses:
                raise FetchError(f"{host} has no address", again=True, unsent=True)
            if len(self._known) > 1000:
                self._known.clear()
            self._known[host, port] = (self._clock.monotonic() + RESOLVED_FOR_S, addresses)
        if not private and not all(self.is_public(address) for address in addresses):
            raise Forbidden(
                f"{host} is a private address", hint="only an admin can let Vigil look there"
            )
        return addresses

    def forget(self, host: str, port: int) -> None:
        """Resolve anew next time, because nothing answered."""
        self._known.pop((host, port), None)


async def resolve_by_system(host: str, port: int) -> list[str]:
    """Addresses of a host in the system's order; raises OSError when there is none."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def is_public_address(text: str) -> bool:
    """Whether an address belongs to the public internet, whatever it is wrapped in."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is not None:
            return is_public_address(str(inner))
        if address not in _GLOBAL_UNICAST:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")  # RFC 4291 §2.4


def parse(text: str) -> URL:
    """An http or https URL with a host; raises Invalid without repeating its secrets."""
    try:
        url = URL(text)
        url.port, url.host  # noqa: B018 - both may raise
    except (ValueError, TypeError):
        raise Invalid("this is not a URL", hint="give one such as https://example.org/") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise Invalid(
            f"{log.redact_url(text)} cannot be fetched", hint="give an http:// or https:// URL"
        )
    return url


def show(url: URL) -> str:
    """The URL as it may stand in a message."""
    return log.redact_url(str(url))
