"""The description of the API, for programs and for people; made from what handlers declare."""

from __future__ import annotations

from typing import Any

import msgspec
from sanic import HTTPResponse, Request

from vigil import openapi, responses
from vigil.prepared import Prepared

ALLOWED_METHODS = "GET, HEAD, OPTIONS"
ALLOWED_HEADERS = "authorization, if-none-match"


async def openapi_json(request: Request) -> HTTPResponse:
    """The description of the API, as OpenAPI 3.1."""
    return _made(request)[1].answer(request)


async def docs_page(request: Request) -> HTTPResponse:
    """The same as a page."""
    document, _ = _made(request)
    rooms: dict[str, list[dict[str, Any]]] = {"streams": []}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            shown = operation | {"path": path, "method": method.upper()}
            rooms.setdefault(operation["tags"][0], []).append(shown)
    return await responses.page(
        request,
        "site/docs.html",
        rooms=rooms,
        about=document["info"]["description"].split("\n\n"),
        schemas=document["components"]["schemas"],
        type_name=type_name,
    )


def _made(request: Request) -> tuple[dict[str, Any], Prepared]:
    """The description, made when somebody asks first: then all routes are there."""
    ctx = request.app.ctx
    ctx.limiter.take(request)
    if not hasattr(ctx, "openapi"):
        document = openapi.document(request.app, responses.context(request).settings.site_url)
        ctx.openapi = (document, Prepared(msgspec.json.encode(document)))
    made: tuple[dict[str, Any], Prepared] = ctx.openapi
    return made


def type_name(schema: dict[str, Any]) -> str:
    """A schema in a few words; the name of a shape where it is one."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(type_name(one) for one in schema["anyOf"]))
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    kind = schema.get("type", "anything")
    if kind == "array" and "prefixItems" in schema:
        parts = [type_name(one) for one in schema["prefixItems"]]
        same = f"{len(parts)} times {parts[0]}" if len(set(parts)) == 1 else ", ".join(parts)
        return f"list of {same}"
    if kind == "array":
        return f"list of {type_name(schema.get('items', {}))}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {type_name(schema['additionalProperties'])}"
    if schema.get("format") == "date-time":
        return "time"
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and most is not None:
        return f"{kind}, {least} to {most}"
    longest = schema.get("maxLength")
    return f"{kind}, at most {longest} characters" if longest else str(kind)


def preflight(allow: str) -> HTTPResponse:
    """The answer to OPTIONS, which a browser sends before a page of another site may read.

    Args:
        allow: methods of the address.
    """
    return HTTPResponse(
        status=204,
        headers={
            "allow": f"{allow}, OPTIONS" if allow else "OPTIONS",
            "access-control-allow-origin": "*",
            "access-control-allow-methods": ALLOWED_METHODS,
            "access-control-allow-headers": ALLOWED_HEADERS,
            "access-control-max-age": "86400",
        },
    )
