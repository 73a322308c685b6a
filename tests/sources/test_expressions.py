"""expressions: what is wrong is said where it is, and nothing runs without end."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.errors import Invalid, SourceError
from vigil.sources import expressions
from vigil.sources.expressions import Expression, Failed, Steps, growth

DATA = {"data": [{"id": 1, "on": True}, {"id": 2, "on": False}], "who": {"name": "Ann"}}


def of(text: str, value: Any = DATA) -> Any:
    return Expression("items", text).of(value, Steps())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("@", DATA),
        ("data[?on].id", [1]),
        ("who.name", "Ann"),
        ("nothing.at.all", None),
        ("join('', ['https://radio.example/', who.name])", "https://radio.example/Ann"),
        ("who.alias || who.name", "Ann"),
        ("data[].{number: id}", [{"number": 1}, {"number": 2}]),
        ("length(data)", 2),
        ("to_string(data[0].id)", "1"),
    ],
)
def test_what_it_finds(text: str, found: Any) -> None:
    assert of(text) == found


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("data[?on", "ends too early"),
        ("listeners-count", "character 10"),
        ("data[", "ends too early"),
        ("a b", "character 3"),
        ("'open", "character 1"),
        ("upper(name)", "no function upper()"),
        ("join(tags)", "join() takes 2 arguments"),
        ("not_null()", "at least 1"),
        ("a[::0]", "step by 0"),
        ("(" * 900, "nested too deeply"),
        ("a" * 1001, "at most 1000"),
    ],
)
def test_what_is_wrong_is_said_where_it_is(text: str, told: str) -> None:
    with pytest.raises(Invalid, match="option items") as caught:
        Expression("items", text)
    assert told in str(caught.value)


def test_the_place_is_shown() -> None:
    with pytest.raises(Invalid) as caught:
        Expression("viewers", "stats.listeners-count")
    assert caught.value.hint == "stats.listeners ▸here▸ -count"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("length(who.age)", "items: length() cannot take null"),
        ("ceil(who.name)", "items: ceil() cannot take string"),
    ],
)
def test_a_value_it_cannot_take_is_told_without_the_value(text: str, told: str) -> None:
    with pytest.raises(Failed) as caught:
        of(text)
    assert str(caught.value) == told


@pytest.mark.parametrize(
    "piece", ["[@, @][]", "{a: @, b: @}", "[@, @, @]", "[*].[`[1, 2, 3, 4]`][]"]
)
def test_what_would_grow_without_end_is_refused(piece: str) -> None:
    with pytest.raises(Invalid, match="too much of little"):
        Expression("items", " | ".join([piece] * 8))
    assert growth(Expression("items", piece).node) <= expressions.MOST_GROWTH


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("to_string(@)", [1] * 100_000),
        ("to_string(@)", {"a": "x" * 100_000}),
        ("join(a, b)", {"a": "x" * 5000, "b": ["y"] * 5000}),
        ("join('', @)", ["x" * 5000] * 3),
    ],
)
def test_texts_are_not_put_together_without_end(text: str, value: Any) -> None:
    with pytest.raises(Failed, match="too long"):
        of(text, value)


def test_the_steps_are_counted_over_a_whole_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expressions, "MOST_STEPS", 10_000)
    steps, expression = Steps(), Expression("items", "[?a == `1`].b")
    for _ in range(2):
        expression.of([{"a": 1}] * 1000, steps)
    with pytest.raises(SourceError, match="take too long"):
        expression.of([{"a": 1}] * 1000, steps)


@given(st.text(max_size=60))
def test_any_text_is_an_expression_or_invalid(text: str) -> None:
    means_something_or_says_why_not(text)


def means_something_or_says_why_not(text: str) -> None:
    """Nothing but our own errors comes of it, and a text that is refused is refused again."""
    try:
        expression = Expression("items", text)
    except Invalid:
        with pytest.raises(Invalid):
            Expression("items", text)
        return
    with contextlib.suppress(Failed):
        expression.of(DATA, Steps())


NAMES = ("abs", "contains", "join", "length", "map", "sort_by", "to_string", "data", "id", "@")
SIGNS = (*"()[]{}|!<,:&.*", "||", "&&", "==", "[]", "[*]", "[?on]", "`1`", "'x'")


@given(st.lists(st.sampled_from(NAMES + SIGNS), max_size=12))
def test_any_sentence_is_an_expression_or_invalid(tokens: list[str]) -> None:
    means_something_or_says_why_not("".join(tokens))
