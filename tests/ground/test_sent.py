"""What a request brings: fields of forms, bodies of JSON."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from msgspec import UNSET, UnsetType
from sanic import Request
from sanic.request import RequestParameters

from vigil import sent
from vigil.errors import Invalid


class Thing(msgspec.Struct):
    """A body."""

    name: str | UnsetType = UNSET
    more: dict[str, Any] | UnsetType | None = UNSET


def asking(body: bytes = b"", form: dict[str, list[str]] | None = None) -> Request:
    shown = None if form is None else RequestParameters(form)
    return cast("Request", SimpleNamespace(body=body, form=shown))


def test_fields_of_a_form() -> None:
    request = asking(form={"csrf": ["x"], "name": [" a ", "b"]})
    assert sent.fields(request) == {"name": [" a ", "b"]}
    assert [sent.field(request, name) for name in ("name", "other")] == ["a", ""]
    assert sent.field(request, sent.CSRF) == "x"


def test_a_request_without_a_form() -> None:
    assert sent.fields(asking()) == {}
    assert sent.field(asking(), "name") == ""


def test_a_body_that_fits() -> None:
    thing = sent.body(asking(b'{"name": "a", "more": null}'), Thing)
    assert thing == Thing("a", None)
    assert sent.changed(thing) == {"name": "a", "more": None}
    assert sent.changed(Thing(name="b")) == {"name": "b"}
    assert sent.anything(asking(b"[1, 2]")) == [1, 2]


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"name": 1}', b'{"name": "\xff"}', b'{"more": ' + b'{"a":' * 100_000]
)
def test_a_body_that_does_not(body: bytes) -> None:
    with pytest.raises(Invalid, match=r"^the body cannot be used: ") as refused:
        sent.body(asking(body), Thing, "such as this")
    assert refused.value.hint == "such as this"


def test_where_it_does_not_is_left_unsaid_on_demand() -> None:
    request = asking(b'{"name": 1}')
    with pytest.raises(Invalid, match=r"it is odd: Expected `str`, got `int` - at `\$.name`$"):
        sent.body(request, Thing, trouble="it is odd")
    with pytest.raises(Invalid, match=r"got `int`$"):
        sent.body(request, Thing, where=False)


@pytest.mark.parametrize("body", [b"", b"no", b'"\xff"', b"[" * 100_000])
def test_what_is_no_json(body: bytes) -> None:
    with pytest.raises(Invalid, match=r"^this is not JSON: "):
        sent.anything(asking(body))
