from __future__ import annotations

import gzip
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sanic import HTTPResponse

from vigil import prepared
from vigil.prepared import Prepared, takes_gzip


def answer(made: Prepared, **headers: str) -> HTTPResponse:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return made.answer(cast("Any", SimpleNamespace(headers=given)))


def test_a_long_body_is_compressed_for_who_takes_it() -> None:
    body = b'{"a": "%b"}' % (b"x" * 5000)
    made = Prepared(body)
    plain = answer(made)
    assert (plain.status, plain.body) == (200, body)
    assert plain.headers["vary"] == "accept-encoding"
    assert "content-encoding" not in plain.headers
    packed = answer(made, accept_encoding="br, gzip;q=0.5")
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.body is not None
    assert len(packed.body) < 200
    assert gzip.decompress(packed.body) == body
    assert packed.headers["etag"] == plain.headers["etag"]


def test_a_short_body_goes_as_it_is() -> None:
    assert "content-encoding" not in answer(Prepared(b"[]"), accept_encoding="gzip").headers


def test_who_has_it_is_not_sent_it_again() -> None:
    made = Prepared(b"[1]")
    again = answer(made, if_none_match=made.etag)
    assert (again.status, again.body) == (304, b"")
    assert again.headers["etag"] == made.etag
    assert again.headers["access-control-allow-origin"] == "*"
    assert answer(made, if_none_match=Prepared(b"[2]").etag).status == 200
    assert answer(made, if_none_match=f'"other", {made.etag}').status == 304


@pytest.mark.parametrize(
    ("accept", "taken"),
    [
        (None, False),
        ("", False),
        ("gzip", True),
        ("deflate, gzip, br", True),
        ("gzip;q=0", False),
        ("gzip; q=0.0, br", False),
        ("br;q=1.0, gzip;q=0.8", True),
        ("identity", False),
        ("x-gzip2;q=1", False),
    ],
)
def test_accept_encoding(accept: str | None, taken: bool) -> None:
    assert takes_gzip(accept) is taken


def test_a_body_for_one_request() -> None:
    request = cast("Any", SimpleNamespace(headers={"if-none-match": prepared.etag(b"x")}))
    assert prepared.answer(request, b"x").status == 304
    assert prepared.answer(request, b"y", "text/plain").content_type == "text/plain"
