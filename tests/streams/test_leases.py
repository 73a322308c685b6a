from __future__ import annotations

from collections import Counter
from random import Random

from vigil.streams import leases
from vigil.streams.leases import Leases


class Watch:
    """Seconds that move when told to."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def test_what_was_shown_rests() -> None:
    watch = Watch()
    kept = Leases(watch, length_s=60)
    assert kept.pick(["a", "b", "c"], 1) == ["a"]
    assert kept.pick(["a", "b", "c"], 1) == ["b"]
    watch.at = 59.9
    assert kept.pick(["a", "b", "c"], 2) == ["c", "a"]
    watch.at = 61
    assert kept.pick(["c", "b", "a"], 1) == ["b"]


def test_a_small_result_is_never_emptied_and_turns_round() -> None:
    watch = Watch()
    kept = Leases(watch)
    shown = []
    for _ in range(9):
        watch.at += 1
        shown += kept.pick(["a", "b", "c"], 1)
    assert shown == ["a", "b", "c"] * 3
    assert kept.pick(["a"], 5) == ["a"]
    assert kept.pick(["a"], 5) == ["a"]
    assert kept.pick([], 1) == []
    assert kept.pick(["z", "z", "z"], 3) == ["z"]


def test_no_quiet_stream_gets_ten_visitors_in_a_minute() -> None:
    """400 visitors in a minute, 500 streams, each offered 33 at random."""
    rng = Random(7)
    watch = Watch()
    kept = Leases(watch)
    streams = [str(n) for n in range(500)]
    visits: Counter[str] = Counter()
    for visitor in range(400):
        watch.at = visitor * 60 / 400
        visits.update(kept.pick(rng.sample(streams, 33), 1))
    assert max(visits.values()) == 1
    alone = Counter(rng.choice(streams) for _ in range(400))
    assert max(alone.values()) > 2  # what it would be without


def test_leases_do_not_grow_for_ever() -> None:
    watch = Watch()
    kept = Leases(watch)
    for n in range(leases.MOST + 500):
        kept.pick([str(n)], 1)
    assert len(kept._taken) <= leases.MOST + 1
    watch.at = 61
    kept.pick(["x"], 1)
    assert list(kept._taken) == ["x"]
