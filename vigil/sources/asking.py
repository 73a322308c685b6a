"""What a request to this room asks for: its body, or the fields of its form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec
from sanic import Request

from vigil.errors import Invalid

T = TypeVar("T")


def body(request: Request, shape: type[T]) -> T:
    """The body as ``shape``; raises Invalid saying what is wrong with it."""
    try:
        return msgspec.json.decode(request.body, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Invalid(f"the body cannot be used: {error}") from None


def form(request: Request) -> Mapping[str, list[str]]:
    """Each field's values."""
    found = request.form
    return {name: [str(one) for one in found.getlist(name)] for name in found} if found else {}


def field(request: Request, name: str) -> str:
    """One field; empty where there is none."""
    return (form(request).get(name) or [""])[0]
