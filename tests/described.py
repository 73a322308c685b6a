"""Every answer that a test gets from the site is what the API says of itself."""

from __future__ import annotations

from fnmatch import fnmatch
from types import SimpleNamespace
from typing import Any

import aiohttp
import msgspec
from sanic import Sanic
from sanic.exceptions import SanicException

from vigil import openapi
from vigil.openapi import Media


def checking(app: Sanic[Any, Any]) -> aiohttp.TraceConfig:
    """For a client session: fails a request whose answer has a status or shape nobody declared."""

    async def check(
        _session: aiohttp.ClientSession,
        _context: SimpleNamespace,
        params: aiohttp.TraceRequestEndParams,
    ) -> None:
        declared = find(app, params.method, params.url.raw_path)
        if declared is None:
            return
        response, where = params.response, f"{params.method} {params.url.path}"
        assert response.status in declared.statuses, f"{where}: nobody declared {response.status}"
        if params.method == "HEAD":
            return
        error = openapi.Error if response.status >= 400 else None
        shape = declared.answers.get(response.status, error)
        if isinstance(shape, Media):
            assert fnmatch(response.content_type, shape.type), where  # image/* is any of them
        elif shape is not None:
            assert response.content_type == "application/json", where
            body = await response.read()
            told = msgspec.to_builtins(msgspec.json.decode(body, type=shape))
            assert not untold(msgspec.json.decode(body), told), where

    config = aiohttp.TraceConfig()
    config.on_request_end.append(check)
    return config


def find(app: Sanic[Any, Any], method: str, path: str) -> openapi.Declared | None:
    """What the route of an address declares; ``None`` where it declares nothing."""
    try:
        _, handler, _ = app.router.get(path, method, None)
    except SanicException:
        return None
    found: openapi.Declared | None = getattr(handler, "declared", None)
    return found


def untold(given: Any, told: Any, path: str = "") -> list[str]:
    """Fields that an answer has and its shape does not."""
    if isinstance(given, dict) and isinstance(told, dict):
        more = [f"{path}.{name}" for name in given.keys() - told.keys()]
        return more + [one for n in told if n in given for one in untold(given[n], told[n], n)]
    if isinstance(given, list) and isinstance(told, list):
        pairs = zip(given, told, strict=True)
        return [one for a, b in pairs for one in untold(a, b, f"{path}[]")]
    return []
