from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from vigil.streams.dealing.sample import LARGEST, MOST_LOOKS, SMALLEST, KeptSample, Sample
from vigil.streams.dealing.store import Card
from vigil.streams.model import Filter


def sample(*texts: str) -> Sample:
    return Sample([Card(str(n).encode(), 0.0, text.encode()) for n, text in enumerate(texts)])


def find(of: Sample, count: int, **asked: object) -> list[int] | None:
    found = of.find(Filter(**asked), count)  # type: ignore[arg-type]  # a test's shorthand
    return None if found is None else sorted(int(body) for body in found)


def test_words_are_found_as_the_database_finds_them() -> None:
    some = sample("super mario\nracing", "mario kart\nracing", "läuse % _", "plain")
    for _ in range(20):
        assert find(some, 2, include=("mario",)) == [0, 1]
        assert find(some, 1, include=("mario", "super")) == [0]
        assert find(some, 1, include=("r", "mario", "kart")) == [1]
        assert find(some, 1, include=("mario",), exclude=("super",)) == [1]
        assert find(some, 3, include=("mario", "plain"), any=True) == [0, 1, 3]
        assert find(some, 1, include=("%",)) == [2]
        assert find(some, 1, include=("läu",)) == [2]
        assert find(some, 1, include=("plainsuper",)) is None
        assert find(some, 3, include=("mario",)) is None
        assert find(some, 1) is None
    assert find(sample(), 1, include=("a",)) is None


def test_each_match_is_as_likely_from_sample_to_sample() -> None:
    drawn: Counter[int] = Counter()
    some = sample(*("word" for _ in range(10)))
    for _ in range(4000):
        drawn.update(find(some, 1, include=("word",)) or ())
    assert len(drawn) == 10
    assert min(drawn.values()) > 300


def test_it_gives_up_before_it_takes_long() -> None:
    some = sample(*("common" for _ in range(3 * MOST_LOOKS)))
    assert find(some, 1, include=("common", "rare")) is None
    assert len(find(some, 64, include=("common",)) or ()) == 64


def test_a_sample_is_as_large_as_pays() -> None:
    kept = KeptSample()
    cards, now = [Card(b"1", 0.0, b"a")], datetime(2026, 3, 1, tzinfo=UTC)

    def drawn(missed: float, took: float = 0.09) -> int:
        kept.missed = timedelta(seconds=missed)
        kept.fill(cards, now, timedelta(seconds=took))
        return kept.size

    assert [drawn(1.0) for _ in range(4)] == [4000, 8000, LARGEST, LARGEST]
    assert drawn(0.1) == LARGEST
    assert [drawn(0.0) for _ in range(4)] == [4000, 2000, SMALLEST, SMALLEST]
    kept.size = 8000
    assert drawn(9.0, took=0.5) == 8000
    assert drawn(9.0, took=1.0) == 4000
    assert drawn(9.0, took=9.0) == SMALLEST
    kept.size, kept._looked = 4000, 1.0  # looking through it is dear, too
    assert drawn(1.0) == 4000
    assert kept.find(Filter(include=("a",)), 1) == [b"1"]
    assert kept._looked > 0
    assert kept.fresh(now)
    assert not kept.fresh(now + timedelta(seconds=1.01))
