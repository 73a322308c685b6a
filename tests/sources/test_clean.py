"""clean: nothing that a stranger sends can break a page, a query or the schema."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.sources import clean

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ANYTHING = st.text(st.characters())  # lone surrogates included


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("  a\x00b\r\n\tc  ", "a b c"),
        ("a\ud800b", "a b"),
        ("\u202eevil\u2066", "evil"),
        ("👩‍👩‍👧 ok", "👩‍👩‍👧 ok"),
        ("x" * 3000, "x" * 500),
        ("", ""),
        (None, ""),
        ("\ufefftitle", "title"),
    ],
)
def test_text(sent: str | None, kept: str) -> None:
    assert clean.text(sent, clean.TITLE_MOST) == kept


@given(ANYTHING, st.integers(1, 50))
def test_text_of_anything_can_be_stored(sent: str, most: int) -> None:
    kept = clean.text(sent, most)
    assert len(kept) <= most
    assert kept == kept.strip()
    kept.encode()  # no lone surrogates
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in kept)


@pytest.mark.parametrize(
    "good",
    [
        "https://example.org/", "http://example.org:8080/a?b=c#d", "http://[::1]/x",
        "https://cdn.example/live-{width}x{height}.jpg", "https://exämple.org/ü",
    ],
)  # fmt: skip
def test_urls_that_stay(good: str) -> None:
    assert clean.url(good) == good


@pytest.mark.parametrize(
    "bad",
    [
        None, "", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x",
        "//example.org/", "/path", "example.org", "https://", "http:///x", "https://user:pass@example.org/",
        "https://example.org/ x", "https://example.org/\n", 'https://example.org/"onload="x',
        "https://example.org/<script>", "http://[::1", "http://example.org:99999/",
        "http://example.org:0/", "ftp://example.org/", "https://example.org\\@evil/",
        "https://example.org/" + "x" * 2000, "https://example.org/\ud800",
    ],
)  # fmt: skip
def test_urls_that_go(bad: str | None) -> None:
    assert clean.url(bad) is None


@given(st.one_of(ANYTHING, ANYTHING.map(lambda text: "https://" + text)))
def test_a_url_of_anything(sent: str) -> None:
    kept = clean.url(sent)
    if kept is not None:
        parts = urlsplit(kept)
        assert parts.scheme in ("http", "https")
        assert parts.hostname
        kept.encode()


def test_tags() -> None:
    assert clean.tags(None) == ()
    assert clean.tags(["a", None, "", " a ", "B\x00", "b"]) == ("a", "B", "b")
    assert len(clean.tags(str(number) for number in range(200))) == 50


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("EN", "en"), ("pt-BR", "pt-br"), ("other", "other"), ("zh_hant", "zh_hant"), (None, ""),
     ("<b>", ""), ("english language", ""), ("", "")],
)  # fmt: skip
def test_language(sent: str | None, kept: str) -> None:
    assert clean.language(sent) == kept


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("2026-01-01T12:00:00Z", datetime(2026, 1, 1, 12, tzinfo=UTC)),
        ("2026-01-01T12:00:00+02:00", datetime(2026, 1, 1, 10, tzinfo=UTC)),
        ("2026-01-01T12:00:00", datetime(2026, 1, 1, 12, tzinfo=UTC)),
        ("2026-06-01T00:30:00Z", datetime(2026, 6, 1, 0, 30, tzinfo=UTC)),  # a clock goes wrong
        ("2026-06-02T00:00:00Z", None),
        ("0001-01-01T00:00:00+23:59", None),
        ("1900-01-01T00:00:00Z", None),
        ("yesterday", None),
        ("", None),
        (None, None),
        ("9" * 100, None),
    ],
)
def test_moment(sent: str | None, kept: datetime | None) -> None:
    assert clean.moment(sent, NOW) == kept


@pytest.mark.parametrize(
    ("sent", "kept"),
    [(3, 3), (0, 0), (-1, 0), (2.9, 2), (None, 0), ("7", 0), (True, 0), (2**40, 2**31 - 1),
     (float("nan"), 0), (float("inf"), 2**31 - 1)],
)  # fmt: skip
def test_number(sent: object, kept: int) -> None:
    assert clean.number(sent) == kept
