"""Wrong secrets, counted: whoever sends many is not looked up any more for a while.

Nobody can guess 256 random bits; this keeps whoever tries from keeping the database busy.
"""

from __future__ import annotations

from vigil.clock import Clock
from vigil.errors import TooManyRequests
from vigil.limits import network

MOST = 20
"""Wrong secrets of one kind and one address …"""
WINDOW_S = 60.0
"""… within this time."""
REMEMBERED = 10_000


class Guesses:
    """The wrong secrets that this process saw lately."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: dict[tuple[str, str], tuple[float, int]] = {}

    def check(self, kind: str, address: str) -> None:
        """Raise TooManyRequests when an address has sent too many wrong secrets of a kind."""
        began, count = self._seen.get((kind, network(address)), (0.0, 0))
        left = began + WINDOW_S - self._clock.monotonic()
        if count >= MOST and left > 0:
            raise TooManyRequests("too many wrong keys from your address", retry_after=left)

    def wrong(self, kind: str, address: str) -> None:
        """Count a wrong secret."""
        now = self._clock.monotonic()
        key = (kind, network(address))
        began, count = self._seen.pop(key, (now, 0))
        if now - began >= WINDOW_S:
            began, count = now, 0
        if len(self._seen) >= REMEMBERED:
            del self._seen[next(iter(self._seen))]  # the one that was quiet for the longest
        self._seen[key] = (began, count + 1)
