"""The API's own description: whole, true, and the same for programs and people."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.conftest import Site
from vigil import openapi, responses
from vigil.site.reference import type_name

ABOUT_ITSELF = {"/api/openapi.json", "/api/docs"}


@pytest_asyncio.fixture
async def document(site: Site) -> AsyncIterator[dict[str, Any]]:
    async with site.client.get("/api/openapi.json") as response:
        assert response.status == 200
        yield await response.json()


async def test_every_route_of_the_api_is_described(site: Site) -> None:
    untold = []
    for route in site.app.router.routes:
        path = f"/{route.path}"
        is_api = path == "/stream" or path.startswith(responses.API_PATHS)
        if is_api and path not in ABOUT_ITSELF and not hasattr(route.handler, "declared"):
            untold.append(f"{sorted(route.methods)} {path}")
    assert untold == []


async def test_every_handler_that_is_described_says_what_it_does(site: Site) -> None:
    found = list(openapi.routes(site.app))
    assert len(found) > 30
    for route in found:
        assert route.declared.summary, route.path
        assert not route.declared.summary.endswith("…")


async def test_who_must_be_the_admin_is_declared_and_asked(site: Site) -> None:
    anybody = {"/api/v1/streams/next", "/api/v1/controllers"}  # the second asks for a code
    others = {"/api/v1/cameras/{name}/frames", "/api/v1/controllers/me/"}  # with another token
    for route in openapi.routes(site.app):
        theirs = any(route.path.startswith(path) for path in others)
        if route.method != "GET" and theirs:
            anybody.add(route.path)
    for route in openapi.routes(site.app):
        if route.method != "GET" and route.path not in anybody:
            assert route.declared.admin, route.path
        path = route.path
        for parameter in route.parameters:
            value = parameter["schema"].get("enum", ["1"])[0]
            path = path.replace(f"{{{parameter['name']}}}", value)
        async with site.client.request(route.method, path) as response:
            refused = response.status == 401
        if route.path.startswith("/api/v1/controllers/me/"):
            assert refused, route.path
            continue
        assert refused == route.declared.admin, f"{route.method} {path}: {response.status}"


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if "$ref" in value else set()
        return own.union(*(references(one) for one in value.values()))
    if isinstance(value, list):
        return set().union(*(references(one) for one in value))
    return set()


async def test_the_document_hangs_together(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    shapes = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert references(document) == shapes
    ids = [
        operation["operationId"]
        for methods in document["paths"].values()
        for operation in methods.values()
    ]
    assert len(ids) == len(set(ids))
    asked = document["paths"]["/api/v1/streams"]["get"]
    names = {parameter["name"] for parameter in asked["parameters"]}
    assert names >= {"mode", "include", "tags", "languages", "limit", "cursor"}
    assert set(asked["responses"]) == {"200", "304", "400", "413", "429", "503"}
    show = document["paths"]["/api/v1/streams/{source}/{key}"]["get"]["parameters"]
    assert [parameter["name"] for parameter in show] == ["source", "key"]


async def test_the_page_shows_all_of_it(site: Site, document: dict[str, Any]) -> None:
    async with site.client.get("/api/docs", headers={"accept": "text/html"}) as response:
        page = await response.text()
        assert response.status == 200, page
    for path in document["paths"]:
        assert f"<code>{path}</code>" in page
    for name in document["components"]["schemas"]:
        assert f'id="shape-{name}"' in page
    assert 'src="http' not in page


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"$ref": "#/components/schemas/Stream"}, "Stream"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "string or null"),
        ({"type": "array", "items": {"type": "integer"}}, "list of integer"),
        ({"type": "string", "format": "date-time"}, "time"),
        ({"enum": ["a", "b"]}, "a | b"),
        ({"type": "integer", "minimum": 1, "maximum": 9}, "integer, 1 to 9"),
        ({"type": "string", "maxLength": 9}, "string, at most 9 characters"),
        ({"type": "array", "prefixItems": [{"type": "number"}] * 4}, "list of 4 times number"),
        (
            {"type": "array", "prefixItems": [{"type": "number"}, {"type": "string"}]},
            "list of number, string",
        ),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, "object of integer"),
    ],
)
def test_types_in_words(schema: dict[str, Any], words: str) -> None:
    assert type_name(schema) == words


async def test_pages_of_other_sites_may_read(site: Site) -> None:
    for path in ("/stream", "/api/v1/streams", "/stats/counts", "/api/v1/jobs", "/stream/x"):
        async with site.client.get(path, headers={"origin": "https://x.example"}) as response:
            assert response.headers["access-control-allow-origin"] == "*"
            assert "access-control-allow-credentials" not in response.headers
    asks = {"origin": "https://x.example", "access-control-request-method": "GET"}
    async with site.client.options("/api/v1/streams/tw/1", headers=asks) as response:
        assert response.status == 204
        assert response.headers["access-control-allow-origin"] == "*"
        assert "GET" in response.headers["access-control-allow-methods"]
        assert "POST" not in response.headers["access-control-allow-methods"]
        assert "if-none-match" in response.headers["access-control-allow-headers"]
    async with site.client.options("/nowhere") as response:
        assert response.status == 404
