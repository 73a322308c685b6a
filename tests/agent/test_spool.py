"""Pictures that wait on the disk."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from vigil.agent.spool import Spool
from vigil.clock import FakeClock
from vigil.errors import Unavailable

START = datetime(2026, 5, 1, tzinfo=UTC)


def spool(folder: Path, clock: FakeClock, **other: Any) -> Spool:
    known: dict[str, Any] = {"most_bytes": 10_000, "reserve_bytes": 0, "boot": "b1"}
    return Spool(folder, clock=clock, **(known | other))


def us(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


async def test_pictures_leave_in_the_order_they_were_taken(tmp_path: Path) -> None:
    clock = FakeClock(START)
    waiting = spool(tmp_path, clock)
    for number in range(5):
        waiting.add("nest", b"%d" % number)
        await clock.advance(60)
    first = waiting.batch("nest", 3, 1000)
    assert [one.path.read_bytes() for one in first] == [b"0", b"1", b"2"]
    assert [one.taken_us for one in first] == [us(START + timedelta(minutes=n)) for n in range(3)]
    assert waiting.batch("nest", 3, 1000) == first  # until the site has answered
    for one in first:
        waiting.done(one)
    assert [one.path.read_bytes() for one in waiting.batch("nest", 9, 1000)] == [b"3", b"4"]
    assert waiting.batch("roof", 9, 1000) == []


async def test_a_batch_is_bounded_in_bytes_and_never_empty(tmp_path: Path) -> None:
    clock = FakeClock(START)
    waiting = spool(tmp_path, clock)
    for _ in range(3):
        waiting.add("nest", b"x" * 600)
        await clock.advance(1)
    assert len(waiting.batch("nest", 10, 1300)) == 2
    assert len(spool(tmp_path, clock).batch("nest", 10, 1)) == 2  # as before the restart
    for one in waiting.batch("nest", 10, 1):
        waiting.done(one)
    assert len(waiting.batch("nest", 10, 1)) == 1


async def test_a_restart_finds_everything_and_tidies_what_was_cut_short(tmp_path: Path) -> None:
    clock = FakeClock(START)
    waiting = spool(tmp_path, clock)
    waiting.add("nest", b"whole")
    left = tmp_path / "spool" / "nest" / "new" / "0001-b1-1.part"
    left.write_bytes(b"half")
    again = spool(tmp_path, clock, boot="b2")
    assert not left.exists()
    assert (again.count("nest"), again.size) == (1, 5)
    assert again.oldest_us("nest") == us(START)


async def test_the_oldest_makes_room_and_is_accounted_for(tmp_path: Path) -> None:
    clock = FakeClock(START)
    waiting = spool(tmp_path, clock, most_bytes=3000)
    for number in range(5):
        waiting.add("roof" if number % 2 else "nest", b"%d" % number * 1000)
        await clock.advance(60)
    assert waiting.size == 3000
    kept = [
        one.path.read_bytes()[:1] for n in ("nest", "roof") for one in waiting.batch(n, 9, 10**9)
    ]
    assert sorted(kept) == [b"2", b"3", b"4"]
    losses = spool(tmp_path, clock).losses
    assert {(one.camera, one.from_us, one.frames, one.reason) for one in losses} == {
        ("nest", us(START), 1, "spool_full"),
        ("roof", us(START + timedelta(minutes=1)), 1, "spool_full"),
    }
    waiting.told(waiting.losses)
    assert spool(tmp_path, clock).losses == []


async def test_losses_of_one_reason_are_one(tmp_path: Path) -> None:
    clock = FakeClock(START)
    waiting = spool(tmp_path, clock)
    for _ in range(10):
        waiting.lose("nest", "source", "no picture")
        await clock.advance(60)
    waiting.lose("nest", "source", "something else")
    first, second = waiting.losses
    assert (first.frames, second.frames) == (10, 1)
    assert first.to_us - first.from_us == 9 * 60_000_000


async def test_no_room_at_all_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        spool(tmp_path, FakeClock(START), most_bytes=10).add("nest", b"x" * 11)


async def test_a_clock_that_was_set_mends_what_was_taken_before(tmp_path: Path) -> None:
    """A Raspberry Pi starts in the past and learns the time when it has a network."""
    clock = FakeClock(START - timedelta(days=100))
    waiting = spool(tmp_path, clock)
    waiting.add("nest", b"before")
    await clock.advance(600)
    clock.jump(timedelta(days=100).total_seconds())
    waiting.add("nest", b"after")
    found = {one.path.read_bytes(): one.taken_us for one in waiting.batch("nest", 9, 1000)}
    assert found == {b"before": us(START), b"after": us(START + timedelta(minutes=10))}
    clock.jump(5000)
    again = {one.path.read_bytes(): one.taken_us for one in waiting.batch("nest", 9, 1000)}
    assert again == found  # once sent, a time is final


async def test_nothing_is_mended_after_another_boot(tmp_path: Path) -> None:
    clock = FakeClock(START)
    spool(tmp_path, clock).add("nest", b"x")
    await clock.advance(10)
    clock.jump(86_400)
    (one,) = spool(tmp_path, clock, boot="b2").batch("nest", 9, 1000)
    assert one.taken_us == us(START)


async def test_two_at_the_same_time_are_two(tmp_path: Path) -> None:
    waiting = spool(tmp_path, FakeClock(START))
    waiting.add("nest", b"a")
    waiting.add("nest", b"b")
    times = [one.taken_us for one in waiting.batch("nest", 9, 1000)]
    assert times == [us(START), us(START) + 1]


async def test_one_that_had_to_make_room_while_it_was_sent(tmp_path: Path) -> None:
    clock = FakeClock(START)
    waiting = spool(tmp_path, clock, most_bytes=2000)
    waiting.add("nest", b"a" * 1000)
    (sent,) = waiting.batch("nest", 9, 10_000)
    for letter in (b"b", b"c"):
        await clock.advance(60)
        waiting.add("nest", letter * 1000)
    assert not sent.path.exists()
    waiting.done(sent)
    assert (waiting.size, waiting.count("nest")) == (2000, 2)
