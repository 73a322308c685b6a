from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from vigil import limits
from vigil.clock import FakeClock
from vigil.errors import TooManyRequests
from vigil.limits import Limiter


def asked(limiter: Limiter, ip: str, forwarded: str | None = None) -> None:
    headers = {} if forwarded is None else {"x-forwarded-for": forwarded}
    limiter.take(cast("Any", SimpleNamespace(ip=ip, headers=headers)))


async def test_a_minutes_worth_at_once_and_then_as_fast_as_allowed() -> None:
    clock = FakeClock()
    limiter = Limiter(60, proxied=False, monotonic=clock.monotonic)
    for _ in range(60):
        asked(limiter, "192.0.2.1")
    with pytest.raises(TooManyRequests) as refused:
        asked(limiter, "192.0.2.1")
    assert refused.value.status == 429
    assert refused.value.retry_after == pytest.approx(1)
    asked(limiter, "192.0.2.2")  # somebody else
    await clock.advance(1)
    asked(limiter, "192.0.2.1")
    with pytest.raises(TooManyRequests):
        asked(limiter, "192.0.2.1")
    await clock.advance(600)
    for _ in range(60):
        asked(limiter, "192.0.2.1")
    with pytest.raises(TooManyRequests):
        asked(limiter, "192.0.2.1")


def test_none_at_all() -> None:
    limiter = Limiter(0, proxied=False, monotonic=FakeClock().monotonic)
    for _ in range(10_000):
        asked(limiter, "192.0.2.1")
    assert not limiter._full_at, "nothing is kept of anybody"


def test_a_header_counts_only_behind_a_proxy() -> None:
    open_to_all = Limiter(1, proxied=False, monotonic=FakeClock().monotonic)
    asked(open_to_all, "10.0.0.1", "203.0.113.1")
    with pytest.raises(TooManyRequests):
        asked(open_to_all, "10.0.0.1", "203.0.113.2")
    behind = Limiter(1, proxied=True, monotonic=FakeClock().monotonic)
    asked(behind, "10.0.0.1", "203.0.113.1")
    asked(behind, "10.0.0.1", "203.0.113.2")
    with pytest.raises(TooManyRequests):  # the first entry is what the client made up
        asked(behind, "10.0.0.1", "6.6.6.6, 203.0.113.2")
    asked(behind, "198.41.0.4", "203.0.113.9")
    with pytest.raises(TooManyRequests):  # on the public internet: no proxy of ours
        asked(behind, "198.41.0.4", "203.0.113.10")


def test_a_customers_whole_network_is_one_client() -> None:
    limiter = Limiter(1, proxied=False, monotonic=FakeClock().monotonic)
    asked(limiter, "2001:db8:0:1::1")
    with pytest.raises(TooManyRequests):
        asked(limiter, "2001:db8:0:1:ffff::2")
    asked(limiter, "2001:db8:0:2::1")
    asked(limiter, "::ffff:192.0.2.1")
    with pytest.raises(TooManyRequests):
        asked(limiter, "192.0.2.1")
    asked(limiter, "not an: address")


async def test_a_flood_from_everywhere_does_not_fill_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "REMEMBERED", 100)
    clock = FakeClock()
    limiter = Limiter(60, proxied=False, monotonic=clock.monotonic)
    await clock.advance(1)
    for number in range(1000):
        limiter.count(f"client {number}")
        assert len(limiter._full_at) <= 101
    await clock.advance(5)
    for number in range(1000):
        limiter.count(f"other {number}")
    assert len(limiter._full_at) <= 101
