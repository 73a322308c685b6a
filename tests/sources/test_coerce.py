"""coerce: values of any type, as the APIs of others have them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.sources import coerce

NOW = datetime(2026, 3, 1, tzinfo=UTC)
THEN = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (" a\x00b ", "a b"), (12, "12"), (12.0, "12"), (1.5, "1.5"), (["", "x", "y"], "x"),
        (None, ""), (True, ""), ({"a": 1}, ""), ([], ""), ([[1]], ""), ("x" * 500, "x" * 200),
    ],
)  # fmt: skip
def test_text(value: Any, text: str) -> None:
    assert coerce.text(value) == text


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        (["a", 1, None, "a", {}], ("a", "1")),
        ("a, b;c |d,,", ("a", "b", "c", "d")),
        (None, ()),
        ({"a": 1}, ()),
    ],
)
def test_tags(value: Any, tags: tuple[str, ...]) -> None:
    assert coerce.tags(value) == tags


@pytest.mark.parametrize(
    ("value", "number"),
    [(7, 7), ("7", 7), (" 7 ", 7), (7.9, 7), (-1, 0), ("-1", 0), (None, 0), ("many", 0), (True, 0)],
)
def test_number(value: Any, number: int) -> None:
    assert coerce.number(value) == number


@pytest.mark.parametrize(
    "value",
    [
        1_767_268_800, 1_767_268_800.0, "1767268800", 1_767_268_800_000, "1767268800000",
        "2026-01-01T12:00:00Z", "2026-01-01 12:00:00", "2026-01-01T13:00:00+01:00",
        " 2026-01-01T12:00:00.000Z ",
    ],
)  # fmt: skip
def test_moment(value: Any) -> None:
    assert coerce.moment(value, NOW) == THEN


@pytest.mark.parametrize(
    "value",
    [None, "", "soon", -5, 0, 1e30, float("nan"), float("inf"), True, [], "99999999999999",
     (NOW + timedelta(days=2)).isoformat(), (NOW + timedelta(days=2)).timestamp()],
)  # fmt: skip
def test_no_moment(value: Any) -> None:
    assert coerce.moment(value, NOW) is None


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("de", "de"), ("German", "de"), ("english;french", "en"), ("pt-BR", "pt-br"),
        ("deu", "deu"), ("Klingon", ""), (["fr", "de"], "fr"), (None, ""), (5, ""),
        ("other", "other"),
    ],
)  # fmt: skip
def test_language(value: Any, code: str) -> None:
    assert coerce.language(value) == code


@pytest.mark.parametrize("value", [True, 1, "true", "yes", "1", [1], {"a": 1}])
def test_yes(value: Any) -> None:
    assert coerce.truth(value)


@pytest.mark.parametrize("value", [False, 0, "false", "No", "0", "", None, [], {}])
def test_no(value: Any) -> None:
    assert not coerce.truth(value)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(ANYTHING)
def test_anything(value: Any) -> None:
    assert len(coerce.text(value)) <= 200
    assert 0 <= coerce.number(value) < 2**31
    found = coerce.moment(value, NOW)
    assert found is None or found <= NOW + timedelta(hours=1)
    assert all(coerce.tags(value))
    coerce.language(value)
    coerce.truth(value)
