"""Leases: a stream that was just shown to somebody rests before we show it to the next.

A stream that nobody watches should not get ten strangers from us in a minute. Leases are kept in
the process: one worker is one spreader.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

LENGTH_S = 60.0
MOST = 20_000
"""Leases kept; beyond that the oldest are forgotten."""


class Leases:
    """Who was shown lately.

    Args:
        now: seconds on a clock that only moves forward.
        length_s: how long a stream rests.
    """

    def __init__(self, now: Callable[[], float], length_s: float = LENGTH_S) -> None:
        self._now = now
        self._length_s = length_s
        self._taken: OrderedDict[str, float] = OrderedDict()
        """Key → when it was last taken, the oldest first."""

    def pick(self, keys: Sequence[str], count: int) -> list[str]:
        """Take up to ``count`` of the keys: the rested ones in their order, so far as there are.

        After these come those that have rested longest, so a small result is never emptied.
        """
        now = self._now()
        while self._taken and (
            len(self._taken) > MOST or now - next(iter(self._taken.values())) >= self._length_s
        ):
            self._taken.popitem(last=False)
        different = dict.fromkeys(keys)
        rested = [key for key in different if key not in self._taken]
        tired = sorted(
            (key for key in different if key in self._taken), key=self._taken.__getitem__
        )
        chosen = (rested + tired)[:count]
        for key in chosen:
            self._taken[key] = now
            self._taken.move_to_end(key)
        return chosen
