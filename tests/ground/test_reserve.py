"""reserve: how much of the disk stays free, and what is given up before."""

from __future__ import annotations

import pytest

from vigil.errors import SettingsError
from vigil.reserve import GIB, GIVEN_UP, MOST, Reserve, Space, parse
from vigil.settings import load


@pytest.mark.parametrize(
    ("total", "expected"), [(10 * GIB, GIB), (50 * GIB, GIB), (100 * GIB, 2 * GIB)]
)
def test_the_larger_of_a_gibibyte_and_two_percent(total: int, expected: int) -> None:
    assert load({}).disk_reserve.of(Space(total, total)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2G", Reserve(2_000_000_000, 0)),
        ("500m", Reserve(500_000_000, 0)),
        ("1.5 GB", Reserve(1_500_000_000, 0)),
        ("5%", Reserve(0, 0.05)),
        ("0", Reserve(0, 0)),
        ("1000", Reserve(1000, 0)),
    ],
)
def test_what_a_person_writes(text: str, expected: Reserve) -> None:
    assert parse(text) == expected
    assert load({"VIGIL_DISK_RESERVE": text}).disk_reserve == expected


@pytest.mark.parametrize("text", ["much", "-1", "2 G 3", "95%", "5%G", "1e9"])
def test_what_is_no_reserve(text: str) -> None:
    with pytest.raises(SettingsError):
        load({"VIGIL_DISK_RESERVE": text})


def test_it_is_given_up_step_by_step_before_the_reserve() -> None:
    reserve = Reserve(6 * GIB, 0)  # shedding begins 2 GiB before it
    levels = [reserve.level(Space(100 * GIB, round(free * GIB))) for free in (9, 8, 7.9, 7, 6.5, 6)]
    assert levels == [0, 0, 1, 2, 3, 3]
    assert reserve.level(Space(100 * GIB, 6 * GIB - 1)) == MOST
    assert len(GIVEN_UP) == MOST + 1
    small = Reserve(1000, 0)  # and half a reserve before a small one
    assert [small.level(Space(10**6, free)) for free in (1500, 1499, 1000, 999)] == [0, 1, 3, 4]


def test_without_a_reserve_and_without_a_disk_nothing_is_given_up() -> None:
    assert Reserve(0, 0).level(Space(100, 0)) == 0
    assert Reserve().level(None) == 0
