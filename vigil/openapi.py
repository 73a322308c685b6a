"""What the API is, said once beside each handler: the description, the page and the tests read it.

``describe`` stands between the route and the handler. Shapes are msgspec's (structs, typed
dictionaries, dataclasses); the document follows OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.1).
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl

import msgspec
from sanic import Request, Sanic

from vigil import __version__
from vigil.errors import Invalid

T = TypeVar("T")
Query = TypeVar("Query", bound=msgspec.Struct)
JSON = "application/json"
REF = "#/components/schemas/{name}"


class Items(msgspec.Struct, Generic[T]):
    """A list: some of the things, and where the next ones begin."""

    items: list[T]
    next: str | None
    """Cursor of the next ones; null at the end."""


class Problem(msgspec.Struct):
    """What went wrong."""

    code: str
    """A word for programs."""
    message: str
    """A sentence for people."""
    hint: str | None
    """What to do about it."""


class Error(msgspec.Struct):
    """Every answer that is not what was asked for."""

    error: Problem


Actions = dict[str, str | None]
"""What can be done with a thing: null, or why it cannot be done now."""


@dataclass(frozen=True)
class Media:
    """An answer that is not JSON."""

    type: str


@dataclass(frozen=True, kw_only=True)
class Declared:
    """What ``describe`` was told of a handler."""

    answers: Mapping[int, Any]
    errors: tuple[int, ...]
    query: type[msgspec.Struct] | None
    body: Any
    admin: bool
    limited: bool
    tagged: bool
    room: str
    summary: str
    text: str

    @property
    def statuses(self) -> set[int]:
        """Every status that an answer may have; 503 while the database is away."""
        found = {*self.answers, *self.errors, 503}
        if self.limited:
            found.add(429)
        if self.tagged:
            found.add(304)
        if self.admin:
            found |= {401, 403}
        if self.query is not None or self.body is not None:
            found.add(400)
        if self.body is not None:
            found.add(413)
        return found


def describe(
    answer: Any = None,
    *,
    answers: Mapping[int, Any] | None = None,
    errors: tuple[int, ...] = (),
    query: type[msgspec.Struct] | None = None,
    body: Any = None,
    admin: bool = False,
    limited: bool = True,
    tagged: bool = False,
) -> Callable[[T], T]:
    """Declare what a handler takes and answers; its docstring says what it does.

    Args:
        answer: shape of the answer with status 200; or a ``Media``.
        answers: shapes by status, where there are others than 200; ``None``: no body.
        errors: statuses of errors besides those that every route may give.
        query: the parameters of its address, as fields.
        body: shape of the body it takes, as JSON.
        admin: whether only an admin may.
        limited: whether requests count against the client's limit (``vigil.limits``).
        tagged: whether the answer has an ETag, and If-None-Match is heeded.
    """

    def declare(handler: Any) -> Any:
        text = inspect.cleandoc(handler.__doc__ or "").replace("``", "`")
        declared = Declared(
            answers=answers if answers is not None else {200: answer},
            errors=errors,
            query=query,
            body=body,
            admin=admin,
            limited=limited,
            tagged=tagged,
            room=handler.__module__.split(".")[1],
            summary=re.split(r"[:;.](?:\s|$)", text, maxsplit=1)[0],
            text=text,
        )
        if not limited:
            handler.declared = declared
            return handler

        # Not a coroutine itself: another one would cost more than the counting.
        @functools.wraps(handler)
        def counted(request: Request, *args: Any, **kwargs: Any) -> Any:
            request.app.ctx.limiter.take(request)
            return handler(request, *args, **kwargs)

        counted.declared = declared  # type: ignore[attr-defined]  # read by ``routes``
        return counted

    return declare


def asked(
    request: Request, shape: type[Query], lists: tuple[str, ...] = ()
) -> tuple[Query, dict[str, str]]:
    """The parameters of the address as ``shape``, and as they stand there.

    Those in ``lists`` may come several times and are joined with commas. Raises Invalid for one
    that is unknown, given twice, or not what the shape says. One without a value counts as not
    given.
    """
    try:
        pairs = parse_qsl(request.query_string, keep_blank_values=True, errors="strict")
    except ValueError:
        raise Invalid("the address is not UTF-8") from None
    given: dict[str, str] = {}
    for name, text in pairs:
        if name in given and name not in lists:
            raise Invalid(f"{name[:40]!r} is given twice")
        given[name] = f"{given[name]},{text}" if name in given else text
    if any("\x00" in text for pair in pairs for text in pair):
        raise Invalid("the address has a NUL in it")
    known = [found.encode_name for found in msgspec.structs.fields(shape)]
    unknown = [repr(name[:40]) for name in given if name not in known]
    if unknown:
        raise Invalid(
            f"unknown parameter {', '.join(unknown[:5])}", hint=f"there are {', '.join(known)}"
        )
    given = {name: text for name, text in given.items() if text}
    try:
        return msgspec.convert(given, shape, strict=False), given
    except msgspec.ValidationError as error:
        problem, _, where = str(error).replace(", got `str`", "").partition(" - at `$.")
        told = f"{where.rstrip('`')}: {problem[0].lower()}{problem[1:]}".replace("`", "")
        raise Invalid(told, hint="/api/docs says what is taken") from None


@dataclass(frozen=True)
class Route:
    """A described route."""

    path: str
    """As OpenAPI writes it: ``/stream/{key}``."""
    method: str
    name: str
    parameters: list[dict[str, Any]]
    declared: Declared

    @property
    def statuses(self) -> set[int]:
        """Every status; 404 where a part of the path is not what the route takes."""
        return self.declared.statuses | ({404} if self.parameters else set())


def routes(app: Sanic[Any, Any]) -> Iterator[Route]:
    """Every route of the application that is described."""
    for route in sorted(app.router.routes, key=lambda route: (route.path, *sorted(route.methods))):
        declared = getattr(route.handler, "declared", None)
        if declared is not None:
            path = "/" + re.sub(r"<([^:>]+)[^>]*>", r"{\1}", route.path)
            parameters = [_path_parameter(param) for param in route.params.values()]
            for method in sorted(set(route.methods) - {"HEAD", "OPTIONS"}):
                yield Route(path, method, route.name, parameters, declared)


def _path_parameter(param: Any) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string", "minLength": 1}
    if param.label == "int":
        schema = {"type": "integer"}
    elif re.fullmatch(r"[a-z]+(\|[a-z]+)*", param.label) and "|" in param.label:
        schema = {"type": "string", "enum": param.label.split("|")}
    return {"name": param.name, "in": "path", "required": True, "schema": schema}


def document(app: Sanic[Any, Any], site_url: str) -> dict[str, Any]:
    """The description of the whole API."""
    found = list(routes(app))
    shapes: list[Any] = [Error]
    for route in found:
        shapes += [s for s in route.declared.answers.values() if _is_shape(s)]
        shapes += [s for s in (route.declared.body, route.declared.query) if s is not None]
    schemas, components = msgspec.json.schema_components(shapes, ref_template=REF)
    known = {_key(shape): schema for shape, schema in zip(shapes, schemas, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for route in found:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(
            route, known, components
        )
    asked_only = {r.declared.query.__name__ for r in found if r.declared.query is not None}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Vigil", "version": __version__, "description": ABOUT},
        "servers": [{"url": site_url}],
        "paths": paths,
        "components": {
            "schemas": {n: s for n, s in components.items() if n not in asked_only},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


ABOUT = """\
Live streams that hardly anybody watches, cameras, and films made of them.

Lists are `{"items": […], "next": cursor or null}`; ask for the next ones with `cursor=`. Times
are ISO 8601. Every thing says in `actions` what can be done with it: null, or why not now.
Writing needs `Authorization: Bearer <token>`. Pages of other sites may read everything (CORS).
Too many requests are answered with 429; `Retry-After` says in how many seconds to go on.\
"""


def _is_shape(shape: Any) -> bool:
    return shape is not None and not isinstance(shape, Media)


def _key(shape: Any) -> str:
    return repr(shape)


def _operation(
    route: Route, known: Mapping[str, Any], components: Mapping[str, Any]
) -> dict[str, Any]:
    declared = route.declared
    operation: dict[str, Any] = {
        "operationId": "_".join([*route.name.split(".")[1:], route.method.lower()]),
        "tags": [declared.room],
        "summary": declared.summary,
        "description": declared.text,
        "parameters": route.parameters + _query(declared, components),
        "responses": {
            str(status): _answer(declared, status, known) for status in sorted(route.statuses)
        },
    }
    if declared.admin:
        operation["security"] = [{"token": []}]
    if declared.body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {JSON: {"schema": known[_key(declared.body)]}},
        }
    return operation


def _query(declared: Declared, components: Mapping[str, Any]) -> list[dict[str, Any]]:
    if declared.query is None:
        return []
    shape = components[declared.query.__name__]
    return [
        {
            "name": name,
            "in": "query",
            "required": name in shape.get("required", ()),
            "description": schema.get("description", ""),
            "schema": {k: v for k, v in schema.items() if k != "description"},
        }
        for name, schema in shape["properties"].items()
    ]


def _answer(declared: Declared, status: int, known: Mapping[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    shape = declared.answers.get(status, Error if status >= 400 else None)
    if isinstance(shape, Media):
        answer["content"] = {shape.type: {}}
    elif shape is not None:
        answer["content"] = {JSON: {"schema": known[_key(shape)]}}
    if status in (429, 503):
        answer["headers"] = {
            "Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}
        }
    return answer
