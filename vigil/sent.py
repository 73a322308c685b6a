"""What a request brings: the fields of its form, and its JSON body."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from msgspec import UNSET
from sanic import Request

from vigil.errors import Invalid

T = TypeVar("T")

CSRF = "csrf"
"""The field that proves that a form is ours."""
BAD_JSON = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def fields(request: Request) -> dict[str, list[str]]:
    """Each field's values, as they came; without the proof that the form is ours."""
    form: Any = request.form or {}  # it is None, or text's lists by name, unlike its type
    return {name: [str(one) for one in form[name]] for name in form if name != CSRF}


def field(request: Request, name: str) -> str:
    """One field without blanks around it; empty where there is none."""
    form: Any = request.form or {}
    return str(form.get(name) or "").strip()


def body(
    request: Request,
    shape: type[T],
    hint: str | None = None,
    *,
    trouble: str = "the body cannot be used",
    where: bool = True,
) -> T:
    """The JSON body as ``shape``; raises Invalid.

    Args:
        request: whose.
        shape: what it has to be.
        hint: an example of what is taken, or where that is said.
        trouble: how the error begins.
        where: whether it says where in the body something is wrong.
    """
    try:
        return msgspec.json.decode(request.body, type=shape)
    except BAD_JSON as error:
        problem = str(error) if where else str(error).partition(" - at")[0]
        raise Invalid(f"{trouble}: {problem}", hint=hint) from None


def anything(request: Request, hint: str | None = None) -> Any:
    """The JSON body, whatever it is; raises Invalid when it is none."""
    return body(request, Any, hint, trouble="this is not JSON")


def changed(given: msgspec.Struct) -> dict[str, Any]:
    """The fields that a body of changes names."""
    return {k: v for k, v in msgspec.structs.asdict(given).items() if v is not UNSET}
